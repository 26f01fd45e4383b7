"""The form of a panel: the way from cases to rows of an autoencoder, and back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from skae.series.panels import Panel

# The smallest standard deviation of a channel that it is divided by, as a share of its largest
# number: below it, there is only rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class PanelForm:
    """What `fit` saw: the container, and the shape of a case.

    Attributes
    ----------
    container : {"rows", "array", "list", "frame"}
        What cases came in; "rows" are cases of one channel, one a row.
    n_channels : int
        The number of channels.
    n_timepoints : int
        The number of timepoints of the longest case.
    is_ragged : bool
        Whether lengths differ.
    dtype : numpy dtype
        The type of the numbers.
    names : tuple of str or int
        The names of the channels of a frame.
    levels : tuple
        The names of the levels of its index.
    scales : ndarray of shape (n_channels,) or None
        What channels are divided by.
    """

    container: str
    n_channels: int
    n_timepoints: int
    is_ragged: bool
    dtype: np.dtype
    names: tuple = ()
    levels: tuple = ()
    scales: np.ndarray | None = None

    @classmethod
    def of_rows(cls, n_timepoints: int) -> "PanelForm":
        """Return the form of rows of one channel, which autoencoders of rows read themselves."""
        return cls("rows", 1, n_timepoints, is_ragged=False, dtype=np.dtype(np.float64))

    @classmethod
    def of(cls, panel: Panel, *, scale_channels: bool) -> "PanelForm":
        """Return the form of a panel."""
        lengths = panel.lengths
        return cls(
            panel.container,
            len(panel.cases[0]),
            int(lengths.max()),
            bool((lengths != lengths[0]).any()),
            np.result_type(*panel.cases),
            panel.names,
            () if panel.index is None else tuple(panel.index.names),
            _scales_of(panel.cases) if scale_channels else None,
        )

    def rows(self, panel: Panel) -> np.ndarray:
        """Return cases as rows: channel by channel, and last, where lengths differ, the length.

        Raises
        ------
        ValueError
            If they have another number of channels or, where lengths do not differ, of timepoints.
        """
        self._check(panel)
        rows = np.zeros((len(panel.cases), self.n_channels, self.n_timepoints), self.dtype)
        lengths = np.minimum(panel.lengths, self.n_timepoints)
        for row, case, length in zip(rows, panel.cases, lengths, strict=True):
            row[:, :length] = stretched(case, length)
        if self.scales is not None:
            rows /= self.scales[:, None].astype(self.dtype)
        flat = rows.reshape(len(rows), -1)
        return np.hstack([flat, lengths[:, None].astype(self.dtype)]) if self.is_ragged else flat

    def cases(self, rows: np.ndarray, lengths: np.ndarray | None = None) -> list[np.ndarray]:
        """Return decoded rows as cases, stretched to given lengths."""
        n_points = self.n_channels * self.n_timepoints
        series = rows[:, :n_points].reshape(len(rows), self.n_channels, self.n_timepoints)
        if self.scales is not None:
            series = series * self.scales[:, None].astype(self.dtype)
        own = rows[:, -1].astype(int) if self.is_ragged else np.full(len(rows), self.n_timepoints)
        lengths = own if lengths is None else lengths
        return [
            stretched(case[:, :n], length)
            for case, n, length in zip(series, own, lengths, strict=True)
        ]

    def wrap(self, cases: list[np.ndarray], like: Panel | None = None) -> Any:
        """Return cases in the container of `fit`; for a tensor, as a tensor or a list of them."""
        if like is not None and like.device is not None:
            return torch.from_numpy(np.stack(cases)).to(like.device)
        if self.container == "list":
            return cases
        if self.container == "frame":
            return self._frame(cases, like)
        if len({case.shape for case in cases}) > 1:
            return cases
        return np.stack(cases)[:, 0] if self.container == "rows" else np.stack(cases)

    def log_volume(self, lengths: np.ndarray) -> np.ndarray:
        """Return the log of the volume of a unit cube of scaled cases in the units of X."""
        return (
            np.zeros(len(lengths))
            if self.scales is None
            else (np.minimum(lengths, self.n_timepoints) * np.log(self.scales).sum())
        )

    def _frame(self, cases: list[np.ndarray], like: Panel | None) -> pd.DataFrame:
        numbers = np.concatenate([case.T for case in cases])
        if like is not None and like.index is not None and like.order is not None:
            unsorted = np.empty_like(numbers)
            unsorted[like.order] = numbers
            return pd.DataFrame(unsorted, like.index, list(self.names))
        pairs = [(i, t) for i, case in enumerate(cases) for t in range(case.shape[1])]
        index = pd.MultiIndex.from_tuples(pairs, names=self.levels)
        return pd.DataFrame(numbers, index, list(self.names))

    def _check(self, panel: Panel) -> None:
        n_channels, lengths = len(panel.cases[0]), panel.lengths
        if panel.container == "frame" and self.names and panel.names != self.names:
            raise ValueError(
                f"The columns of X are {list(panel.names)}, but those of fit were "
                f"{list(self.names)}."
            )
        if n_channels != self.n_channels:
            raise ValueError(
                f"The cases of X have {n_channels} channels, but those of fit had "
                f"{self.n_channels}."
            )
        other = np.flatnonzero(lengths != self.n_timepoints)
        if len(other) and not self.is_ragged:
            raise ValueError(
                f"Case {other[0]} of X has {lengths[other[0]]} timepoints, but all cases of fit "
                f"had {self.n_timepoints}. Fitted to cases of unequal lengths, it takes any."
            )


def stretched(case: np.ndarray, length: int) -> np.ndarray:
    """Return a case at another number of evenly spaced timepoints, by linear interpolation."""
    n = case.shape[1]
    if n == length:
        return case
    places = np.linspace(0, n - 1, length) if length > 1 else np.array([(n - 1) / 2])
    steps = np.arange(n)
    channels = [np.interp(places, steps, channel) for channel in case]
    return np.array(channels, dtype=case.dtype)


def _scales_of(cases: list[np.ndarray]) -> np.ndarray:
    """Return the standard deviation of every channel, 1 of constant ones."""
    joined = np.concatenate(cases, axis=1).astype(np.float64)
    spread = joined.std(1)
    return np.where(spread > _ROUNDING * np.abs(joined).max(1), spread, 1.0)
