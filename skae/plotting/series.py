"""SeriesScoreDisplay: a series, its scores in time, and what was flagged."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skae.common.sklearn_private import check_matplotlib_support

# The largest number of channels that are drawn.
_MOST_CHANNELS = 8


class SeriesScoreDisplay:
    """The channels of a series and the surprisals of its times, with the alarms shaded.

    Where it is known which channels made an alarm, the largest of them are shaded in red, and the
    expected value at the most surprising time is a cross.

    Parameters
    ----------
    values : dataframe of shape (n_timepoints, n_channels)
        The series; its index is the times.
    surprisals : array-like of shape (n_timepoints,)
        Minus the scores of the times.
    threshold : float
        The surprisal above which times are outliers.
    alarms : dataframe
        The output of `WindowedDetector.alarms`.
    explanation : dataframe or None, default=None
        The output of `WindowedDetector.explain`, None if it is not known.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        The axes: one for each channel, from top to bottom, and that of the surprisals.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    skae.WindowedDetector : Outliers in time.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skae import WindowedDetector
    >>> from skae.plotting import SeriesScoreDisplay
    >>> X = np.sin(np.arange(600) / 8)
    >>> detector = WindowedDetector(IsolationForest(random_state=0), window=50).fit(X)
    >>> SeriesScoreDisplay.from_estimator(detector, X)
    <...>
    >>> plt.show()
    """

    def __init__(
        self,
        *,
        values: Any,
        surprisals: Any,
        threshold: float,
        alarms: Any,
        explanation: Any = None,
    ) -> None:
        self.values = values
        self.surprisals = surprisals
        self.threshold = threshold
        self.alarms = alarms
        self.explanation = explanation

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, axes: Any = None) -> Self:
        """Draw a series, its scores and its alarms.

        Parameters
        ----------
        estimator : WindowedDetector
            The fitted detector.
        X : {array-like, dataframe} of shape (n_timepoints, n_channels) or (n_timepoints,)
            One series.
        axes : array-like of matplotlib Axes, default=None
            The axes to draw on, one more than channels are drawn; None makes a new figure.

        Returns
        -------
        display : SeriesScoreDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        scores = estimator.score_samples(X)
        if isinstance(scores, list):
            raise ValueError("SeriesScoreDisplay draws one series. Got a list of them.")
        try:
            explanation = estimator.explain(X, top=None)
        except TypeError:
            explanation = None
        display = cls(
            values=estimator.read(X),
            surprisals=-scores,
            threshold=-estimator.offset_,
            alarms=estimator.alarms(X),
            explanation=explanation,
        )
        return display.plot(axes=axes)

    def plot(self, *, axes: Any = None) -> Self:
        """Draw the series.

        Parameters
        ----------
        axes : array-like of matplotlib Axes, default=None
            The axes to draw on, one more than channels are drawn; None makes a new figure.

        Returns
        -------
        display : SeriesScoreDisplay
            The display.
        """
        names = self._drawn()
        self._make_axes(axes, len(names) + 1)
        for ax, name in zip(self.axes_, names, strict=False):
            ax.plot(self.values.index, self.values[name], color="tab:blue", linewidth=0.8)
            ax.set_ylabel(str(name))
        *_, last = self.axes_
        last.plot(self.values.index, self.surprisals, color="black", linewidth=0.8)
        last.axhline(self.threshold, color="tab:red", linestyle="dashed", linewidth=1)
        last.set_ylabel("Surprisal")
        last.set_xlabel("Time")
        for number, alarm in enumerate(self.alarms.itertuples()):
            last.axvspan(alarm.start, alarm.end, color="tab:red", alpha=0.25, linewidth=0)
            self._shade(number, alarm, names)
        return self

    def _drawn(self) -> list[Any]:
        """Return the names of the channels to draw: of many those with the largest shares."""
        names = list(self.values.columns)
        if len(names) <= _MOST_CHANNELS or self.explanation is None:
            return names[:_MOST_CHANNELS]
        shares = self.explanation.groupby("column")["share"].sum()
        largest = set(shares.sort_values(ascending=False).index[:_MOST_CHANNELS])
        chosen = [name for name in names if name in largest]
        return chosen or names[:_MOST_CHANNELS]

    def _shade(self, number: int, alarm: Any, names: list[Any]) -> None:
        """Shade an alarm in every channel, by its share, and mark what was expected."""
        lines = pd.DataFrame() if self.explanation is None else self.explanation
        own = lines[lines["alarm"] == number].set_index("column") if len(lines) else lines
        for ax, name in zip(self.axes_, names, strict=False):
            share = float(own["share"].get(name, 0.0)) if len(own) else 0.0
            is_reason = share > 1 / max(len(self.values.columns), 2)
            colour = "tab:red" if is_reason or len(own) == 0 else "tab:gray"
            strength = 0.12 + 0.25 * share if is_reason else 0.12
            ax.axvspan(alarm.start, alarm.end, color=colour, alpha=strength, linewidth=0)
            if is_reason:
                ax.plot([own["time"][name]], [own["expected"][name]], "x", color="tab:red")

    def _make_axes(self, axes: Any, n_axes: int) -> None:
        import matplotlib.pyplot as plt

        if axes is None:
            size = (10, 1.2 + 1.3 * n_axes)
            axes = plt.subplots(n_axes, sharex=True, figsize=size, layout="constrained")[1]
        self.axes_ = np.ravel(axes)
        if len(self.axes_) != n_axes:
            raise ValueError(f"'axes' must hold {n_axes} axes. Got {len(self.axes_)}.")
        self.figure_ = self.axes_[0].figure
