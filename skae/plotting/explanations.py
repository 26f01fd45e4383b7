"""ExplanationDisplay: the columns that make rows outliers."""

from typing import Any, Literal, Self

import narwhals as nw
import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skae.common.sklearn_private import check_matplotlib_support
from skae.plotting.drawing import make_axes

# The largest number of characters of a value.
_LONGEST = 24
# The number of rows beyond which they are summarised.
_FEW = 10
# The number of columns that are drawn, by kind.
_MOST_COLUMNS = {"waterfall": 10, "bars": 3, "summary": 10}

Kind = Literal["auto", "waterfall", "bars", "summary"]


class ExplanationDisplay:
    """The columns with the largest shares of the surprisals of rows.

    There are three kinds: a waterfall adds up the shares of one row to its surprisal, bars show the
    largest shares of each of a few rows, and a summary the mean shares over many rows, with a point
    for every row.

    Parameters
    ----------
    explanation : dataframe
        The output of `AEOutlierDetector.explain`.
    surprisals : array-like of shape (n_rows,)
        The negative scores of the rows, in nats.
    threshold : float or None, default=None
        The surprisal above which rows are outliers, in nats.

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
    >>> ExplanationDisplay.from_estimator(detector, X[:1])
    <...>
    >>> plt.show()
    """

    def __init__(
        self, *, explanation: Any, surprisals: Any, threshold: float | None = None
    ) -> None:
        self.explanation = explanation
        self.surprisals = surprisals
        self.threshold = threshold

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        kind: Kind = "auto",
        top: int | Literal["auto"] | None = "auto",
        ax: Any = None,
    ) -> Self:
        """Draw the explanation of the scores of rows.

        Parameters
        ----------
        estimator : AEOutlierDetector
            The fitted detector.
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        kind : {"auto", "waterfall", "bars", "summary"}, default="auto"
            What to draw; "auto" draws a waterfall of one row, bars of up to 10, and a summary of
            more.
        top : int, "auto" or None, default="auto"
            The number of columns to draw; "auto" draws 3 for each row in bars, and 10 otherwise.
            None draws all.
        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a new figure.

        Returns
        -------
        display : ExplanationDisplay
            The display.

        Raises
        ------
        ValueError
            If `kind` or `top` is none of these, or a waterfall is asked for of several rows.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        display = cls(
            explanation=estimator.explain(X, top=None),
            surprisals=-estimator.score_samples(X),
            threshold=-float(estimator.offset_),
        )
        return display.plot(kind=kind, top=top, ax=ax)

    def plot(
        self,
        *,
        kind: Kind = "auto",
        top: int | Literal["auto"] | None = "auto",
        ax: Any = None,
    ) -> Self:
        """Draw the explanation.

        Parameters
        ----------
        kind : {"auto", "waterfall", "bars", "summary"}, default="auto"
            What to draw; "auto" draws a waterfall of one row, bars of up to 10, and a summary of
            more.
        top : int, "auto" or None, default="auto"
            The number of columns to draw; "auto" draws 3 for each row in bars, and 10 otherwise.
            None draws all.
        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a new figure.

        Returns
        -------
        display : ExplanationDisplay
            The display.

        Raises
        ------
        ValueError
            If `kind` or `top` is none of these, or a waterfall is asked for of several rows.
        """
        drawn = self._find_kind(kind)
        n_columns = _n_columns(top, drawn)
        frame = nw.from_native(self.explanation, eager_only=True)
        explanation = pd.DataFrame(frame.to_dict(as_series=False))
        draw = {"waterfall": self._waterfall, "bars": self._bars, "summary": self._summary}
        draw[drawn](explanation, n_columns, ax)
        return self

    def _find_kind(self, kind: str) -> str:
        n_rows = len(self.surprisals)
        if kind == "auto":
            return "waterfall" if n_rows == 1 else "bars" if n_rows <= _FEW else "summary"
        if kind not in _MOST_COLUMNS:
            raise ValueError(
                f"The 'kind' parameter must be 'auto' or one of {list(_MOST_COLUMNS)}. "
                f"Got {kind!r}."
            )
        if kind == "waterfall" and n_rows != 1:
            raise ValueError(f"A waterfall is of one row. Got {n_rows} rows.")
        return kind

    def _waterfall(self, explanation: pd.DataFrame, n_columns: int | None, ax: Any) -> None:
        """Draw the shares of one row, each beginning where the one before it ends."""
        drawn = explanation.iloc[:n_columns]
        shares = drawn["share"].to_numpy(dtype=float)
        labels = [_reason(line) for line in drawn.itertuples()]
        total = float(self.surprisals[0])
        # The columns that were not asked for in `explain` count as well.
        rest = total - shares.sum()
        if n_columns is not None and rest > 1e-9 * total:
            shares, labels = np.append(shares, rest), [*labels, "all other columns"]
        self._make_axes(ax, len(shares))
        starts = np.cumsum(shares) - shares
        heights = np.arange(len(shares))
        self.bars_ = self.ax_.barh(heights, shares, left=starts, color="tab:blue")
        self.ax_.set_yticks(heights, labels)
        self.ax_.axvline(total, color="black", linewidth=1)
        title = f"row {explanation['row'].iloc[0]}: {total:.1f} nats in all"
        if self.threshold is not None:
            self.ax_.axvline(self.threshold, color="tab:red", linestyle="dashed", linewidth=1)
            title += f", outliers are above {self.threshold:.1f} (dashed)"
        self.ax_.set_title(title, loc="right", fontsize="medium")
        self.ax_.set_ylim(len(shares) - 0.4, -0.6)
        self.ax_.set_xlabel("Surprisal (nats)")

    def _bars(self, explanation: pd.DataFrame, n_columns: int | None, ax: Any) -> None:
        """Draw a bar for the largest shares of every row, those of a row together."""
        n_lines = len(explanation) // len(self.surprisals)
        drawn = explanation[np.arange(len(explanation)) % n_lines < (n_columns or n_lines)]
        n_bars = len(drawn) // len(self.surprisals)
        rows = np.arange(len(drawn)) // n_bars
        heights = np.arange(len(rows)) + rows
        self._make_axes(ax, heights[-1] + 1)
        colours = np.where(rows % 2 == 0, "tab:blue", "tab:orange")
        self.bars_ = self.ax_.barh(heights, drawn["share"], color=colours)
        self.ax_.set_yticks(heights, [_reason(line) for line in drawn.itertuples()])
        for first, surprisal in zip(range(0, len(rows), n_bars), self.surprisals, strict=True):
            name = drawn["row"].iloc[first]
            text = f"row {name}: {surprisal:.1f} nats in all"
            self.ax_.text(0, heights[first] - 0.7, text, va="center", fontweight="bold")
        self.ax_.set_ylim(heights[-1] + 0.7, -1.3)
        self.ax_.set_xlabel("Share of the surprisal (nats)")

    def _summary(self, explanation: pd.DataFrame, n_columns: int | None, ax: Any) -> None:
        """Draw the mean share of every column, and a point for every row."""
        n_rows = len(self.surprisals)
        by_column = explanation.groupby("column", sort=False)["share"]
        means = (by_column.sum() / n_rows).sort_values(ascending=False).iloc[:n_columns]
        n_lines = len(explanation) // n_rows
        first = explanation["column"].iloc[::n_lines].value_counts()
        self._make_axes(ax, len(means))
        heights = np.arange(len(means))
        self.bars_ = self.ax_.barh(heights, means, color="tab:blue")
        for height, column in zip(heights, means.index, strict=True):
            shares = by_column.get_group(column)
            points = np.full(len(shares), height)
            self.ax_.plot(shares, points, "|", color="black", alpha=0.4, markersize=9)
        labels = [f"{name}: first in {first.get(name, 0)} of {n_rows}" for name in means.index]
        self.ax_.set_yticks(heights, labels)
        self.ax_.set_ylim(len(means) - 0.4, -0.6)
        self.ax_.set_xlabel("Share of the surprisal (nats): mean (bar), and every row")

    def _make_axes(self, ax: Any, n_lines: int) -> None:
        size = (8, 1.2 + 0.3 * n_lines)
        self.ax_, self.figure_ = make_axes(ax, figsize=size, layout="constrained")


def _n_columns(top: Any, kind: str) -> int | None:
    """Return the number of columns to draw, None for all."""
    if isinstance(top, str) and top == "auto":
        return _MOST_COLUMNS[kind]
    is_whole = isinstance(top, int | np.integer) and not isinstance(top, bool)
    if top is not None and not (is_whole and top >= 1):
        raise ValueError(
            f"The 'top' parameter must be an int of at least 1, 'auto' or None. Got {top!r}."
        )
    return top


def _reason(line: Any) -> str:
    """Return the label of a line of an explanation."""
    return f"{line.column} = {_short(line.value)}, expected {_short(line.expected)}"


def _short(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
