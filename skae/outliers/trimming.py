"""Trimming: the training rows that look like outliers before anything is learned."""

from dataclasses import dataclass

import numpy as np

from skae.outliers.conformal import find_gap
from skae.outliers.coordinates import Coordinates
from skae.outliers.memory import Memory
from skae.outliers.neighbors import TypicalDistance
from skae.outliers.surprisal import Surprisal, logarithm
from skae.tables.table import Table

# The share of the rows within the distance that is measured, by view. It is more than the nearest
# few, since outliers come in clusters (docs/design.md, "Outliers").
_SHARES = {"standard": 0.05, "quantile": 0.5}
# The smallest gap among the logarithms of distances.
_LEAST_GAP = 0.5
# The largest number of rows that distances are measured to.
_N_REFERENCES = 512


@dataclass(frozen=True)
class Trimming:
    """The rule by which the farthest rows are left out of what is learned.

    The distances are that within which a twentieth of (a sample of) the rows is, so that outliers
    close to each other are far as well, and, in normal scores, that within which half of them are.

    Attributes
    ----------
    share : float
        The share of the rows that are trimmed.
    finds_gap : bool
        Whether more are trimmed where a gap parts them from the others.
    """

    share: float
    finds_gap: bool

    def look(self, table: Table, memory: Memory) -> tuple[np.ndarray, np.ndarray]:
        """Return masks of the rows that are trimmed, and of those beyond a gap, (n_rows,)."""
        n, far = len(memory), np.zeros((2, len(memory)), dtype=bool)
        if self.share == 0:
            return far[0], far[1]
        columns = Coordinates.learn(table, memory.numbers, memory.states, memory.weights)
        surprisal, n_beyond = np.zeros(n), 0
        for view, share in _SHARES.items():
            points = columns.of(view, memory.numbers, memory.states).astype(np.float32)
            typical = TypicalDistance(points[:_N_REFERENCES], share)
            distances = logarithm(typical.of_references(points))
            surprisal = surprisal + Surprisal.learn(distances, memory.weights)(distances)
            if self.finds_gap and view == "standard":
                n_beyond = find_gap(distances, _LEAST_GAP)
                far[1, np.argsort(-distances, kind="stable")[:n_beyond]] = True
        # Rows beyond the gap come first, whatever the other view says.
        surprisal = surprisal + np.where(far[1], surprisal.max() + 1, 0)
        n_far = min(max(int(self.share * n), n_beyond), n - 2)
        far[0, np.argsort(-surprisal, kind="stable")[:n_far]] = True
        return far[0], far[1]
