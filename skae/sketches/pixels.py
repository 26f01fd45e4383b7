"""Drawings as pixels."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_scalar

from skae.sketches.polylines import to_polylines


def rasterize(
    drawing: Any, size: int = 24, *, box: float | None = None, line_width: float = 1.0
) -> np.ndarray:
    """Draw a drawing in pixels, anti-aliased.

    Parameters
    ----------
    drawing : array-like of shape (n_points, 3)
        The drawing, as `to_strokes` returns it.
    size : int, default=24
        The side of the image in pixels.
    box : float, default=None
        The side of the square around (0, 0) that the image shows, in the units of the drawing; None
        shows the smallest square around the middle of the drawing that it fits into.
    line_width : float, default=1.0
        The width of the lines in pixels.

    Returns
    -------
    image : ndarray of shape (size, size)
        The share of every pixel that lines cover, about, in [0, 1]. The first row is at the
        smallest y, as in SVG files, whose y points downwards; where y points upwards,
        ``image[::-1]`` is the right way up.

    Examples
    --------
    >>> from skae.sketches import rasterize, to_strokes
    >>> rasterize(to_strokes([[(-2, 0), (2, 0)]]), 4, box=4).tolist()[1:3]
    [[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5]]
    """
    check_scalar(size, "size", Integral, min_val=1)
    check_scalar(line_width, "line_width", Real, min_val=0)
    strokes = to_polylines(drawing)
    corner, side = _view(np.concatenate(strokes), box)
    pixels = [(each - corner) * (size / side) for each in strokes]
    starts = np.concatenate([each[:-1] if len(each) > 1 else each for each in pixels])
    stops = np.concatenate([each[1:] if len(each) > 1 else each for each in pixels])
    middle = np.arange(size) + 0.5
    x, y = np.meshgrid(middle, middle)
    places = np.column_stack([x.ravel(), y.ravel()])
    nearest = _distances(places, starts, stops).min(1)
    return np.clip(0.5 + line_width / 2 - nearest, 0, 1).reshape(size, size)


def _view(places: np.ndarray, box: float | None) -> tuple[np.ndarray, float]:
    """Return the corner of smallest x and y of what is shown, and its side."""
    if box is not None:
        if not (np.isfinite(box) and box > 0):
            raise ValueError(f"The 'box' parameter must be above 0. Got {box!r}.")
        return np.full(2, -box / 2), float(box)
    low, high = places.min(0), places.max(0)
    side = float((high - low).max()) or 1.0
    return (low + high - side) / 2, side


def _distances(places: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Return the distances of places (n, 2) from segments (m, 2), shape (n, m)."""
    along = stops - starts
    squared = (along**2).sum(1)
    away = places[:, None] - starts
    share = (away * along).sum(2) / np.where(squared > 0, squared, 1)
    nearest = away - np.clip(share, 0, 1)[:, :, None] * along
    return np.hypot(nearest[..., 0], nearest[..., 1])
