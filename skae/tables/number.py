"""Number: a column of numbers or times as numbers and states, and the way back."""

from dataclasses import dataclass

import narwhals as nw
import numpy as np

from skae.tables.casting import as_column, time_unit
from skae.tables.cells import MISSING, N_RESERVED, VALUE, found_in, is_missing
from skae.tables.stepping import find_origin, find_step, from_steps, to_steps

_MOST_DECIMALS = 6
_LEAST_POINT_MASS = 0.02
_POINT_MASS_TO_MEAN = 10


@dataclass(frozen=True)
class Number:
    """A column of numbers or times, some of whose values may be too frequent to be called numbers.

    Attributes
    ----------
    name : str
        The name of the column.
    kind : {"number", "integer", "datetime", "date", "time", "duration"}
        What it measures.
    template : narwhals.Series
        The column without its rows.
    origin, step : int
        Integers and times are encoded as multiples of a step from an origin.
    decimals : int or None
        Other numbers are rounded to this many decimals when they come back; None leaves them.
    low, high : float
        The range of the encoded numbers.
    point_masses : ndarray of shape (n_states - 2,)
        The encoded numbers that have a state of their own.
    shares : ndarray of shape (n_states,)
        How often each state was seen: a number, a missing cell, every point_mass.
    """

    name: str
    kind: str
    template: nw.Series
    origin: int
    step: int
    decimals: int | None
    low: float
    high: float
    point_masses: np.ndarray
    shares: np.ndarray

    @classmethod
    def learn(cls, column: nw.Series, kind: str) -> "Number":
        """Return the field of a column."""
        raw, _ = _raw_numbers(column, kind)
        origin, step, decimals = 0, 1, None
        if raw.dtype == np.int64:
            origin = find_origin(raw)
            step = find_step(raw, origin)
        else:
            decimals = _decimals(raw)
        numbers = to_steps(raw, origin, step)
        values, counts = np.unique(numbers, return_counts=True)
        needed = max(_LEAST_POINT_MASS * len(column), _POINT_MASS_TO_MEAN * counts.mean())
        point_masses = values[counts >= needed]
        n_point_masses = counts[counts >= needed]
        seen = [len(raw) - n_point_masses.sum(), len(column) - len(raw), *n_point_masses]
        shares = np.array(seen) / len(column)
        kind = "integer" if kind == "number" and decimals in (None, 0) and _is_whole(raw) else kind
        low, high = float(values[0]), float(values[-1])
        template = column.to_frame()[:0].clone().get_column(column.name)
        return cls(
            column.name, kind, template, origin, step, decimals, low, high, point_masses, shares
        )

    @property
    def n_states(self) -> int:
        """The number of states: a number, a missing cell, and every point_mass."""
        return N_RESERVED + len(self.point_masses)

    def encode(self, column: nw.Series) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers, NaN where cells are missing, and the states, shapes (n_rows,)."""
        raw, missing = _raw_numbers(column, self.kind, self.template.dtype)
        numbers = np.full(len(column), np.nan)
        numbers[~missing] = to_steps(raw, self.origin, self.step)
        return numbers, self.states_of(numbers)

    def states_of(self, numbers: np.ndarray) -> np.ndarray:
        """Return the states of encoded numbers, shape (n_rows,)."""
        states = np.where(np.isnan(numbers), MISSING, VALUE).astype(np.int32)
        for state, point_mass in enumerate(self.point_masses, N_RESERVED):
            states[numbers == point_mass] = state
        return states

    def numbers_of(self, numbers: np.ndarray, states: np.ndarray) -> np.ndarray:
        """Return the encoded numbers that states stand for, NaN where cells are missing."""
        by_code = np.concatenate([[0.0, np.nan], self.point_masses])[states]
        return np.where(states == VALUE, numbers, by_code)

    def decode(
        self, numbers: np.ndarray, states: np.ndarray, *, extrapolates: bool = False
    ) -> nw.Series:
        """Return the column of numbers and states, of shapes (n_rows,).

        Numbers are brought to the steps or the decimals that the column had, and to its range; if
        they extrapolate, integers and times alone are, and others are kept on the side of zero
        where the column was. Where it had no missing cells, none comes back.
        """
        missing = (states == MISSING) & (self.shares[MISSING] > 0)
        by_code = np.concatenate([np.zeros(N_RESERVED), self.point_masses])[states]
        numbers = np.where(states >= N_RESERVED, by_code, numbers)
        low, high = self._bounds(extrapolates=extrapolates)
        numbers = np.clip(np.where(missing, self.low, numbers), low, high)
        if self.is_stepped:
            raw = from_steps(np.rint(numbers), self.origin, self.step, self.template.dtype)
        else:
            raw = numbers if self.decimals is None else np.round(numbers, self.decimals)
        return as_column(raw, missing, self.template)

    def _bounds(self, *, extrapolates: bool) -> tuple[float, float]:
        if not extrapolates or self.is_stepped:
            return self.low, self.high
        return 0.0 if self.low >= 0 else -np.inf, 0.0 if self.high <= 0 else np.inf

    @property
    def is_stepped(self) -> bool:
        """Whether the column holds integers or times."""
        return self.template.dtype.is_integer() or self.template.dtype.is_temporal()

    def __str__(self) -> str:
        ends = np.array([self.low, self.high])
        low, high = self.decode(ends, np.full(2, VALUE)).to_list()
        point_masses = self.decode(
            self.point_masses, np.full(len(self.point_masses), VALUE)
        ).to_list()
        text = f"{low} to {high}"
        return text + (f", often {', '.join(map(str, point_masses))}" if point_masses else "")


def _raw_numbers(
    column: nw.Series, kind: str, dtype: nw.dtypes.DType | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the cells that are there, int64 or float64, and which are missing."""
    missing = is_missing(column)
    found = found_in(column, missing)
    if len(found) == 0:
        return np.empty(0), missing
    _check_same_sort(column, kind, dtype)
    if column.dtype.is_temporal() or (column.dtype.is_integer() and _fits(found)):
        return _as_integers(found, dtype), missing
    raw = found.cast(nw.Float64()).to_numpy().astype(np.float64)
    if not np.isfinite(raw).all():
        raise ValueError(f"Column {column.name!r} of X contains infinity.")
    return raw, missing


