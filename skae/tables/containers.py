"""What rows come in: arrays, sparse arrays, tensors and frames; results leave in the same."""

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import torch

from skae.tables.casting import as_column, round_to_type
from skae.tables.cells import is_missing
from skae.tables.sources import refuse_source
from skae.tables.unwrapping import lazy_message, unwrap, with_dense_columns


def shape_of(X: Any) -> tuple[int, ...]:
    """Return the shape of rows in any container, or of what becomes an array."""
    refuse_source(X)
    return tuple(X.shape) if hasattr(X, "shape") else np.asarray(X).shape


def is_memory_map(X: Any) -> bool:
    """Tell whether an array lies in a file."""
    while X is not None and not isinstance(X, np.memmap):
        X = getattr(X, "base", None)
    return X is not None


def eager_frame(X: Any) -> Any:
    """Return rows in a dataframe as narwhals has it, and anything else as it is.

    Raises
    ------
    TypeError
        If the frame is lazy, or rows in memory are needed and X is a source of batches.
    ValueError
        If two columns have the same name.
    """
    refuse_source(X)
    return frame_or_other(X)


def frame_or_other(X: Any) -> Any:
    """Return what `eager_frame` does of what is no source of rows, such as a list of texts."""
    frame = nw.from_native(with_dense_columns(X), pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        raise TypeError(lazy_message(str(frame.implementation.name).lower()))
    return _with_small_numbers(frame) if isinstance(frame, nw.DataFrame) else frame


def _with_small_numbers(frame: nw.DataFrame) -> nw.DataFrame:
    """Return a frame without integers of 128 bits, which no array can hold."""
    wide = [name for name, dtype in frame.schema.items() if dtype in (nw.Int128, nw.UInt128)]
    return frame.with_columns(nw.col(*wide).cast(nw.Float64)) if wide else frame


def frame_without_rows(X: Any) -> nw.DataFrame | None:
    """Return a frame without its rows, or None for anything else; see `eager_frame`."""
    frame = eager_frame(X)
    if not isinstance(frame, nw.DataFrame):
        return None
    empty = frame[:0].clone()
    columns = [_without_labels(column) for column in empty.iter_columns()]
    return empty.with_columns(*columns) if columns else empty


def holds_labels(frame: nw.DataFrame | None) -> bool:
    """Tell whether a frame, rows or none, has columns that no array of numbers could hold."""
    if frame is None:
        return False
    return not all(dtype.is_numeric() or dtype == nw.Boolean for dtype in frame.schema.values())


def _without_labels(column: nw.Series) -> nw.Series:
    """Return a column of categories, without rows, whose type does not name them."""
    native = column.to_native()
    if not isinstance(getattr(native, "dtype", None), pd.CategoricalDtype):
        return column
    return nw.from_native(native.cat.remove_categories(native.cat.categories), series_only=True)


def wrap(
    rows: np.ndarray, template: nw.DataFrame | None, like: Any = None, *, own_types: bool = False
) -> Any:
    """Return rows in the container of those that they answer.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        The rows.
    template : narwhals.DataFrame or None
        A frame without rows, like the one to return; None returns no frame.
    like : object, default=None
        The rows that were asked about: a tensor gets a tensor on its device, and a pandas frame
        its index.
    own_types : bool, default=False
        Whether the columns of a frame get back the types that they had.
    """
    if isinstance(like, torch.Tensor):
        return torch.from_numpy(rows).to(like.device)
    if template is None:
        return rows
    if own_types:
        pairs = zip(template.iter_columns(), rows.T, strict=True)
        frame = nw.DataFrame.from_dict(
            {column.name: _typed(part, column) for column, part in pairs}
        )
    else:
        columns = dict(zip(template.columns, rows.T, strict=True))
        frame = nw.from_dict(columns, backend=template.implementation)
    return with_index(frame.to_native(), like)


def wrap_table(frame: nw.DataFrame, template: nw.DataFrame | None, like: Any = None) -> Any:
    """Return a table as a frame, or as an array or tensor if `fit` was given one."""
    if template is None:
        return wrap(np.array(frame.to_numpy()), None, like)
    return with_index(frame.to_native(), like)


def fill_column(column: nw.Series, other: nw.Series) -> nw.Series:
    """Return a column with the cells of another in its holes."""
    missing = is_missing(column)
    if not missing.any():
        return nw.maybe_reset_index(column)
    if missing.all():
        # A column without any cell may be of any type; it gets that of the other.
        return nw.maybe_reset_index(other).alias(column.name)
    return chosen_cells(column, other, ~missing)


def chosen_cells(column: nw.Series, other: nw.Series, stays: np.ndarray) -> nw.Series:
    """Return a column that keeps some cells, and has those of another in the place of the rest.

    A categorical column gets the categories of the other ones that it lacks.

    Parameters
    ----------
    column, other : narwhals.Series
        The columns.
    stays : ndarray of bool of shape (n_rows,)
        Which cells are kept.
    """
    column, other = nw.maybe_reset_index(column), nw.maybe_reset_index(other)
    mask = nw.new_series(column.name, stays, backend=column.implementation)
    own = column.to_native()
    if not isinstance(getattr(own, "dtype", None), pd.CategoricalDtype):
        return column.zip_with(mask, other.cast(column.dtype))
    cells = other.to_native().astype(object).where(~stays)
    needed = cells.dropna().unique()
    lacking = [label for label in needed if label not in own.cat.categories]
    own = own.cat.add_categories(lacking)
    kept = own.where(stays, cells.astype(own.dtype))
    return nw.from_native(kept, series_only=True)


def join_rows(parts: list[Any]) -> Any:
    """Return rows of one kind, arrays or frames, one below the other."""
    frames = [nw.from_native(part, pass_through=True) for part in parts]
    if isinstance(frames[0], nw.DataFrame):
        return nw.concat(frames, how="vertical").to_native()
    return np.concatenate([unwrap(part) for part in parts])


def with_index(frame: Any, like: Any) -> Any:
    """Give a pandas frame the index of the one that it answers."""
    if nw.dependencies.is_pandas_dataframe(frame) and nw.dependencies.is_pandas_dataframe(like):
        frame.index = like.index
    return frame


def _typed(numbers: np.ndarray, template: nw.Series) -> nw.Series:
    """Return numbers as a column like another."""
    none_missing = np.zeros(len(numbers), dtype=bool)
    return as_column(round_to_type(numbers, template.dtype), none_missing, template)
