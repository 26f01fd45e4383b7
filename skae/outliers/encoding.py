"""Rows of a table as numbers and states, a batch at a time."""

from dataclasses import dataclass

import narwhals as nw
import numpy as np

from skae.outliers.batches import batches_of
from skae.tables.cells import MISSING, VALUE
from skae.tables.formats import Plain
from skae.tables.number import Number
from skae.tables.table import Table

# The size of a batch, in cells and in rows.
_CELLS_AT_A_TIME = 2**18
_ROWS_AT_A_TIME = (256, 8192)

Encoded = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Rows:
    """Checked rows: a frame, or a matrix of numbers where all columns are plain numbers.

    Attributes
    ----------
    table : Table
        The columns of the table.
    source : narwhals.DataFrame or ndarray
        The rows.
    """

    table: Table
    source: nw.DataFrame | np.ndarray

    def __len__(self) -> int:
        return len(self.source)

    @classmethod
    def of(cls, table: Table, frame: nw.DataFrame) -> "Rows":
        """Return the rows of a frame."""
        if are_plain(table) and all(dtype.is_float() for dtype in frame.schema.values()):
            numbers = frame.to_numpy()
            # Of infinity the columns say which of them holds it; nullable types give objects.
            if numbers.dtype.kind == "f" and not np.isinf(numbers).any():
                return cls(table, numbers)
        return cls(table, frame)

    @property
    def are_numbers(self) -> bool:
        """Whether the rows are a matrix of numbers."""
        return isinstance(self.source, np.ndarray)

    def slices(self) -> list[slice]:
        """Return the batches that the rows are read in."""
        fewest, most = _ROWS_AT_A_TIME
        size = min(max(_CELLS_AT_A_TIME // max(1, len(self.table.fields)), fewest), most)
        return batches_of(len(self), size)

    def encode(self, batch: slice) -> Encoded:
        """Return some of the rows as numbers and states."""
        if isinstance(self.source, np.ndarray):
            numbers = self.source[batch].astype(np.float64)
            # States of frequent numbers are of no use to distances.
            return numbers, np.where(np.isnan(numbers), MISSING, VALUE)
        return self.table.encode(self.source[batch])


def are_plain(table: Table) -> bool:
    """Tell whether the cells of an array are the numbers that they are encoded as."""
    return all(isinstance(field, Number) and _is_plain(field) for field in table.fields)


def _is_plain(field: Number) -> bool:
    scale = field.scale
    is_plain = isinstance(field.format, Plain) and field.words is None
    return is_plain and not scale.is_stepped and scale.template.dtype.is_float()
