"""Shapes: the similarity of the marginal distributions of columns."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp

from skae.metrics.encoding import encode


def column_shapes(
    real: Any, synthetic: Any, *, categorical_features: Any = "from_dtype"
) -> pd.Series:
    r"""Return the similarity of the marginal distributions of columns in two samples.

    For numbers and times, without missing cells, it is the complement of the Kolmogorov-Smirnov
    distance; for labels, with missing cells as one more label, that of the total variation:

    .. math:: 1 - \max_t |F(t) - G(t)|, \qquad 1 - \frac12 \sum_a |p_a - q_a|.

    If numbers are missing, it is at most the complement of the difference of the shares of missing
    cells, and equal to it if a sample has no numbers.

    Parameters
    ----------
    real, synthetic : array or frame of shape (n_rows, n_columns)
        Two samples of the same columns, whose types are those of the real rows.
    categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
        The numeric columns that hold labels, by name, by index or as a mask; booleans, strings,
        categories and objects hold labels anyway, and so do numbers of one or two values.

    Returns
    -------
    pandas.Series
        The similarity of every column, from 0 to 1, the best. The mean is often called "shape".

    Raises
    ------
    ValueError
        If the columns differ.

    See Also
    --------
    pair_trends : The same for pairs of columns.

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
    """Return the total variation distance of the states in two samples."""
    shares = (np.bincount(states, minlength=n_states) / len(states) for states in (x, y))
    return min(1.0, float(np.abs(np.subtract(*shares)).sum() / 2))


def _number_shape(x: np.ndarray, y: np.ndarray) -> float:
    missing = np.isnan(x), np.isnan(y)
    shape = 1 - abs(missing[0].mean() - missing[1].mean())
    if missing[0].all() or missing[1].all():
        return shape
    return min(shape, 1 - ks_2samp(x[~missing[0]], y[~missing[1]], method="asymp").statistic)
