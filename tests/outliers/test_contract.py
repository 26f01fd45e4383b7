"""Weights, sparse rows, threads, duplicates, and scores of the training rows."""

import numpy as np
import pytest
from outlier_helpers import make
from scipy import sparse
from sklearn.metrics import roc_auc_score


def test_rows_without_weight_are_not_there(normal_rows):
    rows = normal_rows[:200].copy()
    rows[:20] += 30
    weights = np.r_[np.zeros(20), np.ones(180)]
    detector = make(novelty=True).fit(rows, sample_weight=weights)
    assert np.isnan(detector.training_scores_[:20]).all()
    assert (detector.predict(rows[:20]) == -1).all()


def test_weights_decide_what_is_normal(normal_rows):
    rows = normal_rows[:300].copy()
    rows[:150] += 20
    weights = np.r_[np.full(150, 0.02), np.full(150, 3.0)]
    detector = make(novelty=True, contamination=0.1).fit(rows, sample_weight=weights)
    scores = detector.training_scores_
    assert scores[:150].mean() < scores[150:].mean()


def test_too_few_weights(normal_rows):
    with pytest.raises(ValueError, match="sample_weight is above 0 for 1 row only"):
        make().fit(normal_rows[:50], sample_weight=np.r_[1.0, np.zeros(49)])


def test_sparse_rows_are_made_dense(normal_rows):
    rows = np.where(np.abs(normal_rows[:200]) > 1, normal_rows[:200], 0)
    new = np.where(np.abs(normal_rows[200:300]) > 1, normal_rows[200:300], 0)
    detector = make().fit(sparse.csr_array(rows))
    expected = make().fit(rows).score_samples(new)
    np.testing.assert_allclose(detector.score_samples(sparse.csr_array(new)), expected)


def test_sparse_rows_that_are_too_many_to_be_made_dense():
    rows = sparse.random_array((40_000, 10_000), density=1e-6, format="csr", rng=0)
    with pytest.raises(ValueError, match=r"40000 x 10000 cells.*TruncatedSVD"):
        make().fit(rows)


def test_threads_make_no_difference(normal_rows, monkeypatch):
    monkeypatch.setattr("skae.outliers.encoding._ROWS_AT_A_TIME", (100, 100))
    detector = make(novelty=True).fit(normal_rows[:300])
    expected = detector.score_samples(normal_rows)
    found = detector.set_params(n_jobs=2).score_samples(normal_rows)
    np.testing.assert_array_equal(found, expected)


def test_many_rows_are_read_in_single_precision(normal_rows):
    detector = make(novelty=True).fit(normal_rows[:1000])
    many = np.concatenate([normal_rows, normal_rows])
    found = detector.score_samples(many)[: len(normal_rows)]
    np.testing.assert_allclose(found, detector.score_samples(normal_rows), atol=0.1)
    assert np.corrcoef(found, detector.score_samples(normal_rows))[0, 1] > 0.9999


def test_training_scores_are_those_of_fit_predict(normal_rows):
    rows = normal_rows[:200]
    detector = make()
    labels = detector.fit_predict(rows)
    expected = np.where(detector.training_scores_ < detector.offset_, -1, 1)
    np.testing.assert_array_equal(labels, expected)


def test_equal_rows_have_equal_labels(normal_rows):
    rows = np.repeat(normal_rows[:60], 3, axis=0)
    detector = make().fit(rows)
    by_row = detector.training_scores_.reshape(60, 3)
    np.testing.assert_allclose(by_row, by_row[:, :1] + np.zeros(3))


@pytest.mark.parametrize("novelty", [False, True])
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_rows_that_were_learned_from_have_their_training_scores(normal_rows, novelty, kind):
    rows = normal_rows[:300]
    detector = make(novelty=novelty, contamination=0.05).fit(rows)
    found = detector.score_samples(normal_rows.astype(kind))
    np.testing.assert_array_equal(found[:300], detector.training_scores_)
    # Read as new ones, they would be too normal.
    nearby = detector.score_samples(rows + 1e-5)
    assert nearby.mean() > found[:300].mean() + 0.05
    assert (detector.predict(rows) == -1).mean() == pytest.approx(0.05, abs=0.002)
    shares = detector.explain(rows[:5], top=None).groupby("row")["share"].sum()
    np.testing.assert_allclose(shares, -found[:5])


def test_new_rows_are_not_taken_for_known_ones(normal_rows):
    detector = make(novelty=True).fit(normal_rows[:300])
    known = detector._model_.known(detector._rows(normal_rows).encode(slice(None)), np.zeros(3000))
    assert (known[:300] != 0).all()
    assert (known[300:] == 0).all()


def test_between_two_clusters():
    rng = np.random.default_rng(2)
    rows = 0.3 * rng.normal(size=(600, 2)) + rng.choice([-2, 2], size=(600, 1))
    between = rng.uniform(-1, 1, (100, 2))
    for novelty in (False, True):
        detector = make(novelty=novelty).fit(rows[:500])
        found = detector.score_samples(np.concatenate([rows[500:], between]))
        assert roc_auc_score(np.repeat([1, 0], 100), found) > 0.98
        assert (detector.predict(between) == -1).mean() > 0.5


def test_a_broken_dependency():
    rng = np.random.default_rng(1)
    plane = rng.normal(size=(4, 10))
    rows = rng.normal(size=(1000, 4)) @ plane + 0.1 * rng.normal(size=(1000, 10))
    odd = rows[800:].copy()
    odd[:, 3] = rng.permutation(odd[:, 3])
    detector = make(novelty=True, max_epochs="auto").fit(rows[:600])
    found = detector.score_samples(np.concatenate([rows[600:800], odd]))
    assert roc_auc_score(np.repeat([1, 0], 200), found) > 0.9
