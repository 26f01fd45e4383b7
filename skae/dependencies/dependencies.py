"""All that held between columns, found in rows and kept in draws."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from skae.dependencies.cells import Column, Draws
from skae.dependencies.choices import Choices
from skae.dependencies.empties import EmptyWhere, find_empties
from skae.dependencies.fixes import Fixes, NearlyFixes, find_fixes, in_order
from skae.dependencies.orders import Order, find_different, find_orders
from skae.dependencies.products import Product, find_products
from skae.dependencies.relation import Relation
from skae.dependencies.sums import Sum, find_sums
from skae.dependencies.turns import in_turn

# The search looks at so many columns, the first ones, and at so many rows, evenly spread; what it
# finds is then checked in all rows.
_MOST_COLUMNS = 64
_MOST_ROWS = 50_000
_FEWEST_ROWS = 30
# The largest share of different numbers of a column in rows that may be copies of each other.
_MOST_DIFFERENT = 0.9
# What given cells fix may fix other cells in turn, so many times.
_MOST_STEPS = 3


@dataclass(frozen=True)
class Dependencies:
    """What held between the columns of rows.

    Attributes
    ----------
    columns : tuple of Column
        What is known of the columns.
    fixes, others : tuple of Relation
        What held in all rows.
    near : tuple of NearlyFixes
        What held in nearly all.
    choices : tuple of Choices
        The labels of every column that fixes others, those of few labels first.
    """

    columns: tuple[Column, ...] = ()
    fixes: tuple[Fixes, ...] = ()
    others: tuple[Relation, ...] = ()
    near: tuple[NearlyFixes, ...] = ()
    choices: tuple[Choices, ...] = field(default=(), repr=False)

    @classmethod
    def find(
        cls, values: np.ndarray, columns: Sequence[Column], *, min_count: int
    ) -> "Dependencies":
        """Return what held between the columns of rows.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_columns)
            The cells of the rows; see `Draws`.
        columns : sequence of Column
            What is known of the columns.
        min_count : int
            The number of rows that must share a combination of cells for it to be kept.
        """
        columns = tuple(columns)
        if len(values) < _FEWEST_ROWS or len(columns) < 2:
            return cls(columns)
        values = values[:, :_MOST_COLUMNS]
        first = columns[:_MOST_COLUMNS]
        some = _without_copies(values, first)
        if len(some) > _MOST_ROWS:
            some = some[np.linspace(0, len(some) - 1, _MOST_ROWS).astype(int)]
        if len(some) < _FEWEST_ROWS:
            return cls(columns)
        joined: list[Sum | Product] = [*find_products(some, first), *find_sums(some, first)]
        joined = in_turn([each for each in joined if not each.is_broken(values).any()])
        empties = find_empties(some, first)
        exact, near = find_fixes(some)
        fixes = [Fixes.learn(values, sources, target, min_count) for sources, target in exact]
        fixes = [each for each in fixes if not _disagrees(each, values)]
        fixes = _without_others(fixes, joined, empties)
        others = [
            *empties,
            *_not_following(find_orders(some, first), joined, fixes, first),
            *find_different(some, first),
        ]
        others = [each for each in others if not each.is_broken(values).any()]
        return cls(
            columns,
            tuple(in_order(fixes)),
            (*joined, *others),
            tuple(near),
            _choices(fixes, near, values, columns, min_count),
        )

    @property
    def relations(self) -> tuple[Relation, ...]:
        """All that held in all rows."""
        return (*self.fixes, *self.others)

    def keep(
        self,
        values: np.ndarray,
        given: np.ndarray,
        rng: np.random.Generator | None = None,
        *,
        is_last: bool = False,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Bring draws to what held in all rows, as far as given cells leave that free.

        Cells that are given stay, and say what they fix. Of the others, a label that was left open
        is chosen so that it goes with the rest of the row, what labels fix is looked up, sums and
        products are computed, and cells are emptied.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_columns)
            The cells of the draws; see `Draws`.
        given : ndarray of bool of shape (n_rows, n_columns)
            The cells that are to stay as they are.
        rng : numpy.random.Generator or None, default=None
            What draws among labels; None takes the commonest.
        is_last : bool, default=False
            Whether rows in which something still does not hold are mended, because they are not
            drawn again.

        Returns
        -------
        values : ndarray of shape (n_rows, n_columns)
            The cells.
        is_broken : ndarray of bool of shape (n_rows,)
            The rows in which something does not hold.
        """
        if not self.relations:
            return values, np.zeros(len(values), dtype=bool)
        draws = Draws(values.copy(), given.copy(), rng)
        for _ in range(_MOST_STEPS if given.any() else 0):
            for relation in self.relations:
                relation.derive(draws)
        for choices in self.choices:
            choices.specify(draws)
        for choices in self.choices[::-1]:
            choices.reconcile(draws)
        if is_last:
            self._repair(draws)
        for relation in self.relations:
            relation.settle(draws)
        if is_last:
            self._repair(draws)
        return draws.values, self._is_broken(draws.values, given)

    def _repair(self, draws: Draws) -> None:
        for relation in self.relations:
            relation.repair(draws)

    def _is_broken(self, values: np.ndarray, given: np.ndarray) -> np.ndarray:
        is_broken = np.zeros(len(values), dtype=bool)
        for relation in self.relations:
            is_broken |= relation.is_broken(values)
        for column, cells, is_given in zip(self.columns, values.T, given.T, strict=True):
            is_broken |= np.isfinite(cells) & ~column.holds(cells) & ~is_given
        return is_broken

    def structural(self, values: np.ndarray) -> np.ndarray:
        """Tell which cells are empty because another column says so."""
        found = np.zeros(values.shape, dtype=bool)
        for each in self.others:
            if isinstance(each, EmptyWhere) and each.is_structural:
                found[:, each.target] |= each.says_empty(values)
        return found

    def told(self, values: np.ndarray) -> list[tuple[int, int, str]]:
        """Return which columns are empty because another says so, in how many cells, and why."""
        counts = self.structural(values).sum(0)
        return [
            (each.target, int(counts[each.target]), each.text(self.columns))
            for each in self.others
            if isinstance(each, EmptyWhere) and each.is_structural and counts[each.target]
        ]

    def texts(self) -> tuple[str, ...]:
        """Return everything in words, leaving out what follows from the rest."""
        nearly = (
            f"{self.columns[each.source].title} fixes {self.columns[each.target].title} in "
            f"{each.share:.2%} of the rows that could tell (not kept)"
            for each in self.near
        )
        rest = (each.text(self.columns) for each in self.others)
        return (*self._texts_of_fixes(), *rest, *nearly)

    def _texts_of_fixes(self) -> list[str]:
        pairs = {(e.sources[0], e.target) for e in self.fixes if len(e.sources) == 1}
        mutual = {(s, t) for s, t in pairs if (t, s) in pairs}
        head = {s: min([s, *(t for a, t in mutual if a == s)]) for s, _ in pairs}
        texts = [
            f"{self.columns[s].title} and {self.columns[t].title} fix each other"
            for s, t in sorted(mutual)
            if head[t] == s
        ]
        for each in self.fixes:
            ends = each.sources[0], each.target
            is_head = all(head.get(j, j) == j for j in (*each.sources, each.target))
            if ends in mutual or not is_head:
                continue
            middles = {t for s, t in pairs if s in each.sources} - {each.target}
            is_direct = not any((m, each.target) in pairs - mutual for m in middles)
            if is_direct:
                texts.append(each.text(self.columns))
        return texts


