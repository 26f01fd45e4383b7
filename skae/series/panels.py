"""Panels: cases of series in any container, checked, as arrays of channels by timepoints."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from skae.tables.unwrapping import unwrap


@dataclass(frozen=True)
class Panel:
    """Cases of series.

    Attributes
    ----------
    cases : list of ndarray of shape (n_channels, n_timepoints_i)
        The finite numbers.
    container : {"array", "list", "frame"}
        What they came in.
    device : torch.device or None, default=None
        The device of a tensor.
    index : pandas.MultiIndex or None, default=None
        The cases and times of a frame, in the order of its rows.
    order : ndarray of int or None, default=None
        The places of its rows, sorted by case and time.
    names : tuple, default=()
        The names of the channels of a frame.
    """

    cases: list[np.ndarray]
    container: str
    device: torch.device | None = None
    index: pd.MultiIndex | None = None
    order: np.ndarray | None = None
    names: tuple = ()

    @property
    def lengths(self) -> np.ndarray:
        """The number of timepoints of every case."""
        return np.array([case.shape[1] for case in self.cases])

    @property
    def names_of_cases(self) -> Any:
        """What the cases of a frame are called, in the order of their first rows."""
        assert self.index is not None
        return self.index.get_level_values(0).unique()


def read_panel(X: Any) -> Panel | None:
    """Return the cases of a container of series, or None for rows that hold one case each.

    Parameters
    ----------
    X : {array-like, tensor} of shape (n_cases, n_channels, n_timepoints), list or dataframe
        The cases; a list has an array of shape (n_channels, n_timepoints_i) or, with one channel,
        (n_timepoints_i,) for each, a frame of pandas an index of cases and times.

    Raises
    ------
    ValueError, TypeError
        If they are none; the message names the case, the channel and the timepoint.
    """
    if isinstance(X, (pd.DataFrame, pd.Series)):
        return _of_frame(X) if isinstance(X.index, pd.MultiIndex) else None
    if _is_list(X):
        cases = [_as_case(unwrap(case), i) for i, case in enumerate(X)]
        _check_channels(cases)
        return Panel(cases, "list")
    shape = tuple(X.shape) if isinstance(X, (np.ndarray, torch.Tensor)) else np.shape(_plain(X))
    if len(shape) < 3:
        return None
    if len(shape) > 3 or 0 in shape:
        raise ValueError(
            f"A panel has the shape (n_cases, n_channels, n_timepoints), none of them 0. "
            f"Found array with dim {len(shape)}: X has shape {shape}."
        )
    device = X.device if isinstance(X, torch.Tensor) else None
    array = np.asarray(unwrap(X) if isinstance(X, torch.Tensor) else X)
    return Panel([_as_case(case, i) for i, case in enumerate(array)], "array", device)


def _plain(X: Any) -> Any:
    """Return nested lists as an array, and what else has no three axes as an empty one."""
    return np.asarray(X) if isinstance(X, (list, tuple)) and np.ndim(X[:1]) > 2 else np.empty(0)


def _is_list(X: Any) -> bool:
    """Tell whether there is one array for each case: of two axes, or of one and other lengths."""
    is_list = isinstance(X, (list, tuple)) or (
        isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1
    )
    if not is_list or len(X) == 0:
        return False
    shapes = [_shape(case) for case in X]
    if any(len(shape) == 2 for shape in shapes):
        return True
    return all(len(shape) == 1 for shape in shapes) and len(set(shapes)) > 1


def _shape(case: Any) -> tuple[int, ...]:
    if hasattr(case, "shape"):
        return tuple(case.shape)
    try:
        return np.shape(case)
    except ValueError:
        return ()


def _as_case(case: Any, place: Any) -> np.ndarray:
    """Return an array of finite numbers, of channels by timepoints."""
    array = _numbers(case, place)
    array = array[None] if array.ndim == 1 else array
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"Case {place!r} of X has shape {array.shape}; a case has the shape (n_channels, "
            f"n_timepoints), none of them 0."
        )
    is_finite = np.isfinite(array)
    if not is_finite.all():
        channel, timepoint = map(int, np.argwhere(~is_finite)[0])
        word, advice = "infinity", ""
        if np.isnan(array[channel, timepoint]):
            word = "NaN"
            advice = (
                " Fill gaps first, and give cases of unequal lengths as a list of arrays that are "
                "not padded."
            )
        raise ValueError(
            f"Input X contains {word}: case {place!r}, channel {channel}, timepoint {timepoint}."
            f"{advice}"
        )
    return array


def _numbers(case: Any, place: Any) -> np.ndarray:
    """Return an array of float32 or float64."""
    if isinstance(case, (pd.DataFrame, pd.Series)):
        raise TypeError(
            f"Case {place!r} of X is a frame. Give arrays of shape (n_channels, n_timepoints), "
            f"such as frame.to_numpy().T, or one frame with an index of cases and times."
        )
    try:
        array = np.asarray(case)
        if array.dtype.kind not in "fiubO":
            raise TypeError(array.dtype)
        single = array.dtype in (np.float32, np.float16)
        return array.astype(np.float32 if single else np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Case {place!r} of X holds cells that are no numbers: {error}") from error


def _check_channels(cases: list[np.ndarray]) -> None:
    n_channels = len(cases[0])
    for place, case in enumerate(cases):
        if len(case) != n_channels:
            raise ValueError(
                f"Case {place} of X has {len(case)} channels, and case 0 has {n_channels}; a case "
                f"has the shape (n_channels, n_timepoints)."
            )


def _of_frame(X: pd.DataFrame | pd.Series) -> Panel:
    frame = X.to_frame() if isinstance(X, pd.Series) else X
    index = frame.index
    assert isinstance(index, pd.MultiIndex)
    if index.nlevels != 2 or 0 in frame.shape:
        raise ValueError(
            f"A frame of series has an index of two levels, cases and times, and a column for each "
            f"channel. X has shape {frame.shape} and {index.nlevels} levels."
        )
    if index.has_duplicates:
        raise ValueError(f"X has two rows of {index[index.duplicated()][0]!r}, a case and a time.")
    for name, dtype in frame.dtypes.items():
        if not (pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype)):
            raise ValueError(
                f"Column {name!r} of X is of {dtype}; channels are columns of numbers."
            )
    codes, names = pd.factorize(index.get_level_values(0))
    times = index.get_level_values(1)
    if (codes < 0).any() or times.hasnans:
        raise ValueError("The index of X has missing cases or times.")
    order = np.lexsort((pd.factorize(times, sort=True)[0], codes))
    numbers = frame.to_numpy(dtype=np.result_type(*_types(frame)), na_value=np.nan)[order]
    ends = np.cumsum(np.bincount(codes))
    parts = np.split(numbers, ends[:-1])
    cases = [_as_case(part.T, name) for part, name in zip(parts, names, strict=True)]
    return Panel(cases, "frame", index=index, order=order, names=tuple(frame.columns))


def _types(frame: pd.DataFrame) -> list[np.dtype]:
    is_single = [dtype == np.float32 for dtype in frame.dtypes]
    return [np.dtype(np.float32 if single else np.float64) for single in is_single]
