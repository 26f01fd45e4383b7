"""Inference with a fitted windowed detector: scores, labels, p-values and alarms in time."""

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from skae.outliers.conformal import p_values
from skae.saving.saves import Saves
from skae.series.alarms import Alarm, find_alarms, frame_of_alarms
from skae.series.reasons import reasons_of
from skae.series.recordings import Recording, read_recordings
from skae.series.scoring import score_windows
from skae.series.tail import Tail
from skae.series.windows import Windows
from skae.tables.columns import Columns
from skae.tables.remembering import Remembered
from skae.tables.table import Table

_OF_REASONS = ["alarm", "start", "end", "column", "share", "time", "value", "expected"]


class WindowedInference:
    """The methods that apply a fitted detector to series."""

    detector_: Any
    window_: int
    stride_: int
    offset_: float
    missing: str
    n_features_in_: int
    _windows_: Windows
    _tail_: Tail
    _held_out_: np.ndarray
    _held_out_times_: np.ndarray

    def score_samples(self, X: Any, continues: bool = False) -> Any:
        """Return the scores of times, higher for normal ones: the means of those of windows.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_timepoints, n_channels) or (n_timepoints,), or \
list of them
            The series.
        continues : bool, default=False
            Whether X goes on where the rows of the last `fit` or `partial_fit` ended, so that
            windows that begin there count.

        Returns
        -------
        scores : ndarray of shape (n_timepoints,), or list of them
            The scores, NaN at times without a window of which half is known.
        """
        check_is_fitted(self)
        recordings, is_many = read_recordings(self, X, reset=False)
        if continues:
            if is_many:
                raise ValueError("continues=True is of one series. Got a list.")
            joined, n_before = self._tail_.joined_to(recordings[0])
            return self._score(joined)[n_before:]
        scores = [self._score(each) for each in recordings]
        return scores if is_many else scores[0]

    def decision_function(self, X: Any, continues: bool = False) -> Any:
        """Return the scores of times relative to the threshold: `score_samples` minus `offset_`.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_timepoints, n_channels) or (n_timepoints,), or \
list of them
            The series.
        continues : bool, default=False
            Whether X goes on where the rows of the last `fit` or `partial_fit` ended.

        Returns
        -------
        scores : ndarray of shape (n_timepoints,), or list of them
            The shifted scores, negative for outliers, NaN at times without a window.
        """
        scores = self.score_samples(X, continues)
        if isinstance(scores, list):
            return [each - self.offset_ for each in scores]
        return scores - self.offset_

    def predict(
        self, X: Any, false_discovery_rate: float | None = None, continues: bool = False
    ) -> Any:
        """Label times as outliers or inliers.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_timepoints, n_channels) or (n_timepoints,), or \
list of them
            The series.
        false_discovery_rate : float, default=None
            The false discovery rate to control, in (0, 1). What is counted are windows side by
            side, which share no time: the expected share of normal ones among those that are
            flagged, whole, however they depend on each other. To flag k of m such windows, the
            training series must be as long as about m (1 + log m) / (k * rate) windows, since no
            p-value is smaller; with less, nothing is flagged. None compares the score of each time
            with `offset_`.
        continues : bool, default=False
            Whether X goes on where the rows of the last `fit` or `partial_fit` ended; not with a
            false discovery rate.

        Returns
        -------
        labels : ndarray of int of shape (n_timepoints,), or list of them
            -1 for outliers and 1 for inliers, which times without a window are.

        References
        ----------
        Benjamini, Y. and Yekutieli, D. (2001). The control of the false discovery rate in multiple
        testing under dependency. Annals of Statistics 29.
        """
        if false_discovery_rate is None:
            found = self.decision_function(X, continues)
            if isinstance(found, list):
                return [np.where(each < 0, -1, 1) for each in found]
            return np.where(found < 0, -1, 1)
        if continues:
            raise ValueError("continues=True has no windows side by side: leave out the rate.")
        return self._discoveries(X, false_discovery_rate)

    def p_values(self, X: Any) -> Any:
        r"""Return conformal p-values of times, by held-out scores of times.

        Scores of near times depend on each other, so that a training series of n times and windows
        of w counts as n / w independent ones:

        .. math:: p(t) = \\frac{1 + \\#\\{i : s_i \\le s(t)\\} / w}{1 + n / w}

        Of the times of new series like that of `fit`, about a share p has a p-value of at most p,
        if scores further apart than a window are independent, or nearly so. Those of near times are
        no independent evidence; see `predict` for several.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_timepoints, n_channels) or (n_timepoints,), or \
list of them
            The series.

        Returns
        -------
        p_values : ndarray of shape (n_timepoints,), or list of them
            The p-values in (0, 1], at least 1 / (1 + n / w); NaN at times without a window.
        """
        scores = self.score_samples(X)
        held_out = self._held_out_times_[~np.isnan(self._held_out_times_)]
        weights = np.full(len(held_out), 1 / self.window_)

        def of_one(each: np.ndarray) -> np.ndarray:
            found = p_values(-each, -held_out, weights)
            return np.where(np.isnan(each), np.nan, found)

        return [of_one(each) for each in scores] if isinstance(scores, list) else of_one(scores)

    def alarms(self, X: Any) -> pd.DataFrame:
        """Return the alarms: runs of times that are labelled as outliers.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_timepoints, n_channels) or (n_timepoints,), or \
list of them
            The series.

        Returns
        -------
        alarms : pandas.DataFrame
            A line for each alarm, in the order of time: `recording`, its place in the list,
            `start` and `end`, the first and the last time, `n_timepoints`, `peak`, the time with
            the lowest score, and that `score`. Times are those of X, or positions. Runs with at
            most half a window between them are one alarm.
        """
        check_is_fitted(self)
        recordings, _ = read_recordings(self, X, reset=False)
        return frame_of_alarms(self._alarms_in(recordings), recordings)

    def explain(self, X: Any, top: int | None = 3) -> pd.DataFrame:
        """Return which channels made each alarm, and what was expected there.

        Explained are the windows with the lowest scores that lie side by side in an alarm, by
        `AEOutlierDetector.explain`, or by `score_cells` and `reconstruct` of an autoencoder.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_timepoints, n_channels) or (n_timepoints,), or \
list of them
            The series.
        top : int or None, default=3
            The number of channels to return for an alarm; None returns all.

        Returns
        -------
        explanation : pandas.DataFrame
            A line for every alarm and channel, the largest share first: `alarm`, its number in
            `alarms`, `start` and `end`, `column`, the name or place of the channel, `share`, its
            part of what makes the alarm, all of which add up to 1, `time`, where its share is
            largest, and `value` and `expected` there, in the units of X.

        Raises
        ------
        TypeError
            If the detector cannot explain.
        """
        if top is not None:
            check_scalar(top, "top", int, min_val=1)
        check_is_fitted(self)
        recordings, _ = read_recordings(self, X, reset=False)
        names = self._names
        filled = [self._filled(each) for each in recordings]
        lines = [
            (number, *reason)
            for number, alarm in enumerate(self._alarms_in(recordings))
            for reason in reasons_of(
                self.detector_,
                self._windows_,
                alarm,
                recordings[alarm.recording],
                filled[alarm.recording],
                len(names) if top is None else top,
            )
        ]
        explanation = pd.DataFrame(lines, columns=_OF_REASONS)
        explanation["column"] = names[explanation["column"].to_numpy(dtype=int)]
        return explanation

    def read(self, X: Any) -> pd.DataFrame:
        """Return one series as it is read: numbers by channel, with their times as the index.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_timepoints, n_channels) or (n_timepoints,)
            The series.

        Returns
        -------
        values : pandas.DataFrame of shape (n_timepoints, n_channels)
            The rows.
        """
        check_is_fitted(self)
        (recording, *others), _ = read_recordings(self, X, reset=False)
        if others:
            raise ValueError("read takes one series. Got a list of several.")
        rows = recording.values[recording.places]
        return pd.DataFrame(rows, index=recording.index, columns=self._names)

    @property
    def _names(self) -> np.ndarray:
        return getattr(self, "feature_names_in_", np.arange(self.n_features_in_))

    def remembered_columns(self) -> list[Table | Columns]:
        """Return what is known of the columns, for `skae.tables.remembered`."""
        inner = self.detector_
        return inner.remembered_columns() if isinstance(inner, Saves) else []

    def remembered_rows(self) -> list[Remembered]:
        """Return what is held of whole rows, for `skae.tables.remembered`."""
        inner = self.detector_
        held = inner.remembered_rows() if isinstance(inner, Saves) else []
        return [*held, Remembered("", "last rows of the series", len(self._tail_.values))]

    def _rows_to_try(self) -> Any:
        zeros = np.zeros((2 * self.window_, self.n_features_in_))
        return zeros + self._windows_.center

    def _filled(self, recording: Recording) -> np.ndarray:
        """Return the values of a recording as windows are cut from them."""
        if self.missing == "interpolate" or not recording.is_missing.any():
            return recording.filled
        if self.missing == "detector":
            return recording.values
        n_missing = recording.is_missing.sum(0)
        found = ", ".join(f"{self._names[j]!s}: {n_missing[j]}" for j in np.flatnonzero(n_missing))
        raise ValueError(
            f"X contains NaN, missing values, by column ({found}), and steps without a row count "
            f"in all. Fill them, or set missing='interpolate'."
        )

    def _cut(self, recording: Recording) -> tuple[np.ndarray, np.ndarray]:
        """Return where the windows of a recording start, and the windows as rows."""
        n = len(recording.values)
        if n < self.window_:
            raise ValueError(
                f"X has {n} times, fewer than the window of {self.window_}: give a longer series"
                f", or fit with a smaller 'window'."
            )
        values = self._filled(recording)
        starts = self._windows_.starts(recording.is_missing)
        return starts, self._windows_.cut(values, starts)

    def _alarms_in(self, recordings: list[Recording]) -> list[Alarm]:
        scores = [self._score(each) for each in recordings]
        return find_alarms(scores, self.offset_, self.window_ // 2)

    def _score(self, recording: Recording) -> np.ndarray:
        starts, rows = self._cut(recording)
        return self._at_rows(recording, score_windows(self.detector_, rows), starts)

    def _at_rows(self, recording: Recording, scores: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Return the scores of the rows of a recording, from those of its windows."""
        n = len(recording.values)
        return self._windows_.means_at_times(scores, starts, n)[recording.places]

    def _discoveries(self, X: Any, rate: float) -> Any:
        """Return labels by the p-values of windows side by side."""
        bounds = {"min_val": 0, "max_val": 1, "include_boundaries": "neither"}
        check_scalar(rate, "false_discovery_rate", Real, **bounds)
        check_is_fitted(self)
        recordings, is_many = read_recordings(self, X, reset=False)
        tiles = [self._tiles(each) for each in recordings]
        scores = np.concatenate([scores for _, scores in tiles])
        weights = np.full(len(self._held_out_), self.stride_ / self.window_)
        found = p_values(-scores, -self._held_out_, weights)
        is_found = false_discovery_control(found, method="by") <= rate if len(found) else found > 1
        labels, first = [], 0
        for recording, (starts, _) in zip(recordings, tiles, strict=True):
            made = np.ones(len(recording.values), dtype=int)
            for start in starts[is_found[first : first + len(starts)]]:
                made[start : start + self.window_] = -1
            labels.append(made[recording.places])
            first += len(starts)
        return labels if is_many else labels[0]

    def _tiles(self, recording: Recording) -> tuple[np.ndarray, np.ndarray]:
        """Return where windows side by side start, and their scores; the last may overlap."""
        self._cut(recording)
        side_by_side = self._windows_.side_by_side()
        starts = side_by_side.starts(recording.is_missing)
        rows = side_by_side.cut(self._filled(recording), starts)
        return starts, score_windows(self.detector_, rows)
