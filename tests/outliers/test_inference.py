"""What the autoencoders make of rows."""

import numpy as np
import pandas as pd
import torch
from outlier_helpers import make
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def test_reconstructions_are_rows(detector, frame):
    rows = detector.reconstruct(frame)
    assert rows.dtypes.tolist() == frame.dtypes.tolist()
    assert rows.index.equals(frame.index)
    assert not rows.isna().any().any()
    assert np.corrcoef(rows["y"], frame["y"])[0, 1] > 0.9
    there = frame["side"].notna()
    assert (rows["side"] == frame["side"])[there].mean() > 0.9


def test_reconstructions_of_arrays_are_arrays(normal_rows):
    detector = make(novelty=True, max_epochs=100).fit(normal_rows[:500])
    rows = detector.reconstruct(normal_rows[500:600])
    assert rows.shape == (100, 6)
    assert ((rows - normal_rows[500:600]) ** 2).mean() < 0.5 * normal_rows.var()
    tensor = detector.reconstruct(torch.from_numpy(normal_rows[500:600]))
    assert isinstance(tensor, torch.Tensor)


def test_codes(detector, frame):
    codes = detector.transform(frame)
    assert codes.shape == (len(frame), 8 * 32)
    assert codes.dtype == np.float32
    assert len(detector.get_feature_names_out()) == codes.shape[1]


def test_many_rows_are_read_in_parts(detector, frame, monkeypatch):
    readings = ("score_samples", "transform", "reconstruct")
    expected = [getattr(detector, reading)(frame) for reading in readings]
    monkeypatch.setattr("skae.outliers.encoding._ROWS_AT_A_TIME", (150, 150))
    for reading, whole in zip(readings, expected, strict=True):
        again = getattr(detector, reading)(frame)
        if reading == "reconstruct":
            pd.testing.assert_frame_equal(again, whole)
        else:
            np.testing.assert_allclose(again, whole, rtol=1e-5)


def test_in_a_pipeline(normal_rows):
    pipeline = make_pipeline(StandardScaler(), make()).fit(normal_rows[:200])
    assert set(pipeline.predict(normal_rows[:200])) == {-1, 1}
