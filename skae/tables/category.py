"""Category: a column of labels as states, and the way back."""

import math
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

import narwhals as nw
import numpy as np

from skae.tables.cells import MISSING, N_RESERVED, OTHER, cells_of


@dataclass(frozen=True)
class Category:
    """A column of labels: one state for each, one for missing cells and one for all others.

    Attributes
    ----------
    name : str
        The name of the column.
    kind : {"boolean", "binary", "category", "ordered", "text", "constant", "missing"}
        What its labels are.
    labels : narwhals.Series
        What every state comes back as. State 0, other, is the commonest of the labels without a
        state, or the commonest of all where each has one.
    states : dict
        From a label to its state.
    shares : ndarray of shape (n_states,)
        How often each state was seen.
    rare : frozenset
        The labels without a state that were seen.
    accepts_unknown : bool
        Whether others are accepted as well.
    """

    name: str
    kind: str
    labels: nw.Series
    states: dict
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
            The largest number of labels with a state of their own; the rarest go without.
        fewest : float
            The number of cells that a label needs for a state of its own.
        accepts_unknown : bool, default=True
            Whether `encode` takes labels that are not in the column.
        """
        cells = cells_of(column)
        first: dict[object, int] = {}
        for i, cell in enumerate(cells):
            first.setdefault(cell, i)
        counts = Counter(cells)
        ranked = [label for label, _ in counts.most_common() if label is not None]
        kept = [label for label in ranked[:max_categories] if counts[label] >= fewest]
        rare = ranked[len(kept) :]
        commonest = first[ranked[0] if ranked else None]
        positions = [
            first[rare[0]] if rare else commonest,
            first.get(None, commonest),
            *(first[label] for label in kept),
        ]
        seen = [sum(counts[label] for label in rare), counts[None]]
        return cls(
            column.name,
            kind,
            column[positions],
            {label: state for state, label in enumerate(kept, N_RESERVED)},
            np.array([*seen, *(counts[label] for label in kept)]) / max(1, len(cells)),
            frozenset(rare),
            accepts_unknown,
        )

    def with_labels_of(self, column: nw.Series) -> "Category":
        """Return the same field, which also accepts the labels of a column, as rare ones."""
        if self.accepts_unknown:
            return self
        return replace(self, rare=self.rare.union(cells_of(column)).difference(self.states, {None}))

    @property
    def n_states(self) -> int:
        """The number of states, those for missing cells and for other labels included."""
        return N_RESERVED + len(self.states)

    def encode(self, column: nw.Series) -> tuple[None, np.ndarray]:
        """Return no numbers, and the states of a column, shape (n_rows,)."""
        known, cells = {**self.states, None: MISSING}, cells_of(column)
        rare: Collection = self.rare
        if nw.Float32 in (column.dtype, self.labels.dtype) and column.dtype.is_numeric():
            # A label such as 0.1 is another number in each precision.
            known = {_in_single_precision(label): state for label, state in known.items()}
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

    def decode(self, numbers: None, states: np.ndarray, *, extrapolates: bool = False) -> nw.Series:
        """Return the column of states of shape (n_rows,)."""
        return nw.maybe_reset_index(self.labels[states.tolist()])

    def __str__(self) -> str:
        if self.kind in ("constant", "missing"):
            return ""
        some = ", ".join(map(str, list(self.states)[:3]))
        return f"{len(self.states)} labels: {some}" + (", ..." if len(self.states) > 3 else "")


def _in_single_precision(label: object) -> object:
    with np.errstate(over="ignore"):
        return float(np.float32(label)) if isinstance(label, (int, float)) else label


def fewest_cells(min_frequency: float, n_rows: int) -> float:
    """Return how many cells a label needs: a number of cells, or a share of the rows."""
    return math.ceil(min_frequency * n_rows) if min_frequency < 1 else min_frequency
