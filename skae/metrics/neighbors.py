"""Density and coverage: the overlap of two samples, by nearest neighbours."""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from skae.common.seeds import draw_seed
from skae.common.sklearn_private import Interval, validate_params
from skae.metrics.encoding import as_samples
from skae.metrics.sample import Sample, batches, squared_distances

# The factor on the mean square of points by which radii are rounded up.
_ROUNDING = 1e-9


class DensityCoverage(NamedTuple):
    """The result of `density_coverage`.

    Attributes
    ----------
    precision : float
        The share of synthetic rows that are in the neighbourhood of a real row.
    recall : float
        The share of real rows that are in the neighbourhood of a synthetic row.
    density : float
        The mean number of real neighbourhoods containing a synthetic row, relative to its
        expectation.
    coverage : float
        The share of real rows whose neighbourhood contains a synthetic row.
    """

    precision: float
    recall: float
    density: float
    coverage: float


@validate_params(
    {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "scale": ["boolean"],
        "max_samples": [Interval(Integral, 2, None, closed="left"), None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def density_coverage(
    real: Any,
    synthetic: Any,
    n_neighbors: int = 5,
    *,
    scale: bool = True,
    max_samples: int | None = 5000,
    categorical_features: Any = "from_dtype",
    random_state: Any = None,
) -> DensityCoverage:
    r"""Measure the overlap of two samples by the neighbourhoods of their rows.

    The neighbourhood $B(x_i)$ of a row is the closed ball up to its $k$-th neighbour in its own
    sample. For real rows $x_i$ and synthetic rows $y_j$,

    .. math::

        \mathrm{density} = \frac{1}{k m} \sum_{i, j} [y_j \in B(x_i)], \qquad
        \mathrm{coverage} = \frac1n \sum_i \max_j [y_j \in B(x_i)].

    For two samples of one distribution, density is about 1 and coverage, if both samples are large
    and of equal size, about $1 - 2^{-k}$; precision and recall have no such reference value. A
    density above 1 means that synthetic rows are concentrated where real rows are dense.

    Parameters
    ----------
    real, synthetic : array or frame of shape (n_rows, n_columns)
        Two samples of the same columns, whose types are those of the real rows.
    n_neighbors : int, default=5
        The number $k$ of neighbours.
    scale : bool, default=True
        Whether numbers are divided by their standard deviation in real rows, and different labels
        add 1 to squared distances; a missing number is set to the mean, and adds 1 to the squared
        distance from one that is present. If not, all columns are numbers, used without scaling.
    max_samples : int or None, default=5000
        The largest number of rows of either sample; of more rows, a random sample is used. None
        uses all.
    categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
        The numeric columns that hold labels, by name, by index or as a mask; booleans, strings,
        categories and objects hold labels anyway, and so do numbers of one or two values.
    random_state : int, RandomState or None, default=None
        The seed of the random samples.

    Returns
    -------
    DensityCoverage
        `precision`, `recall`, `density` and `coverage`.

    Raises
    ------
    ValueError
        If the columns differ, or a sample has no more than `n_neighbors` rows.

    See Also
    --------
    nearest_copies : A test for copied rows.

    References
    ----------
    T. Kynkäänniemi et al., "Improved precision and recall metric for assessing generative models",
    2019.

    M. F. Naeem et al., "Reliable fidelity and diversity metrics for generative models", 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import density_coverage
    >>> real, new = np.random.default_rng(0).normal(size=(2, 500, 3))
    >>> density_coverage(real, new).coverage > 0.9
    True
    >>> density_coverage(real, new + 100).coverage
    0.0
    """
    options = {"scale": scale, "categorical_features": categorical_features}
    samples = as_samples(real=real, synthetic=synthetic, min_samples=n_neighbors + 1, **options)
    rng = np.random.default_rng(draw_seed(random_state))
    real, synthetic = (each.some(max_samples, rng) for each in samples)
    _check_many(n_neighbors, max_samples)
    radii = [_radii(each, n_neighbors) for each in (real, synthetic)]
    n_around, is_covered, is_recalled = _memberships(real, synthetic, *radii)
    return DensityCoverage(
        float((n_around > 0).mean()),
        float(is_recalled.mean()),
        float(n_around.mean() / n_neighbors),
        float(is_covered.mean()),
    )


def _check_many(n_neighbors: int, max_samples: int | None) -> None:
    if max_samples is not None and max_samples <= n_neighbors:
        raise ValueError(
            f"The 'max_samples' parameter must be larger than n_neighbors={n_neighbors}. Got "
            f"{max_samples}."
        )


def _radii(points: Sample, n_neighbors: int) -> np.ndarray:
    """Return the squared distances of points to their k-th neighbours, slightly rounded up.

    Rounding up is needed because equal distances of different pairs are computed with different
    last digits.
    """
    radii = [
        np.partition(squared_distances(points[rows], points), n_neighbors, axis=1)[:, n_neighbors]
        for rows in batches(points, points)
    ]
    return np.concatenate(radii) + _ROUNDING * (points.numbers**2).sum(1).mean()


def _memberships(
    real: Sample, synthetic: Sample, radii: np.ndarray, other_radii: np.ndarray
) -> tuple:
    """Return memberships of rows in neighbourhoods.

    They are the number of real neighbourhoods around every synthetic row, a mask of the real rows
    whose neighbourhood contains a synthetic row, and a mask of the real rows that are in the
    neighbourhood of a synthetic row.
    """
    n_around = np.zeros(len(synthetic), dtype=int)
    is_covered, is_recalled = [], []
    for rows in batches(real, synthetic):
        distances = squared_distances(real[rows], synthetic)
        is_inside = distances <= radii[rows, None]
        n_around += is_inside.sum(0)
        is_covered.append(is_inside.any(1))
        is_recalled.append((distances <= other_radii).any(1))
    return n_around, np.concatenate(is_covered), np.concatenate(is_recalled)
