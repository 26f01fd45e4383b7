"""Rows that do not fit into memory: batches that are read again in every pass."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import narwhals as nw
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from skae.tables.containers import join_rows, shape_of
from skae.tables.sources import Kind, kind_of_source

# The number of rows that are held in memory, and of those that are read from a file at a time.
BUFFER_ROWS = 200_000
_ROWS_AT_A_TIME = 65_536
_ADVICE = (
    "Give what can be read again: paths of Parquet files, a pyarrow data set, a list of frames, or "
    "an object whose __iter__ begins anew"
)

_Method = TypeVar("_Method", bound=Callable)


@dataclass(frozen=True)
class Stream:
    """Batches of rows that are read again in every pass; see `stream`.

    Attributes
    ----------
    read : callable
        A function that returns an iterator of pairs of a name and a batch: a frame or an array.
    buffer_rows : int
        The number of rows that are held in memory.
    """

    read: Callable[[], Iterator[tuple[str, Any]]]
    buffer_rows: int = BUFFER_ROWS

    def __iter__(self) -> Iterator[Any]:
        for _, batch in self.named():
            yield batch

    def named(self) -> Iterator[tuple[str, Any]]:
        """Yield the name of every batch, and the batch with the columns in the order of the first.

        Raises
        ------
        ValueError
            If a batch has other columns than the first.
        """
        first: list[str] | None = None
        for name, batch in self.read():
            frame = nw.from_native(batch, eager_only=True, pass_through=True)
            if not isinstance(frame, nw.DataFrame):
                yield name, batch
                continue
            if first is None:
                first = frame.columns
            if set(frame.columns) != set(first):
                different = sorted(map(repr, set(frame.columns) ^ set(first)))
                raise ValueError(
                    f"The columns of {name} are not those of the first batch: {different[0]} is in "
                    f"one of them only."
                )
            same = frame.columns == first
            yield name, batch if same else frame.select(first).to_native()

    def sample(self, seed: int) -> tuple[Any, int]:
        """Return a random sample of the rows, all of them in order if they fit, and their number.

        Parameters
        ----------
        seed : int
            The seed of the sample.
        """
        rng, sample = np.random.default_rng(seed), _Sample(self.buffer_rows)
        for _, batch in self.named():
            sample.add(batch, rng)
        return sample.rows(), sample.n_seen


def by_batch(method: _Method) -> _Method:
    """Let a method that reads rows also read a source of batches: it then yields the results."""

    @wraps(method)
    def read(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        found = as_stream(X)
        if found is None:
            return method(self, X, *args, **kwargs)
        check_is_fitted(self)
        return (method(self, batch, *args, **kwargs) for batch in found)

    return cast(_Method, read)


def read_by_batch(cls: type) -> None:
    """Let `transform` and `fit_transform` of a class read a source of batches; see `by_batch`.

    It goes around scikit-learn's wrappers, so that `set_output` holds for every batch.
    """
    fit_transform = cls.fit_transform  # type: ignore[attr-defined]

    @wraps(fit_transform)
    def fit_then_read(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        if as_stream(X) is None:
            return fit_transform(self, X, *args, **kwargs)
        return self.fit(X, *args, **kwargs).transform(X)

    cls.transform = by_batch(cls.transform)  # type: ignore[attr-defined]
    cls.fit_transform = fit_then_read  # type: ignore[attr-defined]


class _Sample:
    """The rows with the smallest of random keys, in the order in which they came."""

    def __init__(self, n_rows: int) -> None:
        self.n_rows = n_rows
        self.n_seen = 0
        self.parts: list[Any] = []
        self.keys: list[np.ndarray] = []

    def add(self, batch: Any, rng: np.random.Generator) -> None:
        """Add a batch."""
        n = shape_of(batch)[0]
        if n == 0:
            return
        self.n_seen += n
        self.parts.append(batch)
        self.keys.append(rng.random(n))
        if sum(map(len, self.keys)) > 2 * self.n_rows:
            self._prune()

    def _prune(self) -> None:
        keys = np.concatenate(self.keys)
        if len(keys) <= self.n_rows:
            return
        highest = np.partition(keys, self.n_rows - 1)[self.n_rows - 1]
        kept = [np.flatnonzero(each <= highest) for each in self.keys]
        pairs = [pair for pair in zip(self.parts, self.keys, kept, strict=True) if len(pair[2])]
        self.parts = [take_rows(part, places) for part, _, places in pairs]
        self.keys = [each[places] for _, each, places in pairs]

    def rows(self) -> Any:
        """Return the sample."""
        if not self.parts:
            raise ValueError("X has no rows: there is no batch, or all are empty.")
        self._prune()
        return join_batches(self.parts)


def take_rows(batch: Any, places: np.ndarray) -> Any:
    """Return some rows of a batch."""
    if isinstance(batch, pd.DataFrame):
        return batch.iloc[places]
    frame = nw.from_native(batch, eager_only=True, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        return frame[places.tolist()].to_native()
    return batch[places]


def join_batches(parts: list[Any]) -> Any:
    """Return batches one below the other."""
    if len(parts) == 1:
        return parts[0]
    if all(isinstance(part, pd.DataFrame) for part in parts):
        return pd.concat(parts, ignore_index=True)
    if sparse.issparse(parts[0]):
        return sparse.vstack(parts, format="csr")
    return join_rows(parts)


def stream(source: Any, *, buffer_rows: int = BUFFER_ROWS) -> Stream:
    """Return rows that do not fit into memory as batches, which `fit` of autoencoders takes.

    `fit` takes each of these sources as it is; this function is for another buffer. Rows that fit
    into the buffer are read into it, and the model is that of rows in memory. Of more rows, the
    columns are learned from a random sample of that size; all rows are then encoded into a
    temporary file, of four bytes for each encoded cell, from which every epoch reads them in blocks
    in random order, shuffled in the buffer.

    `transform`, `reconstruct`, `score_samples`, `predict` and the like of a source yield their
    results, one for each batch.

    Parameters
    ----------
    source : str, path-like, pyarrow.dataset.Dataset, dask.dataframe.DataFrame or iterable
        The path of a Parquet file or of a folder of them, or a list of paths; a data set; a frame
        of Dask, whose partitions are the batches; a list of frames, or any object that yields
        frames or arrays anew whenever it is iterated over. Frames may have their columns in any
        order.
    buffer_rows : int, default=200,000
        The number of rows that are held in memory.

    Returns
    -------
    stream : Stream
        The batches; iterate over them.

    Raises
    ------
    TypeError
        If the source cannot be read again, such as a generator, or is none.
    ValueError
        If `buffer_rows` is below 2.

    Examples
    --------
    >>> import numpy as np
    >>> from skae import AutoencoderTransformer, stream
    >>> class Shards:
    ...     def __iter__(self):
    ...         for seed in range(5):
    ...             yield np.random.default_rng(seed).normal(size=(1000, 3))
    >>> batches = stream(Shards(), buffer_rows=2000)
    >>> fitted = AutoencoderTransformer(2, max_epochs=1, random_state=0).fit(batches)
    >>> [codes.shape for codes in fitted.transform(batches)]
    [(1000, 2), (1000, 2), (1000, 2), (1000, 2), (1000, 2)]
    """
    if isinstance(buffer_rows, bool) or not isinstance(buffer_rows, int) or buffer_rows < 2:
        raise ValueError(f"'buffer_rows' must be an int of at least 2. Got {buffer_rows!r}.")
    found = as_stream(source)
    if found is None:
        raise TypeError(f"{type(source).__name__} is no source of batches. {_ADVICE}.")
    return Stream(found.read, buffer_rows)


def as_stream(source: Any) -> Stream | None:
    """Return what `fit` was given as a stream, or None if it is rows in memory.

    Raises
    ------
    TypeError
        If it is a source that cannot be read again.
    """
    if isinstance(source, Stream):
        return source
    kind = kind_of_source(source)
    if kind is None:
        return None
    if kind == "batches" and iter(source) is source:
        raise TypeError(
            f"X is a {type(source).__name__}, which can be read only once, and fit reads rows "
            f"several times. {_ADVICE}."
        )
    return Stream(partial(_READERS[kind], source))


def rows_in_memory(X: Any, seed: int, **others: Any) -> tuple[Any, int, Stream | None]:
    """Return rows in memory, the number of all rows, and the stream that they are a sample of.

    Parameters
    ----------
    X : array, sparse matrix, tensor, frame, or source of batches
        The rows.
    seed : int
        The seed of the sample.
    **others
        What else was given by row, by name; it must be None beside a source of batches.

    Raises
    ------
    ValueError
        If it is not.
    """
    found = as_stream(X)
    if found is None:
        return X, 0, None
    for name, value in others.items():
        if value is not None:
            raise ValueError(f"X is a source of batches, so {name} must be None.")
    sample, n_rows = found.sample(seed)
    return sample, n_rows, found if n_rows > found.buffer_rows else None


def _numbered(batches: Iterable) -> Iterator[tuple[str, Any]]:
    for i, batch in enumerate(batches):
        if isinstance(batch, (list, tuple, dict)):
            raise TypeError(
                f"Batch {i} of X is a {type(batch).__name__}, and must be a frame or an array."
            )
        yield f"batch {i}", batch


def _read_partitions(frame: Any) -> Iterator[tuple[str, Any]]:
    for i in range(frame.npartitions):
        yield f"partition {i}", frame.partitions[i].compute()


def _read_files(paths: Any) -> Iterator[tuple[str, Any]]:
    """Yield the batches of Parquet files, or of those of folders."""
    from pyarrow import dataset

    for each in [paths] if isinstance(paths, (str, os.PathLike)) else paths:
        path = os.fspath(each)
        if not path or not Path(path).exists():
            raise FileNotFoundError(f"X is the path {path!r}, where no file is.")
        try:
            found = dataset.dataset(path, format="parquet")
        except (OSError, ValueError) as error:
            raise ValueError(
                f"X is the path {path!r}, which is no Parquet file that can be read: {error}"
            ) from error
        yield from _read_fragments(found)


def _read_fragments(found: Any) -> Iterator[tuple[str, Any]]:
    for fragment in found.get_fragments():
        name = getattr(fragment, "path", "") or "the data set"
        try:
            for part in _row_groups(fragment):
                for batch in part.to_batches(batch_size=_ROWS_AT_A_TIME, use_threads=False):
                    yield name, batch.to_pandas()
        except (OSError, ValueError) as error:
            raise ValueError(f"{name} cannot be read: {error}") from error


def _row_groups(fragment: Any) -> list[Any]:
    """Return the row groups of a Parquet file, because pyarrow buffers what it reads as one."""
    from pyarrow.dataset import ParquetFileFragment

    return (
        fragment.split_by_row_group() if isinstance(fragment, ParquetFileFragment) else [fragment]
    )


_READERS: dict[Kind, Callable[[Any], Iterator[tuple[str, Any]]]] = {
    "paths": _read_files,
    "data set": _read_fragments,
    "dask": _read_partitions,
    "batches": _numbered,
}
