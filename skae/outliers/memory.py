"""The memory of a detector: the rows that it learns from and is calibrated on."""

from dataclasses import dataclass

import narwhals as nw
import numpy as np

from skae.tables.table import Table


@dataclass(frozen=True)
class Memory:
    """Encoded rows in random order, and their folds.

    Attributes
    ----------
    numbers, states : ndarray of shape (n_rows, ...)
        The rows, as a `Table` encodes them.
    folds : ndarray of int of shape (n_rows,)
        The fold of every row; members leave out one fold each.
    positions : ndarray of int of shape (n_rows,)
        The index of every row in the X of the last `fit` or `partial_fit`, -1 for older rows.
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
        """Return the rows of a frame, given their positions, with folds of nearly equal size."""
        numbers, states = table.encode(frame)
        # Without the random shift, calls with only a few rows would fill the first folds only.
        folds = (rng.permutation(len(positions)) + rng.integers(n_folds)) % n_folds
        return cls(numbers, states, folds, positions)

    def __len__(self) -> int:
        return len(self.states)

    def take(self, chosen: np.ndarray) -> "Memory":
        """Return the rows that are chosen by a mask or by indices."""
        return Memory(*(part[chosen] for part in self._parts))

    def make_room(self, newer: "Memory", n_rows: int, rng: np.random.Generator) -> "Memory":
        """Return the newer rows and as many of these, drawn at random, as fit, all shuffled."""
        n_old = max(0, min(len(self), n_rows - len(newer)))
        older = self.take(rng.permutation(len(self))[:n_old])
        older.positions[:] = -1
        parts = zip(newer._parts, older._parts, strict=True)
        joined = Memory(*(np.concatenate(pair) for pair in parts))
        return joined.take(rng.permutation(len(joined)))

    @property
    def _parts(self) -> tuple[np.ndarray, ...]:
        return self.numbers, self.states, self.folds, self.positions
