"""One look at all rows of numbers: their means, variances and extremes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

_CELLS_AT_A_TIME = 2**22


@dataclass(frozen=True)
class Summary:
    """What one look at all rows tells of the columns.

    Attributes
    ----------
    mean, variance : ndarray of shape (n_columns,)
        Weighted moments.
    low, high : ndarray of shape (n_columns,)
        The smallest and the largest value.
    n_low, n_high : ndarray of shape (n_columns,)
        How many rows hold them.
    n_rows : int
        The number of rows.
    is_binary : bool
        Whether every value is 0 or 1, and both are there.
    is_whole : bool
        Whether every value is an integer.
    """

    mean: np.ndarray
    variance: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_low: np.ndarray
    n_high: np.ndarray
    n_rows: int
    is_binary: bool
    is_whole: bool


def summarise(X: Any, sample_weight: np.ndarray | None = None) -> Summary:
    """Look at all rows twice, a chunk at a time."""
    n_rows, n_columns = X.shape
    weight = np.ones(n_rows) if sample_weight is None else sample_weight / sample_weight.mean()
    mean, is_binary, is_whole = np.zeros(n_columns, np.result_type(weight, X.dtype)), True, True
    low, high = np.full(n_columns, np.inf, X.dtype), np.full(n_columns, -np.inf, X.dtype)
    for start, chunk in dense_chunks(X):
        mean = mean + weight[start : start + len(chunk)] @ chunk / n_rows
        low, high = np.minimum(low, chunk.min(0)), np.maximum(high, chunk.max(0))
        is_binary = is_binary and bool(((chunk == 0) | (chunk == 1)).all())
        is_whole = is_whole and bool((chunk == np.rint(chunk)).all())
    mean = np.where(low == high, low, mean)
    variance = np.zeros_like(mean)
    n_low, n_high = np.zeros(n_columns, dtype=int), np.zeros(n_columns, dtype=int)
    for start, chunk in dense_chunks(X):
        with np.errstate(over="ignore"):
            squared = (chunk - mean) ** 2
        variance = variance + weight[start : start + len(chunk)] @ squared / n_rows
        n_low, n_high = n_low + (chunk == low).sum(0), n_high + (chunk == high).sum(0)
    is_binary = is_binary and bool(low.min() < high.max())
    return Summary(mean, variance, low, high, n_low, n_high, n_rows, is_binary, is_whole)


def dense_chunks(X: Any) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the rows as dense arrays that fit in the cache's neighbourhood, with their start."""
    n_rows = max(1, _CELLS_AT_A_TIME // max(1, X.shape[1]))
    for start in range(0, X.shape[0], n_rows):
        chunk = X[start : start + n_rows]
        yield start, chunk.toarray() if sparse.issparse(chunk) else np.asarray(chunk)
