"""Trends: the similarity of the joint distributions of pairs of columns."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from skae.common.sklearn_private import validate_params
from skae.metrics.encoding import Encoded, encode
from skae.metrics.shapes import total_variation

# The number of bins of a column of numbers, and the states of numbers that are in none of them.
_N_BINS = 10
_BELOW, _ABOVE, _ABSENT = range(_N_BINS, _N_BINS + 3)


@validate_params({"own_edges": ["boolean"]}, prefer_skip_nested_validation=True)
def pair_trends(
    real: Any, synthetic: Any, *, own_edges: Any = False, categorical_features: Any = "from_dtype"
) -> pd.DataFrame:
    r"""Return the similarity of the joint distributions of pairs of columns in two samples.

    For two columns of numbers it compares Pearson's correlations over the rows that have both
    numbers, with 0 where a column is constant; for other pairs it is the complement of the total
    variation of their contingency tables,

    .. math:: 1 - \frac12 |r - r'|, \qquad 1 - \frac12 \sum_{a, b} |p_{ab} - q_{ab}|,

    with numbers in ten bins of equal width. A missing cell is one more label or bin.

    Parameters
    ----------
    real, synthetic : array or frame of shape (n_rows, n_columns)
        Two samples of the same columns, whose types are those of the real rows.
    own_edges : bool, default=False
        Whether the bins of synthetic numbers are between their own extremes, as in published
        figures, so that one outlier moves all bins. If not, they are those of the real rows, with
        one more bin on either side.
    categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
        The numeric columns that hold labels, by name, by index or as a mask; booleans, strings,
        categories and objects hold labels anyway, and so do numbers of one or two values.

    Returns
    -------
    pandas.DataFrame
        The similarity of every pair of columns, from 0 to 1, the best; NaN on the diagonal. The
        mean over pairs is often called "trend".

    Raises
    ------
    ValueError
        If the columns differ.

    See Also
    --------
    column_shapes : The same for single columns.

    References
    ----------
    N. Patki, R. Wedge and K. Veeramachaneni, "The synthetic data vault", 2016, whose library
    SDMetrics gives the same figures as `own_edges=True` for rows without missing cells.

    Examples
    --------
    >>> import pandas as pd
    >>> from skae.metrics import pair_trends
    >>> real = pd.DataFrame({"a": [1, 2, 3, 4], "b": [1, 2, 3, 4], "c": ["x", "x", "y", "y"]})
    >>> pair_trends(real, real.assign(b=[4, 3, 2, 1]))
         a    b    c
    a  NaN  0.0  1.0
    b  0.0  NaN  0.0
    c  1.0  0.0  NaN
    """
    samples = encode(real=real, synthetic=synthetic, categorical_features=categorical_features)
    names = [field.name for field in samples[0].columns.table.modelled]
    trends = np.full((len(names), len(names)), np.nan)
    numeric = samples[0].columns.column_of_number
    trends[np.ix_(numeric, numeric)] = _correlation_trends(*samples)
    np.fill_diagonal(trends, np.nan)
    binned = _binned(*samples, own_edges=own_edges)
    for i, j in combinations(range(len(names)), 2):
        if not {i, j} <= set(numeric):
            trends[i, j] = trends[j, i] = 1 - _joint_variation(*binned[i], *binned[j])
    return pd.DataFrame(trends, names, names)


def _correlation_trends(real: Encoded, synthetic: Encoded) -> np.ndarray:
    correlations = (_correlations(sample.numbers) for sample in (real, synthetic))
    return 1 - np.abs(np.subtract(*correlations)) / 2


def _correlations(numbers: np.ndarray) -> np.ndarray:
    """Return correlations over the rows that have both numbers, 0 where a column is constant."""
    return np.nan_to_num(pd.DataFrame(numbers).corr().to_numpy())


def _binned(real: Encoded, synthetic: Encoded, *, own_edges: bool) -> list[tuple]:
    """Return the states of every column in both samples, and the number of states."""
    columns = []
    pairs = zip(real.iter_columns(), synthetic.iter_columns(), strict=True)
    for (x, n_states), (y, _) in pairs:
        if n_states is None:
            other = y if own_edges else x
            x, y, n_states = _bins(x, x), _bins(y, other), _ABSENT + 1
        columns.append((x, y, n_states))
    return columns


def _bins(numbers: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the bins of numbers, with edges between the extremes of other numbers."""
    present = other[~np.isnan(other)]
    if len(present) == 0:
        return np.full(len(numbers), _ABSENT)
    edges = np.linspace(present.min(), present.max(), _N_BINS + 1)
    bins = np.digitize(numbers, edges[1:-1])
    bins[numbers < edges[0]] = _BELOW
    bins[numbers > edges[-1]] = _ABOVE
    bins[np.isnan(numbers)] = _ABSENT
    return bins


def _joint_variation(
    x: Any, y: Any, n_states: Any, other_x: Any, other_y: Any, n_others: Any
) -> float:
    """Return the total variation distance of the joint states of two columns in two samples."""
    joint = np.concatenate([x, y]).astype(np.int64) * n_others
    joint += np.concatenate([other_x, other_y])
    n_joint = n_states * n_others
    if n_joint > len(joint):
        values, joint = np.unique(joint, return_inverse=True)
        n_joint = len(values)
    return total_variation(joint[: len(x)], joint[len(x) :], n_joint)
