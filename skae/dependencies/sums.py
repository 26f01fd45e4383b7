"""Sums and differences: a column of numbers that is a weighted sum of others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lstsq, qr

from skae.dependencies.cells import Column, Draws
from skae.dependencies.relation import Relation

_MOST_COLUMNS = 64
_MOST_ROWS = 20_000
_FEWEST_ROWS, _ROWS_PER_TERM = 50, 10
# The error, in standard deviations of the sum, up to which it is tried, and up to which rounding
# may explain it.
_NEAR = 0.02
_MOST_TERMS = 8
_EXACT = 1e-9
# How many rounding errors of numbers count as none.
_ROUNDINGS = 16
_UNITS = {86400.0: "days", 3600.0: "hours", 60.0: "minutes", 1.0: "seconds"}
# The largest number whose square is taken.
_LARGEST = 1e100


@dataclass(frozen=True)
class Sum(Relation):
    """A weighted sum of columns of numbers that is the same in every row.

    Attributes
    ----------
    places : tuple of int
        The columns, first that which is set where any could be.
    weights : ndarray of shape (n_columns,)
        Their weights, that of the first being -1.
    constant : float
        What is added to the others to get the first.
    tolerance : float
        The largest error, by rounding.
    columns : tuple of Column
        What is known of the columns.
    """

    places: tuple[int, ...]
    weights: np.ndarray
    constant: float
    tolerance: float
    columns: tuple[Column, ...]

    def derive(self, draws: Draws) -> None:
        """Set the one cell that is not settled."""
        settled = draws.settled[:, self.places]
        for i in range(len(self.places)):
            others = np.delete(settled, i, axis=1).all(1) & ~settled[:, i]
            if others.any():
                self._put(draws, others & self._is_finite(draws.values, without=i), i)

    def settle(self, draws: Draws) -> None:
        """Set one cell so that it holds, the first that can be and that stays in its range."""
        for i in range(len(self.places)):
            where = self.is_broken(draws.values) & ~draws.settled[:, self.places[i]]
            if where.any():
                cells = self._solve(draws.values, i)
                where &= self.columns[i].holds(cells)
                draws.put(where, self.places[i], cells)
        whole = self._is_finite(draws.values) & ~self.is_broken(draws.values)
        for place in self.places:
            draws.settled[whole, place] = True

    def is_broken(self, values: np.ndarray) -> np.ndarray:
        """Tell where the sum is another; rows with cells that are no numbers are not broken."""
        finite = self._is_finite(values)
        raw = self._raw(np.where(finite[:, None], values[:, self.places], 0.0))
        error = np.abs(raw @ self.weights + self.constant)
        return finite & (error > self.tolerance + rounding(self.columns, raw * self.weights))

    def led_by(self, i: int) -> "Sum":
        """Return the same sum, solved for another of its columns."""
        order = [i, *(j for j in range(len(self.places)) if j != i)]
        factor = -1 / self.weights[i]
        return Sum(
            tuple(self.places[j] for j in order),
            self.weights[order] * factor,
            self.constant * factor,
            self.tolerance * abs(factor),
            tuple(self.columns[j] for j in order),
        )

    def text(self, columns: Sequence[Column]) -> str:
        """Return it in words."""
        is_time = any(columns[place].is_time for place in self.places)
        terms = [
            (weight, _term(abs(weight), columns[place], is_time=is_time))
            for place, weight in zip(self.places[1:], self.weights[1:], strict=True)
        ]
        if self.constant:
            terms.append((self.constant, f"{abs(self.constant):.6g}"))
        terms.sort(key=lambda term: term[0] < 0)
        signs = ["-" if terms[0][0] < 0 else "", *(" - " if w < 0 else " + " for w, _ in terms[1:])]
        text = "".join(sign + term for sign, (_, term) in zip(signs, terms, strict=True))
        return f"{columns[self.places[0]].title} = {text}"

    def _raw(self, cells: np.ndarray) -> np.ndarray:
        pairs = zip(self.columns, cells.T, strict=True)
        return np.stack([column.to_raw(each) for column, each in pairs], axis=1)

    def _is_finite(self, values: np.ndarray, without: int | None = None) -> np.ndarray:
        places = [place for i, place in enumerate(self.places) if i != without]
        return np.isfinite(values[:, places]).all(1)

    def _solve(self, values: np.ndarray, i: int) -> np.ndarray:
        """Return the cells of one column that make it hold; NaN where others are no numbers."""
        finite = self._is_finite(values, without=i)
        cells = np.where(np.isfinite(values[:, self.places]), values[:, self.places], 0.0)
        raw = self._raw(cells)
        raw[:, i] = 0
        solved = -(raw @ self.weights + self.constant) / self.weights[i]
        return np.where(finite, self.columns[i].from_raw(solved), np.nan)

    def _put(self, draws: Draws, where: np.ndarray, i: int) -> None:
        draws.put(where, self.places[i], self._solve(draws.values, i))


def _term(weight: float, column: Column, *, is_time: bool) -> str:
    """Return a column times a positive weight in words; among times, numbers have a unit."""
    if is_time and not column.is_time and weight in _UNITS:
        return f"{column.title} ({_UNITS[weight]})"
    return column.title if weight == 1 else f"{weight:.6g} * {column.title}"


def rounding(columns: Sequence[Column], terms: np.ndarray) -> np.ndarray:
    """Return the largest error of sums of terms, (n_rows, n_columns), by their precision."""
    precision = np.array([column.precision for column in columns])
    return _ROUNDINGS * (np.abs(terms) * precision).sum(1)


def find_sums(values: np.ndarray, columns: Sequence[Column]) -> list[Sum]:
    """Return the sums that hold in all rows, none of which follows from others.

    At most 64 columns of numbers are searched. A pivoted QR decomposition tells which of them are,
    up to rounding, sums of the ones before; their weights are found by least squares.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        The cells of the rows; see `Draws`.
    columns : sequence of Column
        What is known of the columns.
    """
    places, raw = complete_numbers(values, columns, _MOST_COLUMNS)
    if len(places) < 2:
        return []
    some = raw[np.unique(np.linspace(0, len(raw) - 1, min(len(raw), _MOST_ROWS)).astype(int))]
    spread = some.std(0)
    standard = (some - some.mean(0)) / spread
    upper, order = qr(standard, mode="r", pivoting=True)
    errors = np.abs(np.diag(upper[: len(order)])) / np.sqrt(len(some))
    free: list[int] = []
    found: list[Sum] = []
    for j, error in zip(order, errors, strict=False):
        made = None
        if free and error < _NEAR:
            made = _simplest(some, standard, spread, free, j, [columns[p] for p in places])
        if made is None:
            free.append(j)
            continue
        which, weights, constant, tolerance = made
        made_of = [places[k] for k in which]
        own = tuple(columns[place] for place in made_of)
        made_sum = Sum(tuple(made_of), weights, constant, tolerance, own)
        found.append(_ordered(made_sum, some[:, which]))
    return [each for each in found if not each.is_broken(values).any()]


def complete_numbers(
    values: np.ndarray, columns: Sequence[Column], most: int, *, with_times: bool = True
) -> tuple[list[int], np.ndarray]:
    """Return the places of columns of numbers that vary, and their complete rows as numbers."""
    places = []
    for j, column in enumerate(columns):
        is_asked_for = column.is_number and (with_times or not column.is_time)
        finite = values[np.isfinite(values[:, j]), j] if is_asked_for else np.empty(0)
        is_large = len(finite) > 0 and np.abs(column.to_raw(finite)).max() > _LARGEST
        if not is_large and 2 * len(finite) >= len(values) and len(np.unique(finite[:2000])) > 2:
            places.append(j)
    places = places[:most]
    finite = np.isfinite(values[:, places])
    while places and finite.all(1).sum() < max(_FEWEST_ROWS, _ROWS_PER_TERM * len(places)):
        worst = int(finite.sum(0).argmin())
        if finite[:, worst].all():
            return [], np.empty((0, 0))
        places.pop(worst)
        finite = np.delete(finite, worst, axis=1)
    rows = values[finite.all(1)][:, places]
    raw = [columns[j].to_raw(cells) for j, cells in zip(places, rows.T, strict=True)]
    if not raw:
        return [], np.empty((0, 0))
    found = np.stack(raw, axis=1)
    varies = found.std(0) > 0
    return [j for j, v in zip(places, varies, strict=True) if v], found[:, varies]


def _simplest(
    raw: np.ndarray,
    standard: np.ndarray,
    spread: np.ndarray,
    free: list[int],
    j: int,
    columns: list[Column],
) -> tuple[list[int], np.ndarray, float, float] | None:
    """Return a column as a sum of others, or of two the other way round if that is shorter."""
    made = _fit(raw, standard, spread, free, j, columns)
    if made is None or len(made[0]) > 2:
        return made
    other = _fit(raw, standard, spread, [j], made[0][1], columns)
    return made if other is None else min(made, other, key=_length)


def _length(made: tuple[list[int], np.ndarray, float, float]) -> int:
    """Return the number of digits of a sum."""
    return sum(len(f"{abs(number):.6g}") for number in (*made[1], made[2]))


def _fit(
    raw: np.ndarray,
    standard: np.ndarray,
    spread: np.ndarray,
    free: list[int],
    j: int,
    columns: list[Column],
) -> tuple[list[int], np.ndarray, float, float] | None:
    """Return a column as a sum of others: places, weights, constant and tolerance, or None."""
    size = np.abs(raw).max(0) * [column.precision for column in columns]
    tolerance = tolerance_of(columns[j], spread[j])
    slack = tolerance + _ROUNDINGS * float(size[[j, *free]].max())
    terms = list(free)
    weights = lstsq(standard[:, terms], standard[:, j])[0]
    # Terms that rounding can explain are left out, the smallest first.
    while len(terms) > 1:
        least = int(np.abs(weights).argmin())
        fewer = terms[:least] + terms[least + 1 :]
        refitted = lstsq(standard[:, fewer], standard[:, j])[0]
        error = np.abs(standard[:, fewer] @ refitted - standard[:, j]).max() * spread[j]
        if error > 2 * slack:
            break
        terms, weights = fewer, refitted
    if len(terms) > _MOST_TERMS:
        return None
    weights = weights * spread[j] / spread[terms]
    for rounded in simpler(weights):
        rest = raw[:, j] - raw[:, terms] @ rounded
        constant = _constant(rest, columns[j].step, spread[j])
        if np.abs(rest - constant).max() <= slack:
            return [j, *terms], np.array([-1.0, *rounded]), constant, tolerance
    return None


def _constant(rest: np.ndarray, step: float, spread: float) -> float:
    """Return what is left of a column, as a multiple of its step."""
    constant = float(np.median(rest))
    if step:
        constant = float(np.rint(constant / step) * step)
    return constant if abs(constant) > 1e-6 * spread else 0.0


def _ordered(made: Sum, raw: np.ndarray) -> Sum:
    """Return a sum solved for the widest of its columns of weight one, the others by width.

    Columns that have few values come last.
    """
    spread = raw.std(0) * [1.0 if each.levels is None else 1e-3 for each in made.columns]
    plain = np.abs(np.abs(made.weights) - 1) < _EXACT
    best = made.led_by(int(np.where(plain, spread, 0.0).argmax()))
    wide = dict(zip(made.places, spread, strict=True))
    order = [0, *sorted(range(1, len(best.places)), key=lambda i: -wide[best.places[i]])]
    return Sum(
        tuple(best.places[i] for i in order),
        best.weights[order],
        best.constant,
        best.tolerance,
        tuple(best.columns[i] for i in order),
    )


def tolerance_of(column: Column, spread: float) -> float:
    """Return the largest error of a column that rounding explains; none where levels are coarse."""
    half = 0.5001 * column.step
    return half if half <= _NEAR * spread else _EXACT * spread


def simpler(weights: np.ndarray) -> Iterator[np.ndarray]:
    """Yield numbers rounded to whole ones or their inverses, and then to ever more digits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.nan_to_num(1 / np.rint(1 / weights))
    yield np.where(np.abs(weights) < 0.75, inverse, np.rint(weights))
    for digits in (2, 3, 4, 6, 9, 12):
        yield np.array([float(f"{weight:.{digits}g}") for weight in weights])
