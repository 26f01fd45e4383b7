"""More rows than are learned from."""

import numpy as np
import pandas as pd
import pytest
from outlier_helpers import make, with_outliers
from sklearn.metrics import roc_auc_score


def test_all_are_judged(normal_rows):
    labels = make(max_samples=300, contamination=0.1).fit_predict(normal_rows)
    assert labels.shape == (3000,)
    assert abs((labels == -1).mean() - 0.1) < 0.06


def test_a_sample_does_nearly_as_well():
    rows, is_outlier = with_outliers(3000, 100)
    detector = make(max_samples=500).fit(rows)
    assert roc_auc_score(is_outlier, -detector.score_samples(rows)) > 0.99


def test_their_labels_are_known(normal_rows):
    frame = pd.DataFrame({"x": normal_rows[:400, 0], "id": [f"k{i // 4}" for i in range(400)]})
    detector = make(max_samples=100, handle_unknown="error", max_epochs=3)
    assert detector.fit_predict(frame).shape == (400,)
    assert len(detector.explain(frame[:9], top=1)) == 9
    with pytest.raises(ValueError, match="'new'"):
        detector.partial_fit(pd.concat([frame, pd.DataFrame({"x": [0.0], "id": ["new"]})]))


@pytest.mark.parametrize("seed", range(4))
def test_all_are_checked(normal_rows, seed):
    frame = pd.DataFrame({"x": normal_rows[:400, 0], "y": 1.0})
    detector = make(max_samples=100, max_epochs=3, random_state=seed).fit(frame)
    before = detector.score_samples(frame)
    broken = frame.assign(x=frame["x"].where(frame.index != 37, np.inf))
    for method in ("fit", "fit_predict", "partial_fit"):
        with pytest.raises(ValueError, match="'x' of X contains infinity"):
            getattr(detector, method)(broken)
        np.testing.assert_array_equal(detector.score_samples(frame), before)
