"""The containers of a sampler: rows as an autoencoder reads them, and back with new ones."""

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import torch
from scipy import sparse

from skae.common.sklearn_private import take_rows
from skae.tables.cells import is_missing
from skae.tables.containers import eager_frame, frame_without_rows, join_rows, wrap
from skae.tables.mixed import as_frame
from skae.tables.unwrapping import unwrap


def plain_rows(X: Any) -> Any:
    """Return rows as a frame whose columns are not sparse, or as a dense array."""
    if isinstance(eager_frame(X), nw.DataFrame):
        return _fresh_index(_dense_columns(X))
    if sparse.issparse(X):
        return X.toarray()
    if not isinstance(X, list | tuple):
        return unwrap(X)
    array = np.asarray(X)
    # As one array, numbers beside labels would all be text.
    return array if array.dtype.kind in "biuf" else np.array(X, dtype=object)


def with_new_rows(rows: Any, parts: list[Any], like: Any) -> Any:
    """Return plain rows and new ones below, in the container of the rows that were given.

    Parameters
    ----------
    rows : ndarray or dataframe
        The rows, as `plain_rows` returned them.
    parts : list of ndarray or dataframe
        The new rows.
    like : {array-like, sparse matrix, tensor, dataframe}
        The rows that were given.
    """
    joined = _fresh_index(join_rows([rows, *(in_container_of(rows, part) for part in parts)]))
    if nw.dependencies.is_pandas_dataframe(like):
        return joined.astype(like.dtypes)
    if sparse.issparse(like):
        return type(like)(joined)
    if isinstance(like, torch.Tensor):
        return torch.from_numpy(joined).to(like.device, like.dtype)
    return joined.tolist() if isinstance(like, list | tuple) else joined


def labels_at(y: Any, places: np.ndarray) -> Any:
    """Return labels at places, in their container, numbered anew."""
    return _fresh_index(take_rows(y, places))


def in_container_of(rows: Any, part: Any) -> Any:
    """Return new rows in the container of plain rows, which may not be that of the training."""
    template = frame_without_rows(rows)
    is_frame = frame_without_rows(part) is not None
    if template is not None:
        return part if is_frame else wrap(np.asarray(part), template, own_types=True)
    array = nw.from_native(part).to_numpy() if is_frame else part
    if rows.dtype.kind in "iu":
        array = np.rint(array)
    return array >= 0.5 if rows.dtype.kind == "b" else array.astype(rows.dtype, copy=False)


def within_range(part: Any, rows: Any) -> Any:
    """Return new rows whose numbers and times are in the range of those of plain rows.

    Parameters
    ----------
    part, rows : ndarray or dataframe
        The new rows, and others in the same container.
    """
    if isinstance(rows, np.ndarray) and rows.dtype != object:
        return np.clip(part, np.fmin.reduce(rows), np.fmax.reduce(rows))
    frames = (
        as_frame(each) if isinstance(each, np.ndarray) else nw.from_native(each)
        for each in (part, rows)
    )
    pairs = zip(*(frame.iter_columns() for frame in frames), strict=True)
    clipped = nw.DataFrame.from_dict({new.name: _clipped(new, other) for new, other in pairs})
    return (
        clipped.to_numpy().astype(object) if isinstance(rows, np.ndarray) else clipped.to_native()
    )


def _clipped(column: nw.Series, other: nw.Series) -> nw.Series:
    if not (column.dtype.is_numeric() or column.dtype.is_temporal()) or is_missing(other).all():
        return nw.maybe_reset_index(column)
    return nw.maybe_reset_index(column).clip(other.min(), other.max())


def _dense_columns(X: Any) -> Any:
    if not nw.dependencies.is_pandas_dataframe(X):
        return X
    kinds = {name: kind.subtype for name, kind in X.dtypes.items() if _is_sparse(kind)}
    return X.astype(kinds) if kinds else X


def _is_sparse(kind: Any) -> bool:
    return isinstance(kind, pd.SparseDtype)


def _fresh_index(labelled: Any) -> Any:
    return labelled.reset_index(drop=True) if hasattr(labelled, "reset_index") else labelled
