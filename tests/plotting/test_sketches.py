"""SketchDisplay draws every drawing once, at one scale."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skae.plotting import SketchDisplay
from skae.sketches import to_strokes

LINE, DOT = to_strokes([[(0, 0), (4, 0)], [(1, 1), (2, 2)]]), np.array([[3.0, 3.0, 1.0]])


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_drawings_in_lines():
    display = SketchDisplay.from_drawings([LINE, DOT] * 4, n_columns=3)
    assert display.axes_.shape == (3, 3)
    drawn = [len(ax.collections) for ax in display.axes_.ravel()]
    assert drawn == [1] * 8 + [0]
    first, second = display.axes_.ravel()[:2]
    assert len(first.collections[0].get_segments()) == 2
    assert np.ptp(first.get_xlim()) == pytest.approx(np.ptp(second.get_xlim()))
    assert first.get_ylim()[0] > first.get_ylim()[1]


def test_a_box_is_shown_around_zero():
    display = SketchDisplay(rows={"lines": [LINE], "dots": [DOT, DOT]}, box=24).plot()
    assert display.axes_[0, 0].get_xlim() == (-12, 12)
    assert display.axes_[1, 1].get_ylim() == (12, -12)
    texts = [each.get_text().strip() for each in display.figure_.texts]
    assert texts == ["lines", "dots"]


def test_no_drawings_are_refused():
    with pytest.raises(ValueError, match="at least one drawing"):
        SketchDisplay.from_drawings([])
