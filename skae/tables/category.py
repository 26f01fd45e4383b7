"""Category: a column of labels as states, and the way back."""

import math
from collections import Counter
from dataclasses import dataclass, replace

import narwhals as nw
import numpy as np
import pandas as pd

from skae.dependencies.cells import Column
from skae.tables.cells import MISSING, N_RESERVED, OTHER, cells_of
from skae.tables.field import DRAWN, About, Decoding, Field
from skae.tables.fresh import Fresh, fresh_texts
from skae.tables.kinds import Reading, TableOptions
from skae.tables.rare import RareLabels


@dataclass(frozen=True)
class Category(Field):
    """A column of labels: one state for each, one for missing cells and one for all others.

    Attributes
    ----------
    cells : narwhals.Series
        A missing cell, the labels with states and the rare ones that are kept, in this order.
    states : dict
        From a label to its state.
    shares : ndarray of shape (n_states,)
        How often each state was seen.
    rare : RareLabels
        The labels without a state that were seen.
    fresh : Fresh or None
        What makes labels where those without a state are not kept.
    accepts_unknown : bool
        Whether labels that were not seen are accepted as well.
    """

    cells: nw.Series
    states: dict
    shares: np.ndarray
    rare: RareLabels
    fresh: Fresh | None = None
    accepts_unknown: bool = True

    @classmethod
    def learn(
        cls, column: nw.Series, reading: Reading, options: TableOptions, fewest: float
    ) -> "Category":
        """Return the field of a column.

        Parameters
        ----------
        column : narwhals.Series
            The column.
        reading : Reading
            What it is read as.
        options : TableOptions
            How columns are read.
        fewest : float
            The number of cells that a label needs for a state of its own.
        """
        cells = cells_of(column)
        counts = Counter(cells)
        n_missing = counts.pop(None, 0)
        ranked = dict(counts.most_common())
        least = max(fewest, options.min_count)
        kept = [label for label in list(ranked)[: options.max_categories] if ranked[label] >= least]
        others = {label: ranked[label] for label in list(ranked)[len(kept) :]}
        accepts_unknown = options.accepts_unknown
        rare = RareLabels.learn(others, options.min_count, accepts_unknown=accepts_unknown)
        n_rows = max(1, len(cells))
        seen = [rare.n_cells, n_missing, *(ranked[label] for label in kept)]
        about = About(
            reading.kind, reading.reason, len(ranked), n_missing / n_rows, rare.n_cells / n_rows
        )
        return cls(
            column.name,
            about,
            _series_of(column, cells, [*kept, *rare.counts], set(others) - set(rare.counts)),
            {label: state for state, label in enumerate(kept, N_RESERVED)},
            np.array(seen) / n_rows,
            rare,
            _fresh(others, rare),
            accepts_unknown,
        )

    def with_labels_of(self, column: nw.Series) -> "Category":
        """Return the same field, which also accepts the labels of a column, as rare ones."""
        if self.accepts_unknown:
            return self
        labels = set(cells_of(column)).difference(self.states, {None})
        return replace(self, rare=self.rare.marking(labels))

    @property
    def n_states(self) -> int:
        """The number of states, those for missing cells and for other labels included."""
        return N_RESERVED + len(self.states)

    @property
    def log_largest(self) -> float:
        """The log share of the commonest of the labels without a state among these."""
        return self.rare.log_largest

    def knows(self, label: object) -> bool:
        """Tell whether a label was seen, or may have been."""
        return label in self.states or self.rare.knows(label) or self.rare.n_hidden_labels > 0

    def encode(self, column: nw.Series) -> tuple[None, np.ndarray]:
        """Return no numbers, and the states of a column, shape (n_rows,)."""
        return None, self.states_of(column)

    def states_of(self, column: nw.Series) -> np.ndarray:
        """Return the states of a column, shape (n_rows,)."""
        return self._states_of(column, self.states)

    def specific(self, column: nw.Series) -> np.ndarray:
        """Return states that also tell the rare labels that are kept apart: those that follow."""
        rare = {label: self.n_states + i for i, label in enumerate(self.rare.counts)}
        return self._states_of(column, {**self.states, **rare})

    def as_column(self) -> Column:
        """Return what dependencies need to know of it."""
        kept = list(self.rare.counts)
        return Column(
            self.name,
            labels=(None, None, *self.states, *kept),
            others=np.arange(self.n_states, self.n_states + len(kept), dtype=float),
        )

    def _states_of(self, column: nw.Series, states: dict) -> np.ndarray:
        known, cells = {**states, None: MISSING}, cells_of(column)
        if self._rounds(column):
            # A label such as 0.1 is another number in each precision.
            known = {_in_single_precision(label): state for label, state in known.items()}
            cells = list(map(_in_single_precision, cells))
        if not self.accepts_unknown:
            self._check_known(set(cells).difference(known), rounds=self._rounds(column))
        return np.array([known.get(cell, OTHER) for cell in cells], dtype=np.int32)

    def log_shares(self, column: nw.Series, states: np.ndarray) -> np.ndarray:
        """Return the log share of each label among those of its state, shape (n_rows,)."""
        found = np.zeros(len(states))
        places = np.flatnonzero(states == OTHER)
        if len(places):
            labels = cells_of(column[places.tolist()])
            found[places] = [self.rare.log_share(label) for label in labels]
        return found

    def decode(self, numbers: None, states: np.ndarray, decoding: Decoding = DRAWN) -> nw.Series:
        """Return the column of states of shape (n_rows,), `specific` ones or others."""
        places = states - N_RESERVED + 1
        places[states == MISSING] = 0 if self.shares[MISSING] > 0 else min(1, len(self.cells) - 1)
        is_other = states == OTHER
        n_other = int(is_other.sum())
        if n_other and self.rare.counts:
            first = 1 + len(self.states)
            drawn = np.zeros(n_other, dtype=int)
            if decoding.rng is not None:
                shares = self.rare.shares
                drawn = decoding.rng.choice(len(shares), size=n_other, p=shares)
            places[is_other] = first + drawn
        elif n_other:
            can_invent = self.fresh is not None and decoding.rng is not None
            places[is_other] = 0 if can_invent else min(1, len(self.cells) - 1)
        found = nw.maybe_reset_index(self.cells[places.tolist()])
        if n_other and not self.rare.counts and self.fresh and decoding.rng is not None:
            return _with(found, is_other, self.fresh.make(n_other, decoding.rng))
        return found

    @property
    def values(self) -> str:
        """What the schema says of the labels."""
        if self.kind in ("constant", "missing"):
            return ""
        some = ", ".join(map(str, list(self.states)[:3]))
        more = ", ..." if len(self.states) > 3 else ""
        return f"{some}{more}" + (
            f" and {_count(self.rare.n_labels)}" if self.rare.n_labels else ""
        )

    def _rounds(self, column: nw.Series) -> bool:
        types = column.dtype, self.cells.dtype
        return nw.Float32 in types and column.dtype.is_numeric()

    def _check_known(self, labels: set, *, rounds: bool) -> None:
        unknown = {label for label in labels if not self.rare.knows(label)}
        if rounds:
            kept = set(map(_in_single_precision, self.rare.counts))
            unknown = unknown - kept
        if unknown:
            raise ValueError(
                f"Column {self.name!r} of X holds labels that fit did not see: "
                f"{', '.join(sorted(map(repr, unknown))[:5])}. With handle_unknown='other' they "
                f"count as other labels."
            )


