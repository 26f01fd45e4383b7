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

# What scikit-learn, numpy and pandas say of cells that are no numbers, without a column.
_NO_NUMBERS = "could not convert", "setting an array element", "too large to convert"

# The longest cell that a message shows, in characters.
_LONGEST = 60


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
    X = flat_images(X, getattr(estimator, "image_shape", None))
    frame = eager_frame(X)
    if isinstance(frame, nw.DataFrame):
        _check_has_columns(frame, estimator)
        X = frame.to_native()
    try:
        return validate_data(
            estimator,
            unwrap(X),
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            **options,
        )
    except (ValueError, OverflowError, TypeError) as error:
        is_frame = isinstance(frame, nw.DataFrame)
        if any(words in str(error) for words in _NO_NUMBERS) or (
            is_frame and "float() argument" in str(error)
        ):
            raise ValueError(_name_of_text(X, frame)) from error
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
    X = flat_images(X, getattr(estimator, "image_shape", None))
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
    _check_has_columns(frame, estimator)
    if len(frame) < min_samples:
        raise ValueError(
            f"Found array with {len(frame)} sample(s) (shape={frame.shape}) while a minimum of "
            f"{min_samples} is required by {type(estimator).__name__}."
        )
    return frame


def _name_of_text(X: Any, frame: Any) -> str:
    """Return a message that names the first cell of a matrix of numbers that is none."""
    is_frame = isinstance(frame, nw.DataFrame)
    rows = frame.to_numpy() if is_frame else np.asarray(unwrap(X), dtype=object)
    for place in range(rows.shape[1]):
        for cell in rows[:, place]:
            try:
                float(cell)
            except (TypeError, ValueError, OverflowError):
                name = frame.columns[place] if is_frame else place
                return (
                    f"Column {name!r} of X holds {_short(cell)}, which is no number. Labels are "
                    f"read in dataframes that fit was given, and where 'categorical_features' or "
                    f"'column_kinds' marks their columns."
                )
    return "X holds cells that are no numbers."


def _short(cell: Any) -> str:
    text = repr(cell)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _check_has_columns(frame: nw.DataFrame, estimator: BaseEstimator) -> None:
    if not frame.columns:
        raise ValueError(f"X has 0 feature(s), and {type(estimator).__name__} needs at least 1.")


def flat_images(X: Any, image_shape: Any) -> Any:
    """Return a stack of images as rows if it has the shape of an estimator's images.

    Raises
    ------
    ValueError
        If rows have more than two axes, and those of an image are others.
    """
    shape = tuple(X.shape) if hasattr(X, "shape") else ()
    if len(shape) < 3:
        return X
    own, wanted = shape[1:], ()
    if image_shape is not None and np.iterable(image_shape):
        wanted = tuple(image_shape)
    if wanted in (own, own[1:] if own[0] == 1 else own) or wanted == (1, *own):
        return X.reshape(len(X), -1)
    if len(own) == 3 and wanted == (own[2], own[0], own[1]):
        raise ValueError(
            f"X has shape {shape}, channels last, and 'image_shape' is {wanted}, channels first. "
            f"Give numpy.moveaxis(X, -1, 1)."
        )
    also = f", or set image_shape={own}" if len(own) in (2, 3) else ""
    raise ValueError(
        f"Found array with dim {len(shape)}: X has shape {shape}. Reshape it to "
        f"({shape[0]}, {int(np.prod(own))}){also}."
    )
