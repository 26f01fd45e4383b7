"""Products: a column of numbers that is the product of two others."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from skae.dependencies.cells import Column, Draws
from skae.dependencies.relation import Relation
from skae.dependencies.sums import complete_numbers, rounding, simpler, tolerance_of

_MOST_COLUMNS = 40
_N_TRIALS = 64
# The smallest standard deviation of a factor, relative to its largest number: the product of nearly
# constant numbers is nearly a sum.
_LEAST_VARIATION = 0.01


@dataclass(frozen=True)
class Product(Relation):
    """A column that is a constant times the product of two others.

    Attributes
    ----------
    target : int
        The column.
    sources : tuple of int
        The other two, which may be one.
    factor : float
        The constant.
    tolerance : float
        The largest error, by rounding.
    columns : tuple of Column
        What is known of the target and the sources.
    """

    target: int
    sources: tuple[int, int]
    factor: float
    tolerance: float
    columns: tuple[Column, Column, Column]

    @property
    def places(self) -> tuple[int, ...]:
        """The places of the columns."""
        return (self.target, *self.sources)

    def derive(self, draws: Draws) -> None:
        """Set the one cell that is not settled."""
        self._put(draws, np.all(draws.settled[:, list(self.sources)], axis=1))
        first, second = self.sources
        if first == second:
            return
        for source, other in ((first, second), (second, first)):
            where = draws.settled[:, self.target] & draws.settled[:, other]
            self._divide(draws, where & ~draws.settled[:, source], source, other)

    def settle(self, draws: Draws) -> None:
        """Set the target, and settle the sources with it."""
        where = ~draws.settled[:, self.target]
        self._put(draws, where)
        for source in self.sources:
            draws.settled[where, source] = True
        first, second = self.sources
        for source, other in ((first, second), (second, first)):
            where = self.is_broken(draws.values) & ~draws.settled[:, source]
            if where.any() and first != second:
                self._divide(draws, where, source, other)

    def is_broken(self, values: np.ndarray) -> np.ndarray:
        """Tell where the product is another; rows with cells that are no numbers are not broken."""
        finite = np.isfinite(values[:, self.places]).all(1)
        error = np.zeros(len(values))
        rows = values[finite]
        there = self.columns[0].to_raw(rows[:, self.target])
        error[finite] = np.abs(there - self._product(rows))
        slack = np.zeros(len(values))
        slack[finite] = rounding(self.columns, np.repeat(there[:, None], 3, axis=1))
        return error > self.tolerance + slack

    def text(self, columns: Sequence[Column]) -> str:
        """Return it in words."""
        first, second = (columns[source].title for source in self.sources)
        factor = "" if self.factor == 1 else f"{self.factor:.6g} * "
        return f"{columns[self.target].title} = {factor}{first} * {second}"

    def _product(self, rows: np.ndarray) -> np.ndarray:
        first, second = (
            column.to_raw(rows[:, source])
            for column, source in zip(self.columns[1:], self.sources, strict=True)
        )
        return self.factor * first * second

    def _divide(self, draws: Draws, where: np.ndarray, source: int, other: int) -> None:
        """Set a source where the other one and the target are settled, if that makes it hold."""
        known = dict(zip(self.places, self.columns, strict=True))
        divisor = self.factor * known[other].to_raw(draws.values[:, other])
        where = where & np.isfinite(draws.values[:, [self.target, other]]).all(1) & (divisor != 0)
        found = draws.values.copy()
        there = self.columns[0].to_raw(draws.values[where, self.target])
        found[where, source] = known[source].from_raw(there / divisor[where])
        where &= known[source].holds(found[:, source]) & ~self.is_broken(found)
        draws.put(where, source, found[:, source])

    def _put(self, draws: Draws, where: np.ndarray) -> None:
        where = where & ~draws.settled[:, self.target]
        where &= np.isfinite(draws.values[:, self.places]).all(1)
        cells = np.zeros(len(where))
        cells[where] = self.columns[0].from_raw(self._product(draws.values[where]))
        draws.put(where, self.target, cells)


def find_products(values: np.ndarray, columns: Sequence[Column]) -> list[Product]:
    """Return which columns are products of two others in all rows.

    At most 40 columns of numbers are searched.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        The cells of the rows; see `Draws`.
    columns : sequence of Column
        What is known of the columns.
    """
    places, raw = complete_numbers(values, columns, _MOST_COLUMNS, with_times=False)
    if len(places) < 2:
        return []
    spread = raw.std(0)
    varies = spread > _LEAST_VARIATION * np.abs(raw).max(0)
    some = raw[np.unique(np.linspace(0, len(raw) - 1, min(len(raw), _N_TRIALS)).astype(int))]
    tolerance = np.array([tolerance_of(columns[p], s) for p, s in zip(places, spread, strict=True)])
    found: list[Product] = []
    taken: set[int] = set()
    for i, j in combinations_with_replacement(range(len(places)), 2):
        if not (varies[i] and varies[j]):
            continue
        for k in _like_product(some, i, j, tolerance):
            if k in (i, j) or {i, j, k} & taken:
                continue
            own = [(places[m], columns[places[m]]) for m in (k, i, j)]
            made = _fit(raw[:, [k, i, j]], own, float(tolerance[k]), values)
            if made is not None:
                found.append(made)
                taken.add(k)
    return found


def _like_product(some: np.ndarray, i: int, j: int, tolerance: np.ndarray) -> list[int]:
    """Return the columns that are nearly proportional to the product of two in a few rows."""
    product = some[:, i] * some[:, j]
    size = float((product**2).sum())
    if size == 0 or product.std() == 0:
        return []
    errors = np.abs(some - product[:, None] * (product @ some / size)).max(0)
    return np.flatnonzero(errors <= 2 * tolerance + 1e-6 * np.abs(some).max(0)).tolist()


def _fit(
    raw: np.ndarray, columns: list[tuple[int, Column]], tolerance: float, values: np.ndarray
) -> Product | None:
    """Return the first of three columns as the product of the others, if it is in all rows."""
    (k, target), (i, first), (j, second) = columns
    product = raw[:, 1] * raw[:, 2]
    factor = np.array([product @ raw[:, 0] / (product @ product)])
    for rounded in simpler(factor):
        made = Product(k, (i, j), float(rounded[0]), tolerance, (target, first, second))
        if not made.is_broken(values).any():
            return made
    return None
