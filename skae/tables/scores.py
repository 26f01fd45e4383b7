"""Numbers as normal scores: what share of a column is below, on the scale of a standard normal."""

from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
from scipy.special import ndtr, ndtri

from skae.tables.cells import VALUE
from skae.tables.kinds import TableOptions
from skae.tables.mixed import MixedColumns

_MOST_INTERVALS = 1024
_FARTHEST = 1e4


@dataclass(frozen=True)
class NormalScores:
    """The way between the numbers of a column and normal scores, and back.

    The numbers that were seen are parted into intervals, one for each or, of many, one for a
    thousandth of the rows; an interval's score is that of its middle.

    Attributes
    ----------
    first, last : ndarray of shape (n_intervals,)
        The smallest and the largest number of every interval.
    upper : ndarray of shape (n_intervals,)
        The share of the rows up to the end of each.
    """

    first: np.ndarray
    last: np.ndarray
    upper: np.ndarray

    @classmethod
    def learn(cls, numbers: np.ndarray, weights: np.ndarray) -> "NormalScores":
        """Return the scores of a column, shape (n_rows,), at least one of them."""
        values, place = np.unique(numbers, return_inverse=True)
        share = np.bincount(place, weights, len(values))
        upper = np.cumsum(share) / share.sum()
        if len(values) > _MOST_INTERVALS:
            middle = upper - 0.5 * share / share.sum()
            groups = np.floor(middle * _MOST_INTERVALS)
            starts = np.flatnonzero(np.diff(groups, prepend=-1))
        else:
            starts = np.arange(len(values))
        ends = np.append(starts[1:], len(values)) - 1
        return cls(values[starts], values[ends], upper[ends])

    @property
    def lower(self) -> np.ndarray:
        """The share of the rows below every interval."""
        return np.append(0.0, self.upper[:-1])

    @property
    def middle(self) -> np.ndarray:
        """The score of every interval."""
        return ndtri((self.lower + self.upper) / 2)

    @property
    def edges(self) -> np.ndarray:
        """The scores between the intervals, the ends included, shape (n_intervals + 1,)."""
        inner = ndtri(self.upper[:-1])
        return np.concatenate([[-_FARTHEST], inner, [_FARTHEST]])

    @property
    def numbers(self) -> np.ndarray:
        """The middle of every interval, as a number."""
        return (self.first + self.last) / 2

    def encode(self, numbers: np.ndarray) -> np.ndarray:
        """Return the scores of numbers, those of the nearest intervals; NaN for NaN."""
        between = (self.last[:-1] + self.first[1:]) / 2
        return np.where(np.isnan(numbers), np.nan, self.middle[np.searchsorted(between, numbers)])

    def decode(self, scores: np.ndarray) -> np.ndarray:
        """Return the numbers of scores, spread evenly over the intervals; NaN for NaN."""
        share = ndtr(scores)
        place = np.minimum(np.searchsorted(self.upper, share), len(self.upper) - 1)
        within = (share - self.lower[place]) / (self.upper - self.lower)[place]
        numbers = self.first[place] + (self.last - self.first)[place] * within.clip(0, 1)
        return np.where(np.isnan(scores), np.nan, numbers)


@dataclass(frozen=True)
class ScoredColumns(MixedColumns):
    """The columns of a table whose numbers are encoded as normal scores.

    A number that a state stands for, because it is frequent, has none.

    Attributes
    ----------
    scores : tuple of NormalScores
        Those of every column of numbers.
    """

    scores: tuple[NormalScores, ...] = ()

    @classmethod
    def learn(
        cls,
        frame: nw.DataFrame,
        weights: np.ndarray | None,
        options: TableOptions | None = None,
        *,
        is_named: bool = True,
    ) -> "ScoredColumns":
        """Return the encoding of a frame; see `Table.learn`."""
        options = replace(options or TableOptions(), has_level_states=True)
        plain = MixedColumns.learn(frame, weights, options, is_named=is_named)
        numbers, states = plain.table.encode(frame)
        weights = np.ones(len(frame)) if weights is None else weights
        scores = []
        for place, column in zip(plain.column_of_number, numbers.T, strict=True):
            seen = states[:, place] == VALUE
            seen = seen if seen.any() else ~np.isnan(column)
            scores.append(NormalScores.learn(column[seen], weights[seen]))
        return cls(plain.table, plain.center, plain.scale, plain.dependencies, tuple(scores))

    @property
    def numbers_of_intervals(self) -> list[np.ndarray]:
        """For every column of numbers, those of its intervals, with mean 0 and variance 1."""
        columns = zip(self.scores, self.center, self.scale, strict=True)
        return [(scores.numbers - center) / scale for scores, center, scale in columns]

    def _encode_numbers(self, numbers: np.ndarray, states: np.ndarray) -> np.ndarray:
        numbers = np.where(states[:, self.column_of_number] == VALUE, numbers, np.nan)
        return self._by_column(NormalScores.encode, numbers)

    def _decode_numbers(self, encoded: np.ndarray) -> np.ndarray:
        return self._by_column(NormalScores.decode, encoded)

    def _by_column(self, function: Any, numbers: np.ndarray) -> np.ndarray:
        columns = zip(self.scores, numbers.T, strict=True)
        found = [function(scores, column) for scores, column in columns]
        return np.stack(found, axis=1) if found else np.empty((len(numbers), 0))
