"""Density and coverage: whether two samples lie in each other's neighbourhoods."""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from skae.common.seeds import draw_seed
from skae.common.sklearn_private import Interval, validate_params
from skae.metrics.encoding import as_samples
from skae.metrics.sample import Sample, batches, squared_distances

_ROUNDING = 1e-9


class DensityCoverage(NamedTuple):
    """What `density_coverage` returns.

    Attributes
    ----------
    precision : float
        The share of synthetic rows in the neighbourhood of some real row.
    recall : float
        The share of real rows in the neighbourhood of some synthetic row.
    density : float
        In how many neighbourhoods of real rows a synthetic row is, over how many are expected.
    coverage : float
        The share of real rows with a synthetic row in their neighbourhood.
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
    r"""Return how much of two samples lies in each other's neighbourhoods.

    The neighbourhood $B(x_i)$ of a row is the closed ball that reaches to its $k$-th neighbour in
    its own sample. Of real rows $x_i$ and synthetic rows $y_j$,

    .. math::

        \mathrm{density} = \frac{1}{k m} \sum_{i, j} [y_j \in B(x_i)], \qquad
        \mathrm{coverage} = \frac1n \sum_i \max_j [y_j \in B(x_i)].

    For two samples of one distribution density is about 1 and coverage, where both are large and
    equally so, $1 - 2^{-k}$; precision and recall have no such value. Density beyond 1 says that
    synthetic rows crowd where real ones do.

    Parameters
    ----------
    real, synthetic : array or frame of shape (n_rows, n_columns)
        Two samples of the same columns. Real rows tell what these hold.
    n_neighbors : int, default=5
        The number $k$ of neighbours.
    scale : bool, default=True
        Whether numbers are divided by their standard deviation in real rows, and labels that differ
        count 1 in squared distances; a missing number is at the mean, and 1 from those that are
        there. If not, all columns are numbers, and are taken as they are.
    max_samples : int or None, default=5000
        The largest number of rows of either sample; more are thinned at random. None takes all.
    categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
        The numeric columns that hold labels, by name, by index or as a mask; booleans, strings,
        categories and objects hold labels anyhow, and so do numbers of one or two values.
    random_state : int, RandomState or None, default=None
        What larger samples are thinned with.

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
    nearest_copies : Whether rows were copied.

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
    held, holds, holds_back = _memberships(real, synthetic, *radii)
    return DensityCoverage(
        float((held > 0).mean()),
        float(holds_back.mean()),
        float(held.mean() / n_neighbors),
        float(holds.mean()),
    )


def _check_many(n_neighbors: int, max_samples: int | None) -> None:
    if max_samples is not None and max_samples <= n_neighbors:
        raise ValueError(
            f"The 'max_samples' parameter must be larger than n_neighbors={n_neighbors}. Got "
            f"{max_samples}."
        )


def _radii(points: Sample, n_neighbors: int) -> np.ndarray:
    """Return the squared distances of points to their k-th neighbours, a little rounded up.

    Equal distances between different pairs differ in their last digits.
    """
    radii = [
        np.partition(squared_distances(points[rows], points), n_neighbors, axis=1)[:, n_neighbors]
        for rows in batches(points, points)
    ]
    return np.concatenate(radii) + _ROUNDING * (points.numbers**2).sum(1).mean()


def _memberships(
    real: Sample, synthetic: Sample, radii: np.ndarray, other_radii: np.ndarray
) -> tuple:
    """Return in how many balls of real rows the synthetic are, and which hold one, both ways."""
    held = np.zeros(len(synthetic), dtype=int)
    holds, is_held = [], []
    for rows in batches(real, synthetic):
        distances = squared_distances(real[rows], synthetic)
        inside = distances <= radii[rows, None]
        held += inside.sum(0)
        holds.append(inside.any(1))
        is_held.append((distances <= other_radii).any(1))
    return held, np.concatenate(holds), np.concatenate(is_held)