def _check_same_sort(column: nw.Series, kind: str, dtype: nw.dtypes.DType | None) -> None:
    if dtype is None:
        return
    if dtype.is_temporal():
        zones = [getattr(each, "time_zone", None) is None for each in (dtype, column.dtype)]
        same = type(dtype) is type(column.dtype) and zones[0] == zones[1]
    else:
        same = column.dtype.is_numeric() or column.dtype == nw.Boolean
    if not same:
        raise ValueError(
            f"Column {column.name!r} of X held {kind} values of type {dtype} in fit. Got values of "
            f"type {column.dtype}."
        )


def _fits(column: nw.Series) -> bool:
    """Tell whether integers fit in 64 bits with a sign."""
    return column.max() <= np.iinfo(np.int64).max


def _as_integers(column: nw.Series, learned: nw.dtypes.DType | None) -> np.ndarray:
    """Return integers, or times in the unit that the column had when it was learned."""
    if column.dtype == nw.Date:
        column = column.cast(nw.Datetime("ms"))
    dtype = column.dtype
    if isinstance(dtype, nw.Datetime):
        unit = time_unit(learned if isinstance(learned, nw.Datetime) else dtype)
        column = column.dt.timestamp(unit)
    elif isinstance(dtype, nw.Duration):
        unit = time_unit(learned if isinstance(learned, nw.Duration) else dtype)
        column = column.cast(nw.Duration(unit))
    return column.cast(nw.Int64()).to_numpy().astype(np.int64)


def _decimals(raw: np.ndarray) -> int | None:
    """Return the number of decimals that all numbers keep to, or None."""
    for decimals in range(_MOST_DECIMALS + 1):
        if np.array_equal(np.round(raw, decimals), raw):
            return decimals
    return None


def _is_whole(raw: np.ndarray) -> bool:
    return raw.dtype == np.int64 or bool((raw == np.rint(raw)).all())
