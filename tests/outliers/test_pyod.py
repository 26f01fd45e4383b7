"""The recipe of docs/pyod.md, as it stands there."""

import re
from pathlib import Path

import numpy as np
import pytest
from outlier_helpers import make, with_outliers
from sklearn.metrics import roc_auc_score

pytest.importorskip("pyod")
RECIPE = Path(__file__).parents[2] / "docs" / "pyod.md"
pytestmark = pytest.mark.skipif(not RECIPE.exists(), reason="the docs are not in the sdist")


@pytest.fixture(scope="module")
def blocks():
    return re.findall(r"```python\n(.*?)```", RECIPE.read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def adapter(blocks):
    names = {}
    exec(blocks[0], names)
    return names["SkaeDetector"]


def test_the_interface_of_pyod(adapter):
    rows, is_outlier = with_outliers()
    detector = adapter(make(), contamination=0.05).fit(rows)
    scores = detector.decision_scores_
    assert roc_auc_score(is_outlier, scores) > 0.99
    np.testing.assert_array_equal(detector.labels_, (scores > detector.threshold_).astype(int))
    assert detector.labels_.sum() == 25
    np.testing.assert_array_equal(detector.decision_function(rows), scores)
    assert detector.predict_proba(rows).shape == (500, 2)
    np.testing.assert_array_equal(detector.predict(rows), detector.labels_)


def test_rows_beyond_the_memory_have_scores(adapter):
    rows, _ = with_outliers()
    detector = adapter(make(max_samples=100)).fit(rows)
    assert np.isfinite(detector.decision_scores_).all()


def test_combinations(blocks):
    rows, is_outlier = with_outliers()
    names = {"X": rows, "X_new": rows[::-1]}
    exec("\n".join(blocks), names)
    assert roc_auc_score(is_outlier[::-1], names["scores"]) > 0.8
