"""SketchDisplay: a page of drawings."""

from collections.abc import Sequence
from math import ceil
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skae.common.sklearn_private import check_matplotlib_support
from skae.sketches import to_polylines

_COLUMNS = 10
# The margin around drawings, as a share of the larger side of what is shown.
_MARGIN = 0.08


class SketchDisplay:
    """A page of drawings, line by line.

    Parameters
    ----------
    rows : dict of str to list of array-like of shape (n_points, 3)
        The drawings of every line of the page, by its title; a title may be empty.
    box : float or None, default=None
        The side of the square around (0, 0) that is shown of every drawing, in its units; None
        shows all of the largest drawing, and the others at the same scale.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    ReconstructionDisplay : The same of images and other rows.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skae.plotting import SketchDisplay
    >>> from skae.sketches import to_strokes
    >>> house = to_strokes([[(0, 0), (0, 4), (4, 4), (4, 0)], [(-1, 1), (2, -2), (5, 1)]])
    >>> SketchDisplay.from_drawings([house] * 12)
    <...>
    >>> plt.show()
    """

    def __init__(self, *, rows: Any, box: float | None = None) -> None:
        self.rows = rows
        self.box = box

    @classmethod
    def from_drawings(
        cls, drawings: Sequence[Any], *, n_columns: int = _COLUMNS, box: float | None = None
    ) -> Self:
        """Draw drawings, as many in a line as there are columns.

        Parameters
        ----------
        drawings : list of array-like of shape (n_points, 3)
            The drawings.
        n_columns : int, default=10
            The number of drawings in a line.
        box : float, default=None
            The side of the square around (0, 0) that is shown; None shows all.

        Returns
        -------
        display : SketchDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_drawings")
        n_lines = max(1, ceil(len(drawings) / n_columns))
        # Titles are keys, and these are empty to the eye.
        rows = {
            " " * line: list(drawings[line * n_columns : (line + 1) * n_columns])
            for line in range(n_lines)
        }
        return cls(rows=rows, box=box).plot()

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Sequence[Any], *, box: float | None = None, **options: Any
    ) -> Self:
        """Draw drawings above their reconstructions.

        Parameters
        ----------
        estimator : SketchVAE
            The fitted estimator.
        X : list of array-like of shape (n_points, 3)
            The drawings, about ten.
        box : float, default=None
            The side of the square around (0, 0) that is shown; None shows all.
        **options
            The options of `SketchVAE.reconstruct`.

        Returns
        -------
        display : SketchDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        rows = {"original": list(X), "reconstruction": estimator.reconstruct(X, **options)}
        return cls(rows=rows, box=box).plot()

    def plot(self) -> Self:
        """Draw the page; y points downwards, as in SVG files.

        Returns
        -------
        display : SketchDisplay
            The display.
        """
        import matplotlib.pyplot as plt

        strokes = {title: [*map(to_polylines, each)] for title, each in self.rows.items()}
        if not any(strokes.values()):
            raise ValueError("There must be at least one drawing. Got none.")
        middles, side = _views(strokes, self.box)
        n_columns = max(map(len, strokes.values()))
        self.figure_, self.axes_ = plt.subplots(
            len(strokes), n_columns, squeeze=False, figsize=(1 + n_columns, len(strokes))
        )
        for axes, (title, drawings) in zip(self.axes_, strokes.items(), strict=True):
            for ax in axes:
                ax.set_axis_off()
            for ax, drawing, middle in zip(axes, drawings, middles[title], strict=False):
                _draw(ax, drawing, middle, side / 2)
            place = axes[0].get_position()
            height = (place.y0 + place.y1) / 2
            self.figure_.text(place.x0, height, f"{title.strip()} ", ha="right", va="center")
        return self


def _draw(ax: Any, drawing: list[np.ndarray], middle: np.ndarray, half: float) -> None:
    """Draw the strokes of a drawing, and what is around its middle."""
    from matplotlib.collections import LineCollection

    lines = [each if len(each) > 1 else each.repeat(2, 0) for each in drawing]
    ax.add_collection(LineCollection(lines, colors="black", capstyle="round"))
    x, y = middle
    ax.set(xlim=(x - half, x + half), ylim=(y + half, y - half), aspect="equal")


def _views(strokes: dict, box: float | None) -> tuple[dict[str, list[np.ndarray]], float]:
    """Return the middle of what is shown of every drawing, by title, and its side."""
    if box is not None:
        return {title: [np.zeros(2)] * len(each) for title, each in strokes.items()}, box
    places = {title: [*map(np.concatenate, each)] for title, each in strokes.items()}
    middles = {
        title: [(points.min(0) + points.max(0)) / 2 for points in each]
        for title, each in places.items()
    }
    sides = [np.ptp(points, axis=0).max() for each in places.values() for points in each]
    return middles, (max(sides) or 1.0) * (1 + 2 * _MARGIN)
