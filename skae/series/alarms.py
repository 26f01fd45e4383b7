"""Alarms: runs of outliers in time."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skae.series.recordings import Recording

_OF_ALARMS = ["recording", "start", "end", "n_timepoints", "peak", "score"]


@dataclass(frozen=True)
class Alarm:
    """One run of outliers.

    Attributes
    ----------
    recording : int
        The place of the recording.
    first, last, peak : int
        The places of its first row, its last one and the one with the lowest score.
    score : float
        The lowest score.
    """

    recording: int
    first: int
    last: int
    peak: int
    score: float


def find_alarms(scores: list[np.ndarray], offset: float, nearest: int) -> list[Alarm]:
    """Return the alarms of recordings.

    Parameters
    ----------
    scores : list of ndarray of shape (n_timepoints,)
        The scores of every recording.
    offset : float
        The score below which a time is an outlier.
    nearest : int
        The number of times between two runs up to which they are one.
    """
    found = []
    for place, each in enumerate(scores):
        for first, last in runs_of(each < offset, nearest):
            peak = first + int(np.nanargmin(each[first : last + 1]))
            found.append(Alarm(place, first, last, peak, float(each[peak])))
    return found


def runs_of(is_outlier: np.ndarray, nearest: int) -> list[tuple[int, int]]:
    """Return the first and last places of runs; those with at most some places between are one."""
    places = np.flatnonzero(is_outlier)
    if len(places) == 0:
        return []
    ends = np.flatnonzero(np.diff(places) > nearest + 1)
    firsts, lasts = places[np.append(0, ends + 1)], places[np.append(ends, len(places) - 1)]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def frame_of_alarms(alarms: list[Alarm], recordings: list[Recording]) -> pd.DataFrame:
    """Return alarms as a frame; see `WindowedDetector.alarms`."""
    lines = []
    for each in alarms:
        start, end, peak = recordings[each.recording].index[[each.first, each.last, each.peak]]
        n = each.last - each.first + 1
        lines.append((each.recording, start, end, n, peak, each.score))
    return pd.DataFrame(lines, columns=_OF_ALARMS)
