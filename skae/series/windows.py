"""Windows of a series: cut, brought to one scale, and their scores given back to times."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import detrend

Normalize = Literal["series", "level", "window"]

# The smallest standard deviation within a window, in those of the series, so that the noise of a
# flat stretch is not blown up.
_LEAST_SPREAD = 0.1
# The share of a window's cells that may have been missing.
_MOST_MISSING = 0.5
# The shortest and longest window that is chosen, and the fewest windows side by side.
_SHORTEST, _LONGEST, _FEWEST = 8, 256, 8
# The number of cells of a window up to which it is chosen.
_MOST_CELLS = 512
# The smallest autocorrelation of a period, and the window where there is none.
_LEAST_CORRELATION, _WITHOUT_PERIOD = 0.2, 64


@dataclass(frozen=True)
class Windows:
    """How windows are cut from a series of one sampling rate.

    Attributes
    ----------
    window : int
        The number of times of a window.
    stride : int
        The number of times from one window to the next.
    normalize : {"series", "level", "window"} or None
        What is subtracted and divided by; see `WindowedDetector`.
    center, scale : ndarray of shape (n_channels,)
        The mean and the standard deviation of every channel in the training series.
    """

    window: int
    stride: int
    normalize: Normalize | None
    center: np.ndarray
    scale: np.ndarray

    def starts(self, is_missing: np.ndarray) -> np.ndarray:
        """Return where windows start, the last one so that it ends with the series.

        Parameters
        ----------
        is_missing : ndarray of bool of shape (n_timepoints, n_channels)
            Which cells were missing. Windows of which more than half was are left out.
        """
        last = len(is_missing) - self.window
        starts = np.unique(np.append(np.arange(0, last + 1, self.stride), last))
        share = np.append(0.0, np.cumsum(is_missing.mean(1)))
        missing = (share[starts + self.window] - share[starts]) / self.window
        return starts[missing <= _MOST_MISSING + 1e-9]

    def cut(self, values: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Return windows as rows, channel after channel, shape (n_windows, n_channels * window).

        Parameters
        ----------
        values : ndarray of shape (n_timepoints, n_channels)
            The series.
        starts : ndarray of int of shape (n_windows,)
            Where the windows start.
        """
        cut = sliding_window_view(values, self.window, axis=0)[starts]
        center, scale = self.frame_of(cut)
        return ((cut - center) / scale).reshape(len(starts), cut.shape[1] * cut.shape[2])

    def restored(self, rows: np.ndarray, values: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Return rows such as `cut` returns in the units of the series.

        Parameters
        ----------
        rows : ndarray of shape (n_windows, n_channels * window)
            The rows.
        values : ndarray of shape (n_timepoints, n_channels)
            The series that the windows are of.
        starts : ndarray of int of shape (n_windows,)
            Where they start.
        """
        cut = sliding_window_view(values, self.window, axis=0)[starts]
        center, scale = self.frame_of(cut)
        return (rows.reshape(cut.shape) * scale + center).reshape(rows.shape)

    def frame_of(self, cut: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what is subtracted from windows, and what they are divided by.

        Parameters
        ----------
        cut : ndarray of shape (n_windows, n_channels, window)
            The windows.
        """
        if self.normalize is None:
            return np.zeros((1, 1, 1)), np.ones((1, 1, 1))
        center, scale = self.center[:, None], self.scale[:, None]
        if self.normalize == "series":
            return center, scale
        known = np.maximum(np.isfinite(cut).sum(2, keepdims=True), 1)
        level = np.nansum(cut, axis=2, keepdims=True) / known
        if self.normalize == "level":
            return level, scale
        spread = np.sqrt(np.nansum((cut - level) ** 2, axis=2, keepdims=True) / known)
        return level, np.maximum(spread, _LEAST_SPREAD * scale)

    def side_by_side(self) -> "Windows":
        """Return the same windows, which do not overlap."""
        return replace(self, stride=self.window)

    def means_at_times(self, scores: np.ndarray, starts: np.ndarray, n: int) -> np.ndarray:
        """Return the mean score of the windows that a time is in; NaN where it is in none."""
        steps, counts = np.zeros(n + 1), np.zeros(n + 1)
        np.add.at(steps, starts, scores)
        np.add.at(steps, starts + self.window, -scores)
        np.add.at(counts, starts, 1)
        np.add.at(counts, starts + self.window, -1)
        counts = np.cumsum(counts)[:n]
        means = np.cumsum(steps)[:n] / np.maximum(counts, 1)
        return np.where(counts > 0, means, np.nan)


def find_window(series: list[np.ndarray]) -> int:
    """Return a length of windows: the dominant period of the series, where it has one.

    It is the lag of the highest peak of the autocorrelation, the mean over channels and series,
    after its first zero.

    Parameters
    ----------
    series : list of ndarray of shape (n_timepoints, n_channels)
        The series, without holes.
    """
    shortest = min(map(len, series))
    n_channels = series[0].shape[1]
    longest = max(2, min(_LONGEST, shortest // _FEWEST, _MOST_CELLS // n_channels))
    n_lags = min(2 * _LONGEST, shortest // 2)
    curve = np.mean([_autocorrelation(each, n_lags) for each in series], axis=0)
    period = _highest_peak(curve) or _WITHOUT_PERIOD
    return int(np.clip(period, min(_SHORTEST, longest), longest))


def _autocorrelation(values: np.ndarray, n_lags: int) -> np.ndarray:
    """Return the mean autocorrelation of the channels, without their linear trends."""
    x = detrend(values, axis=0)
    n = len(x)
    power = np.abs(np.fft.rfft(x, 2 * n, axis=0)) ** 2
    products = np.fft.irfft(power, axis=0)[:n_lags]
    # Of shorter overlaps there are fewer products.
    products /= np.arange(n, n - n_lags, -1)[:, None]
    varies = products[0] > 1e-12 * np.maximum((values**2).mean(0), 1e-300)
    if not varies.any():
        return np.zeros(n_lags)
    return (products[:, varies] / products[0, varies]).mean(1)


def _highest_peak(curve: np.ndarray) -> int:
    """Return the lag of the highest peak after the first zero, 0 if there is none."""
    below = np.flatnonzero(curve <= 0)
    if len(below) == 0 or below[0] >= len(curve) - 2:
        return 0
    inner = np.arange(below[0] + 1, len(curve) - 1)
    is_peak = (curve[inner] > curve[inner - 1]) & (curve[inner] >= curve[inner + 1])
    is_peak &= curve[inner] > _LEAST_CORRELATION
    peaks = inner[is_peak]
    if len(peaks) == 0:
        return 0
    # Multiples of a period are nearly as high: the first that is.
    return int(peaks[curve[peaks] >= 0.9 * curve[peaks].max()][0])
