"""Benchmarks of series."""
