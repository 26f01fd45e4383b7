"""Tables: frames of columns of any kind, as numbers and states, and the way back."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from skae.tables.category import Category, fewest_cells
from skae.tables.field import DRAWN, Decoding, Field
from skae.tables.kinds import (
    LEFT_OUT,
    NUMBERS,
    Reading,
    TableOptions,
    check_column_kinds,
    find_category,
    find_kind,
)
from skae.tables.left_out import LeftOut
from skae.tables.number import Number

_WIDEST = 60


@dataclass(frozen=True)
class Table:
    """What the columns of a frame are; printed, it is a table of them.

    Attributes
    ----------
    fields : tuple of Category, Number and LeftOut
        The columns, from left to right.
    """

    fields: tuple[Category | Number | LeftOut, ...]

    @classmethod
    def learn(
        cls, frame: nw.DataFrame, options: TableOptions | None = None, *, is_named: bool = True
    ) -> "Table":
        """Return what the columns of a frame are.

        Parameters
        ----------
        frame : narwhals.DataFrame
            The rows.
        options : TableOptions or None, default=None
            How columns are read.
        is_named : bool, default=True
            Whether the columns have names; those of an array have none, and none is taken for an
            identifier.

        Raises
        ------
        ValueError, TypeError
            If a column cannot be read.
        """
        options = TableOptions() if options is None else options
        check_column_kinds(options.column_kinds, frame.columns)
        marked = _marked(options.categorical_features, frame.columns)
        fewest = fewest_cells(options.min_frequency, len(frame))
        fields = []
        for column in frame.iter_columns():
            if column.name in marked and column.name not in (options.column_kinds or {}):
                reading = find_category(column)
            else:
                reading = find_kind(column, options, fewest, is_named=is_named)
            fields.append(_learn_field(column, reading, options, fewest))
        return cls(tuple(fields))

    def check_modelled(self) -> None:
        """Raise ValueError if no column is left to learn from."""
        if not self.modelled:
            reasons = (f"{f.name!r} ({f.kind}, {f.about.reason})" for f in self.fields)
            raise ValueError(
                f"All columns of X are left out: {'; '.join(reasons)}. Say with 'column_kinds' "
                f"what they are, such as {{{self.fields[0].name!r}: 'category'}}."
            )

    def with_labels_of(self, frame: nw.DataFrame) -> "Table":
        """Return the same table, which also accepts the labels of more rows, as rare ones."""
        columns = zip(self.fields, frame.iter_columns(), strict=True)
        return Table(
            tuple(
                field.with_labels_of(column) if isinstance(field, Category) else field
                for field, column in columns
            )
        )

    @cached_property
    def modelled(self) -> tuple[Category | Number, ...]:
        """The fields that something is learned from, from left to right."""
        return tuple(field for field in self.fields if not isinstance(field, LeftOut))

    @cached_property
    def places(self) -> list[int]:
        """Their places among all columns."""
        return [i for i, field in enumerate(self.fields) if field.is_modelled]

    @property
    def numbers(self) -> list[Number]:
        """The fields with numbers, from left to right."""
        return [field for field in self.modelled if isinstance(field, Number)]

    @property
    def identifiers(self) -> list[Field]:
        """The fields that were found to be identifiers, without having been said to be."""
        found = (field for field in self.fields if field.kind == "identifier")
        return [field for field in found if field.about.reason != "as asked for"]

    def encode(self, frame: nw.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return a frame as numbers and states.

        Parameters
        ----------
        frame : narwhals.DataFrame
            The rows; its columns are found by their places.

        Returns
        -------
        numbers : ndarray of shape (n_rows, n_numbers)
            One column for each `Number`; NaN where cells hold none.
        states : ndarray of shape (n_rows, n_modelled), int32
            One column for each field that is modelled.
        """
        encoded = [field.encode(column) for field, column in self._pairs(frame)]
        found = [number for number, _ in encoded if number is not None]
        numbers = np.stack(found, axis=1) if found else np.empty((len(frame), 0))
        return numbers, np.stack([state for _, state in encoded], axis=1)

    def log_shares(self, frame: nw.DataFrame, states: np.ndarray) -> np.ndarray:
        """Return the log share of each cell among those of its state, (n_rows, n_modelled)."""
        pairs = zip(self._pairs(frame), states.T, strict=True)
        return np.stack(
            [field.log_shares(column, state) for (field, column), state in pairs], axis=1
        )

    def decode(
        self, numbers: np.ndarray, states: np.ndarray, decoding: Decoding = DRAWN
    ) -> nw.DataFrame:
        """Return numbers and states, as `encode` gives them, as a frame of the learned columns."""
        next_numbers, next_states = iter(np.transpose(numbers)), iter(np.transpose(states))
        columns = {}
        for i, field in enumerate(self.fields):
            if isinstance(field, Number):
                column = field.decode(next(next_numbers), next(next_states), decoding)
            elif isinstance(field, Category):
                column = field.decode(None, next(next_states), decoding)
            else:
                source = None if decoding.source is None else decoding.source[:, i]
                column = field.decode(len(states), source, decoding)
            columns[field.name] = column
        return nw.DataFrame.from_dict(columns)

    def describe(self) -> pd.DataFrame:
        """Return what the columns are as a frame, a row for each.

        Returns
        -------
        described : pandas.DataFrame
            Indexed by column: its `kind`, the number of `distinct` values, the shares of `rare`
            labels and of `missing` cells, the `format` of its cells where they stand for other
            values, its `values`, and the `reason` for the kind.
        """
        rows = [
            {
                "kind": field.kind,
                "distinct": field.about.n_distinct,
                "rare": field.about.rare,
                "missing": field.about.missing,
                "format": field.about.format,
                "values": field.values,
                "reason": field.about.reason,
            }
            for field in self.fields
        ]
        return pd.DataFrame(rows, pd.Index([f.name for f in self.fields], name="column"))

    def __str__(self) -> str:
        described = self.describe().reset_index()
        shown = described.assign(
            rare=list(map(_percent, described["rare"])),
            missing=list(map(_percent, described["missing"])),
            distinct=[f"{n:,}" for n in described["distinct"]],
        )
        rows = [tuple(shown.columns), *shown.itertuples(index=False, name=None)]
        texts = [[_shortened(str(cell)) for cell in row] for row in rows]
        widths = [max(map(len, cells)) for cells in zip(*texts, strict=True)]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in texts)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return str(self.describe().style.format({"rare": "{:.1%}", "missing": "{:.1%}"}).to_html())

    def _pairs(self, frame: nw.DataFrame) -> list[tuple[Category | Number, nw.Series]]:
        columns = zip(self.fields, frame.iter_columns(), strict=True)
        return [(f, column) for f, column in columns if not isinstance(f, LeftOut)]


def _learn_field(
    column: nw.Series, reading: Reading, options: TableOptions, fewest: float
) -> Category | Number | LeftOut:
    if reading.kind in LEFT_OUT:
        return LeftOut.learn(column, reading)
    kind: type[Category | Number] = Number if reading.kind in NUMBERS else Category
    return kind.learn(column, reading, options, fewest)


def _marked(categorical_features: Any, names: Sequence) -> set:
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


def _percent(share: float) -> str:
    return "" if share == 0 else "<0.1%" if share < 0.001 else f"{share:.1%}"


def _shortened(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."
