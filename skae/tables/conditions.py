"""Conditions: what rows are conditioned on, labels, texts or frames, as encoded columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from skae.tables.category import Category
from skae.tables.cells import HIDDEN, is_missing
from skae.tables.containers import frame_or_other
from skae.tables.kinds import TableOptions
from skae.tables.mixed import MixedColumns
from skae.tables.table import Table
from skae.tables.texts import TextReading, Texts
from skae.tables.unwrapping import unwrap

_NAME = "y"
# The integer that stands for no label.
_NO_LABEL = -1
_FEW = 8


@dataclass(frozen=True)
class Conditions:
    """The columns of conditions, and their encoding.

    Attributes
    ----------
    columns : MixedColumns
        The columns that are no texts; there may be none.
    names : list
        The names of all columns.
    are_labels : bool
        Whether they are labels, or texts, without a name.
    texts : Texts or None, default=None
        The columns of text.
    """

    columns: MixedColumns
    names: list
    are_labels: bool
    texts: Texts | None = None

    @classmethod
    def learn(cls, frame: nw.DataFrame, reading: TextReading | None = None) -> "Conditions":
        """Return what there is to know of conditions, given those of all rows.

        Raises
        ------
        ValueError
            If texts are to be read, and there is no column of them.
        """
        are_labels = frame.columns == [_NAME] and not frame[_NAME].dtype.is_float()
        texts = None if reading is None else Texts.learn(frame, reading)
        if texts is not None:
            others = [name for name in frame.columns if name not in texts.names]
            return cls(_learn_columns(frame.select(others), None), frame.columns, are_labels, texts)
        kinds = {_NAME: "category"} if are_labels else None
        return cls(_learn_columns(frame, kinds), frame.columns, are_labels)

    @property
    def n_tokens(self) -> int:
        """The number of different tokens of the texts; 0 where there are none."""
        return 0 if self.texts is None else self.texts.n_tokens

    def encode(self, frame: nw.DataFrame) -> np.ndarray:
        """Return conditions as a float32 matrix, in which missing ones are hidden.

        Raises
        ------
        ValueError
            If columns are lacking, or hold a label that `fit` did not see.
        """
        lacking = [name for name in self.names if name not in frame.columns]
        if lacking:
            raise ValueError(f"y has not the columns {lacking}, which fit was given.")
        of_texts = [] if self.texts is None else self.texts.names
        others = frame.select([name for name in self.names if name not in of_texts])
        self._check_labels(others)
        encoded = self.columns.hide(others) if len(others.columns) else self._nothing(len(frame))
        return encoded if self.texts is None else np.hstack([encoded, self.texts.encode(frame)])

    def hidden(self, n_rows: int) -> np.ndarray:
        """Return encoded conditions that are all unknown."""
        nothing = self._nothing(n_rows)
        return nothing if self.texts is None else np.hstack([nothing, self.texts.hidden(n_rows)])

    def _nothing(self, n_rows: int) -> np.ndarray:
        """Return encoded columns that are no texts, all of them unknown."""
        numbers = np.full((n_rows, self.columns.n_numbers), np.nan, dtype=np.float32)
        states = np.full((n_rows, len(self.columns.n_states)), HIDDEN, dtype=np.float32)
        return np.hstack([numbers, states])

    def _check_labels(self, frame: nw.DataFrame) -> None:
        for place, field in enumerate(self.columns.table.fields):
            if not isinstance(field, Category):
                continue
            column = frame[:, place]
            cells = pd.unique(pd.Series(column.to_list(), dtype=object)[~is_missing(column)])
            for label in cells:
                if not field.knows(label):
                    raise ValueError(not_seen(label, [*field.states]))


def _learn_columns(frame: nw.DataFrame, kinds: Mapping | None) -> MixedColumns:
    """Return the columns of a frame, which may have none."""
    if not frame.columns:
        return MixedColumns(Table(()), np.empty(0), np.empty(0))
    return MixedColumns.learn(frame, None, TableOptions(column_kinds=kinds))


def not_seen(label: Any, seen: list) -> str:
    """Return what to say of a label that fit did not see."""
    few = ", ".join(map(repr, seen[:_FEW]))
    more = ", ..." if len(seen) > _FEW else ""
    return f"y holds {label!r}, which fit did not see. It saw {few}{more}."


def as_many(y: Any, n_rows: int) -> Any:
    """Return conditions, repeated if there is one for all rows."""
    if isinstance(y, Mapping):
        y = pd.DataFrame([dict(y)])
    if np.ndim(y) == 0 and not isinstance(y, nw.DataFrame):
        return [y] * n_rows
    frame = frame_or_other(y)
    if isinstance(frame, nw.DataFrame) and len(frame) == 1:
        return frame[[0] * n_rows]
    return y


def conditions_frame(y: Any, known: Conditions | None = None) -> nw.DataFrame:
    """Return conditions as a frame.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_columns), or dataframe
        Labels, of which -1 is none; numbers; or columns of any kind.
    known : Conditions or None, default=None
        What `fit` has learned of conditions, whose kinds these then have.
    """
    frame = frame_or_other(y)
    if isinstance(frame, nw.DataFrame):
        return nw.maybe_reset_index(frame)
    series = nw.from_native(y, allow_series=True, pass_through=True)
    cells: Any = np.asarray(series.to_list() if isinstance(series, nw.Series) else unwrap(y))
    if cells.dtype.kind in "US":
        # As one array, numbers beside text would be text.
        cells = np.array(y.tolist() if hasattr(y, "tolist") else [*y], dtype=object)
    if cells.ndim == 2 and cells.shape[1] > 1:
        names = list(map(str, range(cells.shape[1])))
        return nw.from_native(pd.DataFrame(cells, columns=names), eager_only=True)
    are_labels = None if known is None else known.are_labels
    column = _labels_or_numbers(pd.Series(cells.reshape(len(cells))), are_labels)
    return nw.from_native(pd.DataFrame({_NAME: column}), eager_only=True)


def _labels_or_numbers(cells: pd.Series, are_labels: bool | None) -> pd.Series:
    """Return numbers with fractions as they are, and anything else as labels."""
    cells = cells.infer_objects()
    if are_labels is False:
        return cells.astype(float)
    if pd.api.types.is_float_dtype(cells):
        if are_labels is None and not (cells.dropna() % 1 == 0).all():
            return cells.astype(float)
        cells = cells.astype("Int64")
    labels = cells.astype(object).where(cells.notna(), None)
    if pd.api.types.is_integer_dtype(cells):
        labels = labels.where(labels != _NO_LABEL, None)
    return labels
