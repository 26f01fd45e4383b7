"""The standardisation of numbers, by all rows or leave-one-out."""

from dataclasses import dataclass

import numpy as np

from skae.tables.columns import FARTHEST

# The deviation of a column, relative to its largest number, that is no more than rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Scaling:
    """The standardisation of columns of numbers.

    Attributes
    ----------
    center, scale : ndarray of shape (n_numbers,)
        The means and the standard deviations.
    counts : ndarray of shape (n_numbers,)
        The weight of the cells of a column that are not missing.
    """

    center: np.ndarray
    scale: np.ndarray
    counts: np.ndarray

    @classmethod
    def learn(cls, numbers: np.ndarray, spans: np.ndarray, weights: np.ndarray) -> "Scaling":
        """Return the scaling of numbers, NaN where they are missing.

        The scale of a constant column is taken from `spans`, of shape (n_numbers,).
        """
        present = ~np.isnan(numbers) * weights[:, None]
        counts = present.sum(0)
        counts = np.where(counts > 0, counts, 1.0)
        # Squares of very large and very small numbers would overflow or underflow.
        largest = np.where(present > 0, np.abs(numbers), 0).max(0)
        unit = np.where(largest > 0, largest, 1)
        shrunk = np.where(present > 0, numbers, 0) / unit
        center = (present * shrunk).sum(0) / counts
        deviation = np.sqrt((present * (shrunk - center) ** 2).sum(0) / counts)
        scale = np.where(deviation > _ROUNDING, deviation * unit, spans)
        return cls(center * unit, scale, counts)

    def __call__(self, numbers: np.ndarray, *, held_out: bool = False) -> np.ndarray:
        """Return standardised numbers; leave-one-out if they are the held-out training rows."""
        with np.errstate(over="ignore"):
            standard = numbers / self.scale - self.center / self.scale
        if held_out:
            n = np.maximum(self.counts, 2)
            standard = standard * n / (n - 1) / self._shrinkage(standard)
        return np.clip(standard, -FARTHEST, FARTHEST)

    def scales_of_others(self, numbers: np.ndarray) -> np.ndarray:
        """Return the leave-one-out standard deviations of the columns, for every number."""
        with np.errstate(over="ignore"):
            return self.scale * self._shrinkage(numbers / self.scale - self.center / self.scale)

    def _shrinkage(self, standard: np.ndarray) -> np.ndarray:
        """Return the leave-one-out scales of a column, over its scale, for every number."""
        n = np.maximum(self.counts, 2)
        squared = n / (n - 1) * (1 - standard**2 / (n - 1))
        return np.sqrt(np.maximum(squared, _ROUNDING))