def _disagrees(each: Fixes, values: np.ndarray) -> bool:
    """Tell whether a row of all has another cell than its source fixes."""
    cells, is_known = each.look_up(values)
    there = values[:, each.target]
    return bool((is_known & ~np.isnan(there) & (cells != there)).any())


def _not_following(
    orders: Sequence[Order],
    joined: Sequence[Sum | Product],
    fixes: Sequence[Fixes],
    columns: Sequence[Column],
) -> list[Order]:
    """Leave out orders that follow from a sum or a product, or from what fixes what."""
    places = [frozenset(each.places) for each in joined if not _has_time(each, columns)]
    places += [frozenset((*each.sources, each.target)) for each in fixes if len(each.sources) == 1]
    return [each for each in orders if not any({each.low, each.high} <= p for p in places)]


def _has_time(each: Sum | Product, columns: Sequence[Column]) -> bool:
    return any(columns[place].is_time for place in each.places)


def _without_others(
    fixes: Sequence[Fixes], joined: Sequence[Sum | Product], empties: Sequence[EmptyWhere]
) -> list[Fixes]:
    """Leave out what fixes what between columns of one sum, or that are empty by each other."""
    pairs = {frozenset(each.places) for each in joined}
    pairs |= {frozenset((each.source, each.target)) for each in empties}
    return [each for each in fixes if frozenset((*each.sources, each.target)) not in pairs]


def _without_copies(values: np.ndarray, columns: Sequence[Column]) -> np.ndarray:
    """Return rows once each, if a number mostly tells them apart: copies are no evidence."""
    numbers = [j for j, each in enumerate(columns) if each.is_number and _is_fine(each)]
    n_values = max((len(np.unique(values[:, j])) for j in numbers), default=0)
    if not _FEWEST_ROWS <= n_values <= _MOST_DIFFERENT * len(values):
        return values
    different = np.unique(values, axis=0)
    are_copies = len(different) <= _MOST_DIFFERENT * len(values)
    return different if are_copies and len(different) <= 2 * n_values else values


def _is_fine(column: Column) -> bool:
    """Tell whether numbers of a column hardly come again, unless rows do."""
    return column.levels is None or column.step < 1


def _choices(
    fixes: Sequence[Fixes],
    near: Sequence[NearlyFixes],
    values: np.ndarray,
    columns: Sequence[Column],
    min_count: int,
) -> tuple[Choices, ...]:
    """Return the labels of every column that fixes others, those of few labels first."""
    single = [each for each in fixes if len(each.sources) == 1 and len(each.keys)]
    found = []
    for source in {each.sources[0] for each in single}:
        nearly = [
            Fixes.learn(values, (source,), each.target, min_count)
            for each in near
            if each.source == source
        ]
        exact = [each for each in single if each.sources == (source,)]
        found.append(Choices(columns[source], exact, nearly))
    return tuple(sorted(found, key=lambda each: len(each.cells)))
