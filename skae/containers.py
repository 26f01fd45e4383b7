"""What rows come in: arrays, sparse arrays, tensors and frames; results leave in the same."""

import narwhals as nw
import numpy as np
import torch


def unwrap(X):
    """Return a tensor as an array on the host, and anything else as it is."""
    return X.detach().cpu().numpy() if isinstance(X, torch.Tensor) else X


def is_memory_map(X) -> bool:
    """Tell whether an array lies in a file."""
    while X is not None and not isinstance(X, np.memmap):
        X = getattr(X, "base", None)
    return X is not None


def frame_backend(X) -> str | None:
    """Return the name of the library whose frame this is, or None for anything else."""
    frame = nw.from_native(X, pass_through=True, eager_only=True)
    return frame.implementation.value if isinstance(frame, nw.DataFrame) else None


def wrap(rows: np.ndarray, *, names, backend: str | None, like=None):
    """Return rows in the container of those that they answer.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        The rows.
    names : sequence of str or None
        The columns' names, needed for a frame.
    backend : str or None
        The library of the frame to return; None returns no frame.
    like : object, default=None
        The rows that were asked about: a tensor gets a tensor on its device, and a pandas frame
        its index.
    """
    if isinstance(like, torch.Tensor):
        return torch.from_numpy(rows).to(like.device)
    if backend is None:
        return rows
    frame = nw.from_dict(dict(zip(names, rows.T, strict=True)), backend=backend).to_native()
    if backend == "pandas" and frame_backend(like) == "pandas":
        frame.index = like.index
    return frame
