"""Series as they are given: frames, times, holes, and what is refused."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from series_helpers import Level, detector, wave
from sklearn.neighbors import LocalOutlierFactor

TIMES = pd.date_range("2026-03-01", periods=300, freq="5min")


def frame(times=TIMES, **columns):
    X = pd.DataFrame(wave(len(times), n_channels=2), columns=["a", "b"])
    return X.assign(time=times, **columns)


EXPECTED = detector(Level(), normalize=None).fit(wave(300, n_channels=2)).training_scores_


@pytest.mark.parametrize(
    "given",
    [
        frame().set_index("time"),
        frame().set_index("time").tz_localize("Europe/Rome"),
        frame().set_index(pd.period_range("2026-03-01", periods=300, freq="D"))[["a", "b"]],
        frame(),
        frame(TIMES.astype(str)),
        frame(TIMES.strftime("%d/%m/%Y %H:%M")),
        pl.from_pandas(frame()),
        pl.from_pandas(frame(TIMES.astype(str))),
        frame()[["a", "b"]],
        wave(300, n_channels=2),
        wave(300, n_channels=2).tolist(),
        frame()[["a", "b"]].set_axis(np.arange(300) * 7),
    ],
    ids=range(12),
)
def test_containers_give_the_same_scores(given):
    fitted = detector(Level(), normalize=None).fit(given)
    np.testing.assert_allclose(fitted.score_samples(given), EXPECTED)


@pytest.mark.parametrize(
    "convert", [np.ravel, lambda X: pd.Series(X[:, 0]), lambda X: pl.Series("x", X[:, 0]), list]
)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_a_series_of_one_channel_may_have_one_dimension(convert):
    X = wave(300)
    given = convert(X[:, 0] if convert is list else X)
    expected = detector(Level()).fit(X).score_samples(X)
    np.testing.assert_allclose(detector(Level()).fit(given).score_samples(given), expected)


def test_alarms_are_called_by_their_times():
    X = frame().set_index("time")
    X.iloc[200:204] = -9
    fitted = detector(Level(), contamination=0.05).fit(X)
    alarms = fitted.alarms(X)
    assert (alarms["start"] <= TIMES[203]).any()
    assert alarms["peak"].dtype == TIMES.dtype
    fitted.fit(X.set_axis(np.arange(300) * 7))
    assert (fitted.alarms(X.set_axis(np.arange(300) * 7))["peak"] % 7 == 0).all()


def test_missing_rows_are_holes_with_lines_across_them():
    X = frame().set_index("time")
    holes = X.drop(index=TIMES[[50, 51, 200]])
    fitted = detector(Level(), normalize=None).fit(X)
    line = X.copy()
    line.iloc[[50, 51, 200]] = np.nan
    expected = fitted.score_samples(line.interpolate())
    found = fitted.score_samples(holes)
    assert len(found) == 297
    np.testing.assert_allclose(found, np.delete(expected, [50, 51, 200]))
    np.testing.assert_allclose(fitted.score_samples(line), expected)


def test_long_holes_are_not_scored():
    X = wave(300)
    X[100:180] = np.nan
    fitted = detector(Level(), stride=1).fit(X)
    scores = fitted.score_samples(X)
    assert np.isnan(scores[115:165]).all()
    assert np.isfinite(scores[:105]).all()
    assert (fitted.predict(X)[115:165] == 1).all()
    assert np.isnan(fitted.p_values(X)[115:165]).all()
    assert np.isfinite(fitted.offset_)


def test_a_year_between_two_rows_takes_no_memory():
    times = TIMES[:150].append(TIMES[150:] + pd.Timedelta("5000D"))
    fitted = detector(Level()).fit(frame(times))
    assert np.isfinite(fitted.training_scores_).all()


def test_holes_are_left_to_the_detector_or_refused():
    X = frame()[["a", "b"]]
    X.loc[5:7, "b"] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        detector(LocalOutlierFactor(novelty=True), missing="detector").fit(X)
    with pytest.raises(ValueError, match=r"by column \(b: 3\)"):
        detector(missing="error").fit(X)


def text_of(times):
    with pytest.raises(ValueError, match="time") as caught:
        detector().fit(frame(times).set_index("time"))
    return str(caught.value)


def test_unequal_steps_are_named():
    times = TIMES.to_numpy().copy()
    times[40:] += np.timedelta64(137, "s")
    text = text_of(times)
    assert "from row 39 (2026-03-01 03:15:00) to the next it is 0 days 00:07:17" in text
    assert 'resample("300000ms")' in text


def test_clocks_may_be_a_little_late():
    late = np.random.default_rng(0).integers(0, 20, 300).astype("timedelta64[s]")
    detector().fit(frame(TIMES.to_numpy() + late))


def test_times_must_rise():
    text = text_of(TIMES[[*range(100), *range(200)]])
    assert "Row 100 is of 2026-03-01 00:00:00, and the one before it of 2026-03-01 08:15" in text
    assert "list of one for each" in text
    assert "time of row 3 is missing" in text_of(TIMES.where(np.arange(300) != 3))


def test_labels_are_refused_by_name():
    for given in (frame(state="on"), pl.from_pandas(frame(state="on"))):
        with pytest.raises(ValueError, match=r"Columns \['state'\] of X hold no numbers"):
            detector().fit(given)
    detector().fit(frame(is_on=True))


def test_of_two_columns_of_times_none_is_chosen():
    with pytest.raises(ValueError, match=r"\['time', 'made'\] of X all hold times"):
        detector().fit(frame(made=TIMES))


def test_other_series_are_refused():
    fitted = detector().fit(wave(300, n_channels=2))
    with pytest.raises(ValueError, match="Reshape your data"):
        fitted.score_samples(np.zeros(50))
    with pytest.raises(ValueError, match="expecting 2 features"):
        fitted.score_samples(np.zeros((50, 3)))
    with pytest.raises(ValueError, match="X has 5 times, fewer than the window of 20"):
        fitted.score_samples(np.zeros((5, 2)))
    with pytest.raises(ValueError, match="Recording 1 of the list: X has 3 features"):
        fitted.score_samples([np.zeros((50, 2)), np.zeros((50, 3))])
    with pytest.raises(ValueError, match="infinity"):
        fitted.score_samples(np.full((50, 2), np.inf))
