"""Columns that fix others: what held in every row of `fit` holds in every draw."""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

_FEWEST_ROWS_PER_VALUE = 20


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

    def apply(self, values: np.ndarray, where: np.ndarray) -> None:
        """Set the target in some rows of an array of values, where the source is known."""
        place = np.searchsorted(self.sources, values[:, self.source])
        place = np.minimum(place, len(self.sources) - 1)
        known = where & (self.sources[place] == values[:, self.source])
        values[known, self.target] = self.targets[place[known]]


def find_dependencies(values: np.ndarray) -> list[Dependency]:
    """Return which columns fix which, those that fix others first.

    Only columns count of which each value was seen in 20 rows on the mean, and no target that is
    constant. Of two columns that fix each other, both directions are found.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        A number for every cell, equal where cells are.
    """
    codes, sizes = [], []
    for column in values.T:
        distinct, code = np.unique(column, return_inverse=True)
        codes.append(code)
        sizes.append(len(distinct))
    found = []
    for source, target in permutations(range(len(sizes)), 2):
        few = sizes[source] * _FEWEST_ROWS_PER_VALUE <= len(values)
        if few and 1 < sizes[target] <= sizes[source]:
            pairs = np.unique(codes[source] * sizes[target] + codes[target])
            if len(pairs) == sizes[source]:
                _, first = np.unique(values[:, source], return_index=True)
                found.append(
                    Dependency(source, target, values[first, source], values[first, target])
                )
    return sorted(found, key=lambda each: -sizes[each.source])


def keep_dependencies(
    dependencies: list[Dependency], values: np.ndarray, given: np.ndarray
) -> np.ndarray:
    """Return drawn values in which every dependency holds, as far as given cells leave it free.

    Parameters
    ----------
    dependencies : list of Dependency
        What `find_dependencies` returned.
    values : ndarray of shape (n_rows, n_columns)
        The draws.
    given : ndarray of bool of shape (n_rows, n_columns)
        The cells that are to stay as they are.
    """
    values, settled = values.copy(), given.copy()
    for each in sorted(dependencies, key=lambda each: not given[:, each.source].any()):
        free = ~settled[:, each.target]
        each.apply(values, free)
        settled[:, each.target] |= free
        settled[:, each.source] |= free
    return values
