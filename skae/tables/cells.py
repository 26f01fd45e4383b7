"""The cells of a column: their states, which are missing, how many are distinct."""

import narwhals as nw
import numpy as np

OTHER = VALUE = 0
MISSING = 1
HIDDEN = -1
N_RESERVED = 2


def is_missing(column: nw.Series) -> np.ndarray:
    """Tell which cells are null or NaN, shape (n_rows,)."""
    if column.dtype.is_float():
        cells = column.to_numpy()
        if cells.dtype.kind == "f":
            return np.isnan(cells)
    missing = column.is_null()
    if column.dtype.is_float():
        missing = missing | column.is_nan().fill_null(value=True)
    return missing.to_numpy().astype(bool)


def found_in(column: nw.Series, missing: np.ndarray) -> nw.Series:
    """Return the cells of a column that are there."""
    return column.filter((~missing).tolist()) if missing.any() else column


def cells_of(column: nw.Series) -> list:
    """Return the cells as Python objects, None where they are missing."""
    cells = column.to_list()
    try:
        hash(tuple(cells))
    except TypeError as error:
        raise ValueError(
            f"Column {column.name!r} of X holds values that are no labels: {error}."
        ) from error
    for i in np.flatnonzero(is_missing(column)):
        cells[i] = None
    return cells


def n_distinct(column: nw.Series) -> int:
    """Return the number of distinct values that are there."""
    if column.dtype == nw.Object:
        return len(set(cells_of(column)) - {None})
    return found_in(column, is_missing(column)).n_unique()
