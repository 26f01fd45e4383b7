"""Nearest copies: a test for samples that are copies of training rows."""

from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from skae.common.seeds import draw_seed
from skae.common.sklearn_private import Interval, validate_params
from skae.metrics.encoding import encode
from skae.metrics.sample import Sample, batches, city_distances


class NearestCopies(NamedTuple):
    """The result of `nearest_copies`.

    Attributes
    ----------
    ratio : float
        The median distance of synthetic rows to their nearest training row, over that of new rows.
    share : float
        The share of synthetic rows that are as near to a training row as the nearest new rows.
    """

    ratio: float
    share: float


@validate_params(
    {
        "quantile": [Interval(Real, 0, 1, closed="neither")],
        "max_samples": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def nearest_copies(
    train: Any,
    test: Any,
    synthetic: Any,
    *,
    quantile: float = 0.05,
    max_samples: int | None = 5000,
    categorical_features: Any = "from_dtype",
    random_state: Any = None,
) -> NearestCopies:
    r"""Compare the distances of synthetic rows to training rows with those of new real rows.

    With $d(y)$ the distance of a row to its nearest training row, and numbers in standard
    deviations of the training rows,

    .. math::

        d(y) = \min_i \sum_j |y_j - x_{ij}| + 2 \, [\text{labels differ}], \qquad
        \mathrm{ratio} = \frac{\mathrm{median}\ d(\text{synthetic})}
        {\mathrm{median}\ d(\text{test})},

    and the share is that of synthetic rows whose distance is below the quantile of the distances of
    test rows. Of the rows with exactly this distance a part is counted, such that the share of the
    test rows would be the quantile. A missing number is set to the mean, and adds 2 to the distance
    from one that is present.

    Parameters
    ----------
    train, test, synthetic : array or frame of shape (n_rows, n_columns)
        The rows that a model was fitted to, new real rows, and rows from the model. The types of
        the columns are those of the training rows.
    quantile : float, default=0.05
        The share of test rows, in (0, 1), that count as near.
    max_samples : int or None, default=5000
        The largest number of test and of synthetic rows; of more rows, a random sample is used.
        None uses all. All training rows are always used.
    categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
        The numeric columns that hold labels, by name, by index or as a mask; booleans, strings,
        categories and objects hold labels anyway, and so do numbers of one or two values.
    random_state : int, RandomState or None, default=None
        The seed of the random samples.

    Returns
    -------
    NearestCopies
        `ratio`, which is 1 for new real rows and 0 for copies, and `share`, which is the quantile
        for new real rows and 1 for copies.

    Raises
    ------
    ValueError
        If the columns differ.

    See Also
    --------
    density_coverage : The overlap of synthetic and real rows.

    References
    ----------
    Z. Zhao et al., "CTAB-GAN: Effective table data synthesizing", 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import nearest_copies
    >>> train, test, new = np.random.default_rng(0).normal(size=(3, 300, 3))
    >>> nearest_copies(train, test, train)
    NearestCopies(ratio=0.0, share=1.0)
    >>> nearest_copies(train, test, new).share < 0.1
    True
    """
    samples = encode(
        train=train, test=test, synthetic=synthetic, categorical_features=categorical_features
    )
    rng = np.random.default_rng(draw_seed(random_state))
    train, test, synthetic = (each.sample() for each in samples)
    of_new = _nearest(test.some(max_samples, rng), train)
    of_drawn = _nearest(synthetic.some(max_samples, rng), train)
    ratio = _ratio(np.median(of_drawn), np.median(of_new))
    return NearestCopies(ratio, _share(of_drawn, of_new, quantile))


def _nearest(points: Sample, others: Sample) -> np.ndarray:
    """Return the distance of every point to the nearest of the others."""
    nearest = [city_distances(points[rows], others).min(1) for rows in batches(points, others)]
    return np.concatenate(nearest)


def _ratio(drawn: float, new: float) -> float:
    if new == 0:
        return 1.0 if drawn == 0 else float("inf")
    return float(drawn / new)


def _share(drawn: np.ndarray, new: np.ndarray, quantile: float) -> float:
    """Return the share of drawn distances below a quantile of new ones, with ties in proportion.

    The share of the new distances themselves is then the quantile.
    """
    bound = np.quantile(new, quantile, method="inverted_cdf")
    part = (quantile - (new < bound).mean()) / (new == bound).mean()
    return float((drawn < bound).mean() + part * (drawn == bound).mean())
