"""Labels that are chosen so that what they fix is what the row has."""

from collections.abc import Sequence

import numpy as np

from skae.dependencies.cells import Column, Draws
from skae.dependencies.fixes import Fixes

_ANY = np.nan


class Choices:
    """The labels of a column, and the cells of other columns that each fixes.

    Parameters
    ----------
    column : Column
        The column.
    fixes : sequence of Fixes
        The relations of which it is the only source.
    """

    def __init__(self, column: Column, fixes: Sequence[Fixes]) -> None:
        self.column = column
        self.place = fixes[0].sources[0]
        self.targets = [each.target for each in fixes]
        first = fixes[0]
        self.cells = first.levels[0][first.keys]
        self.counts = first.counts.astype(float)
        rows = np.zeros((len(self.cells), self.place + 1))
        rows[:, self.place] = self.cells
        self.fixed = np.stack([each.look_up(rows)[0] for each in fixes], axis=1)
        self.is_other = np.isin(self.cells, column.others)

    def specify(self, draws: Draws) -> None:
        """Choose a label where a draw left open which of the rare ones it is."""
        where = np.isnan(draws.values[:, self.place]) & ~draws.settled[:, self.place]
        if not (where.any() and self.is_other.any()):
            return
        self._choose(draws, where, self.is_other, only_settled=False)

    def reconcile(self, draws: Draws) -> None:
        """Choose another label where what it fixes is settled as something else."""
        open_ = ~draws.settled[:, self.place]
        settled = draws.settled[:, self.targets]
        if not (open_ & settled.any(1)).any():
            return
        place = np.searchsorted(self.cells, draws.values[:, self.place])
        place = place.clip(max=len(self.cells) - 1)
        is_known = self.cells[place] == draws.values[:, self.place]
        differs = self.fixed[place] != draws.values[:, self.targets]
        where = open_ & (~is_known & settled.any(1) | (differs & settled).any(1))
        if where.any():
            self._choose(draws, where, np.ones(len(self.cells), dtype=bool), only_settled=True)

    def _choose(
        self, draws: Draws, where: np.ndarray, allowed: np.ndarray, *, only_settled: bool
    ) -> None:
        rows = np.flatnonzero(where)
        wished = draws.values[rows][:, self.targets]
        settled = draws.settled[rows][:, self.targets]
        if only_settled:
            wished = np.where(settled, wished, _ANY)
        groups, group = np.unique(
            np.hstack([np.nan_to_num(wished, nan=1e300), settled]), axis=0, return_inverse=True
        )
        group = group.ravel()
        n = len(self.targets)
        for i, each in enumerate(groups):
            wish = np.where(each[:n] == 1e300, _ANY, each[:n])
            must = np.where(each[n:] > 0, wish, _ANY)
            members = rows[group == i]
            counts = self._counts(allowed, wish, must)
            draws.values[members, self.place] = draws.pick(self.cells, counts, len(members))

    def _counts(self, allowed: np.ndarray, *wishes: np.ndarray) -> np.ndarray:
        """Return how often each label counts, by the first wishes that can be fulfilled."""
        for wish in wishes:
            fits = allowed & (np.isnan(wish) | (self.fixed == wish)).all(1)
            if fits.any():
                return np.where(fits, self.counts, 0.0)
        return np.where(allowed, self.counts, 0.0)
