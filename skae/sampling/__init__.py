"""Sampling: from the prior, given some cells, and as imputation of missing ones."""

from skae.sampling.prior import Prior

__all__ = ["Prior"]
