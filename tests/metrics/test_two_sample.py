"""The two-sample AUC: what can be told apart, and what cannot."""

import numpy as np
import pandas as pd
import pytest
from metric_helpers import mixed
from sklearn.linear_model import LogisticRegression

from skae.metrics import (
    density_coverage,
    frechet_distance,
    independent_columns,
    maximum_mean_discrepancy,
    nearest_copies,
    two_sample_auc,
)

REAL, OTHER = mixed(400), mixed(400, seed=1)


def test_two_samples_of_one_distribution_cannot_be_told_apart():
    assert two_sample_auc(REAL, OTHER, random_state=0) == pytest.approx(0.5, abs=0.06)
    shifted = OTHER.assign(size=OTHER["size"] + 9)
    assert two_sample_auc(REAL, shifted, random_state=0) > 0.98


def test_an_unseen_label_gives_rows_away():
    other = OTHER.assign(kind=OTHER["kind"].where(np.arange(400) % 2 == 0, "new"))
    assert two_sample_auc(REAL, other, random_state=0) > 0.7
    assert density_coverage(REAL, other).precision < density_coverage(REAL, OTHER).precision
    assert frechet_distance(REAL, other) > frechet_distance(REAL, OTHER) + 0.1
    assert maximum_mean_discrepancy(REAL, other).statistic > 0.01
    ratio = nearest_copies(REAL, OTHER, other).ratio
    assert ratio > nearest_copies(REAL, OTHER, OTHER).ratio


def test_any_classifier_will_do():
    linear = LogisticRegression(max_iter=1000)
    shuffled = independent_columns(REAL, random_state=0)
    assert two_sample_auc(REAL, shuffled, estimator=linear, random_state=0) < 0.6
    shifted = OTHER.assign(size=OTHER["size"] + 9)
    assert two_sample_auc(REAL, shifted, estimator=linear, random_state=0) > 0.99
    assert not hasattr(linear, "coef_")


def test_more_labels_than_trees_take():
    names = np.array([f"n{i}" for i in range(400)])
    real, other = (
        pd.DataFrame({"x": np.random.default_rng(i).choice(names, 900)}) for i in range(2)
    )
    assert 0.4 < two_sample_auc(real, other, random_state=0) < 0.6
