"""The maximum mean discrepancy: a two-sample test with a kernel."""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from skae.common.seeds import draw_seed
from skae.common.sklearn_private import Interval, validate_params
from skae.metrics.encoding import as_samples
from skae.metrics.sample import joined, squared_distances

# The bandwidths of the kernel, in units of the median distance.
_BANDWIDTHS = (0.5, 1, 2)


class MeanDiscrepancy(NamedTuple):
    """The result of `maximum_mean_discrepancy`.

    Attributes
    ----------
    statistic : float
        The unbiased estimate of the squared discrepancy: about 0, or below, for equal
        distributions.
    pvalue : float
        The share of permutations with a larger statistic; NaN without permutations.
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
    r"""Return an unbiased estimate of the squared distance between mean embeddings.

    .. math::

        \frac{\sum_{i \ne j} k(x_i, x_j)}{n (n - 1)} + \frac{\sum_{i \ne j} k(y_i, y_j)}{m (m - 1)}
        - \frac{2 \sum_{i, j} k(x_i, y_j)}{n m},

    where the kernel is the mean of three Gaussians $\exp(-d^2 / 2 h^2)$, whose bandwidths $h$ are
    0.5, 1 and 2 times the median of all distances $d$ between rows that differ.

    Parameters
    ----------
    real, synthetic : array or frame of shape (n_rows, n_columns)
        Two samples of the same columns, whose types are those of the real rows.
    n_permutations : int, default=0
        The number of permutations of the rows of both samples for the p-value.
    scale : bool, default=True
        Whether numbers are divided by their standard deviation in real rows, and different labels
        add 1 to squared distances; a missing number is set to the mean, and adds 1 to the squared
        distance from one that is present. If not, all columns are numbers, used without scaling.
    max_samples : int or None, default=2000
        The largest number of rows of either sample; of more rows, a random sample is used. None
        uses all, with memory for the square of their number.
    categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
        The numeric columns that hold labels, by name, by index or as a mask; booleans, strings,
        categories and objects hold labels anyway, and so do numbers of one or two values.
    random_state : int, RandomState or None, default=None
        The seed of the random samples and of the permutations.

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
    permuted = rng.permuted(np.repeat(is_real[:, None], n_permutations, axis=1), axis=0)
    n_larger = (_discrepancies(kernel, permuted) >= statistic).sum()
    return MeanDiscrepancy(statistic, float((1 + n_larger) / (1 + n_permutations)))


def _kernel(squared: np.ndarray) -> np.ndarray:
    """Return the kernel of all pairs of rows, with a diagonal of 0."""
    # The computed distance of equal rows is not exactly 0.
    different = squared[squared > 1e-12 * squared.max()]
    median = np.median(different) if len(different) else 1.0
    kernels = (np.exp(squared / (-2 * h**2 * median)) for h in _BANDWIDTHS)
    kernel = sum(kernels, np.zeros_like(squared)) / len(_BANDWIDTHS)
    np.fill_diagonal(kernel, 0)
    return kernel


def _discrepancies(kernel: np.ndarray, is_real: np.ndarray) -> np.ndarray:
    """Return the statistic of every column of `is_real`, a mask of the rows of one sample."""
    real = is_real.astype(float)
    n, m = real.sum(0), (1 - real).sum(0)
    to_real = kernel @ real
    within = (real * to_real).sum(0)
    across = to_real.sum(0) - within
    others = kernel.sum() - within - 2 * across
    return within / (n * (n - 1)) + others / (m * (m - 1)) - 2 * across / (n * m)
