"""The `given` cells of `sample`: their encoding, and their place in the drawn rows."""

from collections.abc import Hashable, Mapping
from datetime import datetime
from numbers import Real
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from skae.tables.category import Category
from skae.tables.cells import HIDDEN, MISSING, is_missing
from skae.tables.columns import Cells
from skae.tables.matrix import MatrixColumns
from skae.tables.mixed import MixedColumns
from skae.tables.number import Number
from skae.tables.relating import to_cells
from skae.tables.table import Table
from skae.tables.unwrapping import unwrap

# The bound at which encoded given numbers are clipped, in units of the scale of the columns.
_FARTHEST = 1e4


class Given:
    """The known cells of rows that are to be drawn.

    Parameters
    ----------
    given : mapping or dataframe
        A mapping from column names, or indices where rows are arrays, to one cell each; or a frame
        with some of the columns. Missing cells are not given.
    names : sequence
        The names of the columns of whole rows.
    """

    def __init__(self, given: object, names: Any) -> None:
        self.names = list(names)
        self.cells = _cells(given)
        self.n_rows = len(next(iter(self.cells.values())))
        unknown = [name for name in self.cells if name not in self.names]
        if unknown:
            raise ValueError(
                f"The 'given' parameter names columns that X has not: {unknown}. "
                f"X has {_few(self.names)}."
            )

    def encode(self, columns: MatrixColumns | MixedColumns) -> np.ndarray:
        """Return encoded rows in which the other cells are hidden, float32."""
        if isinstance(columns, MatrixColumns):
            return self._encode_numbers(columns)
        return columns.join(*self._encode_table(columns.table))

    def known(self, columns: MatrixColumns | MixedColumns) -> Cells:
        """Return the given cells as dependencies know them."""
        if isinstance(columns, MatrixColumns):
            rows = self._as_numbers()
            return Cells(rows, ~np.isnan(rows))
        numbers, states = self._encode_table(columns.table, specific=True)
        is_given = states != HIDDEN
        cells = to_cells(columns.table, numbers, np.where(is_given, states, MISSING))
        return Cells(cells, is_given & ~np.isnan(cells))

    def _encode_table(
        self, table: Table, *, specific: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        encoded = [self._encode_field(field, specific=specific) for field in table.modelled]
        states = [state for _, state in encoded]
        of_numbers = [number for number, _ in encoded if number is not None]
        numbers = np.stack(of_numbers, axis=1) if of_numbers else np.empty((self.n_rows, 0))
        return numbers, np.stack(states, axis=1)

    def restore(self, frame: nw.DataFrame, n_draws: int) -> nw.DataFrame:
        """Put the given cells, unchanged, into drawn rows: `n_draws` in a row for each."""
        for name, cells in self.cells.items():
            drawn = frame.get_column(name)
            mixed = [
                old if new is None else new
                for new, old in zip(np.repeat(_boxed(cells), n_draws), drawn.to_list(), strict=True)
            ]
            frame = frame.with_columns(_series(name, mixed, drawn).alias(name))
        return frame

    def put(self, rows: np.ndarray, n_draws: int) -> np.ndarray:
        """Put the given numbers into drawn rows of numbers: `n_draws` in a row for each."""
        given = np.repeat(self._as_numbers(), n_draws, axis=0)
        return np.where(np.isnan(given), rows, given).astype(rows.dtype)

    def _encode_field(
        self, field: Category | Number, *, specific: bool
    ) -> tuple[np.ndarray | None, np.ndarray]:
        cells = self.cells.get(field.name, [None] * self.n_rows)
        missing = np.array([cell is None for cell in cells])
        if missing.all():
            number = None if isinstance(field, Category) else np.full(self.n_rows, np.nan)
            return number, np.full(self.n_rows, HIDDEN)
        placeholder = next(cell for cell in cells if cell is not None)
        filled = [placeholder if cell is None else cell for cell in cells]
        if isinstance(field, Category):
            self._check_known(field, filled)
            labels = pd.Series(_boxed(filled), dtype=object)
            series = nw.from_native(labels, series_only=True)
            number, state = None, (field.specific if specific else field.states_of)(series)
        else:
            number, state = field.encode(_series(field.name, filled, field.template))
        return number, np.where(missing, HIDDEN, state)

    def _encode_numbers(self, columns: MatrixColumns) -> np.ndarray:
        rows = self._as_numbers()
        columns.check(np.where(np.isnan(rows), columns.center, rows))
        with np.errstate(over="ignore"):
            encoded = (rows - columns.center) / columns.scale
        return encoded.clip(-_FARTHEST, _FARTHEST).astype(np.float32)

    def _as_numbers(self) -> np.ndarray:
        """Return the cells as numbers, NaN where they are not given, shape (n_rows, n_columns)."""
        rows = np.full((self.n_rows, len(self.names)), np.nan)
        for name, cells in self.cells.items():
            for row, cell in zip(rows, cells, strict=True):
                row[self.names.index(name)] = np.nan if cell is None else _number(name, cell)
        return rows

    def _check_known(self, field: Category, cells: list) -> None:
        for cell in cells:
            if not field.knows(cell):
                seen = _few([*field.states, *field.rare.counts]) or "no label"
                raise ValueError(
                    f"The 'given' parameter holds {cell!r} in column {field.name!r}, which fit did "
                    f"not see there. It saw {seen}."
                )


def _cells(given: object) -> dict:
    """Return the given cells by column name, None for cells that are not given."""
    if isinstance(given, Mapping):
        columns = {name: [cell] for name, cell in given.items()}
    else:
        frame = nw.from_native(unwrap(given), eager_only=True, pass_through=True)
        columns = {}
        if isinstance(frame, nw.DataFrame) and len(frame):
            for column in frame.iter_columns():
                pairs = zip(column.to_list(), is_missing(column), strict=True)
                columns[column.name] = [None if missing else cell for cell, missing in pairs]
    if not columns:
        raise ValueError(
            f"The 'given' parameter must be a dict from at least one column to a cell, or a "
            f"dataframe with rows. Got {given!r}."
        )
    for name, cells in columns.items():
        for cell in cells:
            if not isinstance(cell, Hashable):
                raise ValueError(
                    f"The 'given' parameter must hold one cell for each column if it is a dict; a "
                    f"dataframe may hold more rows. Got {cell!r} for column {name!r}."
                )
            if isinstance(cell, Real) and np.isinf(float(cell)):
                _number(name, cell)
        columns[name] = [None if pd.api.types.is_scalar(c) and pd.isna(c) else c for c in cells]
    return columns


def _number(name: object, cell: Any) -> float:
    try:
        number = float(cell)
    except (TypeError, ValueError):
        number = np.inf
    if not np.isfinite(number):
        raise ValueError(
            f"The 'given' parameter must hold finite numbers in column {name!r}. Got {cell!r}."
        )
    return number


def _series(name: object, cells: list, like: nw.Series) -> nw.Series:
    """Return cells as a column of the type of another; raise ValueError if they do not fit it."""
    native = like.to_native()
    cells = [_simplified(cell, like.dtype) for cell in cells]
    try:
        if like.implementation.is_pandas():
            native = pd.Series(cells, dtype=native.dtype, name=name)
            series = nw.from_native(native, series_only=True)
        else:
            series = nw.new_series(str(name), cells, like.dtype, backend=like.implementation)
    except _errors_of_casts(like) as error:
        raise ValueError(
            f"The 'given' parameter must hold cells of type {like.dtype} in column {name!r}: "
            f"{str(error).splitlines()[0]}"
        ) from error
    return series


def _errors_of_casts(like: nw.Series) -> tuple[type[Exception], ...]:
    errors: tuple[type[Exception], ...] = (TypeError, ValueError, OverflowError)
    if like.implementation.is_polars():
        errors += (nw.dependencies.get_polars().exceptions.PolarsError,)
    return errors


def _simplified(cell: object, dtype: nw.dtypes.DType) -> object:
    """Return a whole float as an integer, and a datetime as a date, for a column of that type."""
    if dtype.is_integer() and isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return cell.date() if dtype == nw.Date and isinstance(cell, datetime) else cell


def _boxed(cells: list) -> np.ndarray:
    """Return cells as an array of Python objects, one for each cell."""
    boxed = np.empty(len(cells), dtype=object)
    boxed[:] = cells
    return boxed


def _few(names: list) -> str:
    text = ", ".join(map(repr, names[:8]))
    return text + (", ..." if len(names) > 8 else "")
