"""Global utility: how well every column is predicted from the others, learned from samples."""

from typing import Any

import numpy as np
import pandas as pd

from skae.common.seeds import draw_seed
from skae.common.sklearn_private import validate_params
from skae.metrics.encoding import Encoded, encode
from skae.metrics.utility import train_on_synthetic
from skae.tables.number import Number

# The largest number of labels of a column that is predicted, and of rows that are learned from.
_MOST_LABELS = 20
_MOST_ROWS = 10_000
# The score of a predictor that knows nothing: of labels an AUC, of numbers an R squared.
_NOTHING = {True: 0.0, False: 0.5}
# The gain over that score, learned from real rows, below which a column is left out.
_LEAST_GAIN = 0.05


@validate_params({"random_state": ["random_state"]}, prefer_skip_nested_validation=True)
def global_utility(
    train: Any,
    test: Any,
    synthetic: Any,
    *,
    categorical_features: Any = "from_dtype",
    random_state: Any = None,
) -> pd.Series:
    r"""Return how much of every column synthetic rows teach to predict, relative to real rows.

    Boosted trees predict a column of the test rows from all others. With the score :math:`s` of
    `train_on_synthetic` and the score :math:`s_0` of knowing nothing (an AUC of 0.5, an R squared
    of 0),

    .. math:: \mathrm{utility}_j = \frac{s_j(\mathrm{synthetic}) - s_0}{s_j(\mathrm{train}) - s_0}.

    Independent columns have a utility of about 0, rows like the training rows one of about 1.

    Parameters
    ----------
    train, test, synthetic : array or frame of shape (n_rows, n_columns)
        The rows that a model was fitted to, new real rows, and rows from the model; of `train` and
        `synthetic` at most 10,000 rows, the first ones, are learned from.
    categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
        The numeric columns that hold labels, by name, by index or as a mask; booleans, strings,
        categories and objects hold labels anyway, and so do numbers of one or two values.
    random_state : int, RandomState or None, default=None
        The seed of the predictors.

    Returns
    -------
    pandas.Series
        The utility of every column, NaN where it is not known: for identifiers, constant columns,
        labels of more than 20 values, and columns that real rows hardly predict. Its mean is the
        global utility.

    Raises
    ------
    ValueError
        If the columns differ or there are too few rows.

    See Also
    --------
    train_on_synthetic : The score for one column.

    References
    ----------
    X. Jiang, N. Simidjievski and M. Jamnik, "TabStruct: measuring structural fidelity of tabular
    data", 2025.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skae.metrics import global_utility, independent_columns
    >>> rows = load_breast_cancer(as_frame=True).frame[["mean radius", "mean area", "target"]]
    >>> train, test = rows[:400], rows[400:]
    >>> noise = independent_columns(train, random_state=0)
    >>> float(global_utility(train, test, noise, random_state=0).mean()) < 0.3
    True
    """
    seed = draw_seed(random_state)
    options = {"categorical_features": categorical_features, "random_state": seed}
    real, *_ = encode(
        train=train, test=test, synthetic=synthetic, categorical_features=categorical_features
    )
    names = [field.name for field in real.columns.table.fields]
    found = dict.fromkeys(names, np.nan)
    few = [rows[:_MOST_ROWS] for rows in (train, synthetic)]
    for name, is_number in _targets(real):
        ceiling, own = (train_on_synthetic(rows, test, name, **options) for rows in few)
        gain = ceiling - _NOTHING[is_number]
        if gain >= _LEAST_GAIN:
            found[name] = (own - _NOTHING[is_number]) / gain
    return pd.Series(found, name="utility")


def _targets(real: Encoded) -> list[tuple[Any, bool]]:
    """Return the columns to predict, and whether they hold numbers."""
    cells = zip(real.columns.table.modelled, real.iter_columns(), strict=True)
    return [
        (field.name, isinstance(field, Number))
        for field, (column, n_states) in cells
        if len(np.unique(column[column == column])) > 1
        and (n_states is None or field.about.n_distinct <= _MOST_LABELS)
    ]
