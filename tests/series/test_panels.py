"""Containers of series: what goes in comes back, and what is none is refused by name."""

import numpy as np
import pandas as pd
import pytest
import torch
from panel_helpers import as_frame, ragged_waves, waves

from skae import SeriesAutoencoder
from skae.series.form import stretched
from skae.series.panels import read_panel

EQUAL, RAGGED = waves(), ragged_waves()


def tiny(**how):
    return SeriesAutoencoder(**{"n_components": 3, "channels": 4, "max_epochs": 3, **how})


def same(one, other):
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
    else:
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


CONTAINERS = {
    "array": EQUAL,
    "single precision": EQUAL.astype(np.float32),
    "list": list(EQUAL),
    "ragged": RAGGED,
    "ragged, one channel": [case[0] for case in RAGGED],
    "array of arrays": np.array([*RAGGED, None], dtype=object)[:-1],
    "frame": as_frame(EQUAL),
    "ragged frame": as_frame(RAGGED),
    "rows": EQUAL[:, 0],
    "frame of rows": pd.DataFrame(EQUAL[:, 0]).add_prefix("t"),
}


@pytest.mark.parametrize("variational", [False, True])
@pytest.mark.parametrize("name", CONTAINERS)
def test_cases_come_back_in_the_container_of_fit(name, variational):
    X = CONTAINERS[name]
    estimator = tiny(variational=variational, random_state=0).fit(X)
    codes = estimator.transform(X)
    assert codes.shape == (60, 3)
    back = estimator.reconstruct(X)
    for cases in (back, estimator.inverse_transform(codes), estimator.sample(7, random_state=0)):
        assert type(cases) is (list if "array of" in name else type(X))
        if isinstance(X, pd.DataFrame):
            assert list(cases.columns) == list(X.columns)
            assert cases.index.names == X.index.names
    if isinstance(X, pd.DataFrame):
        assert back.index.equals(X.index)
    else:
        shapes = [np.shape(np.atleast_2d(case)) for case in X]
        assert [np.shape(np.atleast_2d(case)) for case in back] == shapes
    assert estimator.score_samples(X).shape == (60,)
    assert np.isfinite(estimator.score_samples(X)).all()


def test_containers_read_the_same():
    codes = [
        tiny(random_state=0).fit(X).transform(X)
        for X in (EQUAL, list(EQUAL), torch.from_numpy(EQUAL), as_frame(EQUAL).sort_index())
    ]
    order = sorted(range(60), key=lambda i: f"case {i}")
    for each in codes[:3]:
        np.testing.assert_array_equal(np.asarray(each), codes[0])
    by_name = tiny(random_state=0).fit(EQUAL[order]).transform(EQUAL[order])
    np.testing.assert_array_equal(codes[3], by_name)


def test_one_estimator_reads_all_containers_of_its_shape():
    estimator = tiny(random_state=0).fit(RAGGED)
    codes = estimator.transform(RAGGED)
    frame = as_frame(RAGGED)
    names = list(frame.index.get_level_values(0).unique())
    order = [int(name.split()[1]) for name in names]
    np.testing.assert_allclose(estimator.transform(frame), codes[order], atol=1e-5)
    equal = [RAGGED[0], RAGGED[0]]
    np.testing.assert_allclose(estimator.transform(np.stack(equal)), codes[[0, 0]], atol=1e-5)


def test_tensors_give_tensors():
    X = torch.from_numpy(EQUAL).float()
    estimator = tiny().fit(X)
    codes = estimator.transform(X)
    assert isinstance(codes, torch.Tensor)
    assert isinstance(estimator.reconstruct(X), torch.Tensor)
    assert estimator.inverse_transform(codes).shape == X.shape


def test_rows_are_univariate_cases():
    rows = EQUAL[:, 0]
    by_rows = tiny(random_state=0).fit(rows)
    by_cases = tiny(random_state=0).fit(rows[:, None])
    np.testing.assert_array_equal(by_rows.transform(rows), by_cases.transform(rows[:, None]))
    np.testing.assert_array_equal(by_rows.transform(rows), by_cases.transform(rows))
    np.testing.assert_array_equal(by_rows.transform(rows[:, None]), by_cases.transform(rows))


