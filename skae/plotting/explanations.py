"""ExplanationDisplay: the columns that make rows outliers."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skae.common.sklearn_private import check_matplotlib_support
from skae.plotting.drawing import make_axes

# The largest number of characters of a value.
_LONGEST = 24


class ExplanationDisplay:
    """The columns with the largest shares of the surprisals of rows.

    Parameters
    ----------
    explanation : pandas.DataFrame
        The output of `AEOutlierDetector.explain`.
    surprisals : array-like of shape (n_rows,)
        The negative scores of the rows, in nats.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of the axes.
    bars_ : matplotlib BarContainer
        The shares, from top to bottom.

    See Also
    --------
    skae.AEOutlierDetector : Outlier detector with explanations.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from skae import AEOutlierDetector
    >>> from skae.plotting import ExplanationDisplay
    >>> X = load_iris(as_frame=True).data
    >>> detector = AEOutlierDetector(max_epochs=20, random_state=0).fit(X)
    >>> ExplanationDisplay.from_estimator(detector, X[:2])
    <...>
    >>> plt.show()
    """

    def __init__(self, *, explanation: pd.DataFrame, surprisals: Any) -> None:
        self.explanation = explanation
        self.surprisals = surprisals

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, top: int | None = 3, ax: Any = None) -> Self:
        """Draw the explanation of the scores of rows.

        Parameters
        ----------
        estimator : AEOutlierDetector
            The fitted detector.
        X : {array-like, tensor, dataframe} of shape (n_samples, n_features)
            The rows, only a few.
        top : int or None, default=3
            The number of columns to draw for a row; None draws all.
        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a new figure.

        Returns
        -------
        display : ExplanationDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        explanation = estimator.explain(X, top=top)
        return cls(explanation=explanation, surprisals=-estimator.score_samples(X)).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw a bar for every line of the explanation, those of a row together.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a new figure.

        Returns
        -------
        display : ExplanationDisplay
            The display.
        """
        n_bars = len(self.explanation) // len(self.surprisals)
        rows = np.arange(len(self.explanation)) // n_bars
        heights = np.arange(len(rows)) + rows
        size = (8, 1 + 0.3 * (heights[-1] + 1))
        self.ax_, self.figure_ = make_axes(ax, figsize=size, layout="constrained")
        colours = np.where(rows % 2 == 0, "tab:blue", "tab:orange")
        self.bars_ = self.ax_.barh(heights, self.explanation["share"], color=colours)
        self.ax_.set_yticks(heights, [_reason(line) for line in self.explanation.itertuples()])
        for first, surprisal in zip(range(0, len(rows), n_bars), self.surprisals, strict=True):
            name = self.explanation["row"].iloc[first]
            text = f"row {name}: {surprisal:.1f} nats in all"
            self.ax_.text(0, heights[first] - 0.7, text, va="center", fontweight="bold")
        self.ax_.set_ylim(heights[-1] + 0.7, -1.3)
        self.ax_.set_xlabel("Share of the surprisal (nats)")
        return self


def _reason(line: Any) -> str:
    """Return the label of a line of an explanation."""
    return f"{line.column} = {_short(line.value)}, expected {_short(line.expected)}"


def _short(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
