"""Times of rows: where they stand in a frame, and the steps between them."""

from dataclasses import replace
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from skae.tables.date_formats import DateText, find_date_text
from skae.tables.formats import distinct

# How far a step may be from a whole number of steps: clocks are read with some delay.
_TOLERANCE = 0.1
# The longest hole that is kept at its length; windows that span more are left out anyway.
_LONGEST_HOLE = 10_000


def index_of_times(X: Any) -> pd.DatetimeIndex | None:
    """Return the index of a pandas frame, if it holds times."""
    index = X.index if isinstance(X, pd.DataFrame) else None
    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp()
    return index if isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex) else None


def taken_out(frame: nw.DataFrame, index: pd.Index | None) -> tuple[pd.Index | None, nw.DataFrame]:
    """Return the times of rows, None if there are none, and the frame of the other columns.

    They are those of the index, or of the only column of dates or times; one of text counts if
    nearly all of its cells are dates of one format.
    """
    if index is not None:
        return index, frame
    of_times = [name for name, dtype in frame.schema.items() if dtype in (nw.Datetime, nw.Date)]
    parsed = {name: pd.to_datetime(frame[name].to_list()) for name in of_times}
    if not parsed:
        parsed = _times_of_texts(frame)
    if len(parsed) > 1:
        raise ValueError(
            f"Columns {list(parsed)!r} of X all hold times, and one of them must be that of the "
            f"rows: leave the others out, or make it the index of a pandas frame."
        )
    for name, times in parsed.items():
        return pd.DatetimeIndex(times), frame.drop(name)
    return None, frame


def _times_of_texts(frame: nw.DataFrame) -> dict[str, Any]:
    found = {}
    for name, dtype in frame.schema.items():
        if dtype not in (nw.String, nw.Object):
            continue
        cells, places = distinct(frame[name])
        if len(cells) == 0 or not all(isinstance(cell, str) for cell in cells):
            continue
        made = find_date_text(cells, np.bincount(places[places >= 0]))
        if made is not None:
            found[name] = _in_order(made, cells, places)
    return found


def _in_order(made: DateText, cells: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return times of text; where day and month may be either, as steps are the most equal."""
    swapped = made.pattern.replace("%d", "%D").replace("%m", "%d").replace("%D", "%m")
    patterns = [made.pattern, *([swapped] if "leave open" in made.note else [])]
    found = []
    for pattern in patterns:
        times = replace(made, pattern=pattern).times_of(cells).to_numpy()
        found.append(np.append(times, np.datetime64("NaT"))[places])
    return min(found, key=lambda times: len(np.unique(np.diff(times))))


def nanoseconds(times: pd.Index) -> np.ndarray:
    """Return times as nanoseconds, of one zone."""
    return np.asarray(times.as_unit("ns").asi8)


def steps_of(times: pd.Index) -> np.ndarray:
    """Return the number of steps from the first time to every other.

    The step is the median distance. A row that is missing makes the distance two steps, and so on.

    Raises
    ------
    ValueError
        If a time is missing, is not after the one before it, or is between two steps.
    """
    if times.hasnans:
        place = int(np.flatnonzero(times.isna())[0])
        raise ValueError(f"The time of row {place} is missing: leave such rows out.")
    if len(times) == 1:
        return np.zeros(1, dtype=int)
    distances = np.diff(nanoseconds(times))
    _check_in_order(times, distances)
    step = float(np.median(distances))
    n_steps = np.round(distances / step)
    is_off = np.abs(distances / step - n_steps) > _TOLERANCE * np.maximum(n_steps, 1)
    is_off |= n_steps < 1
    if is_off.any():
        raise ValueError(_unequal(times, distances, step, is_off))
    return np.append(0, np.cumsum(np.minimum(n_steps, _LONGEST_HOLE))).astype(int)


def _check_in_order(times: pd.Index, distances: np.ndarray) -> None:
    if (distances > 0).all():
        return
    place = int(np.flatnonzero(distances <= 0)[0]) + 1
    raise ValueError(
        f"Row {place} is of {times[place]}, and the one before it of {times[place - 1]}: times "
        f"must rise. Sort the rows by time, and average those of one time. If X holds several "
        f"recordings, such as of several machines, give a list of one for each."
    )


def _unequal(times: pd.Index, distances: np.ndarray, step: float, is_off: np.ndarray) -> str:
    place = int(np.flatnonzero(is_off)[0])
    usual, found = pd.Timedelta(step, "ns"), pd.Timedelta(int(distances[place]), "ns")
    return (
        f"The steps of time are unequal: the median one is {usual}, and from row {place} "
        f"({times[place]}) to the next it is {found}; so are {int(is_off.sum())} of "
        f"{len(distances)}. Resample the series first, for instance by "
        f'X.resample("{int(usual.total_seconds() * 1000)}ms").mean() with the times as the index; '
        f"steps without a row are then missing values, which is allowed."
    )
