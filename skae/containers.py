"""What rows come in: arrays, sparse arrays, tensors and frames; results leave in the same."""

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import torch


@dataclass(frozen=True)
class FrameKind:
    """What makes a frame of rows again.

    Attributes
    ----------
    backend : str
        The library of the frame.
    names : tuple
        The names of its columns.
    """

    backend: str
    names: tuple


def unwrap(X):
    """Return a tensor as an array on the host, and anything else as it is."""
    if not isinstance(X, torch.Tensor):
        return X
    X = X.detach().cpu()
    return (X.float() if X.dtype is torch.bfloat16 else X).numpy()


def is_memory_map(X) -> bool:
    """Tell whether an array lies in a file."""
    while X is not None and not isinstance(X, np.memmap):
        X = getattr(X, "base", None)
    return X is not None


def frame_kind(X) -> FrameKind | None:
    """Return the kind of a frame, or None for anything else.

    Raises
    ------
    TypeError
        If the frame is lazy.
    ValueError
        If two columns have the same name.
    """
    frame = nw.from_native(X, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        raise TypeError("X is a lazy frame, whose rows are not computed yet: give X.collect().")
    if not isinstance(frame, nw.DataFrame):
        return None
    return FrameKind(frame.implementation.value, tuple(frame.columns))


def wrap(rows: np.ndarray, kind: FrameKind | None, like=None):
    """Return rows in the container of those that they answer.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        The rows.
    kind : FrameKind or None
        The frame to return; None returns no frame.
    like : object, default=None
        The rows that were asked about: a tensor gets a tensor on its device, and a pandas frame
        its index.
    """
    if isinstance(like, torch.Tensor):
        return torch.from_numpy(rows).to(like.device)
    if kind is None:
        return rows
    columns = dict(zip(kind.names, rows.T, strict=True))
    frame = nw.from_dict(columns, backend=kind.backend).to_native()
    if kind.backend == "pandas" and nw.dependencies.is_pandas_dataframe(like):
        frame.index = like.index
    return frame
