"""Columns of any kind, encoded as numbers and states side by side."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import narwhals as nw
import numpy as np
import pandas as pd
from scipy import sparse

from skae.dependencies.cells import MISSING as EMPTY
from skae.dependencies.dependencies import Dependencies
from skae.tables.cells import HIDDEN, MISSING, is_missing
from skae.tables.columns import FARTHEST, Cells, Columns
from skae.tables.containers import eager_frame, fill_column, is_memory_map, shape_of, wrap_table
from skae.tables.field import DRAWN, EXPECTED, Decoding
from skae.tables.kinds import ColumnParameters, TableOptions
from skae.tables.number import Number
from skae.tables.relating import cells_of_frame, find_dependencies, from_cells, to_cells
from skae.tables.table import Table
from skae.tables.unwrapping import unwrap

_PLAIN = (int, float, np.int64, np.int32, np.float64, np.float32)


@dataclass(frozen=True)
class MixedColumns(Columns):
    """The columns of a table and their encoding as a float32 matrix of numbers and states.

    Attributes
    ----------
    table : Table
        What the columns are.
    center, scale : ndarray of shape (n_numbers,)
        What encoding subtracts from numbers and divides them by: each has mean 0 and variance 1.
    dependencies : Dependencies
        What held between the columns, and holds in draws.
    """

    table: Table
    center: np.ndarray
    scale: np.ndarray
    dependencies: Dependencies = field(default_factory=Dependencies)
    is_table: ClassVar[bool] = True

    @classmethod
    def learn(
        cls,
        frame: nw.DataFrame,
        weights: np.ndarray | None,
        options: TableOptions | None = None,
        *,
        is_named: bool = True,
    ) -> "MixedColumns":
        """Return the encoding of a frame; see `Table.learn`."""
        table = Table.learn(frame, options, is_named=is_named)
        table.check_modelled()
        numbers, _ = table.encode(frame)
        weights = np.ones(len(frame)) if weights is None else weights
        there = weights[:, None] * ~np.isnan(numbers)
        numbers = np.nan_to_num(numbers)
        total = np.maximum(there.sum(0), 1e-300)
        with np.errstate(over="ignore", invalid="ignore"):
            center = (there * numbers).sum(0) / total
            variance = (there * (numbers - center) ** 2).sum(0) / total
        for number, each in zip(table.numbers, variance, strict=True):
            if not np.isfinite(each):
                raise ValueError(
                    f"Column {number.name!r} of X holds values whose squares overflow; divide it "
                    f"by a large number."
                )
        found = Dependencies()
        if options is not None and options.keep_dependencies:
            found = find_dependencies(table, frame, options.min_count)
        return cls(table, center, np.sqrt(np.where(variance > 0, variance, 1)), found)

    @property
    def column_of_number(self) -> list[int]:
        """The column of every number."""
        fields = enumerate(self.table.modelled)
        return [i for i, field in fields if isinstance(field, Number)]

    @property
    def point_masses(self) -> list[np.ndarray]:
        """The encoded numbers of every column of numbers that have a state of their own."""
        numbers = zip(self.table.numbers, self.center, self.scale, strict=True)
        return [(field.point_masses - center) / scale for field, center, scale in numbers]

    @property
    def n_states(self) -> tuple[int, ...]:
        """How many values the state of every column takes."""
        return tuple(field.n_states for field in self.table.modelled)

    @property
    def log_largest(self) -> np.ndarray:
        """For every state 0, the log share of the commonest label that it stands for."""
        return np.array([field.log_largest for field in self.table.modelled])

    @property
    def n_encoded(self) -> int:
        """The number of columns of the encoded matrix."""
        return self.n_numbers + len(self.table.modelled)

    @property
    def n_numbers(self) -> int:
        """The number of columns of numbers among them, the first ones."""
        return len(self.center)

    @property
    def left_out(self) -> dict[int, str]:
        """From the places of columns that are left out to their kinds."""
        fields = enumerate(self.table.fields)
        return {i: each.kind for i, each in fields if not each.is_modelled}

    def noise_variance(self, variance: np.ndarray) -> np.ndarray:
        """Return variances of encoded numbers in their own units; of times and integers, steps."""
        return variance * self.scale**2

    def encode(self, rows: Any) -> np.ndarray:
        """Return rows, of any library, as a float32 matrix."""
        return self.join(*self.table.encode(nw.from_native(rows, eager_only=True)))

    def hide(self, rows: nw.DataFrame) -> np.ndarray:
        """Return rows as a float32 matrix in which missing cells are hidden."""
        numbers, states = self.table.encode(rows)
        return self.join(numbers, np.where(states == MISSING, HIDDEN, states))

    def has_holes(self, encoded: np.ndarray) -> np.ndarray:
        """Tell which rows have hidden cells, shape (n_rows,)."""
        return (encoded[:, self.n_numbers :] == HIDDEN).any(1)

    def join(self, numbers: np.ndarray, states: np.ndarray) -> np.ndarray:
        """Return numbers and states, as the table encodes them, as a float32 matrix."""
        return np.hstack([self._encode_numbers(numbers, states), states]).astype(np.float32)

    def decode(self, encoded: np.ndarray) -> np.ndarray:
        """Return a float32 matrix as it is; `wrap` goes the rest of the way."""
        return encoded

    def wrap(
        self,
        decoded: np.ndarray,
        frame: nw.DataFrame | None,
        like: Any = None,
        decoding: Decoding = EXPECTED,
    ) -> Any:
        """Return decoded rows in a container; see `Columns`."""
        return wrap_table(self.to_frame(decoded, decoding), frame, like)

    def to_frame(self, encoded: np.ndarray, decoding: Decoding = DRAWN) -> nw.DataFrame:
        """Return encoded rows, or those that `bring` returned, as a frame."""
        numbers, states = encoded[:, : self.n_numbers], encoded[:, self.n_numbers :]
        if not decoding.is_brought:
            numbers = self._decode_numbers(numbers)
        return self.table.decode(numbers, states.astype(np.int64), decoding)

    def bring(
        self,
        decoded: np.ndarray,
        rng: np.random.Generator | None = None,
        *,
        given: Cells | None = None,
        is_last: bool = False,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return drawn rows, brought to what columns can hold, and which need another draw.

        See `Columns`. Cells are numbers and states as the table has them.
        """
        numbers, states = self._decoded(decoded)
        cells = to_cells(self.table, numbers, states)
        is_given = np.zeros(cells.shape, dtype=bool)
        if given is not None:
            is_given = given.is_given
            cells = np.where(is_given, given.values, cells)
        cells, is_broken = self.dependencies.keep(cells, is_given, rng, is_last=is_last)
        return np.hstack(from_cells(self.table, cells, states)), is_broken

    def fill(self, rows: nw.DataFrame, encoded: np.ndarray, decoding: Decoding) -> nw.DataFrame:
        """Return a frame whose holes are filled from encoded rows; see `Columns`."""
        numbers, states = self._decoded(encoded)
        cells = cells_of_frame(self.table, rows)
        is_given = cells != EMPTY
        cells = np.where(is_given, cells, to_cells(self.table, numbers, states))
        kept, _ = self.dependencies.keep(cells, is_given, decoding.rng, is_last=True)
        # A hole that is always one beside the cells of its row is filled all the same, unless a
        # single other column says that it is empty.
        is_filled = (kept != EMPTY) | self.dependencies.structural(kept)
        found = from_cells(self.table, np.where(is_filled, kept, cells), states)
        decoding = replace(decoding, source=rows, is_brought=True)
        filled = self.table.decode(*found, decoding)
        pairs = zip(rows.iter_columns(), filled.iter_columns(), strict=True)
        return nw.DataFrame.from_dict(
            {column.name: fill_column(column, other) for column, other in pairs}
        )

    def structural(self, rows: nw.DataFrame) -> list[tuple[int, str, int, str]]:
        """Return which columns have holes because another column says so; see `Columns`."""
        told = self.dependencies.told(cells_of_frame(self.table, rows))
        fields, places = self.table.modelled, self.table.places
        return [(places[j], fields[j].name, n, reason) for j, n, reason in told]

    def log_shares(self, rows: nw.DataFrame) -> np.ndarray | None:
        """Return the log share of each cell among those that its state stands for, by column."""
        _, states = self.table.encode(rows)
        found = np.zeros((len(states), len(self.table.fields)), dtype=np.float32)
        found[:, self.table.places] = self.table.log_shares(rows, states)
        return found

    def by_column(self, cells: np.ndarray) -> np.ndarray:
        """Add what is said of a number to what is said of its state, shape (n_rows, n_columns).

        Nothing is said of columns that are left out.
        """
        n = self.n_numbers
        modelled = cells[:, n:].copy()
        modelled[:, self.column_of_number] += cells[:, :n]
        columns = np.zeros((len(cells), len(self.table.fields)), dtype=cells.dtype)
        columns[:, self.table.places] = modelled
        return columns

    def _decoded(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        numbers = self._decode_numbers(encoded[:, : self.n_numbers])
        return numbers, encoded[:, self.n_numbers :].astype(np.int64)

    def _encode_numbers(self, numbers: np.ndarray, states: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return np.clip((numbers - self.center) / self.scale, -FARTHEST, FARTHEST)

    def _decode_numbers(self, encoded: np.ndarray) -> np.ndarray:
        return encoded * self.scale + self.center


def is_table(X: object, parameters: ColumnParameters) -> bool:
    """Tell whether rows are more than a matrix of numbers: whether they hold labels or holes."""
    marks = parameters.categorical_features
    if parameters.column_kinds or not (isinstance(marks, str) and marks == "from_dtype"):
        return True
    frame = eager_frame(X)
    if isinstance(frame, nw.DataFrame):
        return not all(map(_is_plain, frame.iter_columns()))
    return not sparse.issparse(X) and _holds_nan(np.asarray(unwrap(X)))


def is_narrow(X: Any, most: int) -> bool:
    """Tell whether rows of numbers in memory have few columns, and other values than 0 and 1."""
    if is_memory_map(X) or len(shape_of(X)) != 2 or shape_of(X)[1] > most:
        return False
    frame = eager_frame(X)
    dense = frame.to_numpy() if isinstance(frame, nw.DataFrame) else X
    cells = sparse.coo_array(X).data if sparse.issparse(X) else np.asarray(unwrap(dense))
    return cells.dtype.kind in "fiu" and not bool(((cells == 0) | (cells == 1)).all())


def as_frame(X: np.ndarray) -> nw.DataFrame:
    """Return an array as a frame whose columns are numbered."""
    return nw.from_native(pd.DataFrame(X).infer_objects())


def _is_plain(column: nw.Series) -> bool:
    """Tell whether a column holds numbers alone, which `PCA` would take as well."""
    if column.dtype == nw.Object:
        return all(type(cell) in _PLAIN for cell in column.to_list())
    is_number = column.dtype.is_numeric() or column.dtype == nw.Boolean
    return is_number and not is_missing(column).any()


def _holds_nan(X: np.ndarray) -> bool:
    with np.errstate(all="ignore"):
        return X.dtype.kind == "f" and bool(np.isnan(X.sum())) and bool(np.isnan(X).any())
