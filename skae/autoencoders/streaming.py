"""Fits to rows that do not fit into memory."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from skae.common.devices import has_room
from skae.common.processes import gather, n_processes, own_rank
from skae.tables.checking import check_rows
from skae.tables.columns import Columns
from skae.tables.containers import holds_labels, shape_of
from skae.tables.streams import (
    BUFFER_ROWS,
    Stream,
    as_stream,
    join_batches,
    rows_in_memory,
    take_rows,
)
from skae.tables.training_rows import TrainingRows
from skae.training.file_rows import FileRows, spill
from skae.training.mode import Mode
from skae.training.rows import HeldOut, Rows
from skae.training.shards import Shard


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
    own : array, sparse matrix or frame, or None
        The rows of this process, where several train together and X is a sample of those of all.
    """

    X: Any
    n_rows: int = 0
    stream: Stream | None = None
    own: Any = None

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
        if n_processes() > 1:
            return cls._of_processes(X, y, sample_weight, mode, seed)
        if mode.is_pass and as_stream(X) is not None:
            raise ValueError("partial_fit takes rows in memory. Give a source of batches to fit.")
        return cls(*rows_in_memory(X, seed, y=y, sample_weight=sample_weight))

    @classmethod
    def _of_processes(cls, X: Any, y: Any, sample_weight: Any, mode: Mode, seed: int) -> "Given":
        """Return what a fit was given where several processes train together."""
        if mode.is_pass:
            raise ValueError("partial_fit is for one process; torch.distributed has a group.")
        if as_stream(X) is not None:
            raise ValueError(
                "X is a source of batches, and torch.distributed has a group of processes: give "
                "each of them its own rows, in memory."
            )
        for name, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None:
                raise ValueError(f"Several processes train together, so {name} must be None.")
        own = np.asarray(X) if isinstance(X, (list, tuple)) else X
        sizes = gather(shape_of(own)[0])
        share = min(1.0, BUFFER_ROWS / sum(sizes))
        rng, n = np.random.default_rng(seed + own_rank()), shape_of(own)[0]
        chosen = np.sort(rng.permutation(n)[: max(1, round(share * n))])
        return cls(join_batches(gather(take_rows(own, chosen))), sum(sizes), own=own)

    def data(self, estimator: Any, rows: TrainingRows, device: torch.device) -> Rows:
        """Return the encoded rows: all, those of this process, or those of a temporary file."""
        if self.own is not None:
            return self.shard(estimator, estimator.columns_, device)
        if self.stream is None:
            return estimator._encode(rows, device)
        return self.spilled(estimator, estimator.columns_, estimator.validation_fraction)

    def shard(self, estimator: Any, columns: Columns, device: torch.device) -> Shard:
        """Return the rows of this process, encoded."""
        encoded = torch.from_numpy(self._encoder(estimator, columns)(self.own))
        return Shard(encoded.to(device) if has_room(device, encoded) else encoded)

    def spilled(self, estimator: Any, columns: Columns, validation_fraction: Any) -> FileRows:
        """Return all rows, encoded in a temporary file."""
        assert self.stream is not None
        encode = self._encoder(estimator, columns)
        share = HeldOut(validation_fraction).number_of(self.n_rows) / self.n_rows
        return spill(self.stream, encode, self.n_rows, share_held_out=share)

    def _encoder(self, estimator: Any, columns: Columns) -> Callable[[Any], np.ndarray]:
        """Return the function from batches, which it checks, to encoded rows."""
        needs_frame = columns.is_table and holds_labels(estimator.frame_)
        how = {"as_table": columns.is_table, "reset": False, "needs_frame": needs_frame}

        def encode(batch: Any) -> np.ndarray:
            rows = check_rows(estimator, batch, **how)
            columns.check(rows)
            return columns.encode(rows)

        return encode
