"""Thresholds and p-values from the scores of held-out rows."""

import numpy as np

# The quantiles from which the tail of the scores is extrapolated.
_BULK = (0.5, 0.9)
# The smallest scale of the tail, in nats.
_LEAST_RATE = 0.5


def p_values(scores: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    r"""Return the conformal p-values of scores, where higher scores are more anomalous.

    .. math:: p(x) = \frac{1 + \#\{i : s_i \ge s(x)\}}{n + 1}

    If a row is exchangeable with the held-out ones, $P(p \le \alpha) \le \alpha$.

    References
    ----------
    Vovk, V., Gammerman, A. and Shafer, G. (2005). Algorithmic learning in a random world. Springer.
    """
    held_out = np.sort(held_out)
    n_at_least = len(held_out) - np.searchsorted(held_out, scores, side="left")
    return (1 + n_at_least) / (1 + len(held_out))


def conformal_threshold(held_out: np.ndarray, share: float) -> float:
    """Return the largest score whose p-value is above a share.

    With too few rows for the share, it is extrapolated: the tail beyond the 90th percentile is
    taken to be exponential, with the rate of the scores between the median and that percentile.
    """
    n_flagged = int(np.floor(share * (len(held_out) + 1) + 1e-9)) - 1
    if n_flagged < 0:
        return max(float(held_out.max()), _extrapolated(held_out, share))
    return float(np.sort(held_out)[-1 - n_flagged])


def share_threshold(scores: np.ndarray, share: float) -> float:
    """Return the threshold that a share of the rows exceeds, as nearly as possible."""
    n_flagged = min(round(share * len(scores)), len(scores) - 1)
    return float(np.sort(scores)[-1 - n_flagged])


def robust_threshold(scores: np.ndarray, share: float) -> float:
    """Return the threshold that a share of the normal rows would exceed, robust to outliers.

    It is extrapolated from the scores up to the 90th percentile, on which outliers have little
    influence, with an exponential tail. At least that share of all rows, and at least one row,
    exceeds it.
    """
    of_all = share_threshold(scores, max(share, 1 / len(scores)))
    return min(_extrapolated(scores, share), of_all)


def _extrapolated(scores: np.ndarray, share: float) -> float:
    middle, high = np.quantile(scores, _BULK)
    # Many equal scores could make the scale of the tail zero.
    rate = max((high - middle) / np.log((1 - _BULK[0]) / (1 - _BULK[1])), _LEAST_RATE)
    return float(high + rate * np.log((1 - _BULK[1]) / share))
