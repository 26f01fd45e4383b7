"""Metrics of synthetic rows: whatever the container, the order of rows or the seed."""

import datetime as dt
import inspect

import numpy as np
import pandas as pd
import polars as pl
import pytest
from metric_helpers import FUNCTIONS, JUDGES, OTHER, REAL, global_state, normals
from numpydoc.docscrape import NumpyDocString

from skae.metrics import (
    column_shapes,
    density_coverage,
    evaluate_samples,
    frechet_distance,
    independent_columns,
    maximum_mean_discrepancy,
    nearest_copies,
    pair_trends,
    train_on_synthetic,
    two_sample_auc,
)

validation_rows = pytest.mark.parametrize("judge", JUDGES.values(), ids=JUDGES)


@validation_rows
def test_containers_change_nothing(judge):
    expected = judge(REAL, OTHER)
    np.testing.assert_array_equal(judge(pl.from_pandas(REAL), pl.from_pandas(OTHER)), expected)
    np.testing.assert_array_equal(judge(REAL, pl.from_pandas(OTHER)), expected)
    np.testing.assert_array_equal(judge(REAL, OTHER[OTHER.columns[::-1]]), expected)


@pytest.mark.parametrize("name", [name for name in JUDGES if name != "utility"])
def test_arrays_are_frames_without_names(name):
    real, other = normals(2, 200, 3)
    frames = [pd.DataFrame(rows, columns=list("abc")) for rows in (real, other)]
    if name == "copies":
        found, expected = (nearest_copies(*rows, rows[0][:50]) for rows in ((real, other), frames))
    else:
        found, expected = JUDGES[name](real, other), JUDGES[name](*frames)
    np.testing.assert_array_equal(found, expected)


@validation_rows
def test_the_order_of_rows_changes_nothing(judge):
    shuffled = [frame.sample(frac=1, random_state=0) for frame in (REAL, OTHER)]
    tolerance = 0.02 if judge in (JUDGES["auc"], JUDGES["utility"]) else 1e-9
    np.testing.assert_allclose(judge(*shuffled), judge(REAL, OTHER), atol=tolerance)


def test_times_are_compared_in_one_unit():
    other = REAL.assign(day=REAL["day"].astype("datetime64[s]"))
    assert column_shapes(REAL.assign(day=REAL["day"].astype("datetime64[ns]")), other)["day"] == 1
    zoned = REAL.assign(day=REAL["day"].dt.tz_localize("UTC"))
    other = zoned.assign(day=zoned["day"].dt.tz_convert("Asia/Tokyo"))
    assert column_shapes(zoned, other)["day"] == 1
    lasting = pd.DataFrame({"x": [dt.timedelta(hours=i) for i in range(9)]})
    other = lasting.astype("timedelta64[ms]")
    assert column_shapes(lasting, other)["x"] == 1


@validation_rows
def test_same_seed_same_figure_and_no_global_state(judge):
    before = global_state()
    np.testing.assert_array_equal(judge(REAL, OTHER), judge(REAL, OTHER))
    assert global_state() == before


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)])
def test_without_a_seed_no_global_state_is_touched(random_state):
    before = global_state()
    independent_columns(REAL, random_state)
    two_sample_auc(REAL, OTHER, random_state=random_state)
    maximum_mean_discrepancy(REAL, OTHER, n_permutations=9, random_state=random_state)
    density_coverage(REAL, OTHER, max_samples=50, random_state=random_state)
    nearest_copies(REAL, OTHER, OTHER, max_samples=50, random_state=random_state)
    assert global_state() == before


@pytest.mark.parametrize("judge", [density_coverage, frechet_distance])
def test_columns_are_found_by_name_whatever_the_scale(judge):
    real = pd.DataFrame(normals(100, 2) * [1, 20], columns=["a", "b"])
    assert judge(real, real, scale=False) == judge(real, real[["b", "a"]], scale=False)


@validation_rows
def test_other_columns_are_refused(judge):
    with pytest.raises(ValueError, match="must have the same columns"):
        judge(REAL, OTHER.drop(columns="size"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: density_coverage(normals(9, 2), normals(5, 2)), "synthetic must have at least 6"),
        (lambda: density_coverage(REAL, OTHER, 0), "'n_neighbors' parameter"),
        (lambda: density_coverage(REAL, OTHER, 5, max_samples=5), "'max_samples' parameter"),
        (lambda: density_coverage([[1, np.nan]] * 9, [[1, 2]] * 9, scale=False), "real contains N"),
        (lambda: frechet_distance(REAL[["kind"]], OTHER[["kind"]], scale=False), "'[sml]'"),
        (
            lambda: frechet_distance([[1, 2]] * 3, [[1]] * 3, scale=False),
            "must have the same columns",
        ),
        (
            lambda: frechet_distance([[1]] * 3, [[1]] * 3, scale=False, categorical_features=[0]),
            "'categorical_features' parameter",
        ),
        (lambda: frechet_distance(REAL[:1], OTHER), "real must have at least 2 rows. Got 1"),
        (lambda: frechet_distance(REAL, OTHER, n_components=0), "'n_components' parameter"),
        (lambda: maximum_mean_discrepancy(REAL, OTHER[:1]), "synthetic must have at least 2"),
        (
            lambda: maximum_mean_discrepancy(REAL, OTHER, n_permutations=-1),
            "'n_permutations' parameter",
        ),
        (lambda: nearest_copies(REAL, OTHER, OTHER, quantile=1), "'quantile' parameter"),
        (lambda: two_sample_auc(REAL, OTHER, cv=1), "'cv' parameter"),
        (lambda: two_sample_auc(REAL, OTHER[:2]), "synthetic must have at least 3"),
        (lambda: two_sample_auc([[1]] * 9, [[2]] * 9), "Got cv=3 and 2 different rows"),
        (lambda: two_sample_auc(REAL, OTHER, estimator="tree"), "'estimator' parameter"),
        (lambda: pair_trends(REAL, OTHER, own_edges="no"), "'own_edges' parameter"),
        (lambda: train_on_synthetic(REAL, OTHER, "price"), "'target' parameter.*'price'"),
        (lambda: train_on_synthetic(normals(9, 2), normals(9, 2), 2), "'target' parameter"),
        (
            lambda: train_on_synthetic(REAL, OTHER.assign(kind="a"), "kind"),
            "must take two values or more",
        ),
        (
            lambda: train_on_synthetic(REAL.assign(kind=None), OTHER, "kind"),
            "synthetic has no row with a 'kind'",
        ),
        (lambda: column_shapes(normals(9), normals(9)), "two dimensions"),
        (lambda: column_shapes(REAL[:0], REAL), "real must have at least 1"),
        (lambda: column_shapes(REAL, REAL.replace({"count": {0: np.inf}})), "infinity"),
        (lambda: column_shapes(REAL, REAL.assign(size="a")), "held number values"),
        (lambda: column_shapes(REAL, REAL, categorical_features=["price"]), "'price'"),
        (lambda: evaluate_samples(REAL, OTHER, REAL, target="price"), "'target' parameter"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_lazy_frames_are_refused():
    with pytest.raises(TypeError, match="lazy"):
        column_shapes(REAL, pl.from_pandas(OTHER).lazy())


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.__name__)
def test_docstrings_are_whole(function):
    text = NumpyDocString(inspect.cleandoc(function.__doc__))
    described = [name for item in text["Parameters"] for name in item.name.split(", ")]
    assert sorted(described) == sorted(inspect.signature(function).parameters)
    assert all(text[section] for section in ("Returns", "See Also", "References", "Examples"))
