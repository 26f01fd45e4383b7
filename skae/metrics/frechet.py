"""The Frechet distance between two samples, as if they were normal."""

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
    r"""Return the squared Frechet distance between normals with the moments of two samples.

    In the space of the principal components, with means $\mu$ and covariances $\Sigma$,

    .. math::

        \|\mu - \mu'\|^2 + \mathrm{tr}(\Sigma + \Sigma'
        - 2 (\Sigma^{1/2} \Sigma' \Sigma^{1/2})^{1/2}).

    This is not the "Frechet inception distance", which is measured in the features of one
    particular network for images, and cannot be compared with it. Small samples are farther apart
    than their distributions are.

    Parameters
    ----------
    real, synthetic : array or frame of shape (n_rows, n_columns)
        Two samples of the same columns. Real rows tell what these hold.
    n_components : int, default=64
        The number of principal components, or all if they are fewer.
    fit_on : array or frame, default=None
        The rows whose principal components they are; None takes the real ones.
    scale : bool, default=True
        Whether numbers are divided by their standard deviation in real rows, and labels that differ
        count 1 in squared distances; a missing number is at the mean, and 1 from those that are
        there. Labels of a column beyond the 256 commonest count as one. If not, all columns are
        numbers, and are taken as they are.
    categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
        The numeric columns that hold labels, by name, by index or as a mask; booleans, strings,
        categories and objects hold labels anyhow, and so do numbers of one or two values.

    Returns
    -------
    float
        0 is the best.

    Raises
    ------
    ValueError
        If the columns differ, or a sample has fewer than two rows.

    See Also
    --------
    maximum_mean_discrepancy : A distance that sees more than two moments.

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
    # The trace of a root is the sum of the roots of eigenvalues, which are never negative here.
    squares = np.linalg.eigvalsh(root @ covariances[1] @ root)
    shared = np.sqrt(np.maximum(squares, 0)).sum()
    distance = shift @ shift + sum(map(np.trace, covariances)) - 2 * shared
    return max(0.0, float(distance))


def _root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
