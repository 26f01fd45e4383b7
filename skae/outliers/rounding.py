"""Rounding: encoded rows in single precision, and the keys by which equal ones are found."""

from dataclasses import dataclass

import numpy as np
from pandas.util import hash_array

from skae.tables.number import Number
from skae.tables.table import Table

# The ratio of distance and width beyond which columns are narrow.
_NARROW = 512
# The multiple of the median distance up to which distances are usual.
_USUAL = 1e6
# The numbers between which units are usual, and the largest of all in single precision.
_LEAST, _MOST, _FARTHEST = 1e-30, 1e30, 1e38
# The first of the codes of cells that are no numbers; those of numbers have 32 bits.
_NO_NUMBER = np.uint64(2**32)


@dataclass(frozen=True)
class Rounding:
    """Rows with numbers in single precision.

    Columns that are narrow beside their distance from zero, as dates are, or of unusual units, are
    centered and scaled first.

    Attributes
    ----------
    columns : ndarray of int of shape (n_numbers,)
        The columns of numbers.
    centers, scales : ndarray of shape (n_numbers,)
        What is subtracted from a number, and what it is then divided by, zero and one for most.
    multipliers : ndarray of uint64 of shape (n_columns,)
        The odd numbers that keys are made with.
    """

    columns: np.ndarray
    centers: np.ndarray
    scales: np.ndarray
    multipliers: np.ndarray

    @classmethod
    def learn(cls, table: Table, numbers: np.ndarray) -> "Rounding":
        """Return the rounding of numbers of shape (n_rows, n_numbers), NaN where missing."""
        fields = table.modelled
        columns = [j for j, field in enumerate(fields) if isinstance(field, Number)]
        spreads = np.array([_spread(column) for column in numbers.T]).reshape(-1, 3)
        middle, width, farthest = spreads.T
        is_odd = (width < abs(middle) / _NARROW) | (farthest < _LEAST) | (farthest > _MOST)
        is_odd &= width > 0
        odd = np.random.default_rng(0).integers(2**63, size=len(fields), dtype=np.uint64)
        return cls(
            np.array(columns, dtype=int),
            np.where(is_odd, middle, 0.0),
            np.where(is_odd, width, 1.0),
            2 * odd + np.uint64(1),
        )

    def offsets(self, numbers: np.ndarray) -> np.ndarray:
        """Return numbers as offsets in single precision."""
        with np.errstate(over="ignore"):
            offsets = numbers / self.scales - self.centers / self.scales
        return offsets.clip(-_FARTHEST, _FARTHEST).astype(np.float32)

    def numbers(self, offsets: np.ndarray) -> np.ndarray:
        """Return offsets as numbers."""
        return offsets.astype(np.float64) * self.scales + self.centers

    def keys(self, offsets: np.ndarray, states: np.ndarray) -> np.ndarray:
        """Return a number for every row, equal for equal rows, uint64 of shape (n_rows,)."""
        cells = states.astype(np.uint64)
        codes = (offsets + np.float32(0)).view(np.uint32).astype(np.uint64)
        cells[:, self.columns] = np.where(
            np.isnan(offsets), cells[:, self.columns] + _NO_NUMBER, codes
        )
        hashed = hash_array(cells.ravel(), categorize=False).reshape(cells.shape)
        return hashed @ self.multipliers


def _spread(column: np.ndarray) -> tuple[float, float, float]:
    """Return the median of a column, the mean distance from it, and the largest size of a number.

    Of the distances only those count that are not beyond all measure, a sentinel's say.
    """
    there = column[~np.isnan(column)]
    if len(there) == 0:
        return 0.0, 0.0, 0.0
    middle = np.median(there)
    distances = abs(there / 2 - middle / 2)
    usual = distances[distances <= _USUAL * np.median(distances)]
    width = (usual if usual.any() else distances).mean()
    return float(middle), float(width), float(abs(there).max())
