"""Fields: what one column of a table holds, as a number and a code, and the way back.

A field turns its column into codes, and a `Number` also into numbers. Code 1 is a missing cell in
every field. What comes back has the data type of the column, and holds values that it had.
"""

import math
from collections import Counter
from dataclasses import dataclass, replace

import narwhals as nw
import numpy as np

from skae.tables.casting import as_column, time_unit
from skae.tables.stepping import find_origin, find_step, from_steps, to_steps

OTHER = VALUE = 0
MISSING = 1
HIDDEN = -1
_N_RESERVED = 2
_MOST_DECIMALS = 6
_LEAST_ATOM = 0.02
_ATOM_TO_MEAN = 10


@dataclass(frozen=True)
class Category:
    """A column of labels: one code for each, one for missing cells and one for all others.

    Attributes
    ----------
    name : str
        The name of the column.
    kind : {"boolean", "binary", "category", "ordered", "text", "constant", "missing"}
        What its labels are.
    labels : narwhals.Series
        What every code comes back as. Code 0, other, is the commonest of the labels without a code,
        or the commonest of all where each has one.
    codes : dict
        From a label to its code.
    shares : ndarray of shape (n_codes,)
        How often each code was seen.
    rare : frozenset
        The labels without a code that were seen.
    accepts_unknown : bool
        Whether others are accepted as well.
    """

    name: str
    kind: str
    labels: nw.Series
    codes: dict
    shares: np.ndarray
    rare: frozenset = frozenset()
    accepts_unknown: bool = True

    @classmethod
    def learn(
        cls,
        column: nw.Series,
        kind: str,
        max_categories: int,
        fewest: float,
        *,
        accepts_unknown: bool = True,
    ) -> "Category":
        """Return the field of a column.

        Parameters
        ----------
        column : narwhals.Series
            The column.
        kind : str
            What its labels are.
        max_categories : int
            The largest number of labels with a code of their own; the rarest go without.
        fewest : float
            The number of cells that a label needs for a code of its own.
        accepts_unknown : bool, default=True
            Whether `encode` takes labels that are not in the column.
        """
        cells = _cells(column)
        first = {}
        for i, cell in enumerate(cells):
            first.setdefault(cell, i)
        counts = Counter(cells)
        where_missing = first.get(None)
        ranked = [label for label, _ in counts.most_common() if label is not None]
        kept = [label for label in ranked[:max_categories] if counts[label] >= fewest]
        rare = ranked[len(kept) :]
        commonest = first[ranked[0]] if ranked else where_missing
        positions = [
            first[rare[0]] if rare else commonest,
            commonest if where_missing is None else where_missing,
            *(first[label] for label in kept),
        ]
        seen = [sum(counts[label] for label in rare), counts[None]]
        return cls(
            column.name,
            kind,
            column[positions],
            {label: code for code, label in enumerate(kept, _N_RESERVED)},
            np.array([*seen, *(counts[label] for label in kept)]) / max(1, len(cells)),
            frozenset(rare),
            accepts_unknown,
        )

    def with_labels_of(self, column: nw.Series) -> "Category":
        """Return the same field, which also accepts the labels of a column, as rare ones."""
        if self.accepts_unknown:
            return self
        return replace(self, rare=self.rare.union(_cells(column)).difference(self.codes, {None}))

    @property
    def n_codes(self) -> int:
        """The number of codes, those for missing cells and for other labels included."""
        return _N_RESERVED + len(self.codes)

    def encode(self, column: nw.Series) -> tuple[None, np.ndarray]:
        """Return no numbers, and the codes of a column, shape (n_rows,)."""
        known, rare, cells = {**self.codes, None: MISSING}, self.rare, _cells(column)
        if nw.Float32 in (column.dtype, self.labels.dtype) and column.dtype.is_numeric():
            # A label such as 0.1 is another number in each precision.
            known = {_in_single_precision(label): code for label, code in known.items()}
            rare, cells = (list(map(_in_single_precision, each)) for each in (rare, cells))
        if not self.accepts_unknown:
            self._check_known(set(cells).difference(known, rare))
        return None, np.array([known.get(cell, OTHER) for cell in cells], dtype=np.int32)

    def _check_known(self, unknown: set) -> None:
        if unknown:
            raise ValueError(
                f"Column {self.name!r} of X holds labels that fit did not see: "
                f"{', '.join(sorted(map(repr, unknown))[:5])}. With handle_unknown='other' they "
                f"count as other labels."
            )

    def decode(self, numbers: None, codes: np.ndarray, *, extrapolates: bool = False) -> nw.Series:
        """Return the column of codes of shape (n_rows,)."""
        return nw.maybe_reset_index(self.labels[codes.tolist()])

    def __str__(self) -> str:
        if self.kind in ("constant", "missing"):
            return ""
        some = ", ".join(map(str, list(self.codes)[:3]))
        return f"{len(self.codes)} labels: {some}" + (", ..." if len(self.codes) > 3 else "")


