"""Trimming: the training rows that look like outliers before anything is learned."""

import numpy as np

from skae.outliers.coordinates import Coordinates
from skae.outliers.neighbors import TypicalDistance
from skae.outliers.surprisal import Surprisal, logarithm

# The share of the rows within the distance that is measured, by view. It is more than the nearest
# few, since outliers come in clusters (docs/design.md, "Outliers").
_SHARES = {"standard": 0.05, "quantile": 0.5}
# The largest number of rows that distances are measured to.
_N_REFERENCES = 1000


def far_rows(
    columns: Coordinates, numbers: np.ndarray, states: np.ndarray, n_rows: int
) -> np.ndarray:
    """Return a mask of the `n_rows` rows farthest from the rest.

    The distances are that within which a twentieth of (a sample of) the rows is, so that outliers
    close to each other are far as well, and, in normal scores, that within which half of them are.

    Parameters
    ----------
    columns : Coordinates
        The encoding of rows as points.
    numbers, states : ndarray
        The encoded rows, in random order.
    n_rows : int
        The number of rows in the mask.

    Returns
    -------
    far : ndarray of bool of shape (len(states),)
        The mask.
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
