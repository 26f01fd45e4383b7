"""Where new cells come from: the prior, given cells, holes."""

from skae.sampling.prior import Prior

__all__ = ["Prior"]
