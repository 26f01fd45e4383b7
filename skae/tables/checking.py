"""Rows of tables, checked: frames as they are, arrays as frames."""

import narwhals as nw
import numpy as np
from sklearn.utils.validation import validate_data

from skae.tables.containers import eager_frame, unwrap
from skae.tables.mixed import as_frame


def check_table(estimator, X, *, reset: bool, least: int, dtype=None, needs_frame: bool):
    """Return rows of a table as a narwhals frame, or say what is wrong with them.

    Parameters
    ----------
    estimator : estimator
        What the rows are for.
    X : dataframe, array-like or tensor
        The rows.
    reset : bool
        Whether they are those of `fit`, so that their columns are noted.
    least : int
        The smallest number of rows.
    dtype : data type, list of data types or None
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
        checks = {"ensure_all_finite": "allow-nan", "ensure_min_samples": least, "dtype": dtype}
        return as_frame(validate_data(estimator, unwrap(X), reset=reset, **checks))
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    if not frame.columns:
        raise ValueError(f"X has 0 feature(s), and {type(estimator).__name__} needs at least 1.")
    if len(frame) < least:
        raise ValueError(
            f"Found array with {len(frame)} sample(s) (shape={frame.shape}) while a minimum of "
            f"{least} is required by {type(estimator).__name__}."
        )
    return frame