def test_frames_of_codes_are_called_by_case():
    frame = as_frame(RAGGED)
    codes = tiny().set_output(transform="pandas").fit(frame).transform(frame)
    assert list(codes.index) == list(frame.index.get_level_values(0).unique())
    assert list(codes.columns) == [f"seriesautoencoder{i}" for i in range(3)]
    back = tiny().set_output(transform="polars").fit(frame).transform(frame)
    assert back.shape == (60, 3)


def spoilt(value, cases=None):
    cases = [case.copy() for case in (RAGGED if cases is None else cases)]
    cases[3][1, 5] = value
    return cases


TWICE = pd.concat([as_frame(RAGGED), as_frame(RAGGED).iloc[:1]])
BAD = {
    "NaN": (spoilt(np.nan), "case 3, channel 1, timepoint 5"),
    "infinity": (np.stack(spoilt(np.inf, list(EQUAL))), "infinity: case 3, channel 1"),
    "padded": (np.stack(spoilt(np.nan, list(EQUAL))), "list of arrays that are not padded"),
    "four axes": (EQUAL[..., None], "dim 4"),
    "no timepoint": (EQUAL[..., :0], "none of them 0"),
    "empty case": ([*RAGGED, RAGGED[0][:, :0]], r"Case 60 of X has shape \(2, 0\)"),
    "other channels": ([*RAGGED, RAGGED[0].T], "Case 60 of X has .* channels, and case 0 has 2"),
    "text": ([case.astype(str).astype("U9") for case in RAGGED], "no numbers"),
    "words": (np.full((4, 2, 3), "a"), "no numbers"),
    "complex": (EQUAL * 1j, "no numbers"),
    "frames": ([pd.DataFrame(case.T) for case in RAGGED], "is a frame"),
    "text in a frame": (as_frame(RAGGED).assign(c1="a"), "Column 'c1' of X is of"),
    "a time twice": (TWICE, "two rows of"),
    "three levels": (as_frame(RAGGED).assign(x=0).set_index("x", append=True), "two levels"),
    "a hole in a frame": (as_frame(RAGGED).replace(as_frame(RAGGED).iloc[0, 0], np.nan), "NaN"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_panel_is_refused_by_name(name):
    X, message = BAD[name]
    with pytest.raises((ValueError, TypeError), match=message):
        tiny().fit(X)


def test_other_shapes_than_those_of_fit_are_refused():
    estimator = tiny().fit(EQUAL)
    with pytest.raises(ValueError, match="3 channels, but those of fit had 2"):
        estimator.transform(waves(5, 3))
    with pytest.raises(ValueError, match="Case 0 of X has 20 timepoints, but all cases of fit"):
        estimator.transform(EQUAL[..., :20])
    with pytest.raises(ValueError, match="no panel of series such as fit saw"):
        estimator.transform(EQUAL[0, 0])
    with pytest.raises(ValueError, match="columns of X are"):
        tiny().fit(as_frame(EQUAL)).transform(as_frame(EQUAL).rename(columns={"c0": "d"}))


def test_stretching_keeps_both_ends_and_lines():
    case = np.array([[0.0, 1.0, 2.0], [4.0, 2.0, 0.0]])
    np.testing.assert_allclose(stretched(case, 5), [[0, 0.5, 1, 1.5, 2], [4, 3, 2, 1, 0]])
    assert stretched(case, 3) is case
    np.testing.assert_array_equal(stretched(case, 1), [[1], [2]])
    np.testing.assert_array_equal(stretched(case[:, :1], 3), [[0, 0, 0], [4, 4, 4]])


def test_lists_of_lists_are_rows_or_cases():
    assert read_panel([[1.0, 2.0], [3.0, 4.0]]) is None
    assert read_panel([[1.0, 2.0], [3.0]]).lengths.tolist() == [2, 1]
    assert read_panel([[[1.0, 2.0]], [[3.0, 4.0]]]).lengths.tolist() == [2, 2]
