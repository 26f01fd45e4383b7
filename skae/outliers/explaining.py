"""Explanations: the gain of the score when a cell is replaced by its expectation."""

from collections.abc import Iterable

import narwhals as nw
import numpy as np
import pandas as pd

from skae.outliers.model import Model
from skae.tables.category import Category
from skae.tables.cells import OTHER
from skae.tables.field import EXPECTED
from skae.tables.table import Table

# The smallest gain of a column, so that the gains of a row are never all zero.
_LEAST = 1e-12


def explain(model: Model, frame: nw.DataFrame, index: pd.Index, n_columns: int) -> pd.DataFrame:
    """Return the explanation of rows as a frame; see `AEOutlierDetector.explain`.

    Parameters
    ----------
    model : Model
        The fitted model.
    frame : narwhals.DataFrame
        The rows.
    index : pandas.Index
        The index labels of the rows.
    n_columns : int
        The number of columns to return for each row.
    """
    parts = [attribute(model, *rows) for rows in model.encode(frame)]
    numbers, states, shares = (np.concatenate(part) for part in zip(*parts, strict=True))
    expected = model.table.decode(numbers, states, EXPECTED)
    order = np.argsort(-shares, axis=1, kind="stable")[:, :n_columns]
    rows = np.repeat(np.arange(len(states)), order.shape[1])
    columns = np.array(model.table.places)[order.ravel()]
    found = _cells(expected.iter_columns(), rows, columns)
    others = _others(model.table, states[rows, order.ravel()], columns)
    return pd.DataFrame(
        {
            "row": index[rows],
            "column": [frame.columns[j] for j in columns],
            "value": _cells(frame.iter_columns(), rows, columns),
            "expected": found.where(others.isna(), others),
            "share": shares[rows, order.ravel()],
        }
    )


def attribute(
    model: Model, numbers: np.ndarray, states: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the expected cells of rows, and the share of every column in the surprisal.

    Parameters
    ----------
    model : Model
        The fitted model.
    numbers, states : ndarray of shape (n_rows, ...)
        The encoded rows.

    Returns
    -------
    expected_numbers, expected_states : ndarray
        The expected cells, as the table encodes them.
    shares : ndarray of shape (n_rows, n_columns)
        The shares, which add up to minus the score; if no column has a gain, they are equal.
    """
    surprisals = model.surprisals([(numbers, states)], model.explaining)
    surprisal, before = model.mean(surprisals, model.parts), model.mean(surprisals)
    points = model.columns.points(numbers, states)
    expected = np.empty_like(numbers), np.zeros_like(states)
    gains = np.empty(states.shape)
    for j in range(states.shape[1]):
        members = model.members.expected(points, column=j)
        replaced = numbers.copy(), states.copy()
        for cells in (expected, replaced):
            model.columns.cells_of_column(members, j, *cells)
        gains[:, j] = before - model.mean(model.surprisals([replaced], model.explaining))
    gains = np.maximum(gains, _LEAST)
    shares = surprisal[:, None] * gains / gains.sum(1, keepdims=True)
    return *expected, shares


def _others(table: Table, states: np.ndarray, columns: np.ndarray) -> pd.Series:
    """Return what is said of expected cells that stand for many labels, and None elsewhere."""
    fields = [table.fields[j] for j in columns]
    return pd.Series(
        [
            f"one of {field.rare.n_labels:,} others"
            if isinstance(field, Category) and state == OTHER and field.rare.n_labels > 1
            else None
            for field, state in zip(fields, states, strict=True)
        ],
        dtype=object,
    )


def _cells(frame: Iterable[nw.Series], rows: np.ndarray, columns: np.ndarray) -> pd.Series:
    values = [column.to_list() for column in frame]
    cells = [values[j][i] for i, j in zip(rows, columns, strict=True)]
    return pd.Series(cells, dtype=object)
