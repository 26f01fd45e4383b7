"""What is odd is judged, what is impossible is refused."""

import numpy as np
import pandas as pd
import pytest
from outlier_helpers import make
from sklearn.base import clone


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"parts": ["reconstruction", "latents"]}, "'parts' parameter must hold some of"),
        ({"parts": []}, "'parts' parameter"),
        ({"parts": [["center"]]}, "'parts' parameter"),
        ({"parts": ["center", "center"]}, "'parts' parameter"),
        ({"n_members": 5}, "'n_members' parameter must be even"),
        ({"contamination": 0.7}, "'contamination' parameter"),
        ({"hidden_layer_sizes": (0,)}, "'hidden_layer_sizes' parameter"),
        ({"device": "nowhere"}, "'device' parameter"),
    ],
)
def test_parameters(frame, params, message):
    with pytest.raises(ValueError, match=message):
        make(**params).fit(frame)


def test_labels_that_were_never_seen_are_odd(detector, frame):
    row = frame[frame["side"].notna()][:1]
    strange = row.assign(side="up")
    assert detector.score_samples(strange) < detector.score_samples(row)
    assert detector.predict(strange) == [-1]
    strict = make(handle_unknown="error").fit(frame)
    with pytest.raises(ValueError, match="'up'"):
        strict.score_samples(strange)


def test_a_constant_column_does_not_explode(normal_rows):
    rows = np.hstack([normal_rows[:300], np.ones((300, 1))])
    detector = make(novelty=True).fit(rows)
    odd = rows[:1].copy()
    odd[0, -1] = 1 + 1e-9
    assert -20 < detector.score_samples(odd)[0] < detector.score_samples(rows[:1])[0]


def test_holes_where_there_were_none_are_odd(normal_rows):
    detector = make(novelty=True).fit(normal_rows[:500])
    rows = np.vstack([normal_rows[500], np.full(6, np.nan)])
    scores = detector.score_samples(rows)
    assert scores[1] < scores[0]
    assert detector.p_values(rows)[1] < 0.05


def test_single_precision_after_double():
    rng = np.random.default_rng(0)
    rows = np.column_stack(
        [rng.normal(size=(200, 2)), rng.choice([0.1, 0.7], 200), np.full(200, 0.1)]
    )
    detector = make(novelty=True).fit(rows)
    single = detector.score_samples(rows.astype(np.float32))
    np.testing.assert_allclose(single, detector.score_samples(rows), atol=5e-3)
    explanation = detector.explain(rows[:5].astype(np.float32), top=1)
    assert set(explanation["column"]) <= {0, 1, 2}


@pytest.mark.parametrize("first", [np.float32, np.float64])
def test_labels_are_matched_in_the_coarser_precision(first):
    second = np.float64 if first is np.float32 else np.float32
    rng = np.random.default_rng(0)
    numbers, labels = rng.normal(size=100), rng.choice([0.1, 0.7], 100)
    rows = np.column_stack([numbers, labels])
    detector = make(novelty=True, handle_unknown="error").fit(rows[:50].astype(first))
    scores = [detector.score_samples(rows[50:].astype(dtype)) for dtype in (first, second)]
    np.testing.assert_allclose(*scores, atol=1e-3)
    with pytest.raises(ValueError, match=r"did not see: 0\.5"):
        detector.score_samples(np.array([[0.0, 0.5]]).astype(second))


def test_large_labels_are_told_apart():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"x": rng.normal(size=50), "id": rng.choice([2.0**24, 1.0], 50)})
    detector = make(novelty=True, handle_unknown="error").fit(rows)
    with pytest.raises(ValueError, match="16777217"):
        detector.score_samples(pd.DataFrame({"x": [0.0], "id": [2.0**24 + 1]}))


def test_sentinels_are_found(normal_rows):
    rows = normal_rows[:200].copy()
    rows[7, 0] = 1e300
    assert make().fit_predict(rows)[7] == -1


def test_rows_may_be_empty(frame, detector):
    empty = frame[:1].copy()
    empty.loc[:, ["x", "y", "hole"]] = np.nan
    empty["side"] = None
    assert np.isfinite(detector.score_samples(empty)).all()


def test_columns_may_be_empty(frame):
    rows = frame.assign(nothing=np.nan)
    detector = make().fit(rows)
    assert np.isfinite(detector.score_samples(rows)).all()
    assert detector.reconstruct(rows)["nothing"].isna().all()
    assert np.isfinite(detector.explain(rows[:2])["share"]).all()


