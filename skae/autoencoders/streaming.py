"""Fits to rows that do not fit into memory."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skae.tables.checking import check_rows
from skae.tables.columns import Columns
from skae.tables.containers import holds_labels
from skae.tables.streams import Stream, as_stream, rows_in_memory
from skae.training.file_rows import FileRows, spill
from skae.training.mode import Mode

_AUTO_SHARE = 0.1


@dataclass(frozen=True)
class Given:
    """The rows that a fit was given.

    Attributes
    ----------
    X : array, sparse matrix, tensor or frame
        The rows in memory: all of them, or a random sample.
    n_rows : int
        The number of all rows of a source of batches; else 0.
    stream : Stream or None
        The rows that X is a sample of, or None.
    """

    X: Any
    n_rows: int = 0
    stream: Stream | None = None

    @classmethod
    def of(cls, X: Any, y: Any, sample_weight: Any, mode: Mode, seed: int) -> "Given":
        """Return what a fit was given.

        Raises
        ------
        TypeError
            If X cannot be read again.
        ValueError
            If X is a source of batches, and something else was given that is not.
        """
        if mode.is_pass and as_stream(X) is not None:
            raise ValueError("partial_fit takes rows in memory. Give a source of batches to fit.")
        return cls(*rows_in_memory(X, seed, y=y, sample_weight=sample_weight))

    def spilled(self, estimator: Any, columns: Columns, validation_fraction: Any) -> FileRows:
        """Return all rows, encoded in a temporary file."""
        assert self.stream is not None
        needs_frame = columns.is_table and holds_labels(estimator.frame_)
        how = {"as_table": columns.is_table, "reset": False, "needs_frame": needs_frame}

        def encode(batch: Any) -> np.ndarray:
            rows = check_rows(estimator, batch, **how)
            columns.check(rows)
            return columns.encode(rows)

        share = _AUTO_SHARE if isinstance(validation_fraction, str) else validation_fraction
        return spill(self.stream, encode, self.n_rows, share_held_out=share)
