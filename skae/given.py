"""What `sample` is given of rows: some of their columns, encoded, and the way back to rows."""

from collections.abc import Mapping

import narwhals as nw
import numpy as np
import pandas as pd

from skae.columns import Columns
from skae.containers import unwrap
from skae.fields import HIDDEN, OTHER, Category, is_missing
from skae.mixed import MixedColumns


class Given:
    """Some columns of some rows.

    Parameters
    ----------
    given : mapping or dataframe
        From names of columns, or their places where rows are arrays, to one cell each; or a frame
        of some columns. A cell that is missing is not given.
    frame : narwhals.DataFrame or None
        The frame that `fit` got, without its rows; None if it got none.
    n_columns : int
        The number of columns of whole rows.
    """

    def __init__(self, given: object, frame: nw.DataFrame | None, n_columns: int) -> None:
        self.names = list(range(n_columns)) if frame is None else frame.columns
        columns = _columns(given)
        self.n_rows = len(next(iter(columns.values())))
        unknown = [name for name in columns if name not in self.names]
        if unknown:
            raise ValueError(
                f"The 'given' parameter names columns that X has not: {unknown}. "
                f"X has {_few(self.names)}."
            )
        self.columns = columns

    def encode(self, columns: Columns | MixedColumns) -> np.ndarray:
        """Return encoded rows whose other cells are hidden, float32."""
        if isinstance(columns, Columns):
            return self._encode_numbers(columns)
        numbers, codes = [], []
        for field in columns.table.fields:
            column = self.columns.get(field.name)
            if column is None:
                code, number = np.full(self.n_rows, HIDDEN), np.full(self.n_rows, np.nan)
            else:
                number, code = field.encode(column)
                self._check_known(field, column, code)
                code = np.where(is_missing(column), HIDDEN, code)
            codes.append(code)
            if not isinstance(field, Category):
                numbers.append(number)
        numbers = np.stack(numbers, axis=1) if numbers else np.empty((self.n_rows, 0))
        return columns.join(numbers, np.stack(codes, axis=1))

    def restore(self, frame: nw.DataFrame, n_draws: int) -> nw.DataFrame:
        """Put the numbers that were given into the draws, as they were, each row in its turn."""
        places = np.repeat(np.arange(self.n_rows), n_draws)
        for name, column in self.columns.items():
            drawn = frame.get_column(name)
            if not (drawn.dtype.is_numeric() or drawn.dtype.is_temporal()):
                continue
            column = column[places.tolist()]
            there = nw.new_series(name, ~is_missing(column), backend=drawn.implementation)
            cells = nw.maybe_reset_index(column).cast(drawn.dtype)
            frame = frame.with_columns(cells.zip_with(there, drawn).alias(name))
        return frame

    def put(self, rows: np.ndarray, n_draws: int) -> np.ndarray:
        """Put the numbers that were given into drawn rows of numbers, each row in its turn."""
        for name, column in self.columns.items():
            cells = np.repeat(column.cast(nw.Float64()).to_numpy(), n_draws)
            drawn = rows[:, self.names.index(name)]
            rows[:, self.names.index(name)] = np.where(np.isnan(cells), drawn, cells)
        return rows

    def _encode_numbers(self, columns: Columns) -> np.ndarray:
        rows = np.full((self.n_rows, len(self.names)), np.nan)
        for name, column in self.columns.items():
            cells = column.cast(nw.Float64()).to_numpy()
            if np.isinf(cells).any():
                raise ValueError(f"Column {name!r} of 'given' contains infinity.")
            rows[:, self.names.index(name)] = cells
        columns.check(np.where(np.isnan(rows), columns.center, rows))
        return ((rows - columns.center) / columns.scale).astype(np.float32)

    def _check_known(self, field: object, column: nw.Series, code: np.ndarray) -> None:
        strange = (code == OTHER) & (field.shares[OTHER] == 0)
        if isinstance(field, Category) and strange.any():
            label = column.to_list()[int(strange.argmax())]
            raise ValueError(
                f"The 'given' parameter holds {label!r} in column {field.name!r}, which fit did "
                f"not see there. Known are {_few(list(field.codes))}."
            )


def _columns(given: object) -> dict:
    """Return the columns that are given by their names."""
    if isinstance(given, Mapping):
        if not given:
            raise ValueError("The 'given' parameter must name at least one column. Got {}.")
        given = pd.DataFrame({name: [cell] for name, cell in given.items()})
    frame = nw.from_native(unwrap(given), eager_only=True, pass_through=True)
    if not isinstance(frame, nw.DataFrame) or not len(frame) or not frame.columns:
        raise ValueError(
            f"The 'given' parameter must be a dict from columns to cells or a dataframe with rows. "
            f"Got {type(given).__name__}."
        )
    return {name: frame.get_column(name) for name in frame.columns}


def _few(names: list) -> str:
    text = ", ".join(map(repr, names[:8]))
    return text + (", ..." if len(names) > 8 else "")
