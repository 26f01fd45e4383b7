"""The end of a series, which the next chunk of it goes on from."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from skae.series.recordings import Recording, on_steps
from skae.series.times import steps_of


@dataclass(frozen=True)
class Tail:
    """The last rows of a series.

    Attributes
    ----------
    values : ndarray of shape (n_rows, n_channels)
        The rows.
    steps : ndarray of int of shape (n_rows,)
        The steps of the rows, relative to the one after the last.
    times : ndarray of int of shape (n_rows,) or None
        Their times in nanoseconds, None if they have none.
    """

    values: np.ndarray
    steps: np.ndarray
    times: np.ndarray | None

    @classmethod
    def of(cls, recording: Recording, n_steps: int) -> Self:
        """Return the last steps of a recording."""
        n = len(recording.values)
        is_in = recording.places >= n - n_steps
        places = recording.places[is_in]
        times = None if recording.times is None else recording.times[is_in]
        return cls(recording.values[places], places - n, times)

    def joined_to(self, later: Recording) -> tuple[Recording, int]:
        """Return this end and what follows as one recording, and the number of rows of this one.

        Raises
        ------
        ValueError
            If the times of both say that the other does not follow, or steps are unequal.
        """
        numbers = np.concatenate([self.values, later.values[later.places]])
        if len(self.steps) and self.times is not None and later.times is not None:
            times = np.concatenate([self.times, later.times])
            index = pd.DatetimeIndex(times)
            return on_steps(numbers, steps_of(index), times, index), len(self.steps)
        steps = np.concatenate([self.steps, later.places])
        steps = steps - steps[0]
        index = pd.RangeIndex(len(steps))
        return on_steps(numbers, steps, None, index), len(self.steps)
