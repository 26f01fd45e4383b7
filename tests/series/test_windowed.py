"""WindowedDetector: scores, thresholds, p-values and alarms in time."""

import numpy as np
import pandas as pd
import pytest
from series_helpers import Distance, Level, detector, wave
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import LocalOutlierFactor

import skae
from skae import AEOutlierDetector, AutoencoderTransformer
from skae.series.windows import Windows, find_window

FOREST = IsolationForest(n_estimators=20, random_state=0)


@pytest.mark.parametrize("stride", [1, 3, 7, 10])
def test_the_score_of_a_time_is_the_mean_of_its_windows(stride):
    X = wave(200)
    fitted = detector(Level(), window=10, stride=stride, normalize=None).fit(X)
    starts = sorted({*range(0, 191, stride), 190})
    means = {start: X[start : start + 10].mean() for start in starts}
    expected = [
        np.mean([means[start] for start in starts if start <= t < start + 10]) for t in range(200)
    ]
    np.testing.assert_allclose(fitted.score_samples(X), expected)


@pytest.mark.parametrize("normalize", [None, "series", "level", "window"])
def test_cutting_can_be_undone(normalize):
    X = wave(100, n_channels=3) * [1, 100, 0.01] + [5, 0, -3]
    windows = Windows(12, 5, normalize, X.mean(0), X.std(0))
    starts = windows.starts(np.isnan(X))
    back = windows.restored(windows.cut(X, starts), X, starts).reshape(len(starts), 3, 12)
    for start, each in zip(starts, back, strict=True):
        np.testing.assert_allclose(each.T, X[start : start + 12])


@pytest.mark.parametrize("period", [12, 40, 97])
def test_the_window_is_the_period(period):
    assert abs(find_window([wave(3000, period=period)]) - period) <= 1


def test_without_a_period_the_window_is_of_one_length():
    assert find_window([np.random.default_rng(0).normal(size=(3000, 2))]) == 64
    assert find_window([np.ones((50, 1))]) == 6


def test_the_anomaly_has_the_lowest_score():
    test = wave(600, seed=1)
    test[300:330] = 0.3
    for inner in (Distance(), FOREST, LocalOutlierFactor(novelty=True)):
        fitted = detector(inner).fit(wave())
        assert 285 <= fitted.score_samples(test).argmin() < 345
        alarms = fitted.alarms(test)
        worst = alarms.loc[alarms["score"].idxmin()]
        assert worst["start"] < 330
        assert worst["end"] >= 300


def test_detectors_of_pyod_have_the_other_sign():
    knn = pytest.importorskip("pyod.models.knn")
    test = wave(600, seed=1)
    test[300:330] = 0.3
    fitted = detector(knn.KNN()).fit(wave())
    assert 285 <= fitted.score_samples(test).argmin() < 345


def test_a_share_of_the_time_is_flagged():
    flagged = []
    for seed in range(10):
        fitted = detector(contamination=0.05).fit(wave(2000, seed=seed))
        flagged.append((fitted.predict(wave(2000, seed=seed + 50)) == -1).mean())
    assert 0.03 < np.mean(flagged) < 0.07
    assert np.mean(fitted.fit_predict(wave(2000)) == -1) == pytest.approx(0.05, abs=0.002)


def test_p_values_are_valid_for_one_time_of_a_new_series():
    """The least p-value, of which a shuffled calibration would give twenty times as many."""
    found = []
    for seed in range(40):
        fitted = detector().fit(wave(800, seed=seed))
        found.append(fitted.p_values(wave(400, seed=seed + 99))[::20])
    found = np.concatenate(found)
    assert found.min() >= 1 / 41 - 1e-9
    for share in (0.05, 0.1, 0.3, 0.5):
        assert (found <= share).mean() <= share + 0.03


def test_discoveries_are_mostly_right_and_whole_windows():
    train, test = wave(20000), wave(1000, seed=1)
    fitted = detector(window=40).fit(train)
    assert (fitted.predict(test, false_discovery_rate=0.2) == 1).all()
    test[400:520] = 0
    labels = fitted.predict(test, false_discovery_rate=0.2)
    assert (labels[400:520] == -1).all()
    assert (labels == -1).sum() <= 200


def test_held_out_scores_know_no_copy():
    """An anomaly of the training series is found, although windows overlap it."""
    X = wave(2000)
    X[1000:1030] = 0.3
    labels = detector().fit_predict(X)
    assert (labels[1000:1030] == -1).mean() > 0.5


def test_several_recordings_share_no_window():
    X = wave(600)
    fitted = detector(Level(), normalize=None).fit([X[:300], X[300:]])
    assert [len(each) for each in fitted.training_scores_] == [300, 300]
    first, second = fitted.score_samples([X[:300], X[300:]])
    np.testing.assert_array_equal(first, fitted.score_samples(X[:300]))
    np.testing.assert_array_equal(second, fitted.score_samples(X[300:]))
    assert list(fitted.alarms([X, X + 9 * (np.arange(600) < 0)[:, None]])["recording"].unique())
    assert [each.shape for each in fitted.predict([X, X[:50]])] == [(600,), (50,)]


