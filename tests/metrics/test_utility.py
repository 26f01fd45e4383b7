"""What is learned from synthetic rows, judged on real ones."""

import numpy as np
import pytest
from metric_helpers import mixed, normals
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

from skae.metrics import (
    train_on_synthetic,
)

REAL, OTHER = mixed(400), mixed(400, seed=1)


def test_rows_that_are_real_are_of_real_use():
    rows = load_breast_cancer(as_frame=True).frame
    train, test = rows[:400], rows[400:]
    copied = train_on_synthetic(train.copy(), test, "target", random_state=0)
    assert copied == train_on_synthetic(train, test, "target", random_state=0)
    assert copied > 0.97
    assert train_on_synthetic(train, test, "mean radius", random_state=0) > 0.9
    linear = LogisticRegression(max_iter=5000)
    assert train_on_synthetic(train, test, "target", estimator=linear) > 0.97


def test_targets_of_arrays_have_an_index():
    x, y = normals(2, 300, 2)
    x[:, 1], y[:, 1] = 2 * x[:, 0], 2 * y[:, 0]
    assert train_on_synthetic(x, y, 1, random_state=0) > 0.95


def test_a_label_that_synthetic_rows_lack_counts_a_half():
    test = REAL[["size", "kind"]].dropna()
    whole = train_on_synthetic(test, test, "kind", random_state=0)
    without = test[test["kind"] != "m"]
    lacking = train_on_synthetic(without, test, "kind", random_state=0)
    assert whole > 0.99
    assert 0.5 < lacking < whole - 0.1
    assert train_on_synthetic(test[test["kind"] == "m"], test, "kind") == 0.5
    other = test.assign(kind=test["kind"].where(np.arange(len(test)) > 20, "new"))
    assert train_on_synthetic(other, test, "kind", random_state=0) > 0.9


@pytest.mark.parametrize("target", ["kind", "weight"])
def test_rows_without_a_target_are_left_out(target):
    found = train_on_synthetic(OTHER, REAL, target, random_state=0)
    known = OTHER.dropna(subset=target), REAL.dropna(subset=target)
    assert found == pytest.approx(train_on_synthetic(*known, target, random_state=0), abs=1e-3)
