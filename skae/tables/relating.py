"""Rows of a table as the cells that dependencies know, and back."""

from collections.abc import Iterator

import narwhals as nw
import numpy as np

from skae.dependencies.cells import MISSING as EMPTY
from skae.dependencies.cells import UNKNOWN, WORD
from skae.dependencies.dependencies import Dependencies
from skae.tables.category import Category
from skae.tables.cells import MISSING, OTHER
from skae.tables.number import Number
from skae.tables.table import Table


def find_dependencies(table: Table, frame: nw.DataFrame, min_count: int) -> Dependencies:
    """Return what holds between the columns of a frame that are modelled."""
    columns = [field.as_column() for field in table.modelled]
    return Dependencies.find(cells_of_frame(table, frame), columns, min_count=min_count)


def cells_of_frame(table: Table, frame: nw.DataFrame) -> np.ndarray:
    """Return the cells of the columns that are modelled, rare labels told apart."""
    numbers, states = table.encode(frame)
    for j, (place, field) in enumerate(zip(table.places, table.modelled, strict=True)):
        if isinstance(field, Category) and field.rare.counts:
            states[:, j] = field.specific(frame.get_column(frame.columns[place]))
    return to_cells(table, numbers, states)


def to_cells(table: Table, numbers: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Return encoded rows as cells; numbers are those that they are decoded to."""
    cells = np.empty(states.shape)
    for j, field, own in _fields(table, numbers):
        state = states[:, j]
        if isinstance(field, Number):
            state = field.likely_states(own, state)
            column = field.bring(own, state)
            column[np.isnan(column)] = WORD
        else:
            column = np.where(state == OTHER, UNKNOWN, state.astype(float))
        cells[:, j] = np.where(state == MISSING, EMPTY, column)
    return cells


def from_cells(
    table: Table, cells: np.ndarray, states: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return cells as numbers and states; words stay those of the given states."""
    numbers, found = [], np.empty(states.shape, dtype=np.int64)
    for j, field in enumerate(table.modelled):
        column = cells[:, j]
        if isinstance(field, Number):
            own = np.where(np.isfinite(column), column, np.nan)
            state = field.states_of(own)
            is_word = column == WORD
            state[is_word] = np.maximum(states[is_word, j], field.first_word)
            numbers.append(own)
        else:
            state = np.where(np.isnan(column), OTHER, np.where(column == EMPTY, MISSING, column))
        found[:, j] = state
    stacked = np.stack(numbers, axis=1) if numbers else np.empty((len(cells), 0))
    return stacked, found


def _fields(
    table: Table, numbers: np.ndarray
) -> Iterator[tuple[int, Category | Number, np.ndarray]]:
    """Yield the place and the field of each column that is modelled, with its numbers."""
    columns, none = iter(numbers.T), np.empty(0)
    for j, field in enumerate(table.modelled):
        yield j, field, next(columns) if isinstance(field, Number) else none
