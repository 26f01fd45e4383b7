"""The cells of rows as numbers, and what is known of their columns."""

from dataclasses import dataclass, field

import numpy as np

# A missing cell, a cell of a column of numbers that is none, and a label that is not known. The
# last is NaN, which equals nothing.
MISSING, WORD, UNKNOWN = -np.inf, np.inf, np.nan


@dataclass(frozen=True)
class Column:
    """What relations need to know of a column.

    Attributes
    ----------
    name : str or int
        Its name; of an array, its index.
    is_number : bool
        Whether its cells are numbers or times rather than labels.
    is_time : bool
        Whether they are points in time, in seconds since 1970.
    offset, unit : float
        A cell `v` stands for ``offset + unit * v``.
    step : float
        The distance of neighbours among what cells stand for; 0 where there is none.
    precision : float
        The rounding error of what cells stand for, relative to it.
    low, high : float
        The range of the cells.
    levels : ndarray of shape (n_levels,) or None
        The only cells that there are, in rising order, where numbers have few values.
    is_vague : bool
        Whether draws of cells are only near those that go with the rest of the row: numbers of
        which each is a value by itself, but that are drawn from a density.
    labels : tuple
        What the cells 0, 1, ... of labels stand for.
    others : ndarray of shape (n_others,)
        The cells that an unknown label may be.
    """

    name: str | int
    is_number: bool = False
    is_time: bool = False
    offset: float = 0.0
    unit: float = 1.0
    step: float = 0.0
    precision: float = float(np.finfo(np.float64).eps)
    low: float = -np.inf
    high: float = np.inf
    levels: np.ndarray | None = None
    is_vague: bool = False
    labels: tuple = ()
    others: np.ndarray = field(default_factory=lambda: np.empty(0))

    @property
    def title(self) -> str:
        """Its name as part of a sentence."""
        return f"column {self.name}" if isinstance(self.name, int) else repr(self.name)

    def to_raw(self, cells: np.ndarray) -> np.ndarray:
        """Return what cells stand for; cells that are no numbers stay."""
        return self.offset + self.unit * cells

    def from_raw(self, raw: np.ndarray) -> np.ndarray:
        """Return the nearest cells that stand for numbers."""
        cells = (raw - self.offset) / self.unit
        if self.step == self.unit:
            return np.rint(cells)
        return np.rint(cells / self.step) * self.step if self.step else cells

    def at_most(self, raw: np.ndarray) -> np.ndarray:
        """Return the largest cells that stand for no more than numbers, or the smallest of all."""
        cells = (raw - self.offset) / self.unit
        if self.levels is None:
            return np.floor(cells) if self.step == self.unit else cells
        place = np.searchsorted(self.levels, cells, side="right") - 1
        return self.levels[place.clip(min=0)]

    def at_least(self, raw: np.ndarray) -> np.ndarray:
        """Return the smallest cells that stand for no less than numbers, or the largest of all."""
        cells = (raw - self.offset) / self.unit
        if self.levels is None:
            return np.ceil(cells) if self.step == self.unit else cells
        return self.levels[np.searchsorted(self.levels, cells).clip(max=len(self.levels) - 1)]

    def holds(self, cells: np.ndarray) -> np.ndarray:
        """Tell which cells are within the range."""
        slack = 1e-9 * max(1.0, abs(self.low), abs(self.high)) if np.isfinite(self.high) else 0.0
        return (cells >= self.low - slack) & (cells <= self.high + slack)

    def show(self, cell: float) -> str:
        """Return what a cell stands for, as text."""
        if cell == MISSING:
            return "missing"
        if self.is_number:
            return f"{self.to_raw(np.array(cell)):.6g}"
        return repr(self.labels[int(cell)])


@dataclass
class Draws:
    """Drawn rows that are brought to what relations say.

    Attributes
    ----------
    values : ndarray of shape (n_rows, n_columns)
        The cells, which change.
    settled : ndarray of bool of shape (n_rows, n_columns)
        The cells that are to stay: those that are given, and those that a relation has set.
    rng : numpy.random.Generator or None
        What draws among labels; None takes the commonest.
    """

    values: np.ndarray
    settled: np.ndarray
    rng: np.random.Generator | None = None

    def put(self, where: np.ndarray, column: int, cells: np.ndarray) -> None:
        """Set the cells of a column in some rows, where they are not settled, and settle them."""
        where = where & ~self.settled[:, column]
        self.values[where, column] = cells[where]
        self.settled[where, column] = True

    def pick(self, cells: np.ndarray, counts: np.ndarray, n: int) -> np.ndarray:
        """Draw cells as often as they count; without a generator, return the commonest."""
        if self.rng is None:
            return np.full(n, cells[counts.argmax()])
        return self.rng.choice(cells, size=n, p=counts / counts.sum())
