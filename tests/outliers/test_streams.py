"""More rows, later."""

import numpy as np
import pytest
from outlier_helpers import make


def test_memory_is_bounded(normal_rows):
    detector = make(max_samples=200).fit(normal_rows[:300])
    assert (len(detector._memory_), detector.n_rows_) == (200, 300)
    detector.partial_fit(normal_rows[300:350])
    assert (len(detector._memory_), detector.n_rows_) == (200, 350)
    detector.partial_fit(normal_rows[350:1000])
    assert (len(detector._memory_), detector.n_rows_) == (200, 1000)


def test_rows_one_by_one_fall_into_all_folds(normal_rows):
    detector = make(novelty=True, max_samples=100, max_epochs=2).fit(normal_rows[:100])
    for i in range(100, 200):
        detector.partial_fit(normal_rows[i : i + 1])
    assert np.bincount(detector._memory_.folds, minlength=4).min() > 10


def test_a_failure_after_the_pass_undoes_it(normal_rows, monkeypatch):
    detector = make(novelty=True).fit(normal_rows[:300])
    before, n_epochs = detector.score_samples(normal_rows[:50]), detector.n_iter_

    def fail(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("skae.outliers.model.NearRows", fail)
    with pytest.raises(KeyboardInterrupt):
        detector.partial_fit(normal_rows[300:400])
    np.testing.assert_array_equal(detector.score_samples(normal_rows[:50]), before)
    assert len(detector.net_.history) == n_epochs


def test_scale_and_threshold_follow(normal_rows):
    detector = make(novelty=True, contamination=0.05, max_samples=500).fit(normal_rows[:500])
    moved = 10 + 3 * normal_rows
    assert (detector.predict(moved[500:1000]) == -1).all()
    for start in range(500, 2000, 250):
        detector.partial_fit(moved[start : start + 250])
    assert (detector.predict(moved[2000:]) == -1).mean() < 0.12
    assert (detector.predict(normal_rows[2000:] + 40) == -1).all()


def test_another_model_is_refused(normal_rows):
    detector = make(novelty=True).fit(normal_rows[:300])
    with pytest.raises(ValueError, match="n_members=12 differs from the 8"):
        detector.set_params(n_members=12).partial_fit(normal_rows[300:400])


def test_the_first_call_is_fit(frame):
    first, second = make().partial_fit(frame), make().fit(frame)
    np.testing.assert_array_equal(first.score_samples(frame), second.score_samples(frame))


def test_weights_go_on_from_where_they_were(normal_rows):
    detector = make(novelty=True, max_epochs=100).fit(normal_rows[:500])
    n_epochs = detector.n_iter_
    before = detector.net_.module_.linear.weight.detach().clone()
    detector.partial_fit(normal_rows[500:600])
    change = (detector.net_.module_.linear.weight - before).abs().max()
    assert 0 < change < 0.1
    assert detector.n_iter_ == detector.best_epoch_ == n_epochs + 1


def test_a_failure_leaves_what_was_there(normal_rows):
    detector = make(novelty=True).fit(normal_rows[:300])
    before = detector.score_samples(normal_rows)
    bad = normal_rows[300:320].copy()
    bad[0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        detector.partial_fit(bad)
    with pytest.raises(ValueError, match="features"):
        detector.partial_fit(normal_rows[:, :2])
    detector.set_params(learning_rate=1e30)
    with pytest.raises(FloatingPointError, match="diverged"):
        detector.partial_fit(normal_rows[300:400])
    np.testing.assert_array_equal(detector.score_samples(normal_rows), before)
