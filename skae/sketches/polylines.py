"""Drawings as polylines, simplified and normalised."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def to_strokes(polylines: Sequence[Any]) -> np.ndarray:
    """Return a drawing as offsets of a pen, the format stroke-3.

    Parameters
    ----------
    polylines : list of array-like of shape (n_points, 2)
        The strokes in order, each the places (x, y) of its points.

    Returns
    -------
    drawing : ndarray of shape (n_points, 3)
        For every point, the offset (dx, dy) from the one before it, of the first from (0, 0), and 1
        where the pen is lifted after the point, else 0.

    Raises
    ------
    ValueError
        If there is no stroke, or one is no array of finite places.

    See Also
    --------
    to_polylines : The way back.

    Examples
    --------
    >>> from skae.sketches import to_strokes
    >>> to_strokes([[(0, 0), (2, 1)], [(5, 1), (5, 3)]])
    array([[0., 0., 0.],
           [2., 1., 1.],
           [3., 0., 0.],
           [0., 2., 1.]])
    """
    strokes = [_checked(each, place) for place, each in enumerate(polylines)]
    if not strokes:
        raise ValueError("'polylines' must hold at least one stroke. Got none.")
    places = np.concatenate(strokes)
    lifted = np.zeros(len(places))
    lifted[np.cumsum([len(each) for each in strokes]) - 1] = 1
    return np.column_stack([np.diff(places, axis=0, prepend=np.zeros((1, 2))), lifted])


def to_polylines(drawing: Any) -> list[np.ndarray]:
    """Return the strokes of a drawing as places of their points.

    Parameters
    ----------
    drawing : array-like of shape (n_points, 3)
        The drawing, as `to_strokes` returns it.

    Returns
    -------
    polylines : list of ndarray of shape (n_points, 2)
        The strokes in order.

    Examples
    --------
    >>> from skae.sketches import to_polylines
    >>> [stroke.tolist() for stroke in to_polylines([(0, 0, 0), (2, 1, 1), (3, 0, 1)])]
    [[[0.0, 0.0], [2.0, 1.0]], [[5.0, 1.0]]]
    """
    points = checked_drawing(drawing)
    places = points[:, :2].cumsum(0)
    ends = np.flatnonzero(points[:, 2] > 0) + 1
    return [each for each in np.split(places, ends) if len(each)]


def simplify(drawing: Any, epsilon: float) -> np.ndarray:
    """Leave out points that a drawing hardly needs, by the algorithm of Ramer, Douglas and Peucker.

    Parameters
    ----------
    drawing : array-like of shape (n_points, 3)
        The drawing, as `to_strokes` returns it.
    epsilon : float
        The largest distance of a point that is left out from the line that stands for it, in the
        units of the drawing. A hundredth of a drawing's size is hardly seen.

    Returns
    -------
    simplified : ndarray of shape (n_kept, 3)
        The drawing. The first and the last point of every stroke are kept.

    References
    ----------
    Douglas, D. H. and Peucker, T. K. (1973). Algorithms for the reduction of the number of points
    required to represent a digitized line or its caricature. Cartographica 10.

    Examples
    --------
    >>> from skae.sketches import simplify
    >>> simplify([(0, 0, 0), (1, 0.01, 0), (1, 0, 0), (0, 3, 1)], 0.1)
    array([[0.  , 0.  , 0.  ],
           [2.  , 0.01, 0.  ],
           [0.  , 3.  , 1.  ]])
    """
    if not epsilon >= 0:
        raise ValueError(f"The 'epsilon' parameter must be at least 0. Got {epsilon!r}.")
    return to_strokes([simplified(each, epsilon) for each in to_polylines(drawing)])


def normalize(drawing: Any, size: float = 1.0) -> np.ndarray:
    """Move a drawing to the middle, and scale its longer side to a size.

    It makes one size of drawings of all sizes: for drawings that share a unit, such as icons in a
    grid, which `SketchVAE` scales by one number for all, it is better left out.

    Parameters
    ----------
    drawing : array-like of shape (n_points, 3)
        The drawing, as `to_strokes` returns it.
    size : float, default=1.0
        The longer side of the drawing.

    Returns
    -------
    normalized : ndarray of shape (n_points, 3)
        The drawing around (0, 0).

    Examples
    --------
    >>> from skae.sketches import normalize
    >>> normalize([(10, 10, 0), (4, 0, 0), (0, 2, 1)])
    array([[-0.5 , -0.25,  0.  ],
           [ 1.  ,  0.  ,  0.  ],
           [ 0.  ,  0.5 ,  1.  ]])
    """
    points = checked_drawing(drawing).copy()
    places = points[:, :2].cumsum(0)
    low, high = places.min(0), places.max(0)
    points[0, :2] -= (low + high) / 2
    points[:, :2] *= size / (float((high - low).max()) or 1.0)
    return points


def simplified(places: np.ndarray, epsilon: float) -> np.ndarray:
    """Return the places of a stroke, (n_points, 2), without those that it hardly needs."""
    is_kept = np.zeros(len(places), dtype=bool)
    is_kept[[0, -1]] = True
    spans = [(0, len(places) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distances = _distances(places[first + 1 : last], places[first], places[last])
        farthest = int(distances.argmax())
        if distances[farthest] > epsilon:
            middle = first + 1 + farthest
            is_kept[middle] = True
            spans += [(first, middle), (middle, last)]
    return places[is_kept]


def _distances(places: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Return the distances of places (n, 2) from a line between two places, (n,)."""
    along = stop - start
    length = float(np.hypot(*along))
    away = places - start
    if length == 0:
        return np.hypot(*away.T)
    return np.abs(along[0] * away[:, 1] - along[1] * away[:, 0]) / length


def checked_drawing(drawing: Any) -> np.ndarray:
    """Return a drawing as an array; raise ValueError if it is none."""
    points = np.asarray(drawing, dtype=float)
    if points.ndim != 2 or points.shape[1] != 3 or not len(points):
        raise ValueError(
            f"'drawing' must be an array of shape (n_points, 3) of at least one point. Got the "
            f"shape {points.shape}."
        )
    if not np.isfinite(points).all():
        raise ValueError("'drawing' must hold finite numbers.")
    return points


def _checked(places: Any, place: int) -> np.ndarray:
    points = np.asarray(places, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
        raise ValueError(
            f"Stroke {place} of 'polylines' must be an array of shape (n_points, 2) of at least "
            f"one finite place (x, y). Got the shape {points.shape}."
        )
    return points
