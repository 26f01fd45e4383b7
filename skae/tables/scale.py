"""Scale: the way between the raw numbers of a column and encoded ones."""

from dataclasses import dataclass

import narwhals as nw
import numpy as np

from skae.tables.casting import as_column
from skae.tables.raw_numbers import Grid, find_grid
from skae.tables.stepping import find_origin, find_step, from_steps, to_steps


@dataclass(frozen=True)
class Scale:
    """The way between raw numbers and encoded ones.

    Attributes
    ----------
    template : narwhals.Series
        The column of values without its rows.
    origin, step : int
        Integers and times are encoded as multiples of a step from an origin.
    grid : Grid or None
        What other numbers are rounded to when they come back; None leaves them.
    ends : tuple of int
        The smallest and the largest integer.
    """

    template: nw.Series
    origin: int
    step: int
    grid: Grid | None
    ends: tuple[int, int]

    @classmethod
    def learn(cls, values: nw.Series, raw: np.ndarray) -> "Scale":
        """Return the scale of a column whose cells are there as raw numbers."""
        template = values.to_frame()[:0].clone().get_column(values.name)
        if raw.dtype.kind not in "iu":
            grid = find_grid(raw, is_single=values.dtype == nw.Float32)
            return cls(template, 0, 1, grid, (0, 0))
        origin = find_origin(raw)
        ends = int(raw.min()), int(raw.max())
        return cls(template, origin, find_step(raw, origin), None, ends)

    @property
    def is_stepped(self) -> bool:
        """Whether the column holds integers or times."""
        return self.template.dtype.is_integer() or self.template.dtype.is_temporal()

    @property
    def is_whole(self) -> bool:
        """Whether all numbers are whole."""
        return self.is_stepped or (self.grid is not None and self.grid.decimals == 0)

    def encode(self, raw: np.ndarray) -> np.ndarray:
        """Return raw numbers as encoded ones."""
        return to_steps(raw, self.origin, self.step)

    def round(self, numbers: np.ndarray) -> np.ndarray:
        """Return the nearest encoded numbers that stand for cells."""
        if self.is_stepped:
            return np.rint(numbers)
        return numbers if self.grid is None else self.grid.round(numbers)

    def decode(self, numbers: np.ndarray, missing: np.ndarray) -> nw.Series:
        """Return encoded numbers as a column."""
        raw = self.round(numbers)
        if self.is_stepped:
            raw = from_steps(raw, self.origin, self.step, self.ends, self.template.dtype)
        return as_column(raw, missing, self.template)
