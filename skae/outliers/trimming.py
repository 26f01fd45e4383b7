"""Which training rows look like outliers before anything was learned."""

import numpy as np

from skae.outliers.coordinates import Coordinates
from skae.outliers.neighbors import TypicalDistance
from skae.outliers.surprisal import Surprisal, logarithm

_SHARES = {"standard": 0.05, "quantile": 0.5}
_N_REFERENCES = 1000


def far_rows(
    columns: Coordinates, numbers: np.ndarray, states: np.ndarray, n_rows: int
) -> np.ndarray:
    """Return which rows, so many of them, are the farthest from others.

    Far is the distance within which a twentieth of (a sample of) the rows is, so that outliers
    beside each other are far as well, and the one within which half of them are, of normal scores.

    Parameters
    ----------
    columns : Coordinates
        The way from rows to points.
    numbers, states : ndarray
        The rows, in no order.
    n_rows : int
        How many rows to find.

    Returns
    -------
    far : ndarray of bool of shape (n_rows,)
        Which rows they are.
    """
    surprisal = np.zeros(len(states))
    for view, share in _SHARES.items():
        points = columns.of(view, numbers, states)
        distances = TypicalDistance(points[:_N_REFERENCES], share).distances_to_others(points)
        distances = logarithm(distances)
        surprisal = surprisal + Surprisal.learn(distances)(distances)
    far = np.zeros(len(states), dtype=bool)
    far[np.argsort(-surprisal, kind="stable")[:n_rows]] = True
    return far
