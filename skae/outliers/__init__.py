"""The parts of an outlier detector: points, members, neighbours, surprisals, thresholds."""
