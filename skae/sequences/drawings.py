"""Drawings: the codec of drawings, arrays of offsets and states of a pen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from skae.nn.strokes import DOWN, LAST
from skae.sequences.codec import Codec

_LARGEST = 1e30
_FORM = "an array of shape (n_points, 3) of (dx, dy, 1 where the pen is lifted after the point)"


@dataclass(frozen=True)
class Drawings(Codec):
    """The codec of drawings, in the format stroke-3.

    Attributes
    ----------
    scale : float
        The unit of offsets: their standard deviation over the training drawings.
    """

    noun: ClassVar[str] = "drawing"
    unit: ClassVar[str] = "points"
    width: ClassVar[int] = 5

    scale: float

    @classmethod
    def check(cls, X: Any, name: str = "X") -> list[np.ndarray]:
        """Return drawings as a list of arrays; raise an error that names what is wrong."""
        if isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype != object:
            raise ValueError(
                f"{name} must be a list of drawings, each {_FORM}. Got one array of shape "
                f"{X.shape}: put a single drawing into a list."
            )
        if isinstance(X, (str, bytes, dict)) or not hasattr(X, "__len__"):
            raise TypeError(f"{name} must be a list of drawings, each {_FORM}. Got {X!r}.")
        if not len(X):
            raise ValueError(f"{name} must hold at least one drawing. Got none.")
        return [_checked(each, f"Drawing {place} of {name}") for place, each in enumerate(X)]

    @classmethod
    def learn(cls, sequences: Sequence[Any], **options: Any) -> Self:
        """Learn the unit of offsets from checked training drawings."""
        deviation = float(np.concatenate([each[:, :2] for each in sequences]).std())
        return cls(deviation or 1.0)

    def steps(self, sequence: Any) -> np.ndarray:
        """Return points as float32, the last one marked as the last."""
        points = self.begun(sequence)
        points[-1, 4] = LAST
        return points

    def begun(self, sequence: Any) -> np.ndarray:
        """Return points as float32: offsets, places, and states."""
        offsets = sequence[:, :2] / self.scale
        steps = np.column_stack([offsets, offsets.cumsum(0), sequence[:, 2] + DOWN])
        return steps.astype(np.float32)

    def sequence(self, steps: np.ndarray) -> np.ndarray:
        """Return points as float64; the pen is lifted after the last one."""
        offsets = steps[:, :2].astype(np.float64) * self.scale
        return np.column_stack([offsets, (steps[:, 4] != DOWN).astype(np.float64)])

    def log_unit(self) -> float:
        """Return minus the log area of the unit of offsets."""
        return -2 * math.log(self.scale)


def _checked(drawing: Any, name: str) -> np.ndarray:
    """Return a drawing as an array of numbers; raise an error if it is none."""
    try:
        points = np.asarray(drawing, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be {_FORM}. Got {_short(drawing)}.") from None
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f"{name} must be {_FORM}. Got the shape {points.shape}.")
    if not len(points):
        raise ValueError(f"{name} has no points; it must have at least one.")
    if not (np.abs(points) <= _LARGEST).all():
        worst = points[~(np.abs(points) <= _LARGEST)][0]
        raise ValueError(f"{name} must hold finite numbers up to {_LARGEST:g}. Got {worst}.")
    others = points[:, 2][(points[:, 2] != 0) & (points[:, 2] != 1)]
    if len(others):
        raise ValueError(
            f"{name} must have 0 or 1 in its third column, 1 where the pen is lifted after the "
            f"point. Got {others[0]:g}."
        )
    return points


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
