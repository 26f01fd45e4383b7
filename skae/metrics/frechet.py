"""The Frechet distance between normal distributions with the moments of two samples."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from skae.common.sklearn_private import Interval, validate_params
from skae.metrics.encoding import as_samples


@validate_params(
    {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "scale": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def frechet_distance(
    real: Any,
    synthetic: Any,
    *,
    n_components: Any = 64,
    fit_on: Any = None,
    scale: bool = True,
    categorical_features: Any = "from_dtype",
) -> float:
    r"""Return the squared Frechet distance of normal distributions with the samples' moments.

    In the space of the principal components, with means $\mu$ and covariances $\Sigma$,

    .. math::

        \|\mu - \mu'\|^2 + \mathrm{tr}(\Sigma + \Sigma'
        - 2 (\Sigma^{1/2} \Sigma' \Sigma^{1/2})^{1/2}).

    This is not the "Frechet inception distance", which is measured in the features of one
    particular network for images, and cannot be compared with it. The distance of small samples is
    biased: it is larger than that of their distributions.

    Parameters
    ----------
    real, synthetic : array or frame of shape (n_rows, n_columns)
        Two samples of the same columns, whose types are those of the real rows.
    n_components : int, default=64
        The number of principal components, or all if there are fewer.
    fit_on : array or frame, default=None
        The rows whose principal components are used; None is the real ones.
    scale : bool, default=True
        Whether numbers are divided by their standard deviation in real rows, and different labels
        add 1 to squared distances; a missing number is set to the mean, and adds 1 to the squared
        distance from one that is present. Beyond the 256 most frequent labels of a column, all
        others count as one. If not, all columns are numbers, used without scaling.
    categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
        The numeric columns that hold labels, by name, by index or as a mask; booleans, strings,
        categories and objects hold labels anyway, and so do numbers of one or two values.

    Returns
    -------
    float
        The squared distance; 0 is the best.

    Raises
    ------
    ValueError
        If the columns differ, or a sample has fewer than two rows.

    See Also
    --------
    maximum_mean_discrepancy : A distance that depends on more than two moments.

    References
    ----------
    D. C. Dowson and B. V. Landau, "The Fréchet distance between multivariate normal distributions",
    1982.

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import frechet_distance
    >>> real = np.random.default_rng(0).normal(size=(500, 3))
    >>> round(frechet_distance(real, real + [2, 0, 0], scale=False), 6)
    4.0
    """
    samples = {"real": real, "synthetic": synthetic}
    samples |= {} if fit_on is None else {"fit_on": fit_on}
    options = {"scale": scale, "categorical_features": categorical_features, "min_samples": 2}
    real, synthetic, *others = (each.matrix() for each in as_samples(**samples, **options))
    basis = others[0] if others else real
    pca = PCA(min(n_components, *basis.shape), random_state=0).fit(basis)
    return _between_normals(pca.transform(real), pca.transform(synthetic))


def _between_normals(x: np.ndarray, y: np.ndarray) -> float:
    shift = x.mean(0) - y.mean(0)
    covariances = [np.atleast_2d(np.cov(each, rowvar=False)) for each in (x, y)]
    root = _root(covariances[0])
    # The trace of a matrix root is the sum of the roots of its eigenvalues, which are not negative
    # here but for rounding.
    squares = np.linalg.eigvalsh(root @ covariances[1] @ root)
    shared = np.sqrt(np.maximum(squares, 0)).sum()
    distance = shift @ shift + sum(map(np.trace, covariances)) - 2 * shared
    return max(0.0, float(distance))


def _root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