@pytest.mark.parametrize("n_rows", [2, 3, 5, 12])
@pytest.mark.parametrize("novelty", [True, False])
def test_few_rows(normal_rows, n_rows, novelty):
    detector = make(novelty=novelty).fit(normal_rows[:n_rows])
    assert np.isfinite(detector.score_samples(normal_rows[:50])).all()
    assert n_rows < 5 or detector.predict(normal_rows[:1] + 1000) == [-1]


def test_equal_rows():
    detector = make(novelty=True).fit(np.ones((20, 2)))
    assert (detector.predict(np.ones((3, 2))) == 1).all()
    assert (detector.predict(np.full((1, 2), 5.0)) == -1).all()


def test_one_row_is_too_few(frame, normal_rows):
    for rows in (frame[:1], normal_rows[:1]):
        with pytest.raises(ValueError, match="1 sample"):
            make().fit(rows)


def test_infinity(normal_rows, frame):
    with pytest.raises(ValueError, match="infinity"):
        make().fit(np.where(normal_rows > 3, np.inf, normal_rows))
    with pytest.raises(ValueError, match="'x' of X contains infinity"):
        make().fit(frame.assign(x=frame["x"].where(frame["x"] < 1, np.inf)))
    numbers = pd.DataFrame(normal_rows[:150], columns=list("abcdef"))
    bad = numbers.copy()
    bad.loc[140, "b"] = np.inf
    detector = make().fit(numbers)
    for read in (detector.predict, detector.explain, detector.partial_fit):
        with pytest.raises(ValueError, match="'b' of X contains infinity"):
            read(bad)
    for seed in range(3):
        with pytest.raises(ValueError, match="'b' of X contains infinity"):
            make(max_samples=100, max_epochs=1, random_state=seed).fit(bad)


@pytest.mark.parametrize("kind", ["float64", "Float64", "double[pyarrow]"])
def test_frames_of_numbers_are_what_arrays_are(normal_rows, kind):
    numbers = np.where(np.abs(normal_rows[:100]) > 2.5, np.nan, normal_rows[:100])
    frame = pd.DataFrame(numbers, columns=list("abcdef")).astype(kind)
    expected = make().fit(numbers).score_samples(numbers)
    np.testing.assert_allclose(make().fit(frame).score_samples(frame), expected)


@pytest.mark.parametrize(
    "wrong",
    [{"contamination": 7}, {"novelty": "no"}, {"learning_rate": -1.0}, {"max_samples": 1}],
)
def test_parameters_of_a_later_pass(normal_rows, wrong):
    detector = make(max_epochs=2).fit(normal_rows[:120])
    with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' parameter"):
        detector.set_params(**wrong).partial_fit(normal_rows[:120])


def test_lists_of_labels_and_numbers(normal_rows):
    rows = [["ab"[i % 2], *row] for i, row in enumerate(normal_rows[:200, :2].tolist())]
    detector = make(categorical_features=[0], max_epochs=3).fit(rows)
    assert [field.kind for field in detector.schema_.fields[1:]] == ["number", "number"]
    scores = detector.score_samples([["a", 0.0, 0.0], ["a", 1e9, -1e9]])
    assert scores[0] > scores[1]
    assert (
        scores == detector.score_samples(np.array([["a", 0.0, 0.0], ["a", 1e9, -1e9]], object))
    ).all()


def test_parameters_that_are_set_after_fit_wait_for_the_next(normal_rows):
    rows = np.array([["ab"[i % 2], *row] for i, row in enumerate(normal_rows[:200])], object)
    detector = make(categorical_features=[0], max_epochs=3).fit(rows)
    before = detector.score_samples(rows)
    detector.set_params(categorical_features="from_dtype", novelty=True, contamination=0.3)
    np.testing.assert_array_equal(detector.score_samples(rows), before)


def test_names_that_stand_twice(frame):
    with pytest.raises(ValueError, match="unique"):
        make().fit(frame.set_axis(["x", "x", *frame.columns[2:]], axis=1))


def test_an_array_for_a_frame_of_labels(detector, frame):
    with pytest.raises(TypeError, match="needs one now"):
        detector.score_samples(np.zeros((2, frame.shape[1])))


def test_a_failed_fit_leaves_the_one_before(frame):
    detector = make().fit(frame)
    before = detector.score_samples(frame)
    detector.set_params(learning_rate=1e30)
    with pytest.raises(FloatingPointError, match="diverged"):
        detector.fit(frame)
    np.testing.assert_array_equal(detector.score_samples(frame), before)


def test_a_clone_is_not_fitted(detector):
    assert not clone(detector).__sklearn_is_fitted__()
