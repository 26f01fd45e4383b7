"""Thresholds and p-values from the scores of rows that a detector has not learned from."""

import numpy as np

_BULK = (0.5, 0.9)
_LEAST_RATE = 0.5


def p_values(scores: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    r"""Return the conformal p-values of scores, given those of held-out rows; higher is odder.

    .. math:: p(x) = \frac{1 + \#\{i : s_i \ge s(x)\}}{n + 1}

    If a row is exchangeable with the held-out ones, $P(p \le \alpha) \le \alpha$.

    References
    ----------
    Vovk, V., Gammerman, A. and Shafer, G. (2005). Algorithmic learning in a random world. Springer.
    """
    held_out = np.sort(held_out)
    n_odder = len(held_out) - np.searchsorted(held_out, scores, side="left")
    return (1 + n_odder) / (1 + len(held_out))


def conformal_threshold(held_out: np.ndarray, share: float) -> float:
    """Return the largest score whose p-value is above a share.

    Where there are too few rows for so small a share, the tail beyond the ninth tenth is taken to
    be exponential, as steep as the four tenths before it.
    """
    n_flagged = int(np.floor(share * (len(held_out) + 1) + 1e-9)) - 1
    if n_flagged < 0:
        return max(float(held_out.max()), _extrapolated(held_out, share))
    return float(np.sort(held_out)[-1 - n_flagged])


def share_threshold(scores: np.ndarray, share: float) -> float:
    """Return the score that a share of the rows, as near as can be, is above."""
    n_flagged = min(round(share * len(scores)), len(scores) - 1)
    return float(np.sort(scores)[-1 - n_flagged])


def robust_threshold(scores: np.ndarray, share: float) -> float:
    """Return the score that a share of normal rows would be above, outliers among them or not.

    It looks at the scores up to the ninth tenth only, where outliers hardly count, and takes the
    tail of normal rows to be exponential. At least that share of all rows, and one, is above.
    """
    of_all = share_threshold(scores, max(share, 1 / len(scores)))
    return min(_extrapolated(scores, share), of_all)


def _extrapolated(scores: np.ndarray, share: float) -> float:
    middle, high = np.quantile(scores, _BULK)
    # Scores that repeat could make the tail as steep as a wall.
    rate = max((high - middle) / np.log((1 - _BULK[0]) / (1 - _BULK[1])), _LEAST_RATE)
    return float(high + rate * np.log((1 - _BULK[1]) / share))
