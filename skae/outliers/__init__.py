"""The outlier detector: points, members, neighbours, surprisals, thresholds."""