def _series_of(column: nw.Series, cells: list, labels: list, hidden: set) -> nw.Series:
    """Return a missing cell, if there is one, and labels, as a column of the same type."""
    first: dict[object, int] = {}
    for i, cell in enumerate(cells):
        first.setdefault(cell, i)
    if None not in first and not labels:
        return _without_categories(_nothing_like(column), hidden)
    some = first[None] if None in first else first[labels[0]]
    series = column[[some, *(first[label] for label in labels)]]
    if series.dtype == nw.String and series.implementation.is_polars():
        # Cells that were picked share the memory of all others.
        backend = series.implementation
        return nw.new_series(series.name, series.to_list(), series.dtype, backend=backend)
    return _without_categories(series, hidden)


def _nothing_like(column: nw.Series) -> nw.Series:
    """Return one missing cell of a type."""
    if column.implementation.is_pandas():
        return nw.from_native(column[:1].to_native().mask([True]), series_only=True)
    return nw.new_series(column.name, [None], column.dtype, backend=column.implementation)


def _without_categories(series: nw.Series, hidden: set) -> nw.Series:
    """Return a column whose type does not name labels that are not kept."""
    native = series.to_native()
    if not hidden or not isinstance(getattr(native, "dtype", None), pd.CategoricalDtype):
        return series
    unwanted = [each for each in native.cat.categories if each in hidden]
    return nw.from_native(native.cat.remove_categories(unwanted), series_only=True)


def _fresh(others: dict, rare: RareLabels) -> Fresh | None:
    """Return what makes labels of text, where none of the rare ones is kept."""
    if rare.counts or not others or not all(isinstance(label, str) for label in others):
        return None
    return fresh_texts(list(others))


def _with(column: nw.Series, where: np.ndarray, labels: list) -> nw.Series:
    cells = column.to_list()
    for i, label in zip(np.flatnonzero(where), labels, strict=True):
        cells[i] = label
    if column.implementation.is_pandas():
        import pandas as pd

        made = pd.Series(cells, name=column.name, dtype=column.to_native().dtype)
        return nw.from_native(made, series_only=True)
    return nw.new_series(column.name, cells, column.dtype, backend=column.implementation)


def _in_single_precision(label: object) -> object:
    with np.errstate(over="ignore"):
        return float(np.float32(label)) if isinstance(label, (int, float)) else label


def _count(n: int) -> str:
    return f"{n:,} other{'s' if n > 1 else ''}"


def fewest_cells(min_frequency: float, n_rows: int) -> float:
    """Return how many cells a label needs: a number of cells, or a share of the rows."""
    return math.ceil(min_frequency * n_rows) if min_frequency < 1 else min_frequency
