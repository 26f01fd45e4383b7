"""The classifier two-sample test: whether a classifier can distinguish two samples."""

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import PredefinedSplit, cross_val_score

from skae.common.seeds import draw_seed
from skae.common.sklearn_private import HasMethods, Interval, validate_params
from skae.metrics.encoding import encode
from skae.metrics.sample import joined


@validate_params(
    {
        "estimator": [HasMethods(["fit"]), None],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def two_sample_auc(
    real: Any,
    synthetic: Any,
    *,
    estimator: Any = None,
    cv: int = 3,
    categorical_features: Any = "from_dtype",
    random_state: Any = None,
) -> float:
    r"""Return the ROC AUC of a classifier that distinguishes synthetic rows from real ones.

    It is the mean over folds of

    .. math:: P(f(y) > f(x)) + \tfrac12 P(f(y) = f(x))

    for synthetic rows $y$ and real rows $x$ that the classifier $f$ has not seen. Equal rows are in
    the same fold: otherwise a copy of a real row would be classified by the original in another
    fold, which lowers the AUC.

    Parameters
    ----------
    real, synthetic : array or frame of shape (n_rows, n_columns)
        Two samples of the same columns, whose types are those of the real rows.
    estimator : classifier, default=None
        The classifier, which is cloned. None is `sklearn.ensemble.HistGradientBoostingClassifier`,
        whose features are numbers, NaN where missing, and labels as categories, or as ranks if a
        column has more than 253. The features of any other are standardised numbers, with missing
        ones at the mean, and one-hot labels, at most the 256 most frequent of a column.
    cv : int, default=3
        The number of folds.
    categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
        The numeric columns that hold labels, by name, by index or as a mask; booleans, strings,
        categories and objects hold labels anyway, and so do numbers of one or two values.
    random_state : int, RandomState or None, default=None
        The seed of the folds and of the default classifier.

    Returns
    -------
    float
        The AUC; 0.5 is the best, 1 the worst.

    Raises
    ------
    ValueError
        If the columns differ, or there are too few different rows for the number of folds.

    See Also
    --------
    maximum_mean_discrepancy : A two-sample test without a classifier.

    References
    ----------
    D. Lopez-Paz and M. Oquab, "Revisiting classifier two-sample tests", 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import two_sample_auc
    >>> real, new = np.random.default_rng(0).normal(size=(2, 200, 3))
    >>> two_sample_auc(real, new + [3, 0, 0], random_state=0) > 0.9
    True
    """
    real, synthetic = encode(
        real=real, synthetic=synthetic, categorical_features=categorical_features, min_samples=cv
    )
    features = np.vstack([real.features(), synthetic.features()])
    is_synthetic = np.arange(len(features)) >= len(real)
    seed = draw_seed(random_state)
    folds = _folds(features, is_synthetic, cv, seed)
    if estimator is None:
        estimator = HistGradientBoostingClassifier(
            categorical_features=real.native, random_state=seed
        )
    else:
        features = joined(real.sample(), synthetic.sample()).matrix()
    scores = cross_val_score(estimator, features, is_synthetic, cv=folds, scoring="roc_auc")
    return float(scores.mean())


def _folds(features: np.ndarray, is_synthetic: np.ndarray, cv: int, seed: int) -> PredefinedSplit:
    """Assign different rows to folds in turn, in random order, first the real ones."""
    hashes = pd.util.hash_pandas_object(pd.DataFrame(features), index=False)
    _, first, group = np.unique(hashes.to_numpy(), return_index=True, return_inverse=True)
    order = np.lexsort([np.random.default_rng(seed).random(len(first)), is_synthetic[first]])
    folds = np.empty(len(first), dtype=int)
    folds[order] = np.arange(len(first)) % cv
    folds = folds[group]
    counts = [np.bincount(folds[rows], minlength=cv) for rows in (is_synthetic, ~is_synthetic)]
    if np.min(counts) == 0:
        raise ValueError(
            f"The 'cv' parameter must leave real and synthetic rows in every fold, of which equal "
            f"rows share one. Got cv={cv} and {len(first)} different rows."
        )
    return PredefinedSplit(folds)
