"""Rows, checked: matrices of numbers as arrays, tables as frames."""

from typing import Any

import narwhals as nw
import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from skae.tables.containers import eager_frame
from skae.tables.mixed import as_frame
from skae.tables.unwrapping import unwrap


def check_rows(
    estimator: BaseEstimator,
    X: Any,
    *,
    as_table: bool,
    reset: bool,
    needs_frame: bool = False,
    allow_holes: bool = False,
) -> Any:
    """Return rows as a matrix of numbers or as a narwhals frame.

    Parameters
    ----------
    estimator : estimator
        The estimator that the rows are for; of the rows of `fit` it notes the columns.
    X : {array-like, sparse matrix, tensor, dataframe}
        The rows.
    as_table : bool
        Whether they are those of a table.
    reset : bool
        Whether they are those of `fit`, of which there must be two.
    needs_frame : bool, default=False
        Whether `fit` was given what only a frame holds.
    allow_holes : bool, default=False
        Whether a matrix may have missing cells, NaN; a table always may.

    Raises
    ------
    ValueError, TypeError
        If they are no rows of the estimator's columns.
    """
    min_samples = 2 if reset else 1
    if as_table:
        dense = X.toarray() if sparse.issparse(X) else X
        return check_table(
            estimator, dense, reset=reset, min_samples=min_samples, needs_frame=needs_frame
        )
    options: dict[str, Any] = {"reset": reset, "ensure_min_samples": min_samples}
    if allow_holes:
        options["ensure_all_finite"] = "allow-nan"
    return _check_matrix(estimator, X, options)


def _check_matrix(estimator: BaseEstimator, X: Any, options: dict[str, Any]) -> Any:
    try:
        return validate_data(
            estimator,
            unwrap(X),
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            **options,
        )
    except ValueError as error:
        if options["reset"] or "contains NaN" not in str(error):
            raise
        raise ValueError(
            f"Input X contains NaN, but {type(estimator).__name__} was fitted to rows without "
            f"missing cells. Fit it to rows that have some, and it takes them."
        ) from error


def check_table(
    estimator: BaseEstimator,
    X: Any,
    *,
    reset: bool,
    min_samples: int,
    dtype: Any = None,
    needs_frame: bool,
) -> nw.DataFrame:
    """Return rows of a table as a narwhals frame, or say what is wrong with them.

    Parameters
    ----------
    estimator : estimator
        The estimator that the rows are for.
    X : {array-like, tensor, dataframe}
        The rows.
    reset : bool
        Whether they are those of `fit`, so that their columns are noted.
    min_samples : int
        The smallest number of rows.
    dtype : data type, list of data types or None, default=None
        What an array may hold; None lets it hold labels.
    needs_frame : bool
        Whether `fit` was given what only a frame holds.
    """
    frame = eager_frame(X)
    if not isinstance(frame, nw.DataFrame):
        if needs_frame:
            raise TypeError(
                f"{type(estimator).__name__} was fitted to a dataframe whose columns are not all "
                f"numbers, and needs one now. Got {type(X).__name__}."
            )
        if dtype is None and isinstance(X, (list, tuple)):
            # As one array, numbers beside labels would all be text.
            X = np.array(X, dtype=object)
        checks = {"ensure_all_finite": "allow-nan", "ensure_min_samples": min_samples}
        return as_frame(validate_data(estimator, unwrap(X), reset=reset, dtype=dtype, **checks))
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    if not frame.columns:
        raise ValueError(f"X has 0 feature(s), and {type(estimator).__name__} needs at least 1.")
    if len(frame) < min_samples:
        raise ValueError(
            f"Found array with {len(frame)} sample(s) (shape={frame.shape}) while a minimum of "
            f"{min_samples} is required by {type(estimator).__name__}."
        )
    return frame
