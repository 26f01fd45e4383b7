"""Drawings from SVG files and polylines, and back to lines and pixels."""

import numpy as np
import pytest

from skae.sketches import (
    from_svg,
    normalize,
    rasterize,
    simplify,
    to_polylines,
    to_strokes,
    to_svg,
)

HOUSE = [[(0, 0), (0, 4), (4, 4), (4, 0)], [(-1, 1), (2, -2), (5, 1)]]
SVG = '<svg xmlns="http://www.w3.org/2000/svg" {head} fill="none" stroke="black">{body}</svg>'


def svg(body, head='width="24" height="24" viewBox="0 0 24 24"'):
    pytest.importorskip("svgelements")
    return from_svg(SVG.format(head=head, body=body))


def test_there_and_back():
    drawing = to_strokes(HOUSE)
    assert drawing[:, 2].tolist() == [0, 0, 0, 1, 0, 0, 1]
    back = to_polylines(drawing)
    assert [each.tolist() for each in back] == [[list(map(float, p)) for p in s] for s in HOUSE]
    # A pen that is down at the end makes a stroke as well.
    assert len(to_polylines(drawing * [1, 1, 0])) == 1


@pytest.mark.parametrize("epsilon", [0.0, 0.01, 0.1, 1.0])
def test_simplified_strokes_are_near_the_points_left_out(epsilon):
    rng = np.random.default_rng(0)
    angle = np.linspace(0, 5, 200)
    stroke = np.column_stack([np.cos(angle), np.sin(angle)]) + 0.01 * rng.normal(size=(200, 2))
    (simple,) = to_polylines(simplify(to_strokes([stroke]), epsilon))
    np.testing.assert_allclose(simple[[0, -1]], stroke[[0, -1]], atol=1e-12)
    start, along = simple[:-1], np.diff(simple, axis=0)
    away = stroke[:, None] - start
    share = np.clip((away * along).sum(2) / (along**2).sum(1), 0, 1)
    distance = np.linalg.norm(away - share[..., None] * along, axis=2).min(1)
    # Distances are measured from lines, which may be shorter than segments.
    assert distance.max() <= max(epsilon, 1e-9) * 1.5
    assert len(simple) == 200 if epsilon == 0 else len(simple) < 200


def test_closed_and_doubled_strokes_are_simplified():
    loop = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    assert len(simplify(to_strokes([loop]), 0.1)) == 5
    assert len(simplify(to_strokes([[(0, 0), (0, 0), (0, 0)]]), 0.1)) == 2
    with pytest.raises(ValueError, match="epsilon"):
        simplify(to_strokes(HOUSE), -1)


def test_normalized_drawings_are_in_the_middle():
    drawing = normalize(to_strokes(HOUSE), 2)
    places = drawing[:, :2].cumsum(0)
    np.testing.assert_allclose(places.max(0), [1, 1])
    np.testing.assert_allclose(places.min(0), [-1, -1])
    assert np.isfinite(normalize([(3, 4, 1)])).all()


def test_pixels_of_lines():
    line = to_strokes([[(-6, 2), (6, 2)]])
    image = rasterize(line, 24, box=24)
    assert image.shape == (24, 24)
    assert image.sum() == pytest.approx(13, abs=0.7)
    assert set(np.flatnonzero(image.sum(1))) == {13, 14}
    upside_down = rasterize(line * [1, -1, 1], 24, box=24)
    np.testing.assert_allclose(upside_down, image[::-1])
    # Anti-aliased: a line between pixels is half in each.
    assert rasterize(to_strokes([[(-2, 0), (2, 0)]]), 4, box=4)[1:3].tolist() == [[0.5] * 4] * 2
    dot = rasterize([(0.5, 0.5, 1)], 5, box=5)
    assert dot.argmax() in (12, 18)
    assert 0 < dot.sum() < 2


def test_pixels_without_a_box_show_all():
    image = rasterize(to_strokes(HOUSE), 12)
    assert image.max() == 1
    assert (image[0] > 0).any()
    assert (image[:, 0] > 0).any()
    moved = rasterize(to_strokes([[(x + 100, y - 7) for x, y in each] for each in HOUSE]), 12)
    np.testing.assert_allclose(image, moved, atol=1e-9)


