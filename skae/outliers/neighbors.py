"""The distances of points to references: to the k-th nearest one, and quantiles."""

from typing import Any

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import gen_batches

_ROWS_AT_A_TIME = 2048


class Neighbors:
    """The distance of points to their k-th nearest reference.

    Parameters
    ----------
    references : ndarray of shape (n_references, n_coordinates)
        The reference points.
    n_neighbors : int
        The rank k of the neighbour; with fewer references, it is the last one.
    """

    def __init__(self, references: Any, n_neighbors: int) -> None:
        self.references = references
        self.n_neighbors = min(n_neighbors, max(1, len(references) - 1))
        self.index = NearestNeighbors(n_neighbors=self.n_neighbors).fit(references)

    def distances(self, points: Any) -> np.ndarray:
        """Return the distances of new points, shape (n_points,)."""
        return self._distances(points, self.index.kneighbors(points, return_distance=False)[:, -1])

    def distances_to_others(self, points: Any) -> np.ndarray:
        """Return the distances of the references themselves, each to the other references.

        The points are the references as encoded if nothing had been learned from them.
        """
        if len(self.references) == 1:
            return np.zeros(1)
        nearest = self.index.kneighbors(points, self.n_neighbors + 1, return_distance=False)
        is_self = nearest == np.arange(len(nearest))[:, None]
        chosen = np.where(is_self[:, :-1].any(1), nearest[:, -1], nearest[:, self.n_neighbors - 1])
        return self._distances(points, chosen)

    def _distances(self, points: Any, chosen: np.ndarray) -> np.ndarray:
        # The index computes distances by inner products, which are inaccurate for small ones.
        return np.linalg.norm(points - self.references[chosen], axis=1)


class TypicalDistance:
    """A quantile of the distances of a point to references.

    Parameters
    ----------
    references : ndarray of shape (n_references, n_coordinates)
        The reference points.
    share : float
        The share of the references within the distance.
    """

    def __init__(self, references: Any, share: float) -> None:
        self.references = references
        self.place = int(share * len(references))

    def distances(self, points: Any) -> np.ndarray:
        """Return the distances of new points, shape (n_points,)."""
        return self._distances(points, np.full(len(points), self.place))

    def distances_to_others(self, points: Any) -> np.ndarray:
        """Return the distances of points to other references; references are the first points."""
        is_reference = np.arange(len(points)) < len(self.references)
        place = np.minimum(self.place + is_reference, len(self.references) - 1)
        return self._distances(points, place)

    def _distances(self, points: Any, place: Any) -> np.ndarray:
        quantiles = np.empty(len(points))
        for batch in gen_batches(len(points), _ROWS_AT_A_TIME):
            squared = euclidean_distances(points[batch], self.references, squared=True)
            squared.partition(np.unique(place[batch]), axis=1)
            quantiles[batch] = np.take_along_axis(squared, place[batch, None], axis=1)[:, 0]
        return np.sqrt(quantiles)
