"""Margins: the normal scores of the numbers of every column."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from skae.outliers.interpolation import Interpolation
from skae.tables.columns import FARTHEST

# The largest number of knots of a column.
_MOST_KNOTS = 256
# The relative error of a number in single precision.
_ROUNDING = 1e-7


@dataclass(frozen=True)
class Margins:
    """The normal scores of the numbers of every column, which rise with the logarithm beyond them.

    A number's score is the normal quantile of the share of the rows below it, linear between knots.

    Attributes
    ----------
    columns : tuple of Interpolation
        The scores of the numbers of every column, up to its ends.
    edge : float
        The score of numbers just outside of the range.
    """

    columns: tuple[Interpolation, ...]
    edge: float

    @classmethod
    def learn(cls, numbers: np.ndarray, weights: np.ndarray) -> "Margins":
        """Return the scores of numbers of shape (n_rows, n_numbers), NaN where they are missing."""
        columns = tuple(Interpolation(*_knots(column, weights)) for column in numbers.T)
        return cls(columns, float(-ndtri(0.5 / (len(numbers) + 1))))

    @cached_property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """The smallest and the largest number of every column."""
        low, high = np.array([column.ends for column in self.columns]).reshape(-1, 2).T
        return low, high

    @property
    def range(self) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of every column beyond which others are outside of its range."""
        return _with_rounding(*self.ends)

    def __call__(
        self,
        numbers: np.ndarray,
        scale: np.ndarray,
        ends: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> np.ndarray:
        """Return the scores of numbers; beyond the ends they rise with the distance in scales."""
        low, high = self.ends if ends is None else ends
        scored = np.empty(numbers.shape)
        for j, column in enumerate(self.columns):
            scored[:, j] = column(numbers[:, j])
        least, most = _with_rounding(low, high)
        is_beyond = (numbers < least) | (numbers > most)
        if is_beyond.any():
            with np.errstate(over="ignore"):
                beyond = np.maximum(low / scale - numbers / scale, numbers / scale - high / scale)
            beyond = np.clip(beyond[is_beyond], 0, FARTHEST)
            side = np.where((numbers > high)[is_beyond], 1, -1)
            scored[is_beyond] = side * (self.edge + np.log1p(beyond))
        return scored


def _with_rounding(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # An end in single precision is not beyond itself.
    rounding = _ROUNDING * np.maximum(abs(low), abs(high))
    return low - rounding, high + rounding


def leave_one_out_ends(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of every column of training rows, for each number those of the others."""
    low, high = np.empty(numbers.shape), np.empty(numbers.shape)
    for j, column in enumerate(numbers.T):
        inner = np.sort(column[~np.isnan(column)])
        if len(inner) == 0 or inner[0] == inner[-1]:
            low[:, j], high[:, j] = (inner[0], inner[-1]) if len(inner) else (0.0, 0.0)
            continue
        low[:, j] = np.where(column == inner[0], inner[1], inner[0])
        high[:, j] = np.where(column == inner[-1], inner[-2], inner[-1])
    return low, high


def _knots(column: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return knots evenly spaced in normal scores: one for each of the outermost numbers."""
    there = ~np.isnan(column)
    if not there.any():
        return np.zeros(1), np.zeros(1)
    values, place = np.unique(column[there], return_inverse=True)
    share = np.bincount(place, weights[there], len(values))
    share = share / share.sum()
    scores = ndtri(np.clip(np.cumsum(share) - share / 2, 1e-12, 1 - 1e-12))
    if len(values) > _MOST_KNOTS:
        even = np.linspace(scores[0], scores[-1], _MOST_KNOTS)
        kept = np.unique(np.searchsorted(scores, even).clip(max=len(values) - 1))
        values, scores = values[kept], scores[kept]
    return values, scores
