"""WindowedDetector: outliers in time, by any detector of rows on windows of series."""

from dataclasses import field
from numbers import Integral
from typing import Annotated, Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.metaestimators import available_if

from skae.common.annotations import Auto, Named, RandomState
from skae.common.documentation import Documented
from skae.common.parameters import estimator
from skae.common.seeds import draw_seed
from skae.common.sklearn_private import HasMethods, Interval, fit_context
from skae.common.state import FittedState
from skae.outliers.conformal import share_threshold
from skae.outliers.detector import AEOutlierDetector
from skae.outliers.parameters import Contamination
from skae.saving.saves import Saves
from skae.series.heldout import MOST_WINDOWS, held_out_scores, thinned
from skae.series.inference import WindowedInference
from skae.series.recordings import Recording, read_recordings
from skae.series.scoring import learns_on, score_windows, seeded
from skae.series.tail import Tail
from skae.series.windows import Normalize, Windows, find_window

# The share of the time that "auto" flags, and the windows that overlap by its stride.
_AUTO_SHARE, _OVERLAP = 0.01, 8


@estimator()
class WindowedDetector(
    WindowedInference, OutlierMixin, FittedState, Saves, Documented, BaseEstimator
):
    r"""Outliers in time: any detector of rows, on the windows of series.

    A window is the part of a series at :math:`w` consecutive times, all channels side by side. The
    detector learns what windows are normal, and the score of a time :math:`t` is the mean of those
    of the windows that it is in,

    .. math:: s(t) = \frac{1}{|W_t|} \sum_{v \in W_t} s(x_{v:v+w}), \qquad
              W_t = \{v : v \le t < v + w\}.

    At the ends of a series, :math:`W_t` has fewer windows, down to one, so that scores vary more.

    Thresholds and p-values come from held-out scores: the training series is cut into blocks of
    time, and each is scored by a detector that learned from windows that share no time with it.
    Windows that were held out at random would have near copies among those that overlap them.

    See Also
    --------
    AEOutlierDetector : The detector of rows that is the default.
    skae.plotting.SeriesScoreDisplay : A plot of a series, its scores and its alarms.

    Notes
    -----
    A step of time without a row, and a missing cell, are holes; see `missing`. Rows whose times
    have unequal steps are refused.

    A detector of scikit-learn or PyOD, and an autoencoder of skae, take the place of the default:
    whatever has `fit` and `score_samples`, or `decision_function`. A file can hold skae's own.

    References
    ----------
    Paparrizos, J., Kang, Y., Boniol, P., Tsay, R. S., Palpanas, T. and Franklin, M. J. (2022).
    TSB-UAD: an end-to-end benchmark suite for univariate time-series anomaly detection. VLDB 15.

    Ermshaus, A., Schäfer, P. and Leser, U. (2023). Window size selection in unsupervised time
    series analytics: a review and benchmark. Advanced Analytics and Learning on Temporal Data.

    Chernozhukov, V., Wüthrich, K. and Zhu, Y. (2018). Exact and robust conformal inference methods
    for predictive machine learning with dependent data. Conference on Learning Theory.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skae import WindowedDetector
    >>> t = np.arange(1200)
    >>> X = np.sin(t / 8) + np.random.default_rng(0).normal(0, 0.1, 1200)
    >>> detector = WindowedDetector(IsolationForest(random_state=0), window=50).fit(X[:800])
    >>> later = X[800:].copy()
    >>> later[200:230] = 0
    >>> int(detector.score_samples(later).argmin()) in range(190, 240)
    True
    """

    detector: (
        Annotated[
            Any,
            HasMethods(["fit", "score_samples"]),
            HasMethods(["fit", "decision_function"]),
            Named("detector"),
        ]
        | None
    ) = field(default=None, kw_only=False)
    """The detector of windows, which is cloned: any with `fit` and `score_samples` or
    `decision_function`, or an autoencoder of skae. None is `AEOutlierDetector()`."""

    window: Auto | Annotated[int, Interval(Integral, 2, None, closed="left")] = "auto"
    """The number of times of a window. "auto" is the lag of the highest peak of the
    autocorrelation, 64 where there is none, in any case at most 256, 512 cells and an eighth of the
    shortest training series."""

    stride: Auto | Annotated[int, Interval(Integral, 1, None, closed="left")] = "auto"
    """The number of times from one window to the next, at most `window`; "auto" is an eighth of the
    window. The last window of a series ends with it."""

    normalize: Normalize | None = "window"
    """What windows are brought to one scale by: "series" subtracts the mean of every channel in the
    training series, and divides by its standard deviation there; "level" subtracts the mean of the
    window itself, so that slow drift is no outlier, and a shift of the level only where it begins
    and ends; "window" divides by the standard deviation of the window as well, at least a tenth of
    that of the series, so that only shapes are compared, and no sizes. None leaves numbers as they
    are."""

    missing: Literal["interpolate", "detector", "error"] = "interpolate"
    """The treatment of holes. "interpolate" draws lines across them; "detector" passes NaN on, for
    detectors that take it, to which a hole may be an outlier in itself; "error" raises an error. In
    any case, windows of which more than half is missing are not scored."""

    contamination: Auto | Contamination = "auto"
    """The share of the time that is flagged in series such as those of `fit`, by held-out scores,
    in (0, 0.5]; "auto" is 0.01. As times are flagged in runs of about a window, it is no rate of
    false alarms: of normal series, one is to be expected in about `window` / `contamination` times
    or more."""

    n_blocks: Annotated[int, Interval(Integral, 2, None, closed="left")] = 4
    """The number of blocks of time for the held-out scores, each of which takes a fit; fewer if
    less than three tenths of the windows would be learned from. Series that are too short for two
    have no held-out scores: those of the fitted detector count, and thresholds flag too much."""

    random_state: RandomState = None
    """The seed of the detector where it has none of its own."""

    detector_: Any = field(init=False)
    """The fitted detector of windows."""

    window_: int = field(init=False)
    """The number of times of a window."""

    stride_: int = field(init=False)
    """The number of times from one window to the next."""

    offset_: float = field(init=False)
    """The score below which a time is an outlier."""

    training_scores_: Any = field(init=False)
    """The held-out scores of the times of `fit` or of the last `partial_fit`, a list of arrays if
    that was given a list."""

    n_features_in_: int = field(init=False)
    """The number of channels that `fit` saw."""

    feature_names_in_: np.ndarray = field(init=False)
    """The names of the channels, if `fit` was given a frame whose names are all strings."""

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: None = None) -> Self:
        """Fit the detector to the windows of one or several series.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_timepoints, n_channels) or (n_timepoints,), or \
list of them
            The series, rows in the order of time. The index of a pandas frame may hold times, or
            one column of a frame, also as text; other columns must be numbers or booleans. A list
            of arrays or frames holds one for each recording, and no window spans two of them.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a column holds no numbers, steps of time are unequal, or a series is shorter than the
            window.
        """
        with self._restored_on_failure():
            self._forget()
            recordings, is_many = read_recordings(self, X, reset=True)
            self._seed_ = draw_seed(self.random_state)
            self._windows_ = self._learn_windows(recordings)
            self.window_, self.stride_ = self._windows_.window, self._windows_.stride
            self._fit_to(recordings, is_many)
        return self

    @available_if(lambda self: learns_on(self._detector))
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: None = None) -> Self:
        """Go on with the next chunk of the series, which follows the rows before it.

        The first call is `fit`. In each later one, windows that begin in the rows before, of which
        the last `window_` - 1 are kept, count as well; if the times say that rows between are
        missing, those are a hole. The chunk is scored before it is learned from, so that its scores
        are held-out ones; threshold and p-values are by the last 20,000 of them.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_timepoints, n_channels) or (n_timepoints,)
            The next rows.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        if not self.__sklearn_is_fitted__():
            return self.fit(X)
        with self._restored_on_failure():
            self._go_on_with(X)
        return self

    def fit_predict(self, X: Any, y: None = None) -> Any:
        """Fit the detector to series, and label their times by held-out scores.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_timepoints, n_channels) or (n_timepoints,), or \
