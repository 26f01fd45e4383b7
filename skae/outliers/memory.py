"""The rows that a detector remembers: those that it learns from, and is calibrated on."""

from dataclasses import dataclass

import narwhals as nw
import numpy as np

from skae.tables.table import Table


@dataclass(frozen=True)
class Memory:
    """Encoded rows in no order, and their folds.

    Attributes
    ----------
    numbers, states : ndarray of shape (n_rows, ...)
        The rows, as a `Table` encodes them.
    folds : ndarray of int of shape (n_rows,)
        The fold of every row, which some members do not learn from.
    positions : ndarray of int of shape (n_rows,)
        Where the row was among those that were given last, or -1.
    """

    numbers: np.ndarray
    states: np.ndarray
    folds: np.ndarray
    positions: np.ndarray

    @classmethod
    def of(
        cls,
        table: Table,
        frame: nw.DataFrame,
        positions: np.ndarray,
        n_folds: int,
        rng: np.random.Generator,
    ) -> "Memory":
        """Return the rows of a frame, which had some positions, with folds of like sizes."""
        numbers, states = table.encode(frame)
        # Few rows at a time would all fall into the first folds.
        folds = (rng.permutation(len(positions)) + rng.integers(n_folds)) % n_folds
        return cls(numbers, states, folds, positions)

    def __len__(self) -> int:
        return len(self.states)

    def take(self, chosen: np.ndarray) -> "Memory":
        """Return some of the rows, chosen by a mask or by their places."""
        return Memory(*(part[chosen] for part in self._parts))

    def make_room(self, newer: "Memory", n_rows: int, rng: np.random.Generator) -> "Memory":
        """Return newer rows, and as many of these as fit, drawn at random, all in no order."""
        n_old = max(0, min(len(self), n_rows - len(newer)))
        older = self.take(rng.permutation(len(self))[:n_old])
        older.positions[:] = -1
        parts = zip(newer._parts, older._parts, strict=True)
        joined = Memory(*(np.concatenate(pair) for pair in parts))
        return joined.take(rng.permutation(len(joined)))

    @property
    def _parts(self) -> tuple[np.ndarray, ...]:
        return self.numbers, self.states, self.folds, self.positions
