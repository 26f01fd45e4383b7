"""Which columns make a row odd: what the score gains when one is as the others let expect."""

import numpy as np
import pandas as pd

_LEAST = 1e-12


def explain(detector, frame, index, n_columns):
    """Return the explanation of rows as a frame; see `AEOutlierDetector.explain`.

    Parameters
    ----------
    detector : AEOutlierDetector
        The fitted detector.
    frame : narwhals.DataFrame
        The rows.
    index : pandas.Index
        Their labels.
    n_columns : int
        How many columns to name for each.
    """
    parts = [share_out(detector, *rows) for rows in detector._encode(frame)]
    numbers, states, shares = (np.concatenate(part) for part in zip(*parts, strict=True))
    expected = detector.schema_.decode(numbers, states, extrapolates=True)
    order = np.argsort(-shares, axis=1, kind="stable")[:, :n_columns]
    rows = np.repeat(np.arange(len(states)), order.shape[1])
    columns = order.ravel()
    values = [column.to_list() for column in frame.iter_columns()]
    expected = [column.to_list() for column in expected.iter_columns()]
    return pd.DataFrame(
        {
            "row": index[rows],
            "column": [frame.columns[j] for j in columns],
            "value": _cells(values, rows, columns),
            "expected": _cells(expected, rows, columns),
            "share": shares[rows, columns],
        }
    )


def share_out(detector, numbers, states):
    """Return what is expected in each cell of rows, and the share of each column.

    Returns
    -------
    expected_numbers, expected_states : ndarray
        The expected cells, as the detector's table encodes them.
    shares : ndarray of shape (n_rows, n_columns)
        They add up to minus the scores; all columns have the same where none gains.
    """
    found = _explaining(detector, numbers, states)
    surprisal, before = detector._mean(found, detector.parts_), detector._mean(found)
    points = detector._points(numbers, states)
    expected = np.empty_like(numbers), np.zeros_like(states)
    gains = np.empty(states.shape)
    for j in range(states.shape[1]):
        members = detector._members.expected(points, column=j)
        replaced = numbers.copy(), states.copy()
        for cells in (expected, replaced):
            detector.columns_.cells_of_column(members, j, *cells)
        gains[:, j] = before - detector._mean(_explaining(detector, *replaced))
    gains = np.maximum(gains, _LEAST)
    shares = surprisal[:, None] * gains / gains.sum(1, keepdims=True)
    return *expected, shares


def _explaining(detector, numbers, states):
    """Return the surprisals of the parts that explain."""
    return detector._surprisals([(numbers, states)], detector._explaining_)


def _cells(values, rows, columns):
    cells = [values[j][i] for i, j in zip(rows, columns, strict=True)]
    return pd.Series(cells, dtype=object)
