"""Drawings from SVG files, and to them."""

import io
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from skae.sketches.polylines import simplified, to_polylines

# The number of points that a curve is sampled at before it is simplified.
_N_POINTS = 33
# The tolerance of curves, as a share of the larger side of the view box.
_TOLERANCE = 1 / 160
_NEAR = 1e-9


def from_svg(source: str | os.PathLike, tolerance: float | None = None) -> list[np.ndarray]:
    """Return the lines of an SVG file as polylines.

    Paths, lines, polylines, polygons, rectangles, circles and ellipses are read, with their
    transformations; of filled shapes, the outlines. What has neither stroke nor fill is not drawn.
    Needs the package svgelements: ``pip install "skae[sketches]"``.

    Parameters
    ----------
    source : str or path-like
        The path of a file, or the text of one.
    tolerance : float, default=None
        The largest distance of a curve from its polyline, in the units of the view box; None is a
        160th of its larger side.

    Returns
    -------
    polylines : list of ndarray of shape (n_points, 2)
        The strokes in order: places in the units of the view box, from its middle. y points
        downwards.

    Raises
    ------
    ImportError
        If svgelements is not installed.
    ValueError
        If it is no SVG file, or nothing is drawn in it.

    See Also
    --------
    to_strokes : The polylines as a drawing for `SketchVAE`.
    """
    document = _parse(source)
    box = document.viewbox
    unit = float(box.width) / float(document.width) if box is not None else 1.0
    size = np.array([float(document.width), float(document.height)]) * unit
    tolerance = max(size) * _TOLERANCE if tolerance is None else tolerance
    strokes = [
        simplified(each * unit - size / 2, tolerance)
        for shape in _drawn(document)
        for each in _strokes(shape)
    ]
    if not strokes:
        raise ValueError("Nothing is drawn in 'source'.")
    return strokes


def to_svg(drawing: Any, *, box: float | None = None, line_width: float | None = None) -> str:
    """Return a drawing as the text of an SVG file.

    Parameters
    ----------
    drawing : array-like of shape (n_points, 3)
        The drawing, as `to_strokes` returns it.
    box : float, default=None
        The side of the square around (0, 0) that the file shows, in the units of the drawing; None
        shows all of the drawing.
    line_width : float, default=None
        The width of the lines, in the units of the drawing; None is a 24th of what is shown.

    Returns
    -------
    text : str
        The text of the file.

    Examples
    --------
    >>> from skae.sketches import to_strokes, to_svg
    >>> print(to_svg(to_strokes([[(0, 0), (12, 0), (12, 12)]]), box=24))
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 -12 24 24" fill="none" stroke="black" \
stroke-width="1" stroke-linecap="round" stroke-linejoin="round"><path d="M0 0L12 0L12 12"/></svg>
    """
    strokes = to_polylines(drawing)
    places = np.concatenate(strokes)
    low, high = (places.min(0), places.max(0)) if box is None else (-box / 2, box / 2)
    low, high = np.broadcast_to(low, 2), np.broadcast_to(high, 2)
    side = float((high - low).max()) or 1.0
    width = side / 24 if line_width is None else line_width
    margin = width if box is None else 0.0
    view = [*(low - margin), *(high - low + 2 * margin)]
    paths = "".join(f'<path d="M{"L".join(map(_pair, each))}"/>' for each in strokes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{" ".join(map(_text, view))}" '
        f'fill="none" stroke="black" stroke-width="{_text(width)}" stroke-linecap="round" '
        f'stroke-linejoin="round">{paths}</svg>'
    )


def _parse(source: str | os.PathLike) -> Any:
    """Return the document of a file or a text."""
    try:
        from svgelements import SVG
    except ImportError:
        raise ImportError(
            'from_svg needs the package svgelements. Install it: pip install "skae[sketches]".'
        ) from None
    is_text = isinstance(source, str) and source.lstrip().startswith("<")
    text = str(source) if is_text else Path(source).read_text(encoding="utf-8")
    try:
        return SVG.parse(io.StringIO(text), reify=True)
    except (ElementTree.ParseError, ValueError) as error:
        raise ValueError(f"'source' is no SVG file: {error}.") from None


def _drawn(document: Any) -> list[Any]:
    """Return the shapes that are drawn, as paths of svgelements."""
    from svgelements import Path as SvgPath
    from svgelements import Shape

    shapes = [each for each in document.elements() if isinstance(each, Shape)]
    return [
        SvgPath(each)
        for each in shapes
        if each.stroke.value is not None or each.fill.value is not None
    ]


def _strokes(path: Any) -> list[np.ndarray]:
    """Return the strokes of a path as places (n_points, 2), its curves sampled."""
    from svgelements import Close, Line, Move

    strokes: list[list[np.ndarray]] = []
    for segment in path:
        if segment.end is None:
            continue
        end = np.array([[segment.end.x, segment.end.y]], dtype=float)
        if isinstance(segment, Move) or not strokes:
            strokes.append([end])
        elif isinstance(segment, (Line, Close)):
            strokes[-1].append(end)
        else:
            places = segment.npoint(np.linspace(0, 1, _N_POINTS)[1:])
            strokes[-1].append(np.asarray(places, dtype=float))
    return [_without_repeats(np.concatenate(parts)) for parts in strokes if len(parts) > 1]


def _without_repeats(places: np.ndarray) -> np.ndarray:
    is_new = np.abs(np.diff(places, axis=0, prepend=np.inf)).max(1) > _NEAR
    return places[is_new]


def _pair(place: np.ndarray) -> str:
    return f"{_text(place[0])} {_text(place[1])}"


def _text(number: float) -> str:
    return f"{round(float(number), 4) + 0.0:g}"
