"""Cells that are empty exactly where another column has some value, or is empty itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skae.dependencies.cells import MISSING, Column, Draws
from skae.dependencies.relation import Relation, one_of

# The fewest rows in which a column is empty and in which it is not, and how many different ones:
# copies of one row say no more than the row.
_FEWEST_ROWS = 20
_FEWEST_DIFFERENT = 10
_ROWS_PER_VALUE = 10
_MOST_SHOWN = 3
_N_COUNTED = 500


@dataclass(frozen=True)
class EmptyWhere(Relation):
    """A column whose cells are missing exactly where another has one of some values.

    Attributes
    ----------
    source, target : int
        The places of the other column, and of the column.
    cells : ndarray of shape (n_values,)
        The values, in rising order.
    typical : tuple of float
        The commonest cells of both where the column is not empty.
    """

    source: int
    target: int
    cells: np.ndarray
    typical: tuple[float, float]

    @property
    def is_structural(self) -> bool:
        """Whether another column says so, rather than being empty as well."""
        return not (self.cells == MISSING).any()

    def says_empty(self, values: np.ndarray) -> np.ndarray:
        """Tell where the source has one of the values."""
        return np.isin(values[:, self.source], self.cells)

    def derive(self, draws: Draws) -> None:
        """Leave the target empty where the settled source says so."""
        where = draws.settled[:, self.source] & self.says_empty(draws.values)
        draws.put(where, self.target, np.full(len(where), MISSING))

    def settle(self, draws: Draws) -> None:
        """Empty the target where the source says so."""
        draws.put(self.says_empty(draws.values), self.target, np.full(len(draws.values), MISSING))

    def is_broken(self, values: np.ndarray) -> np.ndarray:
        """Tell where only one of the two says so."""
        is_known = ~np.isnan(values[:, self.source])
        return is_known & (self.says_empty(values) != (values[:, self.target] == MISSING))

    def repair(self, draws: Draws) -> None:
        """Fill the target where the source does not say that it is empty, or the other way round.

        A source that says so, while the target is settled, gets its commonest other cell.
        """
        for place, typical in zip((self.target, self.source), self.typical, strict=True):
            says_empty = self.says_empty(draws.values)
            where = self.is_broken(draws.values) & (says_empty == (place == self.source))
            if typical != MISSING:
                draws.put(where, place, np.full(len(where), typical))

    def text(self, columns: Sequence[Column]) -> str:
        """Return it in words."""
        source, target = columns[self.source], columns[self.target]
        if not self.is_structural:
            return f"{one_of([source, target])} are empty together"
        shown = [source.show(cell) for cell in self.cells[:_MOST_SHOWN]]
        more = (
            f" or {len(self.cells) - _MOST_SHOWN} others" if len(self.cells) > _MOST_SHOWN else ""
        )
        return f"{target.title} is empty exactly where {source.title} is {' or '.join(shown)}{more}"


def find_empties(values: np.ndarray, columns: Sequence[Column]) -> list[EmptyWhere]:
    """Return which columns are empty exactly where another column has some value.

    Each column is listed once, with the source that has the fewest such values; a source that is
    itself empty there counts only if there is no other.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        The cells of the rows; see `Draws`.
    columns : sequence of Column
        What is known of the columns.
    """
    empty = values == MISSING
    found = []
    for target in range(values.shape[1]):
        if not (_are_enough(values[empty[:, target]]) and _are_enough(values[~empty[:, target]])):
            continue
        options = []
        for source in range(values.shape[1]):
            cells = _values_where(values[:, source], empty[:, target])
            if source == target or cells is None:
                continue
            is_together = bool((cells == MISSING).any())
            # Of columns that are empty together, the first one is the source of the others.
            if not is_together or source < target:
                options.append((is_together, len(cells), source, cells))
        if options:
            _, _, source, cells = min(options, key=lambda option: option[:3])
            there = values[~empty[:, target]]
            typical = _commonest(there[:, target]), _commonest(there[:, source])
            found.append(EmptyWhere(source, target, cells, typical))
    return found


def _are_enough(rows: np.ndarray) -> bool:
    """Tell whether there are enough rows, and enough different ones, to learn from."""
    if len(rows) < _FEWEST_ROWS:
        return False
    return len(np.unique(rows[:_N_COUNTED], axis=0)) >= _FEWEST_DIFFERENT


def _values_where(source: np.ndarray, empty: np.ndarray) -> np.ndarray | None:
    """Return the values of a column where another is empty, None if they are many or elsewhere."""
    there, elsewhere = source[empty], source[~empty]
    if np.isnan(there).any():
        return None
    cells = np.unique(there)
    if len(cells) * _ROWS_PER_VALUE > len(there) or np.isin(elsewhere, cells).any():
        return None
    # A source that only is empty elsewhere says nothing by its values.
    is_together = bool((cells == MISSING).any())
    has_others = (elsewhere != MISSING).sum() >= _FEWEST_ROWS
    return cells if is_together or has_others else None


def _commonest(cells: np.ndarray) -> float:
    """Return the commonest cell, or MISSING if each is that of one row only."""
    found, counts = np.unique(cells[~np.isnan(cells)], return_counts=True)
    return float(found[counts.argmax()]) if counts.max(initial=0) > 1 else MISSING
