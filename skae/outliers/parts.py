"""The parts of a score: each has quantities of rows that are large for outliers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from skae.outliers.coordinates import VIEWS, Points
from skae.outliers.members import Members, Reading
from skae.outliers.neighbors import Nearest, TypicalDistance
from skae.outliers.surprisal import Surprisal, logarithm
from skae.outliers.whitening import Whitening, measures

# The share of the training rows within the distance of "center".
_HALF = 0.5
# The number of training rows that this distance is measured to.
_N_TYPICAL = 128
# The smallest number of rows that others are compared with, and of the cells of all of them.
_N_ROWS, _N_CELLS = 1000, 30_000
# The number of codes of a member, and the rows for one of them.
_N_CODES, _ROWS_PER_CODE = 128, 4


@dataclass(frozen=True)
class References:
    """How many training rows the parts compare others with, and how.

    Attributes
    ----------
    asked : int or None
        The number of rows; None for as many as take the time of a thousand rows of 30 columns.
    n_groups : int
        The number of groups of the rows.
    rank : int
        Which neighbour of every group is the nearest that counts.
    """

    asked: int | None
    n_groups: int
    rank: int

    def n_rows(self, n_coordinates: int) -> int:
        """Return the number of rows, given that of the coordinates of their points."""
        return self.asked or max(_N_ROWS, _N_CELLS // n_coordinates)

    @property
    def n_codes(self) -> int:
        """The number of codes of each member."""
        return max(self.rank + 1, self.asked // _ROWS_PER_CODE) if self.asked else _N_CODES


class Part(ABC):
    """Quantities of rows, on a logarithmic scale, and their surprisals."""

    # How much a single one of its quantities counts, beside the mean of all parts.
    alone: ClassVar[float] = 0.0

    @abstractmethod
    def quantities(self, reading: Reading) -> list[np.ndarray]:
        """Return the quantities of new rows, each of shape (n_reading or 1, n_rows)."""

    @abstractmethod
    def held_out_quantities(self, reading: Reading) -> list[np.ndarray]:
        """Return those of training rows as if nothing was learned from them, shapes (n_rows,)."""

    def learn(self, reading: Reading, weights: np.ndarray | None) -> list[np.ndarray]:
        """Learn the distribution of the quantities, and return the surprisals of training rows."""
        held_out = self.held_out_quantities(reading)
        self.surprisals = [Surprisal.learn(each, weights) for each in held_out]
        return [f(each) for f, each in zip(self.surprisals, held_out, strict=True)]

    def __call__(self, reading: Reading) -> list[np.ndarray]:
        """Return the surprisals of new rows in nats, each of shape (n_reading or 1, n_rows)."""
        pairs = zip(self.surprisals, self.quantities(reading), strict=True)
        return [surprisal(quantity) for surprisal, quantity in pairs]


class Reconstruction(Part):
    """The conditional residuals of the reconstructions: the typical and the largest of a row.

    Parameters
    ----------
    whitenings : list of Whitening
        That of every view.
    weights : ndarray of shape (n_rows,)
        The weights of the training rows.
    """

    # A little less, since in one of many columns there is soon a large residual.
    alone = 0.8

    def __init__(self, whitenings: list[Whitening], weights: np.ndarray) -> None:
        self.whitenings, self.weights = whitenings, torch.from_numpy(weights)

    def quantities(self, reading: Reading) -> list[np.ndarray]:
        """Return both measures, by view."""
        both = reading.measured(self.whitenings)
        return [logarithm(view) for measure in both for view in measure]

    def held_out_quantities(self, reading: Reading) -> list[np.ndarray]:
        """Return both measures, by view."""
        pairs = zip(self.whitenings, reading.residuals[:, 0], strict=True)
        by_view = [measures(whitening.held_out(each, self.weights)) for whitening, each in pairs]
        by_measure = zip(*by_view, strict=True)
        return [logarithm(view.double().numpy()) for measure in by_measure for view in measure]

    def __getstate__(self) -> dict:
        # Only what new rows need.
        return {"whitenings": self.whitenings, "surprisals": self.surprisals}


class NearCodes(Part):
    """The distance to the nearest code of the rows that a member has not learned from.

    Parameters
    ----------
    members : Members
        The trained ensemble.
    points : dict of str to ndarray of shape (n_rows, n_coordinates)
        The training rows, by view, in random order.
    folds : ndarray of int of shape (n_rows,)
        The folds of the rows.
    references : References
        How many codes are references.
    """

    def __init__(
        self, members: Members, points: Points, folds: np.ndarray, references: References
    ) -> None:
        self.folds, self.n_reading = folds, members.n_reading
        self.nearest: list[list[Nearest]] = []
        for fold in range(members.n_folds):
            chosen = _rows_of(folds, fold)[: references.n_codes]
            codes = members.codes({view: x[chosen] for view, x in points.items()}, (fold,))
            self.nearest.append([Nearest(each, 1, references.rank) for each in codes[:, 0]])

    def quantities(self, reading: Reading) -> list[np.ndarray]:
        """Return the distances, by view."""
        return [
            np.stack([self.nearest[fold][v](codes) for fold, codes in enumerate(view)])
            for v, view in enumerate(reading.codes)
        ]

    def held_out_quantities(self, reading: Reading) -> list[np.ndarray]:
        """Return the distances to other rows of the same fold, by view."""
        distances = np.empty((len(VIEWS), len(self.folds)))
        for fold in np.unique(self.folds):
            own = np.flatnonzero(self.folds == fold)
            places = np.searchsorted(_rows_of(self.folds, fold), own)
            for v, codes in enumerate(reading.codes[:, 0]):
                distances[v, own] = self.nearest[fold][v].of_references(codes[own], places)
        return list(distances)

    def __getstate__(self) -> dict:
        # Only what new rows need: those of the members that read them.
        return {"nearest": self.nearest[: self.n_reading], "surprisals": self.surprisals}


class NearRows(Part):
    """The distance to near training rows, in both views.

    Parameters
    ----------
    points : dict of str to ndarray of shape (n_rows, n_coordinates)
        The training rows, by view, in random order.
    references : References
        How many rows are references, and in how many groups.
    """

    alone = 1.0

    def __init__(self, points: Points, references: References) -> None:
        n_rows = references.n_rows(points[VIEWS[0]].shape[1])
        options = references.n_groups, references.rank
        self.nearest = [Nearest(points[view][:n_rows], *options) for view in VIEWS]

    def quantities(self, reading: Reading) -> list[np.ndarray]:
        """Return the distances, by view."""
        pairs = zip(VIEWS, self.nearest, strict=True)
        return [nearest(reading.points[view])[None] for view, nearest in pairs]

    def held_out_quantities(self, reading: Reading) -> list[np.ndarray]:
        """Return the distances to the other training rows, by view."""
        pairs = zip(VIEWS, self.nearest, strict=True)
        places = np.arange(len(reading.points[VIEWS[0]]))
        return [near.of_references(reading.points[view], places) for view, near in pairs]


class Center(Part):
    """The median distance to training rows, in the view "quantile".

    Rows may be far from most others and yet among their like, so that it does not count alone.

    Parameters
    ----------
    points : dict of str to ndarray of shape (n_rows, n_coordinates)
        The training rows, by view, in random order.
    """

    def __init__(self, points: Points) -> None:
        self.typical = TypicalDistance(points["quantile"][:_N_TYPICAL], _HALF)

    def quantities(self, reading: Reading) -> list[np.ndarray]:
        """Return the distances."""
        return [logarithm(self.typical(reading.points["quantile"]))[None]]

    def held_out_quantities(self, reading: Reading) -> list[np.ndarray]:
        """Return the distances to the other training rows."""
        return [logarithm(self.typical.of_references(reading.points["quantile"]))]


def _rows_of(folds: np.ndarray, fold: int) -> np.ndarray:
    """Return the rows of a fold, or all rows if it has fewer than two."""
    own = np.flatnonzero(folds == fold)
    return own if len(own) > 1 else np.arange(len(folds))
