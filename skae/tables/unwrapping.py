"""Rows as they come, made plain: tensors, masked arrays, arrays of objects, sparse columns."""

from collections.abc import Hashable, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import sparse

# What makes lazy rows of other libraries eager, by the first part of their module's name.
_COLLECT = {
    "dask": "X.compute()",
    "duckdb": "X.df()",
    "ibis": "X.to_pandas()",
    "pyspark": "X.toPandas()",
    "sqlframe": "X.toPandas()",
}


def unwrap(X: Any) -> Any:
    """Return rows as an array or a sparse array on the host; frames are returned as they are.

    Raises
    ------
    TypeError
        If they are not computed yet, are times without a column, or are a tensor that holds no
        numbers that an array can hold.
    """
    if isinstance(X, torch.Tensor):
        return _unwrap_tensor(X)
    if hasattr(X, "__dask_graph__"):
        raise TypeError(lazy_message("dask"))
    if isinstance(X, np.ma.MaskedArray):
        X = np.ma.filled(X.astype(float), np.nan) if np.ma.is_masked(X) else np.asarray(X)
    if isinstance(X, (list, tuple)):
        X = _unwrap_lists(X)
    if not isinstance(X, np.ndarray):
        return X
    if X.dtype.kind in "mM":
        raise TypeError(
            f"X is an array of {X.dtype}. Times are read in dataframes: give pandas.DataFrame(X)."
        )
    return numbers_of_objects(X) if X.dtype == object else X


def numbers_of_objects(X: np.ndarray) -> np.ndarray:
    """Return an array of objects as floats, None as NaN, if it holds numbers and holes alone.

    Raises
    ------
    TypeError
        If a cell is a container, such as a dict, that is neither a number nor a label.
    ValueError
        If an integer is too large for a float.
    """
    cells = X.ravel()
    missing = pd.isna(cells)
    if not all(isinstance(cell, (Real, np.bool_)) for cell in cells[~missing]):
        for place, cell in enumerate(cells):
            if not isinstance(cell, Hashable):
                column = place % X.shape[-1]
                raise TypeError(
                    f"Column {column} of X holds {cell!r}: the argument must be a string or a "
                    f"number."
                )
        return X
    numbers = np.full(len(cells), np.nan)
    try:
        numbers[~missing] = cells[~missing].astype(float)
    except OverflowError as error:
        sizes = [cell.bit_length() if isinstance(cell, int) else 0 for cell in cells]
        column = int(np.argmax(sizes)) % X.shape[-1]
        raise ValueError(
            f"Column {column} of X holds an integer of {max(sizes)} bits, which no float holds. "
            f"Divide the column by a large number."
        ) from error
    return numbers.reshape(X.shape)


def with_dense_columns(X: Any) -> Any:
    """Return a pandas frame without sparse columns, and anything else as it is."""
    if not isinstance(X, pd.DataFrame):
        return X
    places = [i for i, dtype in enumerate(X.dtypes) if isinstance(dtype, pd.SparseDtype)]
    if places:
        X = X.copy(deep=False)
        for place in places:
            X.isetitem(place, X.iloc[:, place].sparse.to_dense())
    return X


def lazy_message(library: str) -> str:
    """Return what to say of rows of a library that are not computed yet."""
    advice = _COLLECT.get(library, "X.collect()")
    return f"X is lazy: its rows are not computed yet. Give {advice}."


def _unwrap_tensor(X: torch.Tensor) -> Any:
    if X.is_nested or X.is_meta or X.is_quantized or X.is_complex():
        kind = "nested" if X.is_nested else "meta" if X.is_meta else str(X.dtype)
        raise TypeError(f"X must be a tensor of real numbers of one size. Got a {kind} tensor.")
    X = X.detach().cpu()
    if X.layout is not torch.strided:
        coo = X.to_sparse_coo().coalesce()
        values = unwrap(coo.values())
        return sparse.csr_array((values, tuple(coo.indices().numpy())), shape=tuple(X.shape))
    is_small_float = X.is_floating_point() and X.dtype.itemsize <= 2 and X.dtype != torch.float16
    return (X.float() if is_small_float else X).resolve_neg().numpy()


def _unwrap_lists(X: Sequence) -> Any:
    """Return lists with None among their numbers as an array, and others as they are."""
    try:
        array = np.asarray(X)
    except ValueError:
        # Rows of several lengths, of which scikit-learn speaks better.
        return X
    return array if array.dtype == object else X
