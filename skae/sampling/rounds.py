"""Draws in rounds: rows that cannot be are drawn again."""

from collections.abc import Callable

import numpy as np

from skae.tables.columns import Cells, Columns

# The largest number of draws beyond the first; fewer where cells are given, which may contradict
# what held, and of which draws cost more.
_MOST_ROUNDS, _MOST_ROUNDS_GIVEN = 10, 3
# The largest share of the rows that may be like another one.
_MOST_ALIKE = 0.05


def draw_in_rounds(
    draw: Callable[[np.ndarray], np.ndarray],
    columns: Columns,
    n_rows: int,
    rng: np.random.Generator,
    given: Cells | None = None,
) -> np.ndarray:
    """Return drawn rows, brought to what columns can hold.

    Rows in which something does not hold that held in all rows of `fit` are drawn again, at most
    ten times, or three where cells are given. After that they are mended or, where that fails in
    few rows and no cell is given, are like another row.

    Parameters
    ----------
    draw : callable
        From the places of rows, ndarray of int, to as many draws of them.
    columns : Columns
        The columns.
    n_rows : int
        The number of rows.
    rng : numpy.random.Generator
        What draws among labels.
    given : Cells or None, default=None
        The cells that are certain.
    """
    again, rows = np.arange(n_rows), np.empty(0)
    most = _MOST_ROUNDS if given is None else _MOST_ROUNDS_GIVEN
    for i in range(most + 1):
        some = None if given is None else given.take(again)
        found, is_broken = columns.bring(draw(again), rng, given=some, is_last=i == most)
        if i == 0:
            rows = found
        else:
            rows[again] = found
        again = again[is_broken]
        if not len(again):
            break
    if given is None and len(again) <= _MOST_ALIKE * n_rows:
        rows[again] = rows[rng.choice(np.delete(np.arange(n_rows), again), size=len(again))]
    return rows
