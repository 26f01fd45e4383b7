"""The encoding of rows of a table as points, for distances and dense networks."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from skae.outliers.margins import Margins, leave_one_out_ends
from skae.outliers.scaling import Scaling
from skae.tables.category import Category
from skae.tables.cells import MISSING, N_RESERVED, OTHER, VALUE
from skae.tables.number import Number
from skae.tables.table import Table

VIEWS = ("standard", "quantile")
Points = dict[str, np.ndarray]
# The smallest variance that labels are scaled by in the view "standard".
_LEAST_VARIANCE = 0.02


@dataclass(frozen=True)
class Coordinates:
    """The encoding of rows of a table as points, in two views.

    A number is a coordinate: standardised in the view "standard", a normal score in the view
    "quantile". A label is a one-hot vector, or a single coordinate if there are two labels. In the
    view "standard" its length gives the column variance one, up to a largest length; in the view
    "quantile" it is the two-sided normal quantile of the label's share, so larger for rare labels,
    and smaller by one factor for all where the variance of the column would be above one.
    A column of numbers that had missing cells has one more coordinate, which indicates them.

    Attributes
    ----------
    table : Table
        The columns of the table.
    scaling : Scaling
        The standardisation of numbers.
    margins : Margins
        The normal scores of numbers.
    shares : tuple of ndarray
        The share of every state of every column, smoothed so that none is zero.
    """

    table: Table
    scaling: Scaling
    margins: Margins
    shares: tuple[np.ndarray, ...]

    @classmethod
    def learn(
        cls,
        table: Table,
        numbers: np.ndarray,
        states: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> "Coordinates":
        """Return the encoding as points, learned from encoded rows of a table."""
        weights = np.ones(len(states)) if weights is None else weights
        spans = np.array([field.high - field.low or 1.0 for field in table.numbers])
        shares = tuple(
            _shares(column, field.n_states, weights)
            for field, column in zip(table.modelled, states.T, strict=True)
        )
        scaling = Scaling.learn(numbers, spans, weights)
        return cls(table, scaling, Margins.learn(numbers, weights), shares)

    @property
    def n_encoded(self) -> int:
        """The number of coordinates of both views, plus one for the fold of a row."""
        return len(VIEWS) * len(self.column_of_coordinate) + 1

    @cached_property
    def column_of_number(self) -> list[int]:
        """The column of every number."""
        fields = enumerate(self.table.modelled)
        return [j for j, field in fields if isinstance(field, Number)]

    @cached_property
    def column_of_coordinate(self) -> np.ndarray:
        """The column of every coordinate."""
        widths = [
            places.shape[1] + isinstance(field, Number)
            for field, places in zip(self.table.modelled, self._places["standard"], strict=True)
        ]
        return np.repeat(np.arange(len(widths)), widths)

    @cached_property
    def group_of_coordinate(self) -> np.ndarray:
        """The group of every coordinate: numbers are alone, labels of a column are together."""
        is_first = np.diff(self.column_of_coordinate, prepend=-1) > 0
        is_number = np.isin(self.column_of_coordinate, self.column_of_number)
        # What indicates that a number is missing is a group of its own.
        follows_number = np.roll(is_first & is_number, 1)
        return np.cumsum(is_first | follows_number) - 1

    def of(
        self,
        view: str,
        numbers: np.ndarray,
        states: np.ndarray,
        *,
        held_out: bool = False,
    ) -> np.ndarray:
        """Return the points of encoded rows, shape (n_rows, n_coordinates).

        With `held_out`, the rows are the training rows, and the points are leave-one-out: those
        that a row would have if the encoding had been learned from the other rows.
        """
        if held_out:
            states = self._without_singles(states)
        encoded = self._encode(view, numbers, held_out)
        if self._are_plain:
            return np.nan_to_num(encoded, copy=False, nan=self.margins.edge)
        blocks, columns = [], iter(encoded.T)
        for j, field in enumerate(self.table.modelled):
            if isinstance(field, Number):
                missing = self.missing_number(field)
                blocks.append(np.nan_to_num(next(columns), nan=missing)[:, None])
            blocks.append(self._places[view][j][states[:, j]])
        return np.hstack(blocks)

    def missing_number(self, field: Number) -> float:
        """Return the coordinate of a missing cell of a column of numbers."""
        # In a column without missing cells in training, a missing cell is as far out as a number
        # just outside of the training range.
        return 0.0 if field.share_without_number > 0 else self.margins.edge

    def places_of_states(self, view: str, j: int) -> np.ndarray:
        """Return the coordinates of every state of a column, shape (n_states, n_coordinates)."""
        return self._places[view][j]

    def points(
        self,
        numbers: np.ndarray,
        states: np.ndarray,
        *,
        held_out: bool = False,
        is_exact: bool = True,
    ) -> Points:
        """Return the points of encoded rows in all views; see `of`.

        Unless they are to be exact, they are of single precision.
        """
        kind = np.float64 if is_exact else np.float32
        encoded = {v: self.of(v, numbers, states, held_out=held_out) for v in VIEWS}
        return {view: x.astype(kind, copy=False) for view, x in encoded.items()}

    def cells(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers and the states nearest to points of the view "standard".

        No cell is missing, unless all cells of its column were in training.
        """
        numbers = np.empty((len(points), len(self.column_of_number)))
        states = np.zeros((len(points), len(self.table.modelled)), dtype=int)
        for j in range(len(self.table.modelled)):
            self.cells_of_column(points, j, numbers, states)
        return numbers, states

    def cells_of_column(
        self, points: np.ndarray, j: int, numbers: np.ndarray, states: np.ndarray
    ) -> None:
        """Write the numbers or the states of one column, those nearest to points, into arrays."""
        own = np.flatnonzero(self.column_of_coordinate == j)
        field = self.table.modelled[j]
        if isinstance(field, Number):
            i = self.column_of_number.index(j)
            numbers[:, i] = points[:, own[0]] * self.scaling.scale[i] + self.scaling.center[i]
            states[:, j] = VALUE
        else:
            labels = np.flatnonzero(_may_come_back(field))
            places = self._places["standard"][j][labels]
            distances = (places**2).sum(1) - 2 * points[:, own] @ places.T
            states[:, j] = labels[distances.argmin(1)]

    def _without_singles(self, states: np.ndarray) -> np.ndarray:
        """Return states in which labels that only one row has are replaced by other."""
        states = states.copy()
        for j, field in enumerate(self.table.modelled):
            if not isinstance(field, Number):
                counts = np.bincount(states[:, j], minlength=field.n_states)
                states[counts[states[:, j]] == 1, j] = OTHER
        return states

    @cached_property
    def _places(self) -> dict[str, list[np.ndarray]]:
        """The coordinates of every state of all columns, by view."""
        fields = list(zip(self.table.modelled, self.shares, strict=True))
        return {view: [_places(*each, view) for each in fields] for view in VIEWS}

    @cached_property
    def _are_plain(self) -> bool:
        """Whether all coordinates are numbers."""
        return len(self.column_of_coordinate) == len(self.column_of_number)

    def _encode(self, view: str, numbers: np.ndarray, held_out: bool) -> np.ndarray:
        """Return the coordinates of numbers, NaN where they are missing."""
        if view == "standard":
            return self.scaling(numbers, held_out=held_out)
        if held_out:
            scales = self.scaling.scales_of_others(numbers)
            return self.margins(numbers, scales, leave_one_out_ends(numbers))
        return self.margins(numbers, self.scaling.scale)


