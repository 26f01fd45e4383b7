"""Columns of any kind, encoded as numbers and codes side by side."""

from dataclasses import dataclass

import narwhals as nw
import numpy as np

from skae.columns import Block
from skae.fields import HIDDEN, MISSING, Number, is_missing
from skae.table import Table


@dataclass(frozen=True)
class MixedColumns:
    """The columns of a table and their encoding as a float32 matrix of numbers and codes.

    Attributes
    ----------
    table : Table
        What the columns are.
    center, scale : ndarray of shape (n_numbers,)
        What encoding subtracts from numbers and divides them by: each has mean 0 and variance 1.
    """

    table: Table
    center: np.ndarray
    scale: np.ndarray

    @classmethod
    def learn(cls, frame: nw.DataFrame, weights: np.ndarray | None, **options) -> "MixedColumns":
        """Return the encoding of a frame; `options` are those of `Table.learn`."""
        table = Table.learn(frame, **options)
        numbers, _ = table.encode(frame)
        weights = np.ones(len(frame)) if weights is None else weights
        there = weights[:, None] * ~np.isnan(numbers)
        numbers = np.nan_to_num(numbers)
        total = np.maximum(there.sum(0), 1e-300)
        center = (there * numbers).sum(0) / total
        variance = (there * (numbers - center) ** 2).sum(0) / total
        return cls(table, center, np.sqrt(np.where(variance > 0, variance, 1)))

    @property
    def owners(self) -> list[int]:
        """The column of every number."""
        fields = enumerate(self.table.fields)
        return [i for i, field in fields if isinstance(field, Number)]

    @property
    def n_codes(self) -> tuple[int, ...]:
        """How many values the code of every column takes."""
        return tuple(field.n_codes for field in self.table.fields)

    @property
    def blocks(self) -> list[Block]:
        """The blocks of the encoded matrix, from left to right."""
        n, n_all = len(self.center), len(self.center) + len(self.table.fields)
        numbers = [Block("partial number", slice(0, n), slice(0, n))] if n else []
        codes = Block("code", slice(n, n_all), slice(n, n + sum(self.n_codes)))
        return [*numbers, codes]

    @property
    def n_encoded(self) -> int:
        """The number of columns of the encoded matrix."""
        return self.blocks[-1].columns.stop

    @property
    def missing_outputs(self) -> list[int]:
        """Where among the decoder's outputs the logits of missing cells stand."""
        sizes = np.array(self.n_codes)
        return (len(self.center) + np.cumsum(sizes) - sizes + MISSING).tolist()

    @property
    def log_volume(self) -> float:
        """Zero: densities are those of numbers of variance one, whatever their units."""
        return 0.0

    def noise_variance(self, variance: np.ndarray) -> np.ndarray:
        """Return variances of encoded numbers in their own units; of times and integers, steps."""
        return variance * self.scale**2

    def check(self, frame: nw.DataFrame) -> None:
        """Accept all rows: encoding says what is wrong."""

    def encode(self, frame: nw.DataFrame, *, hide_missing: bool = False) -> np.ndarray:
        """Return rows as a float32 matrix; hidden cells, unlike missing ones, are to be filled."""
        numbers, codes = self.table.encode(frame)
        if hide_missing:
            codes = np.where(codes == MISSING, HIDDEN, codes)
        return np.hstack([(numbers - self.center) / self.scale, codes]).astype(np.float32)

    def decode(self, encoded: np.ndarray) -> np.ndarray:
        """Return a float32 matrix as it is; `to_frame` goes the rest of the way."""
        return encoded

    def to_frame(self, encoded: np.ndarray, like: object = None) -> object:
        """Return encoded rows as a frame, with the index of the one that they answer."""
        n = len(self.center)
        numbers = encoded[:, :n] * self.scale + self.center
        frame = self.table.decode(numbers, encoded[:, n:].astype(np.int64))
        return _with_index(frame.to_native(), like)

    def fill(self, frame: nw.DataFrame, encoded: np.ndarray, like: object) -> object:
        """Return a frame with the cells of encoded rows in its holes."""
        filled = nw.from_native(self.to_frame(encoded))
        pairs = zip(frame.iter_columns(), filled.iter_columns(), strict=True)
        columns = {column.name: _fill(column, other) for column, other in pairs}
        return _with_index(nw.DataFrame.from_dict(columns).to_native(), like)

    def by_column(self, cells: np.ndarray) -> np.ndarray:
        """Add what is said of a number to what is said of its code, shape (n_rows, n_columns)."""
        n = len(self.center)
        columns = cells[:, n:].copy()
        columns[:, self.owners] += cells[:, :n]
        return columns


def _fill(column: nw.Series, other: nw.Series) -> nw.Series:
    missing = is_missing(column)
    if not missing.any():
        return nw.maybe_reset_index(column)
    there = nw.new_series(column.name, ~missing, backend=column.implementation)
    return nw.maybe_reset_index(column).zip_with(there, other.cast(column.dtype))


def _with_index(frame: object, like: object) -> object:
    """Give a pandas frame the index of the one that it answers."""
    if nw.dependencies.is_pandas_dataframe(frame) and nw.dependencies.is_pandas_dataframe(like):
        frame.index = like.index
    return frame


def is_table(X: object, categorical_features: object) -> bool:
    """Tell whether rows are more than a matrix of numbers: a frame with labels, times or holes."""
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    marks = not (isinstance(categorical_features, str) and categorical_features == "from_dtype")
    if not isinstance(frame, nw.DataFrame):
        if marks:
            raise ValueError(
                f"The 'categorical_features' parameter needs a dataframe; of an array, all columns "
                f"are numbers. Got {categorical_features!r}."
            )
        return False
    return marks or not all(map(_is_plain, frame.iter_columns()))


def _is_plain(column: nw.Series) -> bool:
    is_number = column.dtype.is_numeric() or column.dtype == nw.Boolean
    return is_number and not column.is_null().any() and not _has_nan(column)


def _has_nan(column: nw.Series) -> bool:
    return column.dtype.is_float() and bool(column.is_nan().any())