@dataclass(frozen=True)
class Number:
    """A column of numbers or times, some of whose values may be too frequent to be called numbers.

    Attributes
    ----------
    name : str
        The name of the column.
    kind : {"number", "integer", "datetime", "date", "time", "duration"}
        What it measures.
    empty : narwhals.Series
        The column without its rows.
    origin, step : int
        Integers and times are encoded as multiples of a step from an origin.
    decimals : int or None
        Other numbers are rounded to this many decimals when they come back; None leaves them.
    low, high : float
        The range of the encoded numbers.
    atoms : ndarray of shape (n_codes - 2,)
        The encoded numbers that have a code of their own.
    shares : ndarray of shape (n_codes,)
        How often each code was seen: a number, a missing cell, every atom.
    """

    name: str
    kind: str
    empty: nw.Series
    origin: int
    step: int
    decimals: int | None
    low: float
    high: float
    atoms: np.ndarray
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
        needed = max(_LEAST_ATOM * len(column), _ATOM_TO_MEAN * counts.mean())
        atoms = values[counts >= needed]
        n_atoms = counts[counts >= needed]
        seen = [len(raw) - n_atoms.sum(), len(column) - len(raw), *n_atoms]
        shares = np.array(seen) / len(column)
        kind = "integer" if kind == "number" and decimals in (None, 0) and _is_whole(raw) else kind
        low, high = float(values[0]), float(values[-1])
        empty = column.to_frame()[:0].clone().get_column(column.name)
        return cls(column.name, kind, empty, origin, step, decimals, low, high, atoms, shares)

    @property
    def n_codes(self) -> int:
        """The number of codes: a number, a missing cell, and every atom."""
        return _N_RESERVED + len(self.atoms)

    def encode(self, column: nw.Series) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers, NaN where cells are missing, and the codes, shapes (n_rows,)."""
        raw, missing = _raw_numbers(column, self.kind, self.empty.dtype)
        numbers = np.full(len(column), np.nan)
        numbers[~missing] = to_steps(raw, self.origin, self.step)
        return numbers, self.codes_of(numbers)

    def codes_of(self, numbers: np.ndarray) -> np.ndarray:
        """Return the codes of encoded numbers, shape (n_rows,)."""
        codes = np.where(np.isnan(numbers), MISSING, VALUE).astype(np.int32)
        for code, atom in enumerate(self.atoms, _N_RESERVED):
            codes[numbers == atom] = code
        return codes

    def numbers_of(self, numbers: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return the encoded numbers that codes stand for, NaN where cells are missing."""
        by_code = np.concatenate([[0.0, np.nan], self.atoms])[codes]
        return np.where(codes == VALUE, numbers, by_code)

    def decode(
        self, numbers: np.ndarray, codes: np.ndarray, *, extrapolates: bool = False
    ) -> nw.Series:
        """Return the column of numbers and codes, of shapes (n_rows,).

        Numbers are brought to the steps or the decimals that the column had, and to its range; if
        they extrapolate, integers and times alone are, and others are kept on the side of zero
        where the column was. Where it had no missing cells, none comes back.
        """
        missing = (codes == MISSING) & (self.shares[MISSING] > 0)
        by_code = np.concatenate([np.zeros(_N_RESERVED), self.atoms])[codes]
        numbers = np.where(codes >= _N_RESERVED, by_code, numbers)
        low, high = self._bounds(extrapolates=extrapolates)
        numbers = np.clip(np.where(missing, self.low, numbers), low, high)
        if self.is_stepped:
            raw = from_steps(np.rint(numbers), self.origin, self.step, self.empty.dtype)
        else:
            raw = numbers if self.decimals is None else np.round(numbers, self.decimals)
        return as_column(raw, missing, self.empty)

    def _bounds(self, *, extrapolates: bool) -> tuple[float, float]:
        if not extrapolates or self.is_stepped:
            return self.low, self.high
        return 0.0 if self.low >= 0 else -np.inf, 0.0 if self.high <= 0 else np.inf

    @property
    def is_stepped(self) -> bool:
        """Whether the column holds integers or times."""
        return self.empty.dtype.is_integer() or self.empty.dtype.is_temporal()

    def __str__(self) -> str:
        ends = np.array([self.low, self.high])
        low, high = self.decode(ends, np.full(2, VALUE)).to_list()
        atoms = self.decode(self.atoms, np.full(len(self.atoms), VALUE)).to_list()
        text = f"{low} to {high}"
        return text + (f", often {', '.join(map(str, atoms))}" if atoms else "")


def _in_single_precision(label: object) -> object:
    with np.errstate(over="ignore"):
        return float(np.float32(label)) if isinstance(label, (int, float)) else label


def is_missing(column: nw.Series) -> np.ndarray:
    """Tell which cells are null or NaN, shape (n_rows,)."""
    missing = column.is_null()
    if column.dtype.is_float():
        missing = missing | column.is_nan().fill_null(value=True)
    return missing.to_numpy().astype(bool)


def _found(column: nw.Series, missing: np.ndarray) -> nw.Series:
    return column.filter((~missing).tolist()) if missing.any() else column


def _cells(column: nw.Series) -> list:
    """Return the cells as Python objects, None where they are missing."""
    cells = column.to_list()
    try:
        hash(tuple(cells))
    except TypeError as error:
        raise ValueError(
            f"Column {column.name!r} of X holds values that are no labels: {error}."
        ) from error
    for i in np.flatnonzero(is_missing(column)):
        cells[i] = None
    return cells


def _raw_numbers(
    column: nw.Series, kind: str, dtype: nw.dtypes.DType | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the cells that are there, int64 or float64, and which are missing."""
    missing = is_missing(column)
    found = _found(column, missing)
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
    dtype = column.dtype
    if dtype == nw.Date:
        column = column.cast(nw.Datetime("ms"))
    if column.dtype == nw.Datetime:
        unit = time_unit(learned if learned == nw.Datetime else column.dtype)
        column = column.dt.timestamp(unit)
    elif dtype == nw.Duration:
        unit = time_unit(learned if learned == nw.Duration else dtype)
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


def fewest_cells(min_frequency: float, n_rows: int) -> float:
    """Return how many cells a label needs: a number of cells, or a share of the rows."""
    return math.ceil(min_frequency * n_rows) if min_frequency < 1 else min_frequency


def n_distinct(column: nw.Series) -> int:
    """Return the number of distinct values that are there."""
    if column.dtype == nw.Object:
        return len(set(_cells(column)) - {None})
    return _found(column, is_missing(column)).n_unique()
