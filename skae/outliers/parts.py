"""The parts of a score: each has quantities of points that are large for outliers."""

from abc import ABC, abstractmethod

import numpy as np

from skae.outliers.coordinates import VIEWS, Points
from skae.outliers.members import Members
from skae.outliers.neighbors import Neighbors, TypicalDistance
from skae.outliers.surprisal import Surprisal, logarithm

# The share of the training rows within the distance of "center".
_HALF = 0.5
# The largest number of training rows that this distance is measured to.
_N_TYPICAL = 1000


class Part(ABC):
    """Quantities of rows, and the surprisals of these quantities."""

    @abstractmethod
    def quantities(self, points: Points) -> list[np.ndarray]:
        """Return the quantities of new rows, by view, each of shape (n_quantities, n_rows)."""

    @abstractmethod
    def held_out_quantities(self, points: Points, folds: np.ndarray) -> list[np.ndarray]:
        """Return the quantities of training rows, by view, as if they had been held out."""

    def learn(self, points: Points, folds: np.ndarray) -> np.ndarray:
        """Learn the distribution of the quantities, and return the surprisals of training rows."""
        held_out = [logarithm(each) for each in self.held_out_quantities(points, folds)]
        self.surprisals = [Surprisal.learn(each) for each in held_out]
        return np.stack([f(each) for f, each in zip(self.surprisals, held_out, strict=True)])

    def __call__(self, points: Points) -> np.ndarray:
        """Return the surprisals of new rows in nats, shape (n_quantities, n_rows)."""
        pairs = zip(self.surprisals, self.quantities(points), strict=True)
        return np.concatenate([surprisal(logarithm(each)) for surprisal, each in pairs])


class Reconstruction(Part):
    """The errors of the members' reconstructions.

    Parameters
    ----------
    members : Members
        The trained ensemble.
    """

    def __init__(self, members: Members) -> None:
        self.members = members

    def quantities(self, points: Points) -> list[np.ndarray]:
        """Return the errors of all members, by view."""
        return list(self.members.errors(points))

    def held_out_quantities(self, points: Points, folds: np.ndarray) -> list[np.ndarray]:
        """Return the errors of the members that have not learned from a row, by view."""
        return [errors[folds, np.arange(len(folds))] for errors in self.members.errors(points)]


class NearCodes(Part):
    """The distance to the k-th nearest code of the rows that a member has not learned from.

    Parameters
    ----------
    members : Members
        The trained ensemble.
    points : dict of str to ndarray of shape (n_rows, n_coordinates)
        The training rows, by view.
    folds : ndarray of int of shape (n_rows,)
        The folds of the rows.
    n_neighbors : int
        The rank k of the neighbour.
    """

    def __init__(
        self, members: Members, points: Points, folds: np.ndarray, n_neighbors: int
    ) -> None:
        self.members = members
        self.masks = [_own(folds, fold) for fold in range(members.n_folds)]
        self.neighbors = [
            [Neighbors(each[own], n_neighbors) for own, each in zip(self.masks, codes, strict=True)]
            for codes in members.codes(points)
        ]

    def quantities(self, points: Points) -> list[np.ndarray]:
        """Return the distances for all members, by view."""
        views = zip(self.neighbors, self.members.codes(points), strict=True)
        return [
            np.stack([near.distances(each) for near, each in zip(*view, strict=True)])
            for view in views
        ]

    def held_out_quantities(self, points: Points, folds: np.ndarray) -> list[np.ndarray]:
        """Return the distances to other rows of the same fold, by view."""
        distances = np.empty((len(VIEWS), len(folds)))
        for v, codes in enumerate(self.members.codes(points)):
            for near, each, own in zip(self.neighbors[v], codes, self.masks, strict=True):
                distances[v, own] = near.distances_to_others(each[own])
        return list(distances)


class NearRows(Part):
    """The distance to the k-th nearest training row, in both views.

    Parameters
    ----------
    points : dict of str to ndarray of shape (n_rows, n_coordinates)
        The training rows, by view.
    n_neighbors : int
        The rank k of the neighbour.
    """

    def __init__(self, points: Points, n_neighbors: int) -> None:
        self.neighbors = {view: Neighbors(points[view], n_neighbors) for view in VIEWS}

    def quantities(self, points: Points) -> list[np.ndarray]:
        """Return the distances, by view."""
        return [self.neighbors[view].distances(points[view])[None] for view in VIEWS]

    def held_out_quantities(self, points: Points, folds: np.ndarray) -> list[np.ndarray]:
        """Return the distances to the other training rows, by view."""
        return [self.neighbors[view].distances_to_others(points[view]) for view in VIEWS]


class Center(Part):
    """The median distance to (a sample of) the training rows, in the view "quantile".

    Parameters
    ----------
    points : dict of str to ndarray of shape (n_rows, n_coordinates)
        The training rows, by view, in random order.
    """

    def __init__(self, points: Points) -> None:
        self.typical = TypicalDistance(points["quantile"][:_N_TYPICAL], _HALF)

    def quantities(self, points: Points) -> list[np.ndarray]:
        """Return the distances."""
        return [self.typical.distances(points["quantile"])[None]]

    def held_out_quantities(self, points: Points, folds: np.ndarray) -> list[np.ndarray]:
        """Return the distances to the other training rows."""
        return [self.typical.distances_to_others(points["quantile"])]


def _own(folds: np.ndarray, fold: int) -> np.ndarray:
    """Return a mask of the rows of a fold, or of all rows if it has fewer than two."""
    own = folds == fold
    return own if own.sum() > 1 else np.ones(len(folds), dtype=bool)
