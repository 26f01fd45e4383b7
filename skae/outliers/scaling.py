"""Numbers standardised: by all rows, or each by the others."""

from dataclasses import dataclass

import numpy as np

from skae.tables.columns import FARTHEST

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Scaling:
    """What standardising takes off columns of numbers, and what it divides them by.

    Attributes
    ----------
    center, scale : ndarray of shape (n_numbers,)
        The means and the standard deviations.
    counts : ndarray of shape (n_numbers,)
        How many numbers of a column there were.
    """

    center: np.ndarray
    scale: np.ndarray
    counts: np.ndarray

    @classmethod
    def learn(cls, numbers: np.ndarray, spans: np.ndarray) -> "Scaling":
        """Return the scaling of numbers, NaN where there is none.

        The scale of a column in which nothing varies is its span, of shape (n_numbers,).
        """
        there = ~np.isnan(numbers)
        counts = np.maximum(there.sum(0), 1)
        # Squares of very large and very small numbers would leave the range of floats.
        largest = np.where(there, np.abs(numbers), 0).max(0)
        unit = np.where(largest > 0, largest, 1)
        shrunk = np.where(there, numbers, 0) / unit
        center = shrunk.sum(0) / counts
        deviation = np.sqrt((there * (shrunk - center) ** 2).sum(0) / counts)
        scale = np.where(deviation > _ROUNDING, deviation * unit, spans)
        return cls(center * unit, scale, counts)

    def __call__(self, numbers: np.ndarray, *, held_out: bool = False) -> np.ndarray:
        """Return standardised numbers; each by all others, if they are those learned from."""
        with np.errstate(over="ignore"):
            standard = numbers / self.scale - self.center / self.scale
        if held_out:
            n = np.maximum(self.counts, 2)
            standard = standard * n / (n - 1) / self._shrinkage(standard)
        return np.clip(standard, -FARTHEST, FARTHEST)

    def scales_of_others(self, numbers: np.ndarray) -> np.ndarray:
        """Return the standard deviation of all numbers but each, of the column of each."""
        with np.errstate(over="ignore"):
            return self.scale * self._shrinkage(numbers / self.scale - self.center / self.scale)

    def _shrinkage(self, standard: np.ndarray) -> np.ndarray:
        """Return by how much the scale of a column is less without each of its numbers."""
        n = np.maximum(self.counts, 2)
        rest = n / (n - 1) * (1 - standard**2 / (n - 1))
        return np.sqrt(np.maximum(rest, _ROUNDING))
