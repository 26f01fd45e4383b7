"""The encoding of real and other rows as numbers and labels, learned from the real ones."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
from narwhals.typing import TimeUnit
from sklearn.utils import check_array

from skae.metrics.sample import Sample
from skae.tables.containers import frame_without_rows
from skae.tables.kinds import TableOptions
from skae.tables.mixed import MixedColumns, as_frame
from skae.tables.number import Number
from skae.tables.table import Table
from skae.tables.unwrapping import unwrap

# The largest number of states of a column that scikit-learn's trees take as categories.
_MOST_NATIVE = 255


@dataclass(frozen=True)
class Encoded:
    """Rows as numbers and labels.

    Attributes
    ----------
    columns : MixedColumns
        The columns of the real rows.
    numbers : ndarray of shape (n_rows, n_numbers)
        The numbers and times; NaN where cells are missing.
    labels : ndarray of shape (n_rows, n_labels), int32
        The labels as states: 0 for those that no real row has, 1 for missing cells.
    flagged : ndarray of shape (n_numbers,), bool
        A mask of the columns of numbers with missing cells, in real or other rows.
    """

    columns: MixedColumns
    numbers: np.ndarray
    labels: np.ndarray
    flagged: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def n_states(self) -> list[int]:
        """The number of states of every column of labels."""
        fields = self.columns.table.modelled
        return [field.n_states for field in fields if not isinstance(field, Number)]

    def iter_columns(self) -> Iterator[tuple[np.ndarray, int | None]]:
        """Yield the cells of every column and its number of states, None for numbers."""
        numbers, labels = iter(self.numbers.T), zip(self.labels.T, self.n_states, strict=True)
        for field in self.columns.table.modelled:
            yield (next(numbers), None) if isinstance(field, Number) else next(labels)

    def split(self, position: int) -> tuple["Encoded", np.ndarray]:
        """Return the rows without the column at a position, and the cells of that column."""
        table, column_of_number = self.columns.table, self.columns.column_of_number
        fields = table.modelled[:position] + table.modelled[position + 1 :]
        is_kept = np.array([column != position for column in column_of_number], dtype=bool)
        label = position - sum(column < position for column in column_of_number)
        numbers, labels = self.numbers[:, is_kept], self.labels
        if is_kept.all():
            cells, labels = labels[:, label], np.delete(labels, label, axis=1)
        else:
            cells = self.numbers[:, column_of_number.index(position)]
        center, scale = self.columns.center[is_kept], self.columns.scale[is_kept]
        columns = MixedColumns(Table(fields), center, scale)
        return Encoded(columns, numbers, labels, self.flagged[is_kept]), cells

    def features(self) -> np.ndarray:
        """Return numbers, NaN where missing, and then states, for trees that know both."""
        return np.hstack([self.numbers, self.labels])

    @property
    def native(self) -> np.ndarray:
        """A mask of the features that trees can take as categories: labels of few states."""
        is_native = np.array(self.n_states, dtype=int) <= _MOST_NATIVE
        return np.concatenate([np.zeros(self.numbers.shape[1], dtype=bool), is_native])

    def sample(self) -> Sample:
        """Return standardised numbers, with missing ones at the mean, and labels.

        Flags of missing numbers are among the labels.
        """
        scaled = (self.numbers - self.columns.center) / self.columns.scale
        flags = np.isnan(self.numbers[:, self.flagged])
        labels = np.hstack([flags, self.labels]).astype(np.int32)
        n_states = (2,) * flags.shape[1] + tuple(self.n_states)
        return Sample(np.nan_to_num(scaled), labels, n_states)


def encode(
    *, categorical_features: Any = "from_dtype", min_samples: int = 1, **samples: Any
) -> list[Encoded]:
    """Return samples of rows, encoded by the columns of the first one, the real rows.

    Parameters
    ----------
    categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
        The numeric columns that hold labels.
    min_samples : int, default=1
        The smallest number of rows that a sample may have.
    **samples : array or frame
        The samples, by their names in messages.
    """
    frames = alike_frames(min_samples, **samples)
    # Every label of the real rows has its own state, no matter how many or how rare they are.
    options = TableOptions(
        categorical_features, max_categories=sys.maxsize, min_frequency=1, min_count=1
    )
    is_named = frame_without_rows(unwrap(next(iter(samples.values())))) is not None
    columns = MixedColumns.learn(frames[0], None, options, is_named=is_named)
    encoded = [columns.table.encode(each) for each in frames]
    flagged = np.any([np.isnan(numbers).any(0) for numbers, _ in encoded], axis=0)
    is_label = [not isinstance(field, Number) for field in columns.table.modelled]
    return [Encoded(columns, numbers, states[:, is_label], flagged) for numbers, states in encoded]


def alike_frames(min_samples: int = 1, **samples: Any) -> list[nw.DataFrame]:
    """Return samples of rows as frames with the columns of the first one, in the same order.

    Parameters
    ----------
    min_samples : int, default=1
        The smallest number of rows that a sample may have.
    **samples : array or frame
        The samples, by their names in messages.
    """
    (first, real), *others = samples.items()
    frames = [as_rows(real, first, min_samples)]
    for name, rows in others:
        frame = as_rows(rows, name, min_samples)
        frames.append(_aligned(frame, rows, frames[0], f"{name} and {first}"))
    return frames


def as_rows(rows: Any, name: str, min_samples: int = 1) -> nw.DataFrame:
    """Return an array or a frame as a frame; raise ValueError if it has too few rows."""
    rows = unwrap(rows)
    if frame_without_rows(rows) is not None:
        frame = nw.from_native(rows, eager_only=True)
    else:
        array = np.asarray(rows)
        if array.ndim != 2:
            raise ValueError(
                f"{name} must be a frame or an array of two dimensions. Got {array.ndim} "
                f"dimensions."
            )
        frame = as_frame(array)
    if not frame.columns:
        raise ValueError(f"{name} has no columns.")
    if len(frame) < min_samples:
        raise ValueError(f"{name} must have at least {min_samples} rows. Got {len(frame)}.")
    return frame


def _aligned(frame: nw.DataFrame, rows: Any, real: nw.DataFrame, names: str) -> nw.DataFrame:
    """Return a frame with the column order and the time units of the real one."""
    has_names = frame_without_rows(unwrap(rows)) is not None
    if has_names and set(frame.columns) == set(real.columns):
        columns = [frame.get_column(name) for name in real.columns]
    elif not has_names and len(frame.columns) == len(real.columns):
        columns = list(frame.iter_columns())
    else:
        raise ValueError(
            f"{names} must have the same columns. Got {list(frame.columns)} and "
            f"{list(real.columns)}."
        )
    pairs = zip(columns, real.iter_columns(), strict=True)
    cast = {other.name: _in_unit(column, other.dtype) for column, other in pairs}
    return nw.DataFrame.from_dict(cast)


def _in_unit(column: nw.Series, dtype: nw.dtypes.DType) -> nw.Series:
    """Return times in the unit of a type, and any other column as it is."""
    is_same_sort = dtype.is_temporal() and type(column.dtype) is type(dtype)
    if is_same_sort and hasattr(dtype, "time_unit") and column.dtype != dtype:
        return column.cast(_with_unit(column.dtype, dtype.time_unit))
    return column


def _with_unit(dtype: nw.dtypes.DType, unit: TimeUnit) -> nw.dtypes.DType:
    if isinstance(dtype, nw.Datetime):
        return nw.Datetime(unit, dtype.time_zone)
    return nw.Duration(unit)


def as_samples(
    *, scale: bool, categorical_features: Any, min_samples: int, **samples: Any
) -> list[Sample]:
    """Return samples of rows as points with distances.

    Parameters
    ----------
    scale : bool
        Whether columns are encoded, and numbers divided by the standard deviations of the first
        sample; if not, all columns are numbers, used without scaling.
    categorical_features : "from_dtype", array-like of str, int or bool
        The numeric columns that hold labels, where `scale` is true.
    min_samples : int
        The smallest number of rows that a sample may have.
    **samples : array or frame
        The samples, by their names in messages; the first one is the real rows.
    """
    if scale:
        encoded = encode(
            categorical_features=categorical_features, min_samples=min_samples, **samples
        )
        return [each.sample() for each in encoded]
    _check_unmarked(categorical_features)
    arrays = [
        check_array(frame.to_numpy(), dtype=float, input_name=name)
        for name, frame in zip(samples, alike_frames(min_samples, **samples), strict=True)
    ]
    center = arrays[0].mean(0)
    return [Sample.of(array - center) for array in arrays]


def _check_unmarked(categorical_features: Any) -> None:
    if not (isinstance(categorical_features, str) and categorical_features == "from_dtype"):
        raise ValueError(
            f"The 'categorical_features' parameter must be 'from_dtype' with scale=False, which "
            f"takes all columns as numbers. Got {categorical_features!r}."
        )
