"""The channels that make an alarm, and what was expected there."""

from typing import Any

import numpy as np

from skae.autoencoders.base import BaseAutoencoder
from skae.outliers.detector import AEOutlierDetector
from skae.series.alarms import Alarm
from skae.series.recordings import Recording
from skae.series.scoring import score_windows
from skae.series.windows import Windows

# The largest number of windows of an alarm that are explained.
_MOST_EXPLAINED = 8


def reasons_of(
    detector: Any,
    windows: Windows,
    alarm: Alarm,
    recording: Recording,
    filled: np.ndarray,
    n_channels: int,
) -> list[tuple[Any, ...]]:
    """Return why there is an alarm, a line for each channel; see `WindowedDetector.explain`.

    Parameters
    ----------
    detector : estimator
        The fitted detector of windows.
    windows : Windows
        How windows are cut.
    alarm : Alarm
        The alarm.
    recording : Recording
        The recording that it is in.
    filled : ndarray of shape (n_steps, n_channels)
        The values that windows are cut from.
    n_channels : int
        The number of channels to return.
    """
    starts = _worst(detector, windows, alarm, recording, filled)
    shares, expected = _cells(detector, windows, filled, starts)
    shape = len(starts), filled.shape[1], windows.window
    steps = starts[:, None] + np.arange(windows.window)
    shares = np.moveaxis(shares.reshape(shape), 1, 0)
    expected = np.moveaxis(expected.reshape(shape), 1, 0)
    by_channel = shares.sum((1, 2))
    order = np.argsort(-by_channel, kind="stable")[:n_channels]
    total = max(float(by_channel.sum()), np.finfo(float).tiny)
    start, end = recording.index[[alarm.first, alarm.last]]
    lines = []
    for j in order:
        place = np.unravel_index(shares[j].argmax(), shares[j].shape)
        step = int(steps[place])
        row = min(int(np.searchsorted(recording.places, step)), len(recording.places) - 1)
        share, value = float(by_channel[j]) / total, float(filled[step, j])
        lines.append(
            (start, end, int(j), share, recording.index[row], value, float(expected[j][place]))
        )
    return lines


def _worst(
    detector: Any, windows: Windows, alarm: Alarm, recording: Recording, filled: np.ndarray
) -> np.ndarray:
    """Return where the windows with the lowest scores start that lie side by side in an alarm."""
    first, last = recording.places[[alarm.first, alarm.last]]
    starts = windows.starts(recording.is_missing)
    starts = starts[(starts + windows.window > first) & (starts <= last)]
    scores = score_windows(detector, windows.cut(filled, starts))
    chosen: list[int] = []
    for place in np.argsort(scores, kind="stable"):
        start = int(starts[place])
        if all(abs(start - other) >= windows.window for other in chosen):
            chosen.append(start)
    return np.array(chosen[:_MOST_EXPLAINED])


def _cells(
    detector: Any, windows: Windows, filled: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of every cell of windows, and what is expected there, in units of X."""
    rows = windows.cut(filled, starts)
    if isinstance(detector, AEOutlierDetector):
        lines = detector.explain(rows, top=None).sort_values(["row", "column"])
        shares = lines["share"].to_numpy(dtype=float).reshape(rows.shape)
        expected = lines["expected"].to_numpy(dtype=float).reshape(rows.shape)
    elif isinstance(detector, BaseAutoencoder):
        expected = np.asarray(detector.reconstruct(rows), dtype=float)
        shares = np.nan_to_num((rows - expected) ** 2)
    else:
        raise TypeError(
            f"{type(detector).__name__} cannot tell which channels make an alarm: explain needs "
            f"AEOutlierDetector or an autoencoder of skae. alarms gives the times alone."
        )
    return shares, windows.restored(expected, filled, starts)
