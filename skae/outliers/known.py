"""Known: the rows that a detector was calibrated on, and their scores."""

import numpy as np

from skae.outliers.encoding import Encoded
from skae.outliers.rounding import Rounding

# The largest share of the rows that repeat others, up to which equality tells which row it is.
_MOST_REPEATED = 0.02


class Known:
    """The scores of known rows, as if nothing had been learned from them.

    The members have learned from these rows, and would find them too normal if they read them as
    new. Where many of them repeat each other, new rows do so as well, and none is known.

    Parameters
    ----------
    rounding : Rounding
        The rounding, which finds equal rows.
    keys : ndarray of uint64 of shape (n_rows,)
        The keys of the known rows.
    scores : ndarray of shape (n_rows,)
        Their scores, equal for equal rows.
    """

    def __init__(self, rounding: Rounding, keys: np.ndarray, scores: np.ndarray) -> None:
        self.rounding = rounding
        self.keys, first = np.unique(keys, return_index=True)
        self.scores = scores[first]
        self.tells = len(keys) - len(first) <= _MOST_REPEATED * len(keys)

    def __call__(self, rows: Encoded, otherwise: np.ndarray) -> np.ndarray:
        """Return the scores of rows that are known, and those given of the others, (n_rows,)."""
        if not self.tells:
            return otherwise
        numbers, states = rows
        keys = self.rounding.keys(self.rounding.offsets(numbers), states)
        place = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
        return np.where(self.keys[place] == keys, self.scores[place], otherwise)
