"""Thresholds and p-values from the scores of held-out rows."""

import numpy as np

# The quantiles from which the tail of the scores is extrapolated.
_BULK = (0.5, 0.9)
# The smallest scale of the tail, in nats.
_LEAST_RATE = 0.5
# The smallest share and number of the rows below a gap.
_LEAST_BELOW, _FEWEST_BELOW = 0.5, 20
# How often a gap is found where there is none.
_LEVEL = 0.01


def p_values(
    scores: np.ndarray, held_out: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    r"""Return the conformal p-values of scores, where higher scores are more anomalous.

    .. math:: p(x) = \frac{1 + \#\{i : s_i \ge s(x)\}}{n + 1}

    If a row is exchangeable with the held-out ones, $P(p \le \alpha) \le \alpha$. Weighted rows
    count as their weights, which are one on average, and the new row as one.

    References
    ----------
    Vovk, V., Gammerman, A. and Shafer, G. (2005). Algorithmic learning in a random world. Springer.
    """
    order = np.argsort(held_out, kind="stable")
    weights = np.ones(len(held_out)) if weights is None else weights[order]
    below = np.append(0.0, np.cumsum(weights))
    place = np.searchsorted(held_out[order], scores, side="left")
    return (1 + np.maximum(below[-1] - below[place], 0)) / (1 + below[-1])


def conformal_threshold(held_out: np.ndarray, share: float, weights: np.ndarray) -> float:
    """Return the largest score whose p-value is above a share.

    With too few rows for the share, it is extrapolated: the tail beyond the 90th percentile is
    taken to be exponential, with the rate of the scores between the median and that percentile.

    A held-out row is itself compared with the others only. If the one whose score would be the
    threshold is among the share so, the threshold is just below its score.
    """
    if share * (len(held_out) + 1) < 1 - 1e-9:
        return max(float(held_out.max()), _extrapolated(held_out, share))
    ordered = np.sort(held_out)[::-1]
    above = p_values(ordered, held_out, weights) > share + 1e-9
    threshold = float(ordered[above][0])
    is_last = held_out == threshold
    beyond = 1 + weights[held_out > threshold].sum()
    share_of_last = beyond / (1 + weights[~is_last].sum())
    is_among = is_last.sum() == 1 and share_of_last <= share + 1e-9
    return float(np.nextafter(threshold, -np.inf)) if is_among else threshold


def share_threshold(scores: np.ndarray, share: float, weights: np.ndarray) -> float:
    """Return the threshold that a share of the rows exceeds, as nearly as possible."""
    values, place = np.unique(scores, return_inverse=True)
    of_value = np.bincount(place, weights)
    beyond = weights.sum() - np.cumsum(of_value)
    # Of two thresholds that are as near, the one that flags fewer rows.
    nearest = np.abs(beyond - share * weights.sum())[::-1].argmin()
    return float(values[::-1][nearest])


def robust_threshold(
    scores: np.ndarray, share: float, weights: np.ndarray, is_far: np.ndarray
) -> tuple[float, float]:
    """Return the threshold of the normal rows, of which few are flagged.

    It is the one that a share of the normal rows would exceed, extrapolated from the scores of
    these up to the 90th percentile. The share of all rows that exceeds it is at least that of the
    far rows, which are no normal ones, and of the others between the share and twice as much.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
        The scores, of which higher ones are more anomalous.
    share : float
        The share of the normal rows.
    weights : ndarray of shape (n_rows,)
        The weights of the rows.
    is_far : ndarray of bool of shape (n_rows,)
        The rows that a gap parts from the others.

    Returns
    -------
    threshold : float
        The threshold.
    estimate : float
        The share of outliers: of the rows beyond it, less what is expected of normal rows.
    """
    far = float(weights[is_far].sum() / weights.sum())
    shares = (max(far + factor * share * (1 - far), 1 / len(scores)) for factor in (1, 2))
    most, fewest = (share_threshold(scores, each, weights) for each in shares)
    threshold = float(np.clip(_extrapolated(scores[~is_far], share), fewest, most))
    beyond = float(weights[scores > threshold].sum() / weights.sum())
    return threshold, max((beyond - share) / (1 - share), 0.0)


def find_gap(values: np.ndarray, least: float) -> int:
    r"""Return how many of the largest values a gap parts from the others; 0 if there is none.

    The first $m$ values in ascending order are taken to have an exponential tail, with the rate
    $\lambda$ between their median and their 90th percentile. If all $n$ had it, the distance from
    the $m$-th to the next would be exponential as well, with the rate $\lambda / (n - m)$, and so
    there is a gap where

    .. math:: x_{(m+1)} - x_{(m)} > \frac{\lambda}{n - m} \log\frac{n}{\alpha}.

    It is the lowest gap that counts, if half of the values at least are below it.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        The values.
    least : float
        The smallest distance that is a gap.

    References
    ----------
    Rényi, A. (1953). On the theory of order statistics. Acta Mathematica Hungarica 4.
    """
    ordered, n = np.sort(values), len(values)
    counts = np.arange(max(int(np.ceil(_LEAST_BELOW * n)), _FEWEST_BELOW), n)
    if len(counts) == 0:
        return 0
    middle, high = (np.interp(share * (counts - 1), np.arange(n), ordered) for share in _BULK)
    rate = (high - middle) / np.log((1 - _BULK[0]) / (1 - _BULK[1]))
    widest = rate / (n - counts) * np.log(n / _LEVEL)
    # Among many equal values there is no rate, and any other value would be beyond a gap.
    distances = np.where(rate > 0, ordered[counts] - ordered[counts - 1], 0)
    gaps = np.flatnonzero(distances > np.maximum(widest, least))
    return int(n - counts[gaps[0]]) if len(gaps) else 0


def _extrapolated(scores: np.ndarray, share: float) -> float:
    middle, high = np.quantile(scores, _BULK)
    # Many equal scores could make the scale of the tail zero.
    rate = max((high - middle) / np.log((1 - _BULK[0]) / (1 - _BULK[1])), _LEAST_RATE)
    return float(high + rate * np.log((1 - _BULK[1]) / share))
