"""Surprisal: minus the log-probability that a quantity is at least as large, in nats."""

from dataclasses import dataclass

import numpy as np

# The share of the sample in the tail, which is taken to be exponential.
_TAIL = 0.1
# The surprisal, in nats, up to which the exponential tail is used.
_TRUSTED = 8.0
# The smallest mean excess in the tail.
_LEAST_SPREAD = 1e-3
# The number that is added to quantities before their logarithm.
_SMALL = 1e-3


def logarithm(quantities: np.ndarray) -> np.ndarray:
    """Return the logarithms of quantities of the order of one, which may be zero."""
    # Rounded, so that equal rows have equal scores despite the last digits of their distances.
    return np.round(np.log(quantities + _SMALL), 10)


@dataclass(frozen=True)
class Surprisal:
    r"""The surprisal of a quantity, $-\log P(V \ge v)$, from a sample of it.

    Up to the 90th percentile it is empirical; beyond it the tail is exponential, with the sample's
    mean excess; and beyond 8 nats, where samples are too small to know the tail, it rises with the
    logarithm. So different quantities have different surprisals, however large they are.

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
        surprisals = np.interp(values, self.values, self.surprisals) + beyond
        excess = np.maximum(surprisals - _TRUSTED, 0)
        return np.minimum(surprisals, _TRUSTED) + np.log1p(excess)
