"""Surprisal: minus the log-probability that a quantity is at least as large, in nats."""

from dataclasses import dataclass

import numpy as np

from skae.outliers.interpolation import Interpolation

# The share of the sample in the tail, which is taken to be exponential.
_TAIL = 0.1
# The surprisal, in nats, up to which the exponential tail is used.
TRUSTED = 8.0
# The smallest mean excess in the tail.
_LEAST_SPREAD = 1e-3
# The largest number of knots.
_MOST_KNOTS = 512
# The number that is added to quantities before their logarithm.
SMALL = 1e-3


def logarithm(quantities: np.ndarray) -> np.ndarray:
    """Return the logarithms of quantities of the order of one, which may be zero."""
    # Rounded, so that equal rows have equal scores despite the last digits of their distances.
    return np.round(np.log(quantities + SMALL), 10)


@dataclass(frozen=True)
class Surprisal:
    r"""The surprisal of a quantity, $-\log P(V \ge v)$, from a sample of it.

    Up to the 90th percentile it is empirical; beyond it the tail is exponential, with the sample's
    mean excess; and beyond 8 nats, where samples are too small to know the tail, it rises with the
    logarithm. So different quantities have different surprisals, however large they are.

    Attributes
    ----------
    bulk : Interpolation
        The surprisals of quantities up to the tail.
    spread : float
        The mean excess in the tail.
    """

    bulk: Interpolation
    spread: float

    @classmethod
    def learn(cls, sample: np.ndarray, weights: np.ndarray | None = None) -> "Surprisal":
        """Return the surprisal of a quantity, given a sample of shape (n,) and its weights."""
        order = np.argsort(sample, kind="stable")
        sample = sample[order]
        share = np.ones(len(sample)) if weights is None else weights[order]
        share = share / share.sum()
        upper = np.cumsum(share)
        n_below = max(1, int(np.searchsorted(upper, 1 - _TAIL + 1e-9)))
        excess = (sample[n_below:] - sample[n_below - 1]) * share[n_below:]
        spread = excess.sum() / max(share[n_below:].sum(), np.finfo(float).tiny)
        values, first = np.unique(sample[:n_below], return_index=True)
        half = 0.5 / len(sample)
        at_least = 1 - (upper - share)[first] - half
        kept = np.unique(np.linspace(0, len(values) - 1, _MOST_KNOTS).astype(int))
        bulk = Interpolation(values[kept], -np.log(at_least[kept]))
        return cls(bulk, max(float(spread), _LEAST_SPREAD))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return the surprisals of values of any shape."""
        beyond = np.maximum(values - self.bulk.ends[1], 0) / self.spread
        surprisals = self.bulk(values.ravel()).reshape(values.shape) + beyond
        excess = np.maximum(surprisals - TRUSTED, 0)
        return np.minimum(surprisals, TRUSTED) + np.log1p(excess)
