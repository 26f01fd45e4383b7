"""Clean rows and contaminated ones."""

import numpy as np
import pytest
from outlier_helpers import make, with_outliers
from sklearn.metrics import roc_auc_score
from skorch.callbacks import EarlyStopping


def test_clean_rows_are_all_learned_from(normal_rows):
    detector = make(novelty=True).fit(normal_rows[:300])
    assert detector.n_trimmed_ == 0
    assert detector.stop_reason_ == "max_epochs"
    assert len(detector.loss_curve_) == len(detector.validation_loss_curve_) == 20


def test_training_stops_when_held_out_rows_gain_no_more():
    noise = np.random.default_rng(0).normal(size=(60, 3))
    detector = make(novelty=True, max_epochs=2000, learning_rate_schedule="constant").fit(noise)
    assert detector.stop_reason_ == "n_iter_no_change"
    assert detector.best_epoch_ < detector.n_iter_ < 2000


def test_a_callback_may_stop_training(normal_rows):
    stop = EarlyStopping(monitor="train_loss", patience=1, threshold=10)
    detector = make(net_params={"callbacks": [stop]}).fit(normal_rows[:200])
    assert detector.n_iter_ < 20
    assert detector.stop_reason_ == "callback"


def test_a_cluster_of_outliers_is_trimmed_and_found():
    rows, is_outlier = with_outliers()
    detector = make(contamination=0.05)
    labels = detector.fit_predict(rows)
    assert detector.n_trimmed_ == 50
    assert roc_auc_score(is_outlier, -detector.score_samples(rows)) > 0.99
    assert (labels[is_outlier] == -1).mean() > 0.9


def test_without_trimming_a_cluster_vouches_for_itself():
    rows, is_outlier = with_outliers(n_outliers=20)
    trimmed = make(parts=["neighbors"]).fit(rows)
    untrimmed = make(parts=["neighbors"], trim_fraction=0).fit(rows)
    assert untrimmed.n_trimmed_ == 0
    scores = [roc_auc_score(is_outlier, -d.score_samples(rows)) for d in (trimmed, untrimmed)]
    assert scores[0] > scores[1] + 0.2


@pytest.mark.parametrize("contamination", [0.02, 0.1, 0.3])
def test_the_share_of_training_rows_that_are_flagged_is_contamination(contamination):
    rows, _ = with_outliers()
    labels = make(contamination=contamination).fit_predict(rows)
    assert (labels == -1).sum() == round(contamination * len(rows))


def test_auto_flags_what_lies_apart():
    rows, is_outlier = with_outliers()
    labels = make().fit_predict(rows)
    assert (labels[is_outlier] == -1).all()
    assert (labels[~is_outlier] == -1).mean() < 0.05


def test_early_training_is_shorter(normal_rows):
    rows = normal_rows[:400]
    clean = make(novelty=True, max_epochs="auto").fit(rows)
    contaminated = make(max_epochs="auto", early_stopping=False).fit(rows)
    assert contaminated.n_iter_ < clean.n_iter_ / 2
    assert contaminated.validation_loss_curve_ is None
