"""The distance to training rows: near ones, and typical ones."""

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import gen_batches

_ROWS_AT_A_TIME = 2048


class Neighbors:
    """The distance of points to their k-th nearest reference, other than themselves.

    A point that is a reference is not its own neighbour, whether it is asked about as a training
    row or as a new one: both have the same distance.

    Parameters
    ----------
    references : ndarray of shape (n_references, n_coordinates)
        The points to be near to.
    n_neighbors : int
        The number k; with fewer references, the last one counts.
    """

    def __init__(self, references, n_neighbors):
        self.references = references
        n_found = min(n_neighbors + 1, len(references))
        self.index = NearestNeighbors(n_neighbors=n_found).fit(references)

    def distances(self, points):
        """Return the distances of points, shape (n_points,)."""
        found = self.index.kneighbors(points, return_distance=False)
        last, before = found[:, -1], found[:, max(0, found.shape[1] - 2)]
        is_known = self._distances(points, found[:, 0]) == 0
        return self._distances(points, np.where(is_known, last, before))

    def _distances(self, points, chosen):
        # The index finds distances by inner products, which lose the digits of small ones.
        return np.linalg.norm(points - self.references[chosen], axis=1)


class TypicalDistance:
    """The distance of points within which a share of the references is.

    Parameters
    ----------
    references : ndarray of shape (n_references, n_coordinates)
        The points.
    share : float
        The share of them.
    """

    def __init__(self, references, share):
        self.references = references
        self.place = int(share * len(references))

    def distances(self, points):
        """Return the distances, shape (n_points,)."""
        found = np.empty(len(points))
        for batch in gen_batches(len(points), _ROWS_AT_A_TIME):
            squared = self._squared(points[batch])
            squared.partition(self.place, axis=1)
            found[batch] = squared[:, self.place]
        return np.sqrt(found)

    def _squared(self, points):
        norms = (points**2).sum(1)[:, None] + (self.references**2).sum(1)
        return np.maximum(norms - 2 * points @ self.references.T, 0)
