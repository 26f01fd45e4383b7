"""What the columns of a frame would be read as, without a fit."""

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from skae.tables.containers import eager_frame
from skae.tables.kinds import TableOptions
from skae.tables.mixed import as_frame
from skae.tables.table import Table
from skae.tables.unwrapping import unwrap


def describe(
    X: Any,
    *,
    column_kinds: Mapping | None = None,
    categorical_features: Any = "from_dtype",
    max_categories: int = 256,
    min_frequency: float = 0.001,
) -> pd.DataFrame:
    """Return what the columns of rows would be read as by estimators.

    Parameters
    ----------
    X : {array-like, tensor, dataframe} of shape (n_samples, n_features)
        The rows.
    column_kinds, categorical_features, max_categories, min_frequency
        As in the estimators.

    Returns
    -------
    described : pandas.DataFrame
        A row for each column, indexed by its name: its `kind`, the number of `distinct` values, the
        shares of `rare` labels and of `missing` cells, the `format` of its cells where they stand
        for other values, its `values`, and the `reason` for the kind.

    Raises
    ------
    ValueError, TypeError
        If X has no rows, or a column cannot be read.

    See Also
    --------
    skae.AutoencoderTransformer : An estimator whose `schema_` is the same, of the rows of `fit`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skae.tables import describe
    >>> sizes, days = ["19M", "8.7M", "21M"] * 9, pd.date_range("2024-05-01", periods=27)
    >>> X = pd.DataFrame({"size": sizes, "day": days.strftime("%d/%m/%Y")})
    >>> describe(X)["format"].to_dict()
    {'size': '1M', 'day': '%d/%m/%Y (day first, by all cells)'}
    """
    options = TableOptions(categorical_features, column_kinds, max_categories, min_frequency)
    frame = eager_frame(unwrap(X))
    is_named = isinstance(frame, nw.DataFrame)
    if np.ndim(unwrap(X)) != 2 or len(X) == 0:
        raise ValueError(
            f"'X' must be rows of columns, one row at least. Got "
            f"{type(X).__name__} of shape {np.shape(unwrap(X))}."
        )
    rows = frame if is_named else as_frame(np.asarray(unwrap(X)))
    return Table.learn(rows, options, is_named=is_named).describe()
