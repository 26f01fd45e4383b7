"""Encoded rows in a temporary file, read in blocks."""

import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skae.tables.containers import shape_of
from skae.tables.streams import Stream
from skae.training.rows import HeldOut, Rows

# The number of rows of a block, which are read at once, and the most that are held out.
_BLOCK = 4096
_MOST_HELD_OUT = 50_000


class TemporaryFile:
    """A file without a name, which is closed and gone with this object."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile(prefix="skae-")  # noqa: SIM115

    def __del__(self) -> None:
        self.file.close()

    def append(self, rows: np.ndarray) -> None:
        """Write rows, of float32, behind the others."""
        self.file.write(np.ascontiguousarray(rows).data)

    def read_into(self, rows: np.ndarray, offset: int) -> None:
        """Fill an array with the bytes from an offset on."""
        self.file.flush()
        view = memoryview(rows.reshape(-1).view(np.uint8))  # type: ignore[arg-type]
        while view.nbytes:
            n_read = os.preadv(self.file.fileno(), [view], offset)
            if n_read == 0:
                raise OSError("The temporary file of encoded rows ends early.")
            view, offset = view[n_read:], offset + n_read


class FileRows(Rows):
    """A data set of encoded rows that lie in a file.

    Every pass in random order reads the blocks of the file in random order, as many as fit into the
    buffer, and takes the rows there in random order.

    Parameters
    ----------
    file : TemporaryFile
        The file, of float32, row by row.
    n_columns : int
        The number of columns of encoded rows.
    n_rows : int
        The number of rows of the set, the first ones of the file.
    n_held_out : int
        How many of these, the last ones, are validation rows where rows are held out.
    buffer_rows : int
        The number of rows that are held in memory.
    """

    def __init__(
        self, file: TemporaryFile, n_columns: int, n_rows: int, n_held_out: int, buffer_rows: int
    ) -> None:
        super().__init__(None)
        self.file = file
        self.width, self.n_rows = n_columns, n_rows
        self.n_held_out, self.buffer_rows = n_held_out, buffer_rows

    def __len__(self) -> int:
        return self.n_rows

    @property
    def n_columns(self) -> int:
        """The number of columns of encoded rows."""
        return self.width

    def take(self, positions: Tensor) -> tuple[Tensor, None]:
        """Return rows at positions, and no weights."""
        rows = np.empty((len(positions), self.width), dtype=np.float32)
        for line, position in zip(rows, positions.tolist(), strict=True):
            line[:] = self._read(position, 1)[0]
        return torch.from_numpy(rows), None

    def subset(self, positions: Tensor) -> Rows:
        """Return the rows at positions, in memory."""
        return Rows(self.take(positions)[0])

    def sample(self, n_rows: int) -> Rows:
        """Return a random subset of at most `n_rows` rows, in memory."""
        if n_rows >= self.n_rows:
            return Rows(torch.from_numpy(self._read(0, self.n_rows)))
        # Some more than wanted, because some are drawn twice.
        drawn = torch.randint(self.n_rows, (n_rows + n_rows // 2 + 16,)).unique()
        chosen = drawn[torch.randperm(len(drawn))[:n_rows]].sort()[0]
        return self.subset(chosen)

    def resample(self, n_rows: int) -> Rows:
        """Return a random subset of at most `n_rows` rows, in memory."""
        return self.sample(n_rows)

    def in_memory(self) -> Rows:
        """Return a random sample of as many rows as fit into the buffer."""
        return self.sample(self.buffer_rows)

    def parts(self, held_out: HeldOut) -> tuple[Rows, Rows]:
        """Return the training rows and the validation rows, the latter in memory."""
        n = self.n_rows - self.n_held_out
        last = Rows(torch.from_numpy(self._read(n, self.n_held_out)))
        return FileRows(self.file, self.width, n, 0, self.buffer_rows), last

    def n_batches(self, batch_size: int) -> int:
        """Return the number of batches of a pass."""
        return sum(-(-n // batch_size) for n in self._groups())

    def batches(
        self, batch_size: int, *, shuffle: bool, n_done: int = 0
    ) -> Iterator[tuple[Tensor, None]]:
        """Draw the order of a pass, and return its batches without the first `n_done`.

        Nothing is drawn from torch's generator between the batches.
        """
        n_blocks = -(-self.n_rows // _BLOCK)
        order = torch.randperm(n_blocks) if shuffle else torch.arange(n_blocks)
        own = torch.Generator().manual_seed(int(torch.randint(2**31, ()))) if shuffle else None
        return self._batches_of(order.split(self._blocks_at_a_time), batch_size, own, n_done)

    def _batches_of(
        self,
        groups: tuple[Tensor, ...],
        batch_size: int,
        generator: torch.Generator | None,
        n_done: int,
    ) -> Iterator[tuple[Tensor, None]]:
        for blocks in groups:
            starts = [block * _BLOCK for block in blocks.tolist()]
            n = sum(min(_BLOCK, self.n_rows - start) for start in starts)
            is_random = generator is not None
            places = torch.randperm(n, generator=generator) if is_random else torch.arange(n)
            parts = places.tensor_split(-(-n // batch_size))
            left, n_done = parts[n_done:], max(0, n_done - len(parts))
            if left:
                rows = np.concatenate([self._read(start, _BLOCK) for start in starts])
                for some in left:
                    yield torch.from_numpy(rows).index_select(0, some), None

    @property
    def _blocks_at_a_time(self) -> int:
        return max(1, self.buffer_rows // _BLOCK)

    def _groups(self) -> list[int]:
        """Return the numbers of rows that are read at a time, but for the place of the last block.

        The last block is smaller than others, and stands in another group in every pass: groups are
        counted as if it were a whole one, so that a pass has at most this number of batches.
        """
        size = self._blocks_at_a_time * _BLOCK
        n_rows = -(-self.n_rows // _BLOCK) * _BLOCK
        return [min(size, n_rows - start) for start in range(0, n_rows, size)]

    def _read(self, start: int, n_rows: int) -> np.ndarray:
        n_rows = min(n_rows, self.n_rows - start)
        rows = np.empty((n_rows, self.width), dtype=np.float32)
        self.file.read_into(rows, start * self.width * rows.itemsize)
        return rows


def spill(
    stream: Stream, encode: Callable[[Any], np.ndarray], n_rows: int, *, share_held_out: float
) -> FileRows:
    """Encode the rows of a stream into a temporary file.

    Parameters
    ----------
    stream : Stream
        The rows.
    encode : callable
        From a batch to encoded rows.
    n_rows : int
        The number of rows, as they were counted before.
    share_held_out : float
        The share of rows that are to be held out.

    Raises
    ------
    ValueError
        If a batch is not valid, or the source has other rows than before.
    """
    share = min(share_held_out, _MOST_HELD_OUT / n_rows)
    file, last = TemporaryFile(), []
    n_seen, width = 0, 0
    for name, batch in stream.named():
        if shape_of(batch)[0] == 0:
            continue
        encoded = _encoded(encode, name, batch)
        n_seen, width = n_seen + len(encoded), encoded.shape[1]
        is_held_out = (torch.rand(len(encoded)) < share).numpy()
        file.append(encoded[~is_held_out])
        last.append(encoded[is_held_out])
    if n_seen != n_rows:
        raise ValueError(
            f"X had {n_rows:,} rows when they were counted, and {n_seen:,} when they were read "
            f"again: its batches must be the same in every pass."
        )
    held_out = np.concatenate(last)
    file.append(held_out)
    return FileRows(file, width, n_rows, max(1, len(held_out)), stream.buffer_rows)


def _encoded(encode: Callable[[Any], np.ndarray], name: str, batch: Any) -> np.ndarray:
    try:
        return encode(batch)
    except (TypeError, ValueError) as error:
        raise type(error)(f"In {name}: {error}") from error
