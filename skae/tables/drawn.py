"""What draws of numbers keep to: the range and the grid of each column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from skae.tables.raw_numbers import Grid, find_grid
from skae.tables.summary import Summary

# The grids of more columns are not looked for, unless all numbers are whole.
_MOST_COLUMNS = 64


@dataclass(frozen=True)
class Drawn:
    """The numbers that draws are brought to.

    Attributes
    ----------
    low, high : ndarray of shape (n_columns,)
        The range of each column.
    grids : sequence of Grid or None
        The grid of each column.
    """

    low: np.ndarray
    high: np.ndarray
    grids: Sequence[Grid | None]

    @classmethod
    def learn(cls, X: Any, summary: Summary) -> "Drawn":
        """Return the ranges and grids of rows, dense or sparse."""
        n_columns = len(summary.low)
        grids: list[Grid | None] = [Grid(0) if summary.is_whole else None] * n_columns
        if n_columns <= _MOST_COLUMNS:
            dense = X.toarray() if sparse.issparse(X) else np.asarray(X)
            is_single = dense.dtype == np.float32
            grids = [find_grid(column.astype(float), is_single=is_single) for column in dense.T]
        return cls(summary.low, summary.high, grids)

    def bring(self, rows: np.ndarray) -> np.ndarray:
        """Return rows whose numbers are the nearest ones."""
        low, high = self.low.astype(rows.dtype), self.high.astype(rows.dtype)
        brought = np.clip(rows, low, high)
        for column, grid in zip(brought.T, self.grids, strict=True):
            if grid is not None:
                column[:] = grid.round(column)
        return np.clip(brought, low, high)
