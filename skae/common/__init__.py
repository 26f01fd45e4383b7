"""What every estimator needs, and no data passes through."""
