"""ONNX models of the detector compute what it says of new rows."""

import numpy as np
import pandas as pd
import pytest
from saved_estimators import matrix, table

from skae import AEOutlierDetector

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
runtime = pytest.importorskip("onnxruntime")
from skae.onnx import export, feeds  # noqa: E402

TINY = {"n_members": 4, "hidden_layer_sizes": (3,), "max_epochs": 2, "random_state": 0}
ALL = ("neighbors", "reconstruction", "center", "latent")


def odd_table():
    """New rows, some of which hold what fit never saw, or what is far from it."""
    rows = table(60, seed=1)
    rows.loc[0, "sort"], rows.loc[1, "sort"] = "sideways", None
    rows.loc[2:4, "x"] = [1e15, -1e300, np.nan]
    rows.loc[5, "day"] = "1980-01-01"
    return rows


def odd_matrix():
    rows = matrix(60, seed=1)
    rows[0, 0], rows[1, 1], rows[2, 2], rows[3] = 1e15, -1e200, np.nan, 0
    return rows


def holed_matrix():
    rows = matrix(200)
    rows[::9, 2] = np.nan
    return rows


CASES = {
    "all parts": (holed_matrix, odd_matrix, "score_samples", {"parts": ALL, "novelty": True}),
    "some neighbors": (holed_matrix, odd_matrix, "p_values", {"n_neighbors": 3}),
    "labels": (lambda: table(200), odd_table, "predict", {}),
    "shifted": (lambda: table(200), odd_table, "decision_function", {"contamination": 0.1}),
}


@pytest.mark.parametrize("case", CASES)
def test_new_rows(case, tmp_path):
    learned, new, reading, params = CASES[case]
    detector, rows = AEOutlierDetector(**TINY, **params).fit(learned()), new()
    export(detector, tmp_path / "model.onnx", reading)
    onnx.checker.check_model(onnx.load(tmp_path / "model.onnx"))
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    wanted = getattr(detector, reading)(rows)
    for part in (slice(None), slice(0, 1), slice(2, 4)):
        some = rows.iloc[part] if isinstance(rows, pd.DataFrame) else rows[part]
        (found,) = session.run(None, feeds(detector, some))
        np.testing.assert_allclose(found, wanted[part], rtol=1e-9, atol=1e-9)
    assert len(np.unique(wanted)) > 1


def test_a_training_row_is_read_as_a_new_one(tmp_path):
    X = matrix(200)
    detector = AEOutlierDetector(**TINY, parts=("center",)).fit(X)
    export(detector, tmp_path / "model.onnx", "score_samples")
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    (found,) = session.run(None, feeds(detector, X))
    fresh = detector.score_parts(X)["center"]
    np.testing.assert_allclose(-found, fresh, rtol=1e-9)