def test_a_written_file_is_read_back():
    pytest.importorskip("svgelements")
    drawing = normalize(to_strokes(HOUSE), 20)
    strokes = from_svg(to_svg(drawing, box=24))
    for found, stroke in zip(strokes, to_polylines(drawing), strict=True):
        np.testing.assert_allclose(found, stroke, atol=1e-3)


def test_paths_lines_and_shapes():
    lines = svg('<path d="M2 3h4v5H2zM12 12l1 1"/><line x1="0" y1="0" x2="24" y2="24"/>')
    assert [each.tolist() for each in lines] == [
        [[-10, -9], [-6, -9], [-6, -4], [-10, -4], [-10, -9]],
        [[0, 0], [1, 1]],
        [[-12, -12], [12, 12]],
    ]
    triangle = [[-12.0, -12], [-11, -11], [-10, -12]]
    (open_line,) = svg('<polyline points="0,0 1,1 2,0"/>')
    (closed,) = svg('<polygon points="0,0 1,1 2,0"/>')
    assert open_line.tolist() == triangle
    assert closed.tolist() == [*triangle, triangle[0]]
    (rectangle,) = svg('<rect x="2" y="3" width="4" height="5"/>')
    assert len(rectangle) == 5
    assert rectangle.min(0).tolist() == [-10, -9]


@pytest.mark.parametrize(
    ("body", "radii"),
    [
        ('<circle cx="12" cy="12" r="6"/>', (6, 6)),
        ('<ellipse cx="12" cy="12" rx="8" ry="2"/>', (8, 2)),
        ('<path d="M6 12a6 6 0 1 0 12 0a6 6 0 1 0 -12 0"/>', (6, 6)),
    ],
)
def test_curves_are_near_their_polylines(body, radii):
    (curve,) = svg(body)
    distance = np.hypot(*(curve / radii).T)
    np.testing.assert_allclose(distance, 1, atol=0.02)
    assert 10 < len(curve) < 40


def test_bezier_curves():
    (cubic,) = svg('<path d="M0 12C0 0 24 0 24 12"/>')
    assert cubic[:, 1].min() == pytest.approx(-9, abs=0.1)
    (both,) = svg('<path d="M0 12Q6 0 12 12T24 12"/>')
    assert both[:, 1].min() == pytest.approx(-6, abs=0.15)
    assert both[:, 1].max() == pytest.approx(6, abs=0.15)
    (smooth,) = svg('<path d="M0 12C0 6 6 6 12 12S24 18 24 12"/>')
    assert smooth[-1].tolist() == [12, 0]


def test_transformations_units_and_what_is_not_drawn():
    (moved,) = svg('<g transform="translate(5 5)"><path d="M0 0L1 1"/></g>')
    assert moved.tolist() == [[-7, -7], [-6, -6]]
    (same,) = svg('<path d="M0 0L1 1"/>', 'width="48" height="48" viewBox="0 0 24 24"')
    np.testing.assert_allclose(same, [[-12, -12], [-11, -11]])
    hidden = '<path stroke="none" fill="none" d="M0 0h24v24H0z"/>'
    assert len(svg(hidden + '<path d="M0 0L1 1"/>')) == 1
    with pytest.raises(ValueError, match="Nothing is drawn"):
        svg(hidden)
    with pytest.raises(ValueError, match="no SVG file"):
        svg("", head='width="')


def test_files_are_read(tmp_path):
    pytest.importorskip("svgelements")
    (tmp_path / "line.svg").write_text(to_svg(to_strokes([[(0, 0), (3, 4)]]), box=24))
    assert from_svg(tmp_path / "line.svg")[0].tolist() == [[0, 0], [3, 4]]
    assert from_svg(str(tmp_path / "line.svg"))[0].tolist() == [[0, 0], [3, 4]]
    with pytest.raises(FileNotFoundError):
        from_svg(tmp_path / "none.svg")


@pytest.mark.parametrize("function", [to_polylines, normalize, rasterize, to_svg])
@pytest.mark.parametrize("drawing", [[], [(0, 0)], [(0, np.nan, 1)], np.zeros((2, 2, 3))])
def test_what_is_no_drawing_is_refused(function, drawing):
    with pytest.raises(ValueError, match="'drawing' must"):
        function(drawing)


def test_what_is_no_stroke_is_refused():
    with pytest.raises(ValueError, match="at least one stroke"):
        to_strokes([])
    with pytest.raises(ValueError, match="Stroke 1 of 'polylines'"):
        to_strokes([HOUSE[0], [(0, np.inf)]])
