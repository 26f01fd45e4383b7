"""Utility: the performance on real rows of a predictor that is trained on synthetic ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score, roc_auc_score

from skae.common.seeds import draw_seed
from skae.common.sklearn_private import HasMethods, validate_params
from skae.metrics.encoding import Encoded, as_rows, encode
from skae.tables.cells import MISSING
from skae.tables.number import Number


@validate_params(
    {"estimator": [HasMethods(["fit", "predict"]), None], "random_state": ["random_state"]},
    prefer_skip_nested_validation=True,
)
def train_on_synthetic(
    synthetic: Any,
    test: Any,
    target: Any,
    *,
    estimator: Any = None,
    categorical_features: Any = "from_dtype",
    random_state: Any = None,
) -> float:
    r"""Return the score on real rows of a predictor that is trained on synthetic ones.

    For a target of labels it is the one-vs-rest ROC AUC, averaged over the labels of test rows. A
    label that no synthetic row has is predicted with probability 0, and has an AUC of 0.5. For a
    target of numbers it is

    .. math:: R^2 = 1 - \frac{\sum_i (y_i - f(x_i))^2}{\sum_i (y_i - \bar y)^2}.

    Rows without a target are left out.

    Parameters
    ----------
    synthetic, test : array or frame of shape (n_rows, n_columns)
        The rows to train on and real rows to test on, of the same columns, whose types are those of
        the test rows.
    target : column name or int
        The column to predict, for an array its index.
    estimator : classifier or regressor, default=None
        The predictor, which is cloned; a classifier needs `predict_proba`. None is
        `sklearn.ensemble.HistGradientBoostingClassifier` or `HistGradientBoostingRegressor`, whose
        features are numbers, NaN where missing, and labels as categories, or as ranks if a column
        has more than 253. The features of any other are standardised numbers, with missing ones at
        the mean, and one-hot labels, at most the 256 most frequent of a column.
    categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
        The numeric columns that hold labels, by name, by index or as a mask; booleans, strings,
        categories and objects hold labels anyway, and so do numbers of one or two values.
    random_state : int, RandomState or None, default=None
        The seed of the default predictor.

    Returns
    -------
    float
        The score; 1 is the best. Compare it with that of the same predictor, trained on real rows.

    Raises
    ------
    ValueError
        If the columns differ, there is no such target, or it does not vary in test rows.

    See Also
    --------
    evaluate_samples : The same beside the score of real rows.

    References
    ----------
    C. Esteban, S. L. Hyland and G. Rätsch, "Real-valued (medical) time series generation with
    recurrent conditional GANs", 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skae.metrics import independent_columns, train_on_synthetic
    >>> rows = load_breast_cancer(as_frame=True).frame
    >>> train, test = rows[:400], rows[400:]
    >>> train_on_synthetic(train, test, "target", random_state=0) > 0.98
    True
    >>> noise = independent_columns(train, random_state=0)
    >>> train_on_synthetic(noise, test, "target", random_state=0) < 0.9
    True
    """
    columns = list(as_rows(test, "test").columns)
    _check_target(target, columns)
    samples = encode(
        test=test, synthetic=synthetic, categorical_features=categorical_features, min_samples=2
    )
    position, is_number = _find(target, samples[0], columns)
    if estimator is None:
        kind = HistGradientBoostingRegressor if is_number else HistGradientBoostingClassifier
        native = samples[0].split(position)[0].native
        estimator = kind(categorical_features=native, random_state=draw_seed(random_state))
        as_features: Callable[[Encoded], np.ndarray] = Encoded.features
    else:
        estimator, as_features = clone(estimator), _as_matrix
    test, synthetic = (_task(each, position, as_features) for each in samples)
    _check_varies(target, test[1])
    if len(synthetic[1]) == 0:
        raise ValueError(f"synthetic has no row with a {target!r}, the target.")
    return (_r_squared if is_number else _area)(estimator, *synthetic, *test)


def _check_target(target: Any, columns: list) -> None:
    if target not in columns:
        raise ValueError(
            f"The 'target' parameter must be a column of the rows, one of {columns}. Got "
            f"{target!r}."
        )


def _find(target: Any, rows: Encoded, columns: list) -> tuple[int, bool]:
    """Return the place of the target among the columns with a model, and if it holds numbers."""
    table, place = rows.columns.table, columns.index(target)
    if place not in table.places:
        field = table.fields[place]
        raise ValueError(
            f"The 'target' parameter must be a column to predict, but {target!r} is of kind "
            f"{field.kind!r} ({field.about.reason})."
        )
    position = table.places.index(place)
    return position, isinstance(table.modelled[position], Number)


def _check_varies(target: Any, truth: np.ndarray) -> None:
    if len(np.unique(truth)) < 2:
        raise ValueError(f"The target {target!r} must take two values or more in test.")


def _as_matrix(rows: Encoded) -> np.ndarray:
    return rows.sample().matrix()


def _task(rows: Encoded, position: int, as_features: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the features and the targets of the rows that have a target."""
    others, targets = rows.split(position)
    is_known = ~np.isnan(targets) if targets.dtype.kind == "f" else targets != MISSING
    return as_features(others)[is_known], targets[is_known]


def _r_squared(estimator: Any, x: Any, y: Any, new: Any, truth: Any) -> float:
    return float(r2_score(truth, estimator.fit(x, y).predict(new)))


def _area(estimator: Any, x: Any, y: Any, new: Any, truth: Any) -> float:
    """Return the mean one-vs-rest area under the ROC curve."""
    labels = np.unique(truth)
    if len(np.unique(y)) < 2:
        return 0.5
    estimator.fit(x, y)
    probabilities = np.zeros((len(new), max(labels.max(), y.max()) + 1))
    probabilities[:, estimator.classes_] = estimator.predict_proba(new)
    areas = [roc_auc_score(truth == label, probabilities[:, label]) for label in labels]
    return float(np.mean(areas))
