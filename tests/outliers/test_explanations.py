"""Which columns, what is there and what would be expected."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from outlier_helpers import make
from sklearn.metrics import roc_auc_score


def test_shares_add_up_to_the_score(detector, frame):
    explanation = detector.explain(frame[:20], top=None)
    sums = explanation.groupby("row")["share"].sum()
    np.testing.assert_allclose(sums, -detector.score_samples(frame[:20]))
    assert (explanation["share"] >= 0).all()


def test_the_odd_cell_comes_first(detector, frame):
    rows = frame[frame["x"].between(0.5, 1.5) & frame["side"].eq("right")][:3].copy()
    rows["y"] = [-3.0, rows["y"].iloc[1], rows["y"].iloc[2]]
    rows["side"] = ["right", "left", "right"]
    rows["same"] = [1.0, 1.0, 7.0]
    explanation = detector.explain(rows, top=1)
    assert explanation["row"].tolist() == rows.index.tolist()
    assert explanation["column"].tolist() == ["y", "side", "same"]
    assert explanation["value"].tolist() == [-3.0, "left", 7.0]
    assert explanation["expected"][0] == pytest.approx(2 * rows["x"].iloc[0], abs=0.7)
    assert explanation["expected"][1:].tolist() == ["right", 1.0]


def test_lines_are_in_order_and_as_many_as_asked(detector, frame):
    explanation = detector.explain(frame[:5], top=2)
    assert len(explanation) == 10
    assert (explanation["share"][::2].to_numpy() >= explanation["share"][1::2].to_numpy()).all()
    assert len(detector.explain(frame[:5], top=100)) == 5 * frame.shape[1]


def test_many_rows_are_explained_in_parts(detector, frame, monkeypatch):
    whole = detector.explain(frame[:30])
    monkeypatch.setattr("skae.outliers.explaining._CELLS_AT_A_TIME", 7 * 49)
    again = detector.explain(frame[:30])
    pd.testing.assert_frame_equal(again, whole, rtol=1e-4)


def test_arrays_have_columns_by_number(normal_rows):
    detector = make(novelty=True).fit(normal_rows[:500])
    row = normal_rows[:1].copy()
    row[0, 4] = 30
    explanation = detector.explain(row, top=1)
    assert explanation["column"].tolist() == [4]
    assert explanation["row"].tolist() == [0]


def test_polars(frame):
    table = pl.from_pandas(frame)
    detector = make().fit(table)
    assert isinstance(detector.reconstruct(table[:3]), pl.DataFrame)
    explanation = detector.explain(table[:3])
    assert isinstance(explanation, pl.DataFrame)
    assert explanation["row"].to_list() == [0] * 3 + [1] * 3 + [2] * 3
    assert explanation["share"].dtype == pl.Float64
    with pytest.raises(TypeError, match="collect"):
        detector.predict(table.lazy())


def test_numbers_stay_numbers_in_polars(normal_rows):
    table = pl.DataFrame({"a": normal_rows[:200, 0], "n": np.arange(200) % 7})
    explanation = make().fit(table).explain(table[:4], top=None)
    assert explanation["value"].dtype == explanation["expected"].dtype == pl.Float64
    assert sorted(explanation["value"][:2]) == sorted([table["a"][0], 0.0])


def towns_and_dependent_numbers(n_rows):
    """Return rows with an identifier, many towns that nothing depends on, and y that follows x."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n_rows)
    return pd.DataFrame(
        {
            "id": [f"C{i:05d}" for i in range(n_rows)],
            "x": x,
            "y": 2 * x + 0.1 * rng.normal(size=n_rows),
            "town": rng.choice([f"town {i}" for i in range(300)], n_rows),
        }
    )


@pytest.mark.filterwarnings("ignore:A column looks like identifiers")
def test_columns_that_are_always_surprising_are_not_named():
    frame = towns_and_dependent_numbers(700)
    odd = frame[600:].assign(y=frame["y"][600:].to_numpy()[::-1])
    detector = make(novelty=True, max_epochs=100).fit(frame[:600])
    named = detector.explain(odd, top=1)["column"]
    assert not named.isin(["id"]).any()
    assert named.isin(["x", "y"]).mean() > 0.8
    both, is_odd = pd.concat([frame[600:], odd]), np.repeat([0, 1], 100)
    assert roc_auc_score(is_odd, -detector.score_samples(both)) > 0.9
    assert roc_auc_score(is_odd, detector.score_parts(both)["reconstruction"]) > 0.93
