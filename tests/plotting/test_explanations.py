"""Displays of explanations: a waterfall, bars, a summary."""

import numpy as np
import pandas as pd
import pytest
from helpers import make_rows

from skae import AEOutlierDetector
from skae.plotting import ExplanationDisplay

pytest.importorskip("matplotlib")
X = make_rows(200)


@pytest.fixture(scope="module")
def frame():
    return pd.DataFrame(X, columns=list("abcde")).assign(label=np.arange(200) % 3 == 0)


@pytest.fixture(scope="module")
def detector(frame):
    return AEOutlierDetector(max_epochs=3, random_state=0).fit(frame)


def labels(display):
    return [text.get_text() for text in display.ax_.get_yticklabels()]


class TestWaterfall:
    """One row."""

    def test_the_shares_follow_each_other_up_to_the_surprisal(self, detector, frame):
        display = ExplanationDisplay.from_estimator(detector, frame[:1])
        ends = [bar.get_x() + bar.get_width() for bar in display.bars_]
        starts = [bar.get_x() for bar in display.bars_]
        np.testing.assert_allclose(starts, [0, *ends[:-1]], atol=1e-12)
        assert ends[-1] == pytest.approx(-detector.score_samples(frame[:1])[0])
        assert [label.split(" = ")[0] for label in labels(display)] == detector.explain(
            frame[:1], top=None
        )["column"].tolist()

    @pytest.mark.parametrize("asked", [2, None])
    def test_columns_that_are_not_drawn_are_one_bar(self, detector, frame, asked):
        explanation = detector.explain(frame[:1], top=asked)
        surprisals = -detector.score_samples(frame[:1])
        display = ExplanationDisplay(explanation=explanation, surprisals=surprisals).plot(top=2)
        assert labels(display)[2:] == ["all other columns"]
        widths = [bar.get_width() for bar in display.bars_]
        assert sum(widths) == pytest.approx(surprisals[0])

    def test_the_threshold_is_named(self, detector, frame):
        title = ExplanationDisplay.from_estimator(detector, frame[5:6]).ax_.get_title(loc="right")
        assert title.startswith("row 5: ")
        assert title.endswith(f"outliers are above {-detector.offset_:.1f} (dashed)")

    def test_it_is_of_one_row(self, detector, frame):
        with pytest.raises(ValueError, match=r"^A waterfall is of one row\. Got 2 rows\.$"):
            ExplanationDisplay.from_estimator(detector, frame[:2], kind="waterfall")


class TestBars:
    """A few rows."""

    @pytest.fixture
    def rows(self, frame):
        return frame[:3].set_axis([7, 8, 9]).assign(label="a label")

    @pytest.fixture
    def detector(self, frame):
        frame = frame.assign(label=np.where(frame["label"], "a label", "another"))
        return AEOutlierDetector(max_epochs=3, random_state=0).fit(frame)

    def test_they_are_the_shares(self, detector, rows):
        display = ExplanationDisplay.from_estimator(detector, rows, top=2)
        explanation = detector.explain(rows, top=2)
        widths = [bar.get_width() for bar in display.bars_]
        np.testing.assert_allclose(widths, explanation["share"])
        assert len(labels(display)) == 6
        for reason, column in zip(labels(display), explanation["column"], strict=True):
            assert reason.startswith(f"{column} = ")
            assert ", expected " in reason
        scores = -detector.score_samples(rows)
        assert [text.get_text() for text in display.ax_.texts] == [
            f"row {name}: {score:.1f} nats in all"
            for name, score in zip(rows.index, scores, strict=True)
        ]

    def test_long_values_are_cut(self, detector, rows):
        rows["label"] = "a label that goes on and on and on"
        display = ExplanationDisplay.from_estimator(detector, rows, top=None)
        assert sum("a label that goes on an…" in reason for reason in labels(display)) == 3

    def test_frames_of_polars(self, detector, rows):
        pl = pytest.importorskip("polars")
        display = ExplanationDisplay.from_estimator(detector, pl.from_pandas(rows), top=2)
        expected = ExplanationDisplay.from_estimator(detector, rows.reset_index(drop=True), top=2)
        columns = [[text.split(" = ")[0] for text in labels(each)] for each in (display, expected)]
        assert columns[0] == columns[1]
        assert [bar.get_width() for bar in display.bars_] == [
            bar.get_width() for bar in expected.bars_
        ]

    def test_on_axes_of_one_s_own(self, detector, rows):
        plt = pytest.importorskip("matplotlib.pyplot")
        _, ax = plt.subplots()
        assert ExplanationDisplay.from_estimator(detector, rows, ax=ax).ax_ is ax


class TestSummary:
    """Many rows."""

    def test_bars_are_the_mean_shares(self, detector, frame):
        display = ExplanationDisplay.from_estimator(detector, frame)
        explanation = detector.explain(frame, top=None)
        means = explanation.groupby("column")["share"].mean().sort_values(ascending=False)
        np.testing.assert_allclose([bar.get_width() for bar in display.bars_], means)
        firsts = explanation["column"].iloc[::6].value_counts()
        assert labels(display) == [
            f"{name}: first in {firsts.get(name, 0)} of 200" for name in means.index
        ]

    def test_there_is_a_point_for_every_row(self, detector, frame):
        display = ExplanationDisplay.from_estimator(detector, frame, top=2)
        assert [len(line.get_xdata()) for line in display.ax_.lines] == [200, 200]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "pie"}, "The 'kind' parameter must be 'auto' or one of .* Got 'pie'."),
        ({"top": 0}, "The 'top' parameter must be an int of at least 1, .* Got 0."),
        ({"top": True}, "The 'top' parameter .* Got True."),
        ({"top": "all"}, "The 'top' parameter .* Got 'all'."),
    ],
)
def test_bad_options(detector, frame, options, message):
    with pytest.raises(ValueError, match=message):
        ExplanationDisplay.from_estimator(detector, frame[:2], **options)
