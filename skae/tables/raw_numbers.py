"""The cells of columns of numbers and times as raw numbers."""

from dataclasses import dataclass

import narwhals as nw
import numpy as np

from skae.tables.casting import time_unit
from skae.tables.cells import found_in, is_missing

_MOST_DECIMALS = 6
_EXACT = 2.0**53
_UNITS = {"ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True)
class Raw:
    """The cells of a column that are there.

    Attributes
    ----------
    numbers : ndarray of shape (n_there,), int64, uint64 or float64
        Their numbers; times in the unit that their column had when it was learned.
    missing : ndarray of bool of shape (n_rows,)
        The cells that are not there.
    """

    numbers: np.ndarray
    missing: np.ndarray


def raw_numbers(column: nw.Series, learned: nw.dtypes.DType | None = None) -> Raw:
    """Return the numbers of a column; times in the unit of the type that was learned."""
    missing = is_missing(column)
    found = found_in(column, missing)
    if len(found) == 0:
        return Raw(np.empty(0), missing)
    if column.dtype.is_temporal():
        return Raw(_times(found, learned or column.dtype), missing)
    if column.dtype.is_integer():
        is_wide = column.dtype == nw.UInt64 and found.max() > np.iinfo(np.int64).max
        return Raw(found.to_numpy().astype(np.uint64 if is_wide else np.int64), missing)
    numbers = found.cast(nw.Float64()).to_numpy().astype(np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError(f"Column {column.name!r} of X contains infinity.")
    return Raw(numbers, missing)


def seconds_of(dtype: nw.dtypes.DType) -> float:
    """Return how many raw units of a type are a second; 1 for numbers."""
    if not dtype.is_temporal():
        return 1.0
    if dtype == nw.Date:
        return float(_UNITS["ms"])
    unit = time_unit(dtype) if isinstance(dtype, (nw.Datetime, nw.Duration)) else "ns"
    return float(_UNITS[unit])


def _times(column: nw.Series, learned: nw.dtypes.DType) -> np.ndarray:
    """Return times in a unit: integers, unless some are too far for that unit."""
    if column.dtype == nw.Date:
        column = column.cast(nw.Datetime("ms"))
    dtype, own, unit = column.dtype, "ns", "ns"
    if isinstance(dtype, nw.Datetime):
        own = time_unit(dtype)
        unit = time_unit(learned) if isinstance(learned, nw.Datetime) else own
        column = column.dt.timestamp(own)
    elif isinstance(dtype, nw.Duration):
        own = time_unit(dtype)
        unit = time_unit(learned) if isinstance(learned, nw.Duration) else own
        column = column.cast(nw.Duration(own))
    raw = column.cast(nw.Int64()).to_numpy().astype(np.int64)
    return _in_unit(raw, _UNITS[own], _UNITS[unit])


def _in_unit(raw: np.ndarray, own: int, unit: int) -> np.ndarray:
    if own >= unit:
        return raw // (own // unit)
    factor = unit // own
    is_far = np.abs(raw) > np.iinfo(np.int64).max // factor
    return raw * float(factor) if is_far.any() else raw * factor


@dataclass(frozen=True)
class Grid:
    """The numbers that all cells of a column are among: those with few decimals, at even steps.

    Attributes
    ----------
    decimals : int
        The number of decimals.
    step, origin : int
        The distance between neighbours and one of them, in units of the last decimal.
    """

    decimals: int
    step: int = 1
    origin: int = 0

    @property
    def unit(self) -> float:
        """The unit of the last decimal."""
        return 10.0**-self.decimals

    def round(self, numbers: np.ndarray) -> np.ndarray:
        """Return the nearest numbers."""
        if self.step == 1:
            return np.round(numbers, self.decimals)
        scaled = numbers * 10.0**self.decimals
        steps = np.rint((scaled - self.origin) / self.step)
        return np.round((self.origin + steps * self.step) / 10.0**self.decimals, self.decimals)


def find_grid(raw: np.ndarray, *, is_single: bool) -> Grid | None:
    """Return the grid that all numbers are on, or None.

    Parameters
    ----------
    raw : ndarray of shape (n,), float64
        The numbers.
    is_single : bool
        Whether they were of single precision.
    """
    values = np.unique(raw)
    for decimals in range(_MOST_DECIMALS + 1):
        rounded = np.round(values, decimals)
        same = (
            rounded.astype(np.float32) == values.astype(np.float32)
            if is_single
            else (rounded == values)
        )
        if same.all():
            return _stepped(rounded, decimals)
    return None


def _stepped(values: np.ndarray, decimals: int) -> Grid:
    scaled = np.rint(values * 10.0**decimals)
    if len(values) < 3 or np.abs(scaled).max() >= _EXACT:
        return Grid(decimals)
    whole = scaled.astype(np.int64)
    step = int(np.gcd.reduce(np.diff(whole)))
    return Grid(decimals, step, int(whole[0]) % step if step else 0) if step > 1 else Grid(decimals)
