"""Rows of series of unequal lengths: their points, padded, and their length."""

import math
from dataclasses import dataclass, field

import numpy as np

from skae.tables.columns import FARTHEST
from skae.tables.matrix import MatrixColumns

# The number of numbers that a length weighs as much as. More of them take units of the code from
# the series, and fewer give back other lengths; see docs/design.md.
_WEIGHT_OF_LENGTH = 4


@dataclass(frozen=True)
class RaggedColumns(MatrixColumns):
    """The points of series, padded to those of the longest, and their number, last.

    Attributes
    ----------
    n_channels : int
        The number of channels, which follow each other.
    bounds : tuple of two int
        The smallest and the largest length.
    length_scale : float
        What encoding divides lengths by, after their mean is subtracted.
    presence : ndarray of shape (n_timepoints,)
        The share of the rows that have each timepoint.
    """

    n_channels: int = 1
    bounds: tuple[int, int] = (1, 1)
    length_scale: float = 1.0
    presence: np.ndarray = field(default_factory=lambda: np.ones(1))

    @classmethod
    def learn(
        cls, rows: np.ndarray, weights: np.ndarray | None, n_channels: int
    ) -> "RaggedColumns":
        """Return the columns of rows: one centre for each channel, one scale for all."""
        weights = np.ones(len(rows)) if weights is None else weights.astype(np.float64)
        lengths, points = rows[:, -1], rows[:, :-1].astype(np.float64)
        n_timepoints = points.shape[1] // n_channels
        series = points.reshape(len(rows), n_channels, n_timepoints)
        there = np.arange(n_timepoints) < lengths[:, None]
        share = (weights[:, None] * there)[:, None]
        center = (share * series).sum((0, 2)) / share.sum()
        with np.errstate(over="ignore"):
            squared = share * (series - center[:, None]) ** 2
            scale = math.sqrt(squared.sum() / (n_channels * share.sum())) or 1.0
        if not math.isfinite(scale):
            raise ValueError("X holds values whose squares overflow; divide X by a large number.")
        mean = np.average(lengths, weights=weights)
        spread = math.sqrt(np.average((lengths - mean) ** 2, weights=weights)) or 1.0
        none = np.full(rows.shape[1], np.inf)
        return cls(
            np.append(np.repeat(center, n_timepoints), mean),
            scale,
            -none,
            none,
            rows.dtype,
            is_strict=False,
            n_channels=n_channels,
            bounds=(int(lengths.min()), int(lengths.max())),
            length_scale=spread * math.sqrt(n_timepoints / _WEIGHT_OF_LENGTH),
            presence=np.average(there, axis=0, weights=weights),
        )

    @property
    def n_numbers(self) -> int:
        """The number of columns of points."""
        return len(self.center) - 1

    @property
    def n_timepoints(self) -> int:
        """The number of timepoints of the longest series."""
        return self.n_numbers // self.n_channels

    @property
    def length_center(self) -> float:
        """What encoding subtracts from a length."""
        return float(self.center[-1])

    @property
    def units(self) -> dict:
        """What encoding does cannot be said by a centre and a scale."""
        return {}

    @property
    def log_volume(self) -> float:
        """The volume differs between rows; see `log_shares`."""
        return 0.0

    def noise_variance(self, variance: np.ndarray) -> float:
        """Return the mean variance of a point in the units of the series."""
        share = np.tile(self.presence, self.n_channels)
        return float(share @ variance[:-1] / share.sum()) * self.scale**2

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """Return rows as a float32 matrix, padded with zeros."""
        encoded = (rows.astype(np.float64) - self.center) / self._scales
        encoded[:, :-1] *= self._is_there(rows)
        return np.clip(encoded, -FARTHEST, FARTHEST).astype(np.float32)

    def decode(self, encoded: np.ndarray) -> np.ndarray:
        """Return a float32 matrix as rows, padded with zeros."""
        rows = encoded.astype(np.float64) * self._scales + self.center
        rows[:, -1] = np.rint(rows[:, -1])
        rows[:, :-1] *= self._is_there(rows)
        return rows.astype(self.dtype)

    def by_column(self, cells: np.ndarray) -> np.ndarray:
        """Return log densities of encoded cells as they are; see `log_shares`."""
        return cells

    def log_shares(self, rows: np.ndarray) -> np.ndarray:
        """Return what makes log densities of encoded cells those in the units of the series."""
        points = -math.log(self.scale) * self._is_there(rows)
        length = np.full((len(rows), 1), -math.log(self.length_scale))
        return np.hstack([points, length]).astype(np.float32)

    @property
    def _scales(self) -> np.ndarray:
        return np.append(np.full(self.n_numbers, self.scale), self.length_scale)

    def _is_there(self, rows: np.ndarray) -> np.ndarray:
        there = np.arange(self.n_timepoints) < np.rint(rows[:, -1:])
        return np.tile(there, (1, self.n_channels))
