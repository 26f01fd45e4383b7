"""The maximum mean discrepancy: a two-sample test with a kernel."""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from skae.common.seeds import draw_seed
from skae.common.sklearn_private import Interval, validate_params
from skae.metrics.encoding import as_samples
from skae.metrics.sample import joined, squared_distances

_BANDWIDTHS = (0.5, 1, 2)


class MeanDiscrepancy(NamedTuple):
    """What `maximum_mean_discrepancy` returns.

    Attributes
    ----------
    statistic : float
        The squared discrepancy, without bias: about 0, or below, for equal distributions.
    pvalue : float
        The share of permutations with a larger one; NaN without permutations.
    """

    statistic: float
    pvalue: float


@validate_params(
    {
        "n_permutations": [Interval(Integral, 0, None, closed="left")],
        "scale": ["boolean"],
        "max_samples": [Interval(Integral, 2, None, closed="left"), None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def maximum_mean_discrepancy(
    real: Any,
    synthetic: Any,
    *,
    n_permutations: int = 0,
    scale: bool = True,
    max_samples: int | None = 2000,
    categorical_features: Any = "from_dtype",
    random_state: Any = None,
) -> MeanDiscrepancy:
    r"""Return the squared distance between the mean embeddings of two samples, without bias.

    .. math::

        \frac{\sum_{i \ne j} k(x_i, x_j)}{n (n - 1)} + \frac{\sum_{i \ne j} k(y_i, y_j)}{m (m - 1)}
        - \frac{2 \sum_{i, j} k(x_i, y_j)}{n m},

    where the kernel is the mean of three Gaussians $\exp(-d^2 / 2 h^2)$, whose bandwidths $h$ are
    0.5, 1 and 2 times the median of all distances $d$ between different rows.

    Parameters
    ----------
    real, synthetic : array or frame of shape (n_rows, n_columns)
        Two samples of the same columns. Real rows tell what these hold.
    n_permutations : int, default=0
        How often the rows of both samples are dealt anew for the p-value.
    scale : bool, default=True
        Whether numbers are divided by their standard deviation in real rows, and labels that differ
        count 1 in squared distances; a missing number is at the mean, and 1 from those that are
        there. If not, all columns are numbers, and are taken as they are.
    max_samples : int or None, default=2000
        The largest number of rows of either sample; more are thinned at random. None takes all, and
        memory for the square of their number.
    categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
        The numeric columns that hold labels, by name, by index or as a mask; booleans, strings,
        categories and objects hold labels anyhow, and so do numbers of one or two values.
    random_state : int, RandomState or None, default=None
        What larger samples are thinned with, and rows permuted.

    Returns
    -------
    MeanDiscrepancy
        `statistic` and `pvalue`.

    Raises
    ------
    ValueError
        If the columns differ, or a sample has fewer than two rows.

    See Also
    --------
    two_sample_auc : A two-sample test with a classifier.

    References
    ----------
    A. Gretton et al., "A kernel two-sample test", 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import maximum_mean_discrepancy
    >>> real, new = np.random.default_rng(0).normal(size=(2, 200, 3))
    >>> maximum_mean_discrepancy(real, new + 1, n_permutations=99, random_state=0).pvalue
    0.01
    """
    options = {"scale": scale, "categorical_features": categorical_features}
    samples = as_samples(real=real, synthetic=synthetic, min_samples=2, **options)
    rng = np.random.default_rng(draw_seed(random_state))
    real, synthetic = (each.some(max_samples, rng) for each in samples)
    both = joined(real, synthetic)
    kernel = _kernel(squared_distances(both, both))
    is_real = np.arange(len(both)) < len(real)
    statistic = float(_discrepancies(kernel, is_real[:, None])[0])
    if n_permutations == 0:
        return MeanDiscrepancy(statistic, float("nan"))
    deals = rng.permuted(np.repeat(is_real[:, None], n_permutations, axis=1), axis=0)
    n_larger = (_discrepancies(kernel, deals) >= statistic).sum()
    return MeanDiscrepancy(statistic, float((1 + n_larger) / (1 + n_permutations)))


def _kernel(squared: np.ndarray) -> np.ndarray:
    """Return the kernel of all pairs, 0 for a row and itself."""
    # Rounding leaves a little between equal rows.
    different = squared[squared > 1e-12 * squared.max()]
    median = np.median(different) if len(different) else 1.0
    kernels = (np.exp(squared / (-2 * h**2 * median)) for h in _BANDWIDTHS)
    kernel = sum(kernels, np.zeros_like(squared)) / len(_BANDWIDTHS)
    np.fill_diagonal(kernel, 0)
    return kernel


def _discrepancies(kernel: np.ndarray, is_real: np.ndarray) -> np.ndarray:
    """Return the statistic for every column, which tells the rows of the first sample."""
    real = is_real.astype(float)
    n, m = real.sum(0), (1 - real).sum(0)
    to_real = kernel @ real
    within = (real * to_real).sum(0)
    across = to_real.sum(0) - within
    others = kernel.sum() - within - 2 * across
    return within / (n * (n - 1)) + others / (m * (m - 1)) - 2 * across / (n * m)
