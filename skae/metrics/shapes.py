"""Shapes: whether every column by itself is distributed as it should be."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp

from skae.metrics.encoding import encode


def column_shapes(
    real: Any, synthetic: Any, *, categorical_features: Any = "from_dtype"
) -> pd.Series:
    r"""Return how alike columns are distributed in two samples, each by itself.

    For numbers and times, of which missing cells are dropped, it is the complement of the distance
    of Kolmogorov and Smirnov; for labels, missing cells being one more label, of the total
    variation:

    .. math:: 1 - \max_t |F(t) - G(t)|, \qquad 1 - \frac12 \sum_a |p_a - q_a|.

    If numbers are missing, it is no more than the complement of the difference of the shares of
    missing cells, and that alone if a sample has no numbers.

    Parameters
    ----------
    real, synthetic : array or frame of shape (n_rows, n_columns)
        Two samples of the same columns. Real rows tell what these hold.
    categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
        The numeric columns that hold labels, by name, by index or as a mask; booleans, strings,
        categories and objects hold labels anyhow, and so do numbers of one or two values.

    Returns
    -------
    pandas.Series
        From 0 to 1, the best, by column. Their mean is often called "shape".

    Raises
    ------
    ValueError
        If the columns differ.

    See Also
    --------
    pair_trends : The same of pairs of columns.

    References
    ----------
    N. Patki, R. Wedge and K. Veeramachaneni, "The synthetic data vault", 2016, whose library
    SDMetrics gives the same figures for columns without missing numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from skae.metrics import column_shapes
    >>> real = pd.DataFrame({"age": [20, 30, 40, 50], "job": ["a", "a", "b", "b"]})
    >>> synthetic = pd.DataFrame({"age": [20, 30, 40, 60], "job": ["a", "a", "a", "c"]})
    >>> column_shapes(real, synthetic)
    age    0.75
    job    0.50
    dtype: float64
    """
    samples = encode(real=real, synthetic=synthetic, categorical_features=categorical_features)
    pairs = zip(*(each.iter_columns() for each in samples), strict=True)
    shapes = [
        _number_shape(x, y) if n_states is None else 1 - total_variation(x, y, n_states)
        for (x, n_states), (y, _) in pairs
    ]
    return pd.Series(shapes, [field.name for field in samples[0].columns.table.modelled])


def total_variation(x: np.ndarray, y: np.ndarray, n_states: int) -> float:
    """Return half the sum of differences between the shares of states in two samples."""
    shares = (np.bincount(states, minlength=n_states) / len(states) for states in (x, y))
    return min(1.0, float(np.abs(np.subtract(*shares)).sum() / 2))


def _number_shape(x: np.ndarray, y: np.ndarray) -> float:
    missing = np.isnan(x), np.isnan(y)
    shape = 1 - abs(missing[0].mean() - missing[1].mean())
    if missing[0].all() or missing[1].all():
        return shape
    return min(shape, 1 - ks_2samp(x[~missing[0]], y[~missing[1]], method="asymp").statistic)
