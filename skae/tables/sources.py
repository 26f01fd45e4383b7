"""What is a source of batches, such as the path of a file, rather than rows in memory."""

import os
from collections.abc import Iterable
from typing import Any, Literal

import narwhals as nw
import numpy as np
import pandas as pd
import torch

Kind = Literal["paths", "data set", "dask", "batches"]

_CONTAINERS = (np.ndarray, pd.DataFrame, torch.Tensor)
_PLAIN = (*_CONTAINERS, list, tuple, dict, set, frozenset, str, bytes)
# What containers of rows have, of other libraries too; the last two are lazy, and have no rows.
_OF_ROWS = ("shape", "__array__", "__dataframe__", "__narwhals_dataframe__", "__arrow_c_stream__")
_LAZY = ("__narwhals_lazyframe__", "collect")


def kind_of_source(X: Any) -> Kind | None:
    """Return what sort of source of batches something is, or None if it is none."""
    if isinstance(X, _CONTAINERS):
        return None
    if isinstance(X, (str, os.PathLike)):
        return "paths"
    if isinstance(X, (list, tuple)) and X:
        if all(isinstance(each, (str, os.PathLike)) for each in X):
            return "paths"
        return "batches" if all(map(_is_frame, X)) else None
    if type(X).__module__.startswith("pyarrow._dataset"):
        return "data set"
    if hasattr(X, "__dask_graph__") and hasattr(X, "partitions"):
        return "dask"
    return "batches" if _is_iterable_alone(X) else None


def refuse_source(X: Any) -> None:
    """Raise TypeError if rows in memory are needed, and X is a source of batches.

    Frames of Dask are refused where lazy rows are, with other advice.
    """
    if kind_of_source(X) in ("paths", "data set", "batches"):
        raise TypeError(
            f"X is a source of batches ({_short(X)}), and rows in memory are needed here. `fit` of "
            f"autoencoders and of AEOutlierDetector takes a source, and so do transform, "
            f"reconstruct, score_samples, predict and the like; elsewhere, read the batches of "
            f"skae.stream(X) one by one."
        )


def _short(X: Any) -> str:
    text = repr(X) if isinstance(X, (str, os.PathLike)) else type(X).__name__
    return text if len(text) <= 60 else f"{text[:60]}..."


def _is_frame(rows: Any) -> bool:
    return isinstance(nw.from_native(rows, eager_only=True, pass_through=True), nw.DataFrame)


def _is_iterable_alone(X: Any) -> bool:
    """Tell whether an object can be iterated over, and is no container of rows."""
    if isinstance(X, _PLAIN) or any(hasattr(X, name) for name in (*_OF_ROWS, *_LAZY)):
        return False
    return isinstance(X, Iterable)