def _shares(states: np.ndarray, n_states: int, weights: np.ndarray) -> np.ndarray:
    counts = np.bincount(states, weights, minlength=n_states) + 0.5
    return counts / counts.sum()


def _places(field: Category | Number, shares: np.ndarray, view: str) -> np.ndarray:
    """Return the coordinates of every state of a column, shape (n_states, n_coordinates).

    States that were not seen in training are farther from all others than these from each other.
    """
    if isinstance(field, Category):
        return _coordinates(shares, field.shares > 0, view)
    kind_of_state = _kinds_of_states(field)
    shares = np.bincount(kind_of_state, shares)
    seen = np.bincount(kind_of_state, field.shares) > 0
    if not seen[1:].any():
        return np.empty((len(kind_of_state), 0))
    return _coordinates(shares, seen, view)[kind_of_state]


def _kinds_of_states(field: Number) -> np.ndarray:
    """Return, for every state of a column of numbers, 0 for a number, or which other it is."""
    kinds = np.zeros(field.n_states, dtype=int)
    kinds[MISSING] = 1
    first = N_RESERVED + len(field.point_masses)
    kinds[first:] = 2 + np.arange(field.n_states - first)
    return kinds


def _coordinates(shares: np.ndarray, seen: np.ndarray, view: str) -> np.ndarray:
    """Return the coordinates of labels: one for each that was seen, a single one for only two."""
    if view == "standard":
        variance = max(1 - (shares[seen] ** 2).sum(), _LEAST_VARIANCE)
        lengths = np.full(len(shares), 1 / np.sqrt(variance))
    else:
        lengths = -ndtri(np.minimum(shares, 1) / 2)
        # Many labels, all of them rare, count no more than a number.
        variance = (shares * (1 - shares) * lengths**2)[seen].sum()
        lengths = lengths / max(1.0, np.sqrt(variance))
    if seen.sum() > 2:
        units = np.eye(len(shares))[:, seen]
        return np.where(seen[:, None], units * lengths[:, None], -lengths[:, None])
    order = np.argsort(-shares * seen)
    side = np.full(len(shares), 2.0)
    side[order[0]] = -1
    if seen.sum() == 2:
        side[order[1]] = 1
    if view == "standard":
        lengths = lengths / np.sqrt(2)
    return (side * lengths)[:, None]


def _may_come_back(field: Category) -> np.ndarray:
    """Return a mask of the states that may be expected: those seen, missing only if alone."""
    seen = field.shares > 0
    if seen.sum() > 1:
        seen = seen & (np.arange(len(seen)) != MISSING)
    return seen
