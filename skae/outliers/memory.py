"""The memory of a detector: the rows that it learns from and is calibrated on."""

from dataclasses import dataclass
from functools import cached_property

import narwhals as nw
import numpy as np

from skae.outliers.encoding import Rows
from skae.outliers.rounding import Rounding
from skae.tables.table import Table


def weighted_order(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the places of rows with a weight in random order, the first by weight.

    So the first n of them are a sample without replacement, drawn in proportion to the weights.

    References
    ----------
    Efraimidis, P. S. and Spirakis, P. G. (2006). Weighted random sampling with a reservoir.
    Information Processing Letters 97.
    """
    if np.ptp(weights) == 0:
        return rng.permutation(len(weights))
    weighted = np.flatnonzero(weights > 0)
    return weighted[np.argsort(rng.exponential(size=len(weighted)) / weights[weighted])]


@dataclass(frozen=True)
class Memory:
    """Encoded rows in random order, and their folds.

    Attributes
    ----------
    rounding : Rounding
        The rounding of the numbers.
    offsets : ndarray of float32 of shape (n_rows, n_numbers)
        The rounded numbers.
    states : ndarray of int of shape (n_rows, n_columns)
        The states, as a `Table` encodes them.
    folds : ndarray of int of shape (n_rows,)
        The fold of every row; members leave out one fold each.
    weights : ndarray of shape (n_rows,)
        The weight of every row, one on average.
    positions : ndarray of int of shape (n_rows,)
        The index of every row in the X of the last `fit` or `partial_fit`, -1 for older rows.
    """

    rounding: Rounding
    offsets: np.ndarray
    states: np.ndarray
    folds: np.ndarray
    weights: np.ndarray
    positions: np.ndarray

    @classmethod
    def of(
        cls,
        table: Table,
        frame: nw.DataFrame,
        weights: np.ndarray,
        positions: np.ndarray,
        n_folds: int,
        rng: np.random.Generator,
        rounding: Rounding | None = None,
    ) -> "Memory":
        """Return the rows of a frame, given their positions, with folds of nearly equal size."""
        numbers, states = Rows.of(table, frame).encode(slice(None))
        rounding = rounding or Rounding.learn(table, numbers)
        states = states.astype(np.min_scalar_type(states.max(initial=0)))
        # Without the random shift, calls with only a few rows would fill the first folds only.
        folds = (rng.permutation(len(positions)) + rng.integers(n_folds)) % n_folds
        small = folds.astype(np.uint8), weights.astype(np.float32), positions
        return cls(rounding, rounding.offsets(numbers), states, *small)

    def __len__(self) -> int:
        return len(self.states)

    @property
    def numbers(self) -> np.ndarray:
        """The numbers, shape (n_rows, n_numbers)."""
        return self.rounding.numbers(self.offsets)

    @cached_property
    def keys(self) -> np.ndarray:
        """A number for every row, equal for equal rows, shape (n_rows,)."""
        return self.rounding.keys(self.offsets, self.states)

    def take(self, chosen: np.ndarray) -> "Memory":
        """Return the rows that are chosen by a mask or by indices."""
        return Memory(self.rounding, *(part[chosen] for part in self._parts))

    def make_room(self, newer: "Memory", n_rows: int, rng: np.random.Generator) -> "Memory":
        """Return the newer rows and as many of these, drawn at random, as fit, all shuffled."""
        n_old = max(0, min(len(self), n_rows - len(newer)))
        older = self.take(rng.permutation(len(self))[:n_old])
        older.positions[:] = -1
        parts = zip(newer._parts, older._parts, strict=True)
        joined = Memory(self.rounding, *(np.concatenate(pair) for pair in parts))
        return joined.take(weighted_order(joined.weights, rng))

    @property
    def _parts(self) -> tuple[np.ndarray, ...]:
        return self.offsets, self.states, self.folds, self.weights, self.positions

    def __getstate__(self) -> dict:
        # Columns that have one state, as those of numbers without holes have, take no room.
        first = self.states[:1]
        varies = (self.states != first).any(0)
        parts = {**vars(self), "states": (first, varies, self.states[:, varies])}
        parts.pop("keys", None)
        return parts

    def __setstate__(self, parts: dict) -> None:
        first, varies, states = parts["states"]
        vars(self).update(parts, states=np.repeat(first, len(states), axis=0))
        self.states[:, varies] = states


def mean_of_equal(memory: Memory, values: np.ndarray) -> np.ndarray:
    """Return, for every row, the mean of values over all rows that equal it."""
    _, group, counts = np.unique(memory.keys, return_inverse=True, return_counts=True)
    return (np.bincount(group, values) / counts)[group]
