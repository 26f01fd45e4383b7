"""Labels that are chosen so that what they fix is what the row has."""

from collections.abc import Sequence

import numpy as np

from skae.dependencies.cells import Column, Draws
from skae.dependencies.fixes import Fixes

# No wish, and the same as a number that equals itself.
_ANY, _NO_WISH = np.nan, 1e300


class Choices:
    """The labels of a column, and the cells of other columns that each fixes.

    Parameters
    ----------
    column : Column
        The column.
    fixes : sequence of Fixes
        The relations of which it is the only source.
    nearly : sequence of Fixes
        Those of which it is the only source and that nearly hold.
    """

    def __init__(self, column: Column, fixes: Sequence[Fixes], nearly: Sequence[Fixes]) -> None:
        self.column = column
        self.place = fixes[0].sources[0]
        self.n_exact = len(fixes)
        self.targets = [each.target for each in (*fixes, *nearly)]
        first = fixes[0]
        self.cells = first.levels[0][first.keys]
        self.counts = first.counts.astype(float)
        rows = np.zeros((len(self.cells), self.place + 1))
        rows[:, self.place] = self.cells
        self.fixed = np.stack([_looked_up(each, rows) for each in (*fixes, *nearly)], axis=1)
        self.is_other = np.isin(self.cells, column.others)

    def specify(self, draws: Draws) -> None:
        """Choose a label where a draw left open which it is.

        That is where a state stands for several rare labels, and where a number was drawn from a
        density although each number means something else.
        """
        free = ~draws.settled[:, self.place]
        if self.column.is_vague:
            everything = np.ones(len(self.cells), dtype=bool)
            self._choose(draws, free & self._differs(draws).any(1), everything)
        elif self.is_other.any():
            self._choose(draws, free & np.isnan(draws.values[:, self.place]), self.is_other)

    def reconcile(self, draws: Draws) -> None:
        """Choose another label where what it fixes is settled as something else."""
        exact = slice(self.n_exact)
        settled = draws.settled[:, self.targets[exact]]
        where = ~draws.settled[:, self.place] & (self._differs(draws)[:, exact] & settled).any(1)
        everything = np.ones(len(self.cells), dtype=bool)
        self._choose(draws, where, everything, only_settled=True)

    def _differs(self, draws: Draws) -> np.ndarray:
        """Tell which targets are others than the column fixes, or it is not known."""
        place = np.searchsorted(self.cells, draws.values[:, self.place])
        place = place.clip(max=len(self.cells) - 1)
        is_known = self.cells[place] == draws.values[:, self.place]
        differs = self.fixed[place] != draws.values[:, self.targets]
        return np.where(is_known[:, None], differs, True)

    def _choose(
        self,
        draws: Draws,
        where: np.ndarray,
        allowed: np.ndarray,
        *,
        only_settled: bool = False,
    ) -> None:
        rows = np.flatnonzero(where)
        wished = draws.values[rows][:, self.targets]
        settled = draws.settled[rows][:, self.targets]
        if only_settled:
            wished = np.where(settled, wished, _ANY)
        groups, group = np.unique(
            np.hstack([np.nan_to_num(wished, nan=_NO_WISH), settled]), axis=0, return_inverse=True
        )
        group, n = group.ravel(), len(self.targets)
        is_exact = np.arange(n) < self.n_exact
        for i, each in enumerate(groups):
            wish = np.where(each[:n] == _NO_WISH, _ANY, each[:n])
            exact = np.where(is_exact, wish, _ANY)
            must = np.where(each[n:] > 0, exact, _ANY)
            fits = self._fitting(allowed, wish, exact, must)
            if fits is not None:
                members = rows[group == i]
                draws.values[members, self.place] = self._pick(draws, fits, members)

    def _fitting(self, allowed: np.ndarray, *wishes: np.ndarray) -> np.ndarray | None:
        """Tell which labels fulfil the first wishes that can be fulfilled; None for no change."""
        for wish in wishes:
            fits = allowed & (np.isnan(wish) | (self.fixed == wish)).all(1)
            if fits.any() and not np.isnan(wish).all():
                return fits
        return None if self.column.is_vague else allowed

    def _pick(self, draws: Draws, fits: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return cells that fit: the nearest numbers, or labels as often as rows had them."""
        if not self.column.is_vague:
            return draws.pick(self.cells, np.where(fits, self.counts, 0.0), len(rows))
        cells, drawn = self.cells[fits], draws.values[rows, self.place]
        between = (cells[:-1] + cells[1:]) / 2
        return cells[np.searchsorted(between, np.where(np.isfinite(drawn), drawn, cells[0]))]


def _looked_up(each: Fixes, rows: np.ndarray) -> np.ndarray:
    cells, is_known = each.look_up(rows)
    return np.where(is_known, cells, _ANY)
