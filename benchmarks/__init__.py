"""One command each: ``python -m benchmarks.<name>``. RESULTS.md says what they measured."""