def test_chunks_are_one_series():
    X = wave(900)
    fitted = detector(Level(), stride=1, normalize=None).fit(X[:600])
    whole = fitted.score_samples(X)
    chunk = fitted.score_samples(X[600:], continues=True)
    np.testing.assert_allclose(chunk, whole[600:])
    assert not np.allclose(fitted.score_samples(X[600:])[:5], whole[600:605])
    fitted.partial_fit(X[600:750])
    np.testing.assert_allclose(fitted.score_samples(X[750:], continues=True), whole[750:])
    assert len(fitted.training_scores_) == 150


def test_a_chunk_shorter_than_the_window_goes_on():
    X = wave(700)
    fitted = detector(Level(), normalize=None, stride=1).fit(X[:600])
    for place in range(600, 700, 5):
        fitted.partial_fit(X[place : place + 5])
    np.testing.assert_allclose(fitted._tail_.values, X[-19:])


def test_chunks_with_times_know_of_holes():
    times = pd.date_range("2026-01-01", periods=900, freq="min")
    X = pd.DataFrame(wave(900), index=times, columns=["x"])
    fitted = detector(Level(), stride=1).fit(X[:600])
    assert np.isnan(fitted.score_samples(X[700:705], continues=True)).all()
    with pytest.raises(ValueError, match=r"times\s+must rise"):
        fitted.partial_fit(X[500:600])


def test_only_detectors_that_learn_on_have_partial_fit():
    assert not hasattr(detector(FOREST), "partial_fit")
    X = wave(400)
    inner = AEOutlierDetector(n_members=4, max_epochs=2)
    fitted = detector(inner).partial_fit(X[:300]).partial_fit(X[300:])
    assert np.isfinite(fitted.score_samples(X)).all()


def test_explanations_name_the_channel_and_the_time():
    X = pd.DataFrame(wave(1500, n_channels=3) * [1, 50, 1], columns=["a", "b", "c"])
    test = pd.DataFrame(wave(400, seed=1, n_channels=3) * [1, 50, 1], columns=["a", "b", "c"])
    test.loc[200:203, "b"] = 200.0
    for inner in (
        AEOutlierDetector(novelty=True, max_epochs=20),
        AutoencoderTransformer(8, max_epochs=30),
    ):
        fitted = detector(inner).fit(X)
        lines = fitted.explain(test, top=None)
        first = lines[lines["alarm"] == lines.groupby("alarm")["share"].sum().index[0]]
        worst = fitted.alarms(test)["score"].idxmin()
        own = lines[lines["alarm"] == worst]
        assert len(first) == 3
        assert own["column"].iloc[0] == "b"
        assert own["share"].sum() == pytest.approx(1)
        assert own["time"].iloc[0] in range(200, 204)
        assert own["value"].iloc[0] == 200
        assert abs(own["expected"].iloc[0]) < 150
    assert len(fitted.explain(test, top=1)) == lines["alarm"].nunique()


def test_a_detector_that_cannot_explain_says_so():
    test = wave(400)
    test[100:120] = 9
    with pytest.raises(TypeError, match="IsolationForest cannot tell"):
        detector(FOREST).fit(wave()).explain(test)


def test_no_alarm_is_an_empty_frame():
    fitted = detector(Level()).fit(wave())
    fitted.offset_ = -np.inf
    assert fitted.alarms(wave()).empty
    assert list(fitted.explain(wave()).columns)[:3] == ["alarm", "start", "end"]


def test_a_fit_is_repeated_to_the_bit_and_cloned():
    inner = AEOutlierDetector(n_members=4, max_epochs=3)
    first = detector(inner).fit(wave(400))
    again = clone(first).fit(wave(400))
    np.testing.assert_array_equal(first.score_samples(wave()), again.score_samples(wave()))
    assert first.get_params()["detector__max_epochs"] == 3
    assert inner.random_state is None
    with pytest.raises(NotFittedError):
        clone(first).score_samples(wave())


def test_a_failed_fit_leaves_the_detector_as_it_was():
    fitted = detector().fit(wave())
    before = fitted.score_samples(wave())
    with pytest.raises(ValueError, match="fewer than the window of 20"):
        fitted.fit(wave(10))
    np.testing.assert_array_equal(fitted.score_samples(wave()), before)


def test_files_hold_skaes_own(tmp_path):
    times = pd.date_range("2026-01-01", periods=400, freq="h")
    X = pd.DataFrame(wave(400, n_channels=2), index=times, columns=["a", "b"])
    fitted = detector(AEOutlierDetector(n_members=4, max_epochs=2)).fit(X)
    fitted.save(tmp_path / "model.safetensors")
    loaded = skae.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.score_samples(X), fitted.score_samples(X))
    later = X.set_axis(X.index + pd.Timedelta("400h"))
    loaded.partial_fit(later)
    assert "last rows of the series" in skae.tables.remembered(loaded)["what"].tolist()
    with pytest.raises(TypeError, match="IsolationForest"):
        detector(FOREST).fit(X).save(tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"window": 1}, "window"),
        ({"window": 10, "stride": 11}, "'stride' parameter must be at most the window, 10"),
        ({"normalize": "both"}, "normalize"),
        ({"contamination": 0.9}, "contamination"),
        ({"n_blocks": 1}, "n_blocks"),
        ({"missing": "drop"}, "missing"),
        ({"detector": 3}, "detector"),
    ],
)
def test_bad_parameters_are_named(params, words):
    with pytest.raises(ValueError, match=words):
        detector().set_params(**params).fit(wave())
