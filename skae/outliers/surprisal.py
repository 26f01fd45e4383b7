"""Surprisal: how rare it is that something is so large, in nats."""

from dataclasses import dataclass

import numpy as np

_TAIL = 0.1
_TRUSTED = 8.0
_LEAST_SPREAD = 1e-3
_SMALL = 1e-3


def logarithm(quantities: np.ndarray) -> np.ndarray:
    """Return the logarithms of quantities of the order of one, zero among them."""
    # Equal rows are to have equal scores, whatever the last digits of their distances are.
    return np.round(np.log(quantities + _SMALL), 10)


@dataclass(frozen=True)
class Surprisal:
    r"""The surprisal of a quantity, $-\log P(V \ge v)$, from a sample of it.

    Up to the quantile at 90 % it follows the sample; beyond it the tail is exponential, with the
    sample's mean excess; and beyond 8 nats, where no sample tells what a tail is like, it rises
    with the logarithm. So quantities that differ have different surprisals at the top.

    Attributes
    ----------
    values, surprisals : ndarray of shape (n_knots,)
        The sample up to the tail, and its surprisals.
    spread : float
        The mean excess in the tail.
    """

    values: np.ndarray
    surprisals: np.ndarray
    spread: float

    @classmethod
    def learn(cls, sample: np.ndarray) -> "Surprisal":
        """Return the surprisal of a quantity, given a sample of shape (n,)."""
        sample = np.sort(sample)
        n = len(sample)
        n_below = max(1, int((1 - _TAIL) * n))
        start = sample[n_below - 1]
        excess = sample[n_below:] - start
        spread = max(float(excess.mean()) if len(excess) else 0.0, _LEAST_SPREAD)
        values, first = np.unique(sample[:n_below], return_index=True)
        return cls(values, -np.log((n - first - 0.5) / n), spread)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return the surprisals of values of any shape."""
        beyond = np.maximum(values - self.values[-1], 0) / self.spread
        found = np.interp(values, self.values, self.surprisals) + beyond
        excess = np.maximum(found - _TRUSTED, 0)
        return np.minimum(found, _TRUSTED) + np.log1p(excess)
