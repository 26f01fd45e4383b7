"""The promise of p-values."""

import numpy as np
import pytest
from outlier_helpers import make


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_new_normal_rows_are_flagged_as_often_as_asked(normal_rows, share):
    detector = make(novelty=True, contamination=share).fit(normal_rows[:1000])
    flagged = detector.predict(normal_rows[1000:]) == -1
    # Both the threshold and the share of 2,000 rows vary.
    spread = 4 * np.sqrt(share * (1 - share) * (1 / 1000 + 1 / 2000))
    assert abs(flagged.mean() - share) < spread
    p_values = detector.p_values(normal_rows[1000:])
    np.testing.assert_array_equal(flagged, p_values <= share)


def test_also_of_rows_that_repeat():
    rng = np.random.default_rng(0)
    rows = rng.integers(5, size=(3000, 3)).astype(float)
    detector = make(novelty=True, contamination=0.1).fit(rows[:1000])
    assert (detector.predict(rows[1000:]) == -1).mean() < 0.14


def test_also_of_nearly_as_many_columns_as_rows():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(1100, 60)) @ rng.normal(size=(60, 60))
    detector = make(novelty=True, max_epochs=20, parts=["reconstruction"]).fit(rows[:100])
    assert 0.02 < (detector.p_values(rows[100:]) <= 0.1).mean() < 0.2


@pytest.mark.parametrize("n_rows", [40, 100])
def test_also_of_heavy_tails(n_rows):
    flagged = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        rows = rng.standard_cauchy(size=(n_rows + 500, 10))
        detector = make(novelty=True, max_epochs=5).fit(rows[:n_rows])
        flagged.append((detector.p_values(rows[n_rows:]) <= 0.1).mean())
    assert 0.03 < np.mean(flagged) < 0.17


def test_few_rows_extrapolate(normal_rows):
    detector = make(novelty=True, contamination=0.001).fit(normal_rows[:50])
    assert (detector.predict(normal_rows[50:]) == -1).mean() < 0.02
    assert detector.predict(normal_rows[:1] + 100) == [-1]


def test_false_discoveries_are_as_few_as_asked(normal_rows):
    detector = make(novelty=True).fit(normal_rows[:1500])
    rows = np.vstack([normal_rows[1500:], normal_rows[:100] + 8])
    alarms = detector.predict(rows, false_discovery_rate=0.1) == -1
    is_outlier = np.arange(len(rows)) >= 1500
    assert alarms[is_outlier].all()
    assert alarms[~is_outlier].sum() / alarms.sum() < 0.2
    none = detector.predict(normal_rows[1500:], false_discovery_rate=0.01) == -1
    assert none.mean() < 0.01


@pytest.mark.parametrize("rate", [0, 1, -0.1, np.nan])
def test_rates_are_between_0_and_1(detector, frame, rate):
    with pytest.raises(ValueError, match="false_discovery_rate"):
        detector.predict(frame, false_discovery_rate=rate)


@pytest.mark.parametrize("share", [0.04, 0.14, 0.3])
def test_auto_finds_all_that_a_gap_parts(share):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 2))
    odd = np.arange(int(share * 200))
    rows[odd] = rng.uniform(-1, 1, size=(len(odd), 2)) * 100
    odd = odd[np.abs(rows[odd]).max(1) > 10]
    detector = make()
    flagged = detector.fit_predict(rows) == -1
    assert flagged[odd].all()
    assert flagged.sum() - len(odd) <= 5
    assert detector.contamination_ == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("shape", ["normal", "heavy", "clusters", "ring", "counts", "rare"])
def test_auto_flags_few_where_nothing_is_odd(shape):
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 300)
    ring = np.c_[np.cos(angle), np.sin(angle)] + 0.05 * rng.normal(size=(300, 2))
    rows = {
        "normal": rng.normal(size=(300, 4)),
        "heavy": rng.standard_t(3, size=(300, 4)),
        "clusters": rng.normal(size=(300, 3)) + 6 * (rng.random((300, 1)) < 0.3),
        "ring": ring,
        "counts": rng.poisson(2, size=(300, 4)).astype(float),
        "rare": (rng.random((300, 6)) < 0.05).astype(float),
    }[shape]
    assert (make().fit_predict(rows) == -1).mean() <= 0.021
