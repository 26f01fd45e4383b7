"""Columns that fix others in every row of `fit`, and draws that keep to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

_FEWEST_ROWS_PER_VALUE = 20
_N_TRIALS = 1000
_MISSING = np.inf


@dataclass(frozen=True)
class Dependency:
    """A column whose every value comes with one value of another column.

    Attributes
    ----------
    source, target : int
        The places of the two columns.
    sources, targets : ndarray of shape (n_values,)
        The values of the source in rising order, and those of the target that come with them.
    """

    source: int
    target: int
    sources: np.ndarray
    targets: np.ndarray

    def apply(self, values: np.ndarray, where: np.ndarray) -> np.ndarray:
        """Set the target in some rows of an array of values; tell where the source was known."""
        place = np.searchsorted(self.sources, values[:, self.source])
        place = np.minimum(place, len(self.sources) - 1)
        known = where & (self.sources[place] == values[:, self.source])
        values[known, self.target] = self.targets[place[known]]
        return known


def find_dependencies(values: np.ndarray) -> list[Dependency]:
    """Return which columns fix which, those that fix others first.

    Only columns count of which each value was seen in 20 rows on the mean, and no target that is
    constant. Of two columns that fix each other, both directions are found.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        A number for every cell, equal where cells are.
    """
    values = np.nan_to_num(values, nan=_MISSING)
    states, sizes = [], []
    for column in values.T:
        distinct, state = np.unique(column, return_inverse=True)
        states.append(state)
        sizes.append(len(distinct))
    found = []
    for source, target in permutations(range(len(sizes)), 2):
        few = sizes[source] * _FEWEST_ROWS_PER_VALUE <= len(values)
        if few and 1 < sizes[target] <= sizes[source] and _may_fix(states[source], states[target]):
            pairs = np.unique(states[source] * sizes[target] + states[target])
            if len(pairs) == sizes[source]:
                _, first = np.unique(values[:, source], return_index=True)
                found.append(
                    Dependency(source, target, values[first, source], values[first, target])
                )
    return sorted(found, key=lambda each: -sizes[each.source])


def keep_dependencies(
    dependencies: Sequence[Dependency], values: np.ndarray, given: np.ndarray
) -> np.ndarray:
    """Return drawn values in which columns are what others fix, as far as that is free.

    A cell that is given stays, and so does one that another column has fixed before.

    Parameters
    ----------
    dependencies : sequence of Dependency
        What `find_dependencies` returned.
    values : ndarray of shape (n_rows, n_columns)
        The draws.
    given : ndarray of bool of shape (n_rows, n_columns)
        The cells that are to stay as they are.
    """
    values, settled = np.nan_to_num(values, nan=_MISSING), given.copy()
    for each in sorted(dependencies, key=lambda each: not given[:, each.source].any()):
        fixed = each.apply(values, ~settled[:, each.target])
        settled[:, each.target] |= fixed
        settled[:, each.source] |= fixed
    return np.where(values == _MISSING, np.nan, values)


def _may_fix(source: np.ndarray, target: np.ndarray) -> bool:
    """Tell whether a few rows leave it possible that one column fixes another."""
    source, target = source[:_N_TRIALS], target[:_N_TRIALS]
    first = np.zeros(source.max() + 1, dtype=target.dtype)
    first[source] = target
    return bool((first[source] == target).all())
