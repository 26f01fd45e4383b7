"""Recordings: series as they are given, as numbers in steps of equal length."""

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.validation import validate_data

from skae.series.times import index_of_times, nanoseconds, steps_of, taken_out
from skae.tables.containers import eager_frame
from skae.tables.unwrapping import unwrap


@dataclass(frozen=True)
class Recording:
    """One series.

    Attributes
    ----------
    values : ndarray of shape (n_steps, n_channels)
        The numbers, NaN where they are missing, at every step from the first time to the last.
    places : ndarray of int of shape (n_timepoints,)
        The steps of the rows that were given.
    times : ndarray of int of shape (n_timepoints,) or None
        The times of the rows in nanoseconds, None if they have none.
    index : pandas.Index of length n_timepoints
        What the rows are called: their times, their labels in a frame of pandas, or positions.
    """

    values: np.ndarray
    places: np.ndarray
    times: np.ndarray | None
    index: pd.Index

    @property
    def is_missing(self) -> np.ndarray:
        """Which cells are missing, shape (n_steps, n_channels)."""
        return np.isnan(self.values)

    @property
    def filled(self) -> np.ndarray:
        """The values, with lines drawn across holes; zeros in a channel without any value."""
        if not self.is_missing.any():
            return self.values
        steps, filled = np.arange(len(self.values)), self.values.copy()
        for channel, is_missing in zip(filled.T, self.is_missing.T, strict=True):
            known = np.flatnonzero(~is_missing)
            where = steps[is_missing]
            channel[where] = np.interp(where, known, channel[known]) if len(known) else 0.0
        return filled


def read_recordings(estimator: Any, X: Any, *, reset: bool) -> tuple[list[Recording], bool]:
    """Return recordings, and whether they were given as a list.

    Parameters
    ----------
    estimator : WindowedDetector
        The detector that they are for; of those of `fit` it notes the channels.
    X : {array-like, dataframe, series} or list of them
        The recordings: a list or tuple counts as one of recordings if it holds arrays or frames.
    reset : bool
        Whether they are those of `fit`.

    Raises
    ------
    ValueError, TypeError
        If they are no series of the estimator's channels, or their times have unequal steps.
    """
    is_many = isinstance(X, list | tuple) and len(X) > 0 and all(map(_is_container, X))
    given = list(X) if is_many else [X]
    found = []
    for place, each in enumerate(given):
        try:
            found.append(_read(estimator, each, reset=reset and place == 0))
        except (ValueError, TypeError) as error:
            if not is_many:
                raise
            raise type(error)(f"Recording {place} of the list: {error}") from error
    return found, is_many


def _is_container(X: Any) -> bool:
    native = nw.from_native(X, allow_series=True, pass_through=True)
    return isinstance(native, nw.DataFrame | nw.LazyFrame | nw.Series | np.ndarray)


def _read(estimator: Any, X: Any, *, reset: bool) -> Recording:
    native = nw.from_native(X, allow_series=True, pass_through=True)
    if isinstance(native, nw.Series):
        X = native.alias(native.name or "value").to_frame().to_native()
    frame = eager_frame(X)
    if isinstance(frame, nw.DataFrame):
        times, frame = taken_out(frame, index_of_times(X))
        _check_numbers(frame)
        numbers = _checked(estimator, frame.to_native(), reset)
        if times is not None:
            return on_steps(numbers, steps_of(times), nanoseconds(times), times)
        index = X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(numbers))
        return on_steps(numbers, np.arange(len(numbers)), None, index)
    numbers = _checked(estimator, _as_columns(estimator, unwrap(X), reset), reset)
    return on_steps(numbers, np.arange(len(numbers)), None, pd.RangeIndex(len(numbers)))


def _as_columns(estimator: Any, X: Any, reset: bool) -> Any:
    """Return a series of one channel as a column."""
    if sparse.issparse(X):
        return X
    X = np.asarray(X)
    if X.ndim != 1:
        return X
    if not reset and estimator.n_features_in_ != 1:
        raise ValueError(
            f"Expected a 2D array of shape (n_timepoints, {estimator.n_features_in_}), got a 1D "
            f"array instead. Reshape your data: one row for each time, one column for each channel."
        )
    return np.reshape(X, (-1, 1))


def _checked(estimator: Any, X: Any, reset: bool) -> np.ndarray:
    return validate_data(
        estimator,
        X,
        reset=reset,
        dtype=np.float64,
        ensure_all_finite="allow-nan",
        ensure_min_samples=2 if reset else 1,
    )


def _check_numbers(frame: nw.DataFrame) -> None:
    """Raise an error that names the columns that are no numbers."""
    if not frame.columns:
        raise ValueError("X has no column of numbers besides its times.")
    others = [
        name
        for name, dtype in frame.schema.items()
        if not (dtype.is_numeric() or dtype == nw.Boolean)
    ]
    if others:
        first = frame[others[0]].drop_nulls().head(1).to_list()
        raise ValueError(
            f"Columns {others!r} of X hold no numbers (the first cell of {others[0]!r} is "
            f"{first[0] if first else None!r}), and windows are of numbers: leave them out, or "
            f"give each label a column of 0 and 1. Of several machines give a list of one frame "
            f"for each. A column of times must be the only one, all in one format."
        )


def on_steps(
    numbers: np.ndarray, steps: np.ndarray, times: np.ndarray | None, index: pd.Index
) -> Recording:
    """Return a recording of rows at some steps, the others of which are holes."""
    values = np.full((int(steps[-1]) + 1, numbers.shape[1]), np.nan)
    values[steps] = numbers
    return Recording(values, steps, times, index)
