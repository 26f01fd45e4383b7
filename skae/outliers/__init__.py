"""The parts of an outlier detector: points, neighbours, marginals, surprisals, thresholds."""
