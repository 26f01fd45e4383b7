"""Drawings: from SVG files and polylines to offsets of a pen, and back to lines and pixels."""

from skae.sketches.pixels import rasterize
from skae.sketches.polylines import normalize, simplify, to_polylines, to_strokes
from skae.sketches.svg import from_svg, to_svg

__all__ = [
    "from_svg",
    "normalize",
    "rasterize",
    "simplify",
    "to_polylines",
    "to_strokes",
    "to_svg",
]
