"""Explanations: the columns that make rows outliers, and what is expected there."""

from collections.abc import Iterable
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import torch

from skae.outliers.batches import batches_of
from skae.outliers.coordinates import VIEWS
from skae.outliers.encoding import Encoded, Rows
from skae.outliers.joining import part_mean
from skae.outliers.model import EXPLAINS, Model
from skae.outliers.whitening import freedom
from skae.tables.category import Category
from skae.tables.cells import OTHER
from skae.tables.field import EXPECTED
from skae.tables.table import Table

# The smallest share of a column, so that those of a row are never all zero.
_LEAST = 1e-12
# The smallest gain that is more than a rounding error.
_LEAST_GAIN = 1e-5
# The number of cells that are replaced at a time.
_CELLS_AT_A_TIME = 2**18


def explain(
    model: Model, rows: Rows, frame: nw.DataFrame, X: Any, n_columns: int
) -> pd.DataFrame | Any:
    """Return the explanation of rows as a frame; see `AEOutlierDetector.explain`.

    Parameters
    ----------
    model : Model
        The fitted model.
    rows : Rows
        The rows.
    frame : narwhals.DataFrame
        The same rows as a frame.
    X : {array-like, sparse matrix, tensor, dataframe}
        The same rows as they were given.
    n_columns : int
        The number of columns to return for each row.
    """
    parts = [attribute(model, rows.encode(batch)) for batch in _batches(rows)]
    numbers, states, shares = (np.concatenate(part) for part in zip(*parts, strict=True))
    expected = model.table.decode(numbers, states, EXPECTED)
    order = np.argsort(-shares, axis=1, kind="stable")[:, :n_columns]
    lines = np.repeat(np.arange(len(states)), order.shape[1])
    columns = np.array(model.table.places)[order.ravel()]
    found = _cells(expected.iter_columns(), lines, columns)
    others = _others(model.table, states[lines, order.ravel()], columns)
    index = X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(frame))
    explanation = pd.DataFrame(
        {
            "row": index[lines],
            "column": [frame.columns[j] for j in columns],
            "value": _cells(frame.iter_columns(), lines, columns),
            "expected": found.where(others.isna(), others),
            "share": shares[lines, order.ravel()],
        }
    )
    return _like(explanation, X)


def attribute(model: Model, rows: Encoded) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the expected cells of rows, and the share of every column in the surprisal.

    Parameters
    ----------
    model : Model
        The fitted model.
    rows : pair of ndarray of shape (n_rows, ...)
        The rows as numbers and states.

    Returns
    -------
    expected_numbers, expected_states : ndarray
        The expected cells, as the table encodes them.
    shares : ndarray of shape (n_rows, n_columns)
        The shares, which add up to minus the score; if no column has any, they are equal.
    """
    numbers, states = rows
    n_rows, n_columns = states.shape
    reading = model.read(rows)
    surprisal = model.known(rows, model.joint_by_member(reading).mean(1))
    part = model.explaining[EXPLAINS]
    before = part_mean(part(reading))
    # One copy of every row for each column, which is hidden in it; single precision is enough.
    points = {view: x.astype(np.float32) for view, x in reading.points.items()}
    copies = {view: np.repeat(x, n_columns, axis=0) for view, x in points.items()}
    hidden = np.tile(np.eye(n_columns, dtype=bool), (n_rows, 1))
    members = model.members.expected(copies, hidden)
    expected = np.empty_like(numbers), np.zeros_like(states)
    for j in range(n_columns):
        model.columns.cells_of_column(members[j::n_columns], j, *expected)
    # The copies again, with the expected cell instead of the hidden one.
    is_own = np.eye(n_columns, dtype=bool)[:, model.columns.column_of_coordinate]
    for view, x in model.columns.points(*expected, is_exact=False).items():
        mixed = np.where(is_own, x[:, None], points[view][:, None])
        copies[view] = mixed.reshape(len(hidden), -1)
    replaced = part_mean(part(model.members.read(copies))).reshape(n_rows, n_columns)
    gains = before[:, None] - replaced
    gains = _of_one(np.where(gains > _LEAST_GAIN, gains, 0))
    shares = np.maximum(gains + _of_one(_errors(model, reading)), _LEAST)
    return *expected, surprisal[:, None] * _of_one(shares)


def _errors(model: Model, reading: Any) -> np.ndarray:
    """Return the squared errors of every column in standard deviations, summed over the views."""
    owner, groups = model.columns.column_of_coordinate, model.columns.group_of_coordinate
    total = np.zeros((reading.residuals.shape[2], owner.max() + 1))
    degrees = freedom(torch.from_numpy(groups)).numpy()
    first_of_group = np.flatnonzero(np.diff(groups, prepend=-1))
    first_of_column = np.flatnonzero(np.diff(owner[first_of_group], prepend=-1))
    for v in range(len(VIEWS)):
        scale = model.residual_scales[v]
        squared = (reading.residuals[v].mean(0).cpu().double().numpy() / scale) ** 2
        by_group = np.add.reduceat(squared, first_of_group, axis=1) / degrees
        # Of a number and of what indicates that it is missing, the larger.
        total += np.maximum.reduceat(by_group, first_of_column, axis=1)
    return total


def _of_one(shares: np.ndarray) -> np.ndarray:
    """Return the shares of every row, which add up to one unless all are zero."""
    return shares / np.maximum(shares.sum(1, keepdims=True), np.finfo(float).tiny)


def _batches(rows: Rows) -> Iterable[slice]:
    size = max(1, _CELLS_AT_A_TIME // max(1, len(rows.table.modelled)) ** 2)
    return batches_of(len(rows), size)


def _like(explanation: pd.DataFrame, X: Any) -> Any:
    """Return an explanation as a frame of the library of the rows, of pandas for arrays."""
    source = nw.from_native(X, pass_through=True)
    if not isinstance(source, nw.DataFrame) or source.implementation.is_pandas():
        return explanation
    columns = {name: explanation[name].tolist() for name in explanation}
    for name in ("value", "expected"):
        kinds = {type(cell) for cell in columns[name]} - {type(None)}
        if len(kinds) > 1:
            # A column has one type there: numbers are floats, and the rest is text.
            kind = float if kinds <= {int, float} else str
            columns[name] = [None if cell is None else kind(cell) for cell in columns[name]]
    return nw.from_dict(columns, backend=source.implementation).to_native()


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
