"""What draws of numbers keep to: the range and the grid of each column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from skae.dependencies.cells import Column
from skae.tables.raw_numbers import Grid, find_grid
from skae.tables.summary import Summary

# The grids of more columns are not looked for, unless all numbers are whole.
MOST_COLUMNS = 64


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
        if n_columns <= MOST_COLUMNS:
            dense = as_dense(X)
            is_single = dense.dtype == np.float32
            grids = [find_grid(column.astype(float), is_single=is_single) for column in dense.T]
        return cls(summary.low, summary.high, grids)

    def as_columns(self, names: Sequence | None) -> list[Column]:
        """Return what dependencies need to know of the columns."""
        return [
            Column(
                j if names is None else str(names[j]),
                is_number=True,
                step=0.0 if grid is None else grid.unit,
                precision=float(np.finfo(self.low.dtype).eps),
                low=float(self.low[j]),
                high=float(self.high[j]),
            )
            for j, grid in enumerate(self.grids)
        ]

    def bring(self, rows: np.ndarray) -> np.ndarray:
        """Return rows whose numbers are the nearest ones."""
        low, high = self.low.astype(rows.dtype), self.high.astype(rows.dtype)
        brought = np.clip(rows, low, high)
        for column, grid in zip(brought.T, self.grids, strict=True):
            if grid is not None:
                column[:] = grid.round(column)
        return np.clip(brought, low, high)


def as_dense(X: Any) -> np.ndarray:
    """Return rows as a dense array."""
    return X.toarray() if sparse.issparse(X) else np.asarray(X)