list of them
            The series; see `fit`.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        labels : ndarray of int of shape (n_timepoints,), or list of them
            -1 for outliers and 1 for inliers.
        """
        scores = self.fit(X).training_scores_
        if isinstance(scores, list):
            return [np.where(each < self.offset_, -1, 1) for each in scores]
        return np.where(scores < self.offset_, -1, 1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing != "error"
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return "offset_" in vars(self)

    @property
    def _detector(self) -> Any:
        return AEOutlierDetector() if self.detector is None else self.detector

    def _learn_windows(self, recordings: list[Recording]) -> Windows:
        """Return how windows are cut: their length, and the scales of the channels."""
        window = self.window
        if isinstance(window, str):
            window = find_window([each.filled for each in recordings])
        stride = max(1, window // _OVERLAP) if isinstance(self.stride, str) else self.stride
        if stride > window:
            raise ValueError(
                f"The 'stride' parameter must be at most the window, {window}, so that no time is "
                f"left out. Got {stride!r}."
            )
        values = np.concatenate([each.filled for each in recordings])
        scale = values.std(0)
        scale[scale <= 1e-12 * np.abs(values).max(0)] = 1.0
        return Windows(int(window), int(stride), self.normalize, values.mean(0), scale)

    def _fit_to(self, recordings: list[Recording], is_many: bool) -> None:
        cut = [self._cut(each) for each in recordings]
        rows = np.concatenate([each for _, each in cut])
        if len(rows) < 2:
            raise ValueError(
                f"There are {len(rows)} windows of {self.window_} times to learn from, and two are "
                f"needed: give a longer series, or a smaller 'window' or 'stride'."
            )
        owner = np.repeat(np.arange(len(cut)), [len(starts) for starts, _ in cut])
        starts = np.concatenate([starts for starts, _ in cut])
        options = {"window": self.window_, "n_blocks": self.n_blocks, "seed": self._seed_}
        scores = held_out_scores(self._detector, rows, owner, starts, **options)
        self.detector_ = seeded(self._detector, self._seed_).fit(thinned(rows))
        if scores is None:
            # Too short for blocks: the detector's own scores, which may be too good.
            scores = score_windows(self.detector_, rows)
        found = [
            self._at_rows(each, scores[owner == place], starts[owner == place])
            for place, each in enumerate(recordings)
        ]
        self._held_out_, self._held_out_times_ = scores, np.concatenate(found)
        self.training_scores_ = found if is_many else found[0]
        self._conclude(recordings[-1])

    def _go_on_with(self, X: Any) -> None:
        """Score a chunk, learn from it, and keep its end."""
        recordings, is_many = read_recordings(self, X, reset=False)
        if is_many:
            raise ValueError("partial_fit takes one chunk, which goes on where the last one ended.")
        joined, n_before = self._tail_.joined_to(recordings[0])
        starts, rows = self._cut(joined)
        scores = score_windows(self.detector_, rows)
        self.training_scores_ = self._at_rows(joined, scores, starts)[n_before:]
        self._held_out_ = _latest(self._held_out_, scores)
        self._held_out_times_ = _latest(self._held_out_times_, self.training_scores_)
        if len(rows):
            self.detector_.partial_fit(rows)
        self._conclude(joined)

    def _conclude(self, last: Recording) -> None:
        """Find the threshold, and keep the end of the last series."""
        held_out = self._held_out_times_[~np.isnan(self._held_out_times_)]
        share = _AUTO_SHARE if isinstance(self.contamination, str) else self.contamination
        self.offset_ = -share_threshold(-held_out, share, np.ones(len(held_out)))
        self._tail_ = Tail.of(last, self.window_ - 1)


def _latest(older: np.ndarray, newer: np.ndarray) -> np.ndarray:
    return np.concatenate([older, newer])[-MOST_WINDOWS:]
