"""Orders: a column that is never above another; and columns that are never equal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, permutations

import numpy as np

from skae.dependencies.cells import Column, Draws
from skae.dependencies.relation import Relation

_MOST_COLUMNS = 64
_EVIDENCE = 30.0
_FEWEST_ROWS = 50
_N_TRIALS = 2000
# The chance that rows of independent columns are in order above which nothing is learned from it.
_MOST_BY_CHANCE = 0.95
_SECONDS_PER_YEAR = 365.2425 * 24 * 3600
_YEARS = 1000, 2300


@dataclass(frozen=True, eq=False)
class Ruler:
    """What cells of two columns are compared by.

    Attributes
    ----------
    column : Column
        The column.
    in_years : bool
        Whether its times are compared with years.
    """

    column: Column
    in_years: bool = False

    def read(self, cells: np.ndarray) -> np.ndarray:
        """Return cells on the scale on which they are compared, NaN where there is no number."""
        raw = np.where(
            np.isfinite(cells), self.column.to_raw(np.where(np.isfinite(cells), cells, 0)), np.nan
        )
        if not (self.in_years and self.column.is_time):
            return raw
        seconds = np.nan_to_num(raw).astype("datetime64[s]")
        years = seconds.astype("datetime64[Y]").astype(float) + 1970
        return np.where(np.isnan(raw), np.nan, years)


@dataclass(frozen=True)
class Order(Relation):
    """A column whose numbers or times are never above those of another.

    Attributes
    ----------
    low, high : int
        The places of the two.
    rulers : tuple of Ruler
        What they are compared by.
    """

    low: int
    high: int
    rulers: tuple[Ruler, Ruler]

    def is_broken(self, values: np.ndarray) -> np.ndarray:
        """Tell where they are the other way round."""
        low, high = self._read(values)
        return low > high

    def repair(self, draws: Draws) -> None:
        """Set one of the two to the other, or to the next number that there is."""
        where = self.is_broken(draws.values)
        low, high = (ruler.column for ruler in self.rulers)
        if self.rulers[0].in_years or not where.any():
            return
        free = ~draws.settled[:, [self.low, self.high]]
        values = draws.values.copy()
        as_low = low.at_most(high.to_raw(values[:, self.high]))
        as_high = high.at_least(low.to_raw(values[:, self.low]))
        draws.put(where & free[:, 0] & low.holds(as_low), self.low, as_low)
        where = self.is_broken(draws.values)
        draws.put(where & free[:, 1] & high.holds(as_high), self.high, as_high)

    def text(self, columns: Sequence[Column]) -> str:
        """Return it in words."""
        year = ", by year" if self.rulers[0].in_years else ""
        return f"{columns[self.low].title} <= {columns[self.high].title}{year}"

    def _read(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = self.rulers
        return low.read(values[:, self.low]), high.read(values[:, self.high])


@dataclass(frozen=True)
class Different(Relation):
    """Two columns of the same labels that are never equal.

    Attributes
    ----------
    first, second : int
        The places of the two.
    pairs : ndarray of shape (n_shared, 2)
        The cells of both that stand for the same label.
    """

    first: int
    second: int
    pairs: np.ndarray

    def is_broken(self, values: np.ndarray) -> np.ndarray:
        """Tell where they are equal."""
        cells = values[:, self.first]
        place = np.searchsorted(self.pairs[:, 0], cells).clip(max=len(self.pairs) - 1)
        same = self.pairs[place, 0] == cells
        return same & (self.pairs[place, 1] == values[:, self.second])

    def repair(self, draws: Draws) -> None:
        """Set one of the two to another of the shared labels."""
        rng = np.random.default_rng(0) if draws.rng is None else draws.rng
        for place, side in ((self.second, 1), (self.first, 0)):
            where = self.is_broken(draws.values) & ~draws.settled[:, place]
            own = np.searchsorted(np.sort(self.pairs[:, side]), draws.values[:, place])
            shift = rng.integers(1, len(self.pairs), size=len(own))
            others = np.sort(self.pairs[:, side])[(own + shift) % len(self.pairs)]
            draws.put(where, place, others)

    def text(self, columns: Sequence[Column]) -> str:
        """Return it in words."""
        return f"{columns[self.first].title} is never {columns[self.second].title}"


def find_orders(values: np.ndarray, columns: Sequence[Column]) -> list[Order]:
    """Return which columns are never above which others, leaving out what follows from others.

    At most 64 columns of numbers and times are searched: numbers are compared with numbers, times
    with times, and times with numbers that can be years.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        The cells of the rows; see `Draws`.
    columns : sequence of Column
        What is known of the columns.
    """
    found = {}
    read = cache(lambda place, ruler: ruler.read(values[:, place]))
    for low, high, rulers in _comparable(values, columns):
        x, y = read(low, rulers[0]), read(high, rulers[1])
        if (x[:_N_TRIALS] > y[:_N_TRIALS]).any() or (x > y).any():
            continue
        both = ~(np.isnan(x) | np.isnan(y))
        x, y = x[both], y[both]
        if len(x) < _FEWEST_ROWS or (x == y).all():
            continue
        below = np.searchsorted(np.sort(y), x) / len(y)
        by_chance = float(1 - below.mean())
        if by_chance <= _MOST_BY_CHANCE and -len(x) * np.log(max(by_chance, 1e-12)) >= _EVIDENCE:
            found[low, high] = Order(low, high, rulers)
    return [
        order
        for (low, high), order in found.items()
        if not any((low, m) in found and (m, high) in found for m in range(len(columns)))
    ]


def find_different(values: np.ndarray, columns: Sequence[Column]) -> list[Different]:
    """Return which columns share labels or whole numbers and are never equal.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        The cells of the rows; see `Draws`.
    columns : sequence of Column
        What is known of the columns.
    """
    found = []
    known = [(j, _meanings(column)) for j, column in enumerate(columns)]
    known = [(j, meanings) for j, meanings in known if meanings][:_MOST_COLUMNS]
    for (first, ours), (second, theirs) in combinations(known, 2):
        pairs = sorted((ours[label], theirs[label]) for label in ours.keys() & theirs.keys())
        if len(pairs) < 2:
            continue
        made = Different(first, second, np.array(pairs, dtype=float))
        shares = [
            np.mean(values[:, [place]] == made.pairs[:, side], axis=0)
            for place, side in ((first, 0), (second, 1))
        ]
        expected = len(values) * float(shares[0] @ shares[1])
        if expected >= _EVIDENCE and not made.is_broken(values).any():
            found.append(made)
    return found


def _meanings(column: Column) -> dict[object, float]:
    """Return from what the cells of a column stand for to the cells, where they are few."""
    if not column.is_number:
        return {each: float(i) for i, each in enumerate(column.labels) if each is not None}
    if column.levels is None or column.is_time:
        return {}
    return dict(zip(column.to_raw(column.levels).tolist(), column.levels.tolist(), strict=True))


def _comparable(
    values: np.ndarray, columns: Sequence[Column]
) -> Iterator[tuple[int, int, tuple[Ruler, Ruler]]]:
    numbers = [j for j, column in enumerate(columns) if column.is_number][:_MOST_COLUMNS]
    years = {j for j in numbers if _are_years(values[:, j], columns[j])}
    plain = {j: Ruler(columns[j]) for j in numbers}
    by_year = {j: Ruler(columns[j], in_years=True) for j in numbers}
    for low, high in permutations(numbers, 2):
        first, second = columns[low], columns[high]
        if first.is_time == second.is_time:
            yield low, high, (plain[low], plain[high])
        elif (low if second.is_time else high) in years:
            yield low, high, (by_year[low], by_year[high])


def _are_years(cells: np.ndarray, column: Column) -> bool:
    raw = column.to_raw(cells[np.isfinite(cells)])
    if column.is_time or len(raw) == 0:
        return False
    return bool((raw == np.rint(raw)).all() and _YEARS[0] <= raw.min() and raw.max() <= _YEARS[1])
