"""Sample: rows of numbers and labels, and the distances between them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils import gen_batches

# The size of a block of distances in memory.
_CELLS_AT_A_TIME = 2**22
# The largest number of states with a one-hot column of their own: 256 labels, other and missing.
_MOST_STATES = 258


@dataclass(frozen=True)
class Sample:
    """Rows as numbers of comparable scale, without missing ones, and labels.

    Attributes
    ----------
    numbers : ndarray of shape (n_rows, n_numbers)
        The numbers.
    labels : ndarray of shape (n_rows, n_labels), int
        The states of the labels.
    n_states : tuple of int
        The number of states of every column of labels.
    """

    numbers: np.ndarray
    labels: np.ndarray
    n_states: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.numbers)

    @classmethod
    def of(cls, numbers: np.ndarray) -> "Sample":
        """Return a sample of rows of numbers without labels."""
        return cls(numbers, np.empty((len(numbers), 0), dtype=np.int32))

    def __getitem__(self, rows: Any) -> "Sample":
        return Sample(self.numbers[rows], self.labels[rows], self.n_states)

    def some(self, most: int | None, rng: np.random.Generator) -> "Sample":
        """Return at most `most` rows, drawn without replacement."""
        if most is None or len(self) <= most:
            return self
        return self[rng.choice(len(self), most, replace=False)]

    def matrix(self) -> np.ndarray:
        r"""Return numbers beside one-hot labels, which are divided by $\sqrt 2$.

        The squared distance of two rows is then that of `squared_distances`, except that labels
        beyond the 256 most frequent share a one-hot vector.
        """
        blocks = [self.numbers]
        for states, n_states in zip(self.labels.T, self.n_states, strict=True):
            one_hot = np.eye(min(n_states, _MOST_STATES + 1)) / math.sqrt(2)
            blocks.append(one_hot[np.minimum(states, _MOST_STATES)])
        return np.hstack(blocks)


def joined(first: Sample, second: Sample) -> Sample:
    """Return the rows of two samples, one after the other."""
    numbers = np.vstack([first.numbers, second.numbers])
    return Sample(numbers, np.vstack([first.labels, second.labels]), first.n_states)


def squared_distances(first: Sample, second: Sample) -> np.ndarray:
    """Return squared Euclidean distances, to which different labels add 1."""
    distances = np.zeros((len(first), len(second)))
    if first.numbers.shape[1]:
        distances += euclidean_distances(first.numbers, second.numbers, squared=True)
    return _with_mismatches(distances, first, second, 1)


def city_distances(first: Sample, second: Sample) -> np.ndarray:
    """Return city-block distances, to which different labels add 2."""
    distances = np.zeros((len(first), len(second)))
    if first.numbers.shape[1]:
        distances += cdist(first.numbers, second.numbers, "cityblock")
    return _with_mismatches(distances, first, second, 2)


def _with_mismatches(distances: np.ndarray, first: Sample, second: Sample, cost: int) -> np.ndarray:
    count = np.zeros(distances.shape, dtype=np.min_scalar_type(cost * len(first.n_states)))
    # States of a narrow type are compared many at a time.
    narrow = np.min_scalar_type(max(first.n_states, default=0))
    pairs = zip(first.labels.T.astype(narrow), second.labels.T.astype(narrow), strict=True)
    for states, others in pairs:
        count += states[:, None] != others
    return np.add(distances, cost * count, out=distances)


def batches(first: Sample, second: Sample) -> Iterator[slice]:
    """Yield slices of the first sample whose distances to all rows of the second fit in memory."""
    return gen_batches(len(first), max(1, _CELLS_AT_A_TIME // len(second)))
