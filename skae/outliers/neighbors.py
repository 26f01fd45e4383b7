"""The distances of points to references: the nearest of every group, and the median."""

from functools import cached_property

import numpy as np
import torch
from scipy.spatial.distance import cdist

from skae.outliers.batches import batches_of
from skae.outliers.surprisal import SMALL, logarithm

# The number of distances that are computed at a time: as many as a cache holds.
_MOST_DISTANCES = 2**18
# The squared distance, relative to the squared norms, below which single precision knows nothing.
_ROUNDING = 1e-5


class Nearest:
    r"""The distance to the nearest reference of every group, $\frac1G \sum_g \log d_g(x)$.

    Points in single precision are compared by inner products, in double precision exactly.

    Parameters
    ----------
    references : ndarray of shape (n_references, n_coordinates)
        The reference points, in random order.
    n_groups : int
        The number of groups; of few references there are fewer.
    rank : int, default=1
        Which neighbour of every group is the nearest that counts.

    References
    ----------
    Pang, G., Ting, K. M. and Albrecht, D. (2015). LeSiNN: detecting anomalies by identifying least
    similar nearest neighbours. ICDM workshops.
    """

    def __init__(self, references: np.ndarray, n_groups: int, rank: int = 1) -> None:
        n_groups = max(1, min(n_groups, len(references) // (2 * rank)))
        size = len(references) // n_groups
        self.n_groups, self.rank = n_groups, max(1, min(rank, size - 1))
        # As float32, which the distances of single precision need; the others are exact for it.
        self.references = np.ascontiguousarray(references[: size * n_groups], dtype=np.float32)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Return the mean logarithm of the distances of points, shape (n_points,)."""
        found = np.empty(len(points))
        measure = self._exact if points.dtype == np.float64 else self._by_products
        for batch in batches_of(len(points), _MOST_DISTANCES // len(self.references)):
            found[batch] = measure(points[batch])
        return found

    def of_references(self, points: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Return the same of training rows, given as points as if nothing was learned from them.

        The row at `places[i]` among the references is the i-th one, if there are so many.
        """
        found = np.empty(len(points))
        for batch in batches_of(len(points), _MOST_DISTANCES // len(self.references)):
            found[batch] = self._exact(points[batch], places[batch])
        return found

    def _exact(self, points: np.ndarray, places: np.ndarray | None = None) -> np.ndarray:
        """Return the mean logarithms by distances in double precision."""
        points = points.astype(np.float32).astype(np.float64)
        distances = cdist(points, self._doubles)
        if places is not None:
            is_reference = places < distances.shape[1]
            distances[is_reference, places[is_reference]] = np.inf
        grouped = distances.reshape(len(points), self.n_groups, -1)
        # Only a reference that is alone in its group can be the nearest one at infinity.
        least = grouped.min(2) if self.rank == 1 else _smallest(grouped, self.rank)
        return logarithm(np.where(np.isinf(least), 0, least)).mean(1)

    def _by_products(self, points: np.ndarray) -> np.ndarray:
        """Return the mean logarithms by inner products, in single precision."""
        ones = np.ones((len(points), 1), dtype=np.float32)
        squared = torch.mm(torch.from_numpy(np.hstack([-2 * points, ones])), self._factors)
        grouped = squared.view(len(points), self.n_groups, -1)
        if self.rank == 1:
            least = grouped.amin(2).numpy()
        else:
            least = grouped.kthvalue(self.rank, dim=2).values.numpy()
        norms = (points**2).sum(1)
        least = least + norms[:, None]
        is_close = least.min(1) <= _ROUNDING * norms
        found = np.log(np.sqrt(np.maximum(least, 0)) + SMALL).mean(1)
        if is_close.any():
            found[is_close] = self._exact(points[is_close])
        return found

    @cached_property
    def _factors(self) -> torch.Tensor:
        """The references and their squared norms, one column for each."""
        norms = (self.references**2).sum(1, keepdims=True)
        return torch.from_numpy(np.hstack([self.references, norms]).T.copy())

    @cached_property
    def _doubles(self) -> np.ndarray:
        return self.references.astype(np.float64)

    def __getstate__(self) -> dict:
        return {n: value for n, value in vars(self).items() if n not in ("_factors", "_doubles")}


class TypicalDistance:
    """A quantile of the distances of a point to references.

    Parameters
    ----------
    references : ndarray of shape (n_references, n_coordinates)
        The reference points.
    share : float
        The share of the references within the distance.
    """

    def __init__(self, references: np.ndarray, share: float) -> None:
        self.references = np.ascontiguousarray(references, dtype=np.float32)
        self.place = int(share * len(references))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Return the distances of new points, shape (n_points,)."""
        return self._distances(points, self.place)

    def of_references(self, points: np.ndarray) -> np.ndarray:
        """Return the distances of training rows to the others; the first are the references."""
        n, last = len(self.references), len(self.references) - 1
        own = self._distances(points[:n], min(self.place + 1, last))
        return np.concatenate([own, self._distances(points[n:], min(self.place, last))])

    def _distances(self, points: np.ndarray, place: int) -> np.ndarray:
        quantiles = np.empty(len(points))
        norms = (self.references**2).sum(1)
        for batch in batches_of(len(points), _MOST_DISTANCES // len(self.references)):
            rows: np.ndarray = points[batch]
            squared = norms - 2 * rows @ self.references.T.astype(rows.dtype, copy=False)
            squared.partition(place, axis=1)
            quantiles[batch] = squared[:, place] + (rows**2).sum(1)
        return np.sqrt(np.maximum(quantiles, 0))


def _smallest(grouped: np.ndarray, rank: int) -> np.ndarray:
    """Return the smallest number but `rank - 1` of every group, shape (n_points, n_groups)."""
    return np.partition(grouped, rank - 1, axis=2)[:, :, rank - 1]
