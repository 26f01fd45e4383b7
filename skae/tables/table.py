"""Tables: frames of columns of any kind, as numbers and states, and the way back."""

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np

from skae.tables.category import Category, fewest_cells
from skae.tables.cells import n_distinct
from skae.tables.number import Number

_TEMPORAL = {nw.Datetime: "datetime", nw.Date: "date", nw.Duration: "duration", nw.Time: "time"}
_LABELS = {
    nw.Boolean: "boolean",
    nw.Categorical: "category",
    nw.Enum: "ordered",
    nw.String: "text",
    nw.Object: "text",
}


@dataclass(frozen=True)
class Table:
    """What the columns of a frame are; printed, it is a table of them.

    Attributes
    ----------
    fields : tuple of Category and Number
        The columns, from left to right.
    """

    fields: tuple[Category | Number, ...]

    @classmethod
    def learn(
        cls,
        frame: nw.DataFrame,
        categorical_features: Any = "from_dtype",
        max_categories: int = 256,
        min_frequency: float = 0.001,
        handle_unknown: str = "other",
    ) -> "Table":
        """Return what the columns of a frame are.

        Parameters
        ----------
        frame : narwhals.DataFrame
            The rows.
        categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
            The numeric columns that hold labels, by name, by index or as a mask; booleans, strings,
            categories and objects hold labels anyhow. By data type no others do.
        max_categories : int, default=256
            The largest number of labels of a column; the rarest beyond it are one, "other".
        min_frequency : float, default=0.001
            The share of rows, or from 1 on the number of cells, that a label needs not to be
            "other".
        handle_unknown : {"other", "error"}, default="other"
            What `encode` does with a label that is not in the frame.
        """
        marked = _marked(categorical_features, frame.columns)
        fewest = fewest_cells(min_frequency, len(frame))
        accepts_unknown = handle_unknown == "other"
        fields: list[Category | Number] = []
        for column in frame.iter_columns():
            kind = _kind(column, is_marked=column.name in marked)
            if kind in ("number", *_TEMPORAL.values()):
                fields.append(Number.learn(column, kind))
            else:
                options = (kind, max_categories, fewest)
                fields.append(Category.learn(column, *options, accepts_unknown=accepts_unknown))
        return cls(tuple(fields))

    def with_labels_of(self, frame: nw.DataFrame) -> "Table":
        """Return the same table, which also accepts the labels of more rows, as rare ones."""
        columns = zip(self.fields, frame.iter_columns(), strict=True)
        return Table(
            tuple(
                field.with_labels_of(column) if isinstance(field, Category) else field
                for field, column in columns
            )
        )

    @property
    def numbers(self) -> list[Number]:
        """The fields with numbers, from left to right."""
        return [field for field in self.fields if isinstance(field, Number)]

    def encode(self, frame: nw.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return a frame as numbers and states.

        Parameters
        ----------
        frame : narwhals.DataFrame
            The rows; its columns are found by their places.

        Returns
        -------
        numbers : ndarray of shape (n_rows, n_numbers)
            One column for each `Number`; NaN where cells are missing.
        states : ndarray of shape (n_rows, n_fields), int32
            One column for each field.
        """
        columns = zip(self.fields, frame.iter_columns(), strict=True)
        encoded = [field.encode(column) for field, column in columns]
        found = [number for number, _ in encoded if number is not None]
        numbers = np.stack(found, axis=1) if found else np.empty((len(frame), 0))
        return numbers, np.stack([state for _, state in encoded], axis=1)

    def decode(
        self, numbers: np.ndarray, states: np.ndarray, *, extrapolates: bool = False
    ) -> nw.DataFrame:
        """Return numbers and states, as `encode` gives them, as a frame of the learned columns.

        Numbers may leave the range that they had if `extrapolates`.
        """
        next_numbers, columns = iter(np.transpose(numbers)), {}
        for field, state in zip(self.fields, np.transpose(states), strict=True):
            if isinstance(field, Number):
                column = field.decode(next(next_numbers), state, extrapolates=extrapolates)
            else:
                column = field.decode(None, state)
            columns[field.name] = column
        return nw.DataFrame.from_dict(columns)

    def __str__(self) -> str:
        rows = [("column", "kind", "missing", "values")]
        rows += [
            (str(field.name), field.kind, f"{field.shares[1]:.1%}", str(field))
            for field in self.fields
        ]
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
        return "\n".join(lines)


def _kind(column: nw.Series, *, is_marked: bool) -> str:
    """Return what a column holds, or say that it cannot be."""
    dtype = column.dtype
    temporal = next((kind for each, kind in _TEMPORAL.items() if dtype == each), None)
    label = next((kind for each, kind in _LABELS.items() if dtype == each), None)
    is_empty = dtype == nw.Unknown and column.is_null().all()
    if not (temporal or label or dtype.is_numeric() or is_empty):
        native = getattr(column.to_native(), "dtype", dtype)
        raise TypeError(
            f"Column {column.name!r} of X is of type {native}. Numbers, booleans, strings, "
            f"categories, dates, times and durations are understood."
        )
    n_values = n_distinct(column)
    if n_values < 2:
        return ("missing", "constant")[n_values]
    if is_marked:
        return label or "category"
    if dtype.is_numeric() and n_values == 2:
        return "binary"
    return label or temporal or "number"


def _marked(categorical_features: Any, names: list) -> set:
    """Return the names of the columns that are marked as labels."""
    if isinstance(categorical_features, str) and categorical_features == "from_dtype":
        return set()
    marks = np.asarray(categorical_features)
    if marks.ndim == 1 and marks.dtype == bool and len(marks) == len(names):
        return {name for name, mark in zip(names, marks, strict=True) if mark}
    if marks.ndim == 1 and marks.dtype.kind in "iu" and set(marks) <= set(range(len(names))):
        return {names[i] for i in marks}
    if marks.ndim == 1 and marks.dtype.kind in "UO" and set(marks) <= set(names):
        return set(marks)
    if marks.size == 0:
        return set()
    raise ValueError(
        f"The 'categorical_features' parameter must be 'from_dtype', or name columns of X, or give "
        f"their indices from 0 to {len(names) - 1} or a mask of {len(names)}. Got "
        f"{categorical_features!r}."
    )
