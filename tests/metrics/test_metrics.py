"""Metrics of synthetic rows: against closed forms, against themselves, and with bad input."""

import datetime as dt
import inspect

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpydoc.docscrape import NumpyDocString
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from scipy.stats import ks_2samp
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

import skae.metrics
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

FUNCTIONS = [getattr(skae.metrics, name) for name in skae.metrics.__all__ if name[0].islower()]


def mixed(n_rows, seed=0):
    """Rows whose columns of all kinds depend on one number, with missing cells."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=n_rows)
    frame = pd.DataFrame(
        {
            "size": size,
            "weight": size + 0.3 * rng.normal(size=n_rows),
            "count": np.maximum(0, np.rint(3 * size)).astype(int),
            "day": pd.Timestamp(2024, 1, 1) + pd.to_timedelta(np.rint(50 * size), unit="D"),
            "kind": np.array(["s", "m", "l"])[np.digitize(size, [-0.5, 0.5])],
            "is_new": size + 0.5 * rng.normal(size=n_rows) > 0,
        }
    )
    frame.loc[rng.random(n_rows) < 0.1, "weight"] = np.nan
    frame.loc[rng.random(n_rows) < 0.1, "kind"] = None
    return frame


REAL, OTHER = mixed(400), mixed(400, seed=1)
JUDGES = {
    "shapes": lambda real, other: column_shapes(real, other).to_numpy(),
    "trends": lambda real, other: pair_trends(real, other).to_numpy(),
    "auc": lambda real, other: two_sample_auc(real, other, random_state=0),
    "density": density_coverage,
    "discrepancy": lambda real, other: maximum_mean_discrepancy(real, other)[0],
    "frechet": frechet_distance,
    "copies": lambda real, other: nearest_copies(real, OTHER, other),
    "utility": lambda real, other: train_on_synthetic(other, real, "is_new", random_state=0),
}
validation_rows = pytest.mark.parametrize("judge", JUDGES.values(), ids=JUDGES)


def normals(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def global_state():
    return np.random.get_state()[1].tolist()  # noqa: NPY002


# Any container, any order


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


# Columns and pairs


def test_shapes_are_those_of_scipy():
    x, y = normals(300, 2), 1.3 * normals(200, 2, seed=1)
    expected = [1 - ks_2samp(a, b).statistic for a, b in zip(x.T, y.T, strict=True)]
    np.testing.assert_allclose(column_shapes(x, y), expected)


def test_the_shape_of_labels_counts_missing_and_unseen_ones():
    real = pd.DataFrame({"x": ["a"] * 5 + ["b"] * 3 + [None] * 2})
    other = pd.DataFrame({"x": ["a"] * 5 + ["c"] * 3 + ["b"] * 2})
    # b loses 1, missing cells lose 2, and c has 3 too many
    assert column_shapes(real, other)["x"] == pytest.approx(0.7)


def test_the_shape_of_numbers_is_bounded_by_their_missing_cells():
    real = pd.DataFrame({"x": np.arange(10.0)})
    holed = real.assign(x=real["x"].where(real["x"] % 2 == 0))
    assert column_shapes(real, holed)["x"] == pytest.approx(0.5)
    assert column_shapes(real, real * np.nan)["x"] == 0
    assert column_shapes(holed, holed)["x"] == 1


def test_equal_rows_are_the_best_of_all():
    assert (column_shapes(REAL, REAL) == 1).all()
    trends = pair_trends(REAL, REAL).to_numpy()
    assert np.isnan(np.diag(trends)).all()
    assert np.nanmin(trends) == 1
    assert two_sample_auc(REAL, REAL, random_state=0) == 0.5
    assert frechet_distance(REAL, REAL) == pytest.approx(0, abs=1e-9)
    assert density_coverage(REAL, REAL)._replace(density=1) == (1, 1, 1, 1)


def test_trends_of_numbers_are_differences_of_correlations():
    x, y = normals(300, 2), normals(300, 2, seed=1)
    y[:, 1] += y[:, 0]
    x[::7, 0] = np.nan
    there = ~np.isnan(x[:, 0])
    r = np.corrcoef(x[there].T)[0, 1], np.corrcoef(y.T)[0, 1]
    trends = pair_trends(x, y)
    assert trends[0][1] == trends[1][0] == pytest.approx(1 - abs(r[0] - r[1]) / 2)


def test_trends_with_labels_are_differences_of_contingency_tables():
    edges = np.linspace(REAL["size"].min(), REAL["size"].max(), 11)[1:-1]
    tables = [
        pd.crosstab(np.digitize(rows["size"], edges), rows["kind"].fillna("?"), normalize=True)
        for rows in (REAL, REAL[:60])
    ]
    expected = 1 - tables[0].sub(tables[1], fill_value=0).abs().to_numpy().sum() / 2
    assert pair_trends(REAL, REAL[:60]).loc["size", "kind"] == pytest.approx(expected)


def test_own_edges_let_an_outlier_move_the_bins():
    other = REAL.copy()
    other.loc[0, "size"] = 1000
    assert pair_trends(REAL, other).loc["size", "is_new"] > 0.99
    assert pair_trends(REAL, other, own_edges=True).loc["size", "is_new"] < 0.5


def test_columns_of_very_many_labels_are_as_quick_as_others():
    names = [str(i) for i in range(20_000)]
    frame = pd.DataFrame({"a": names, "b": names[::-1]})
    assert pair_trends(frame, frame).loc["a", "b"] == 1
    assert pair_trends(frame, frame.assign(b=names)).loc["a", "b"] == 0


def test_a_column_that_does_not_vary_has_no_correlation():
    x = normals(50, 2)
    flat = x * [1, 0]
    assert pair_trends(x, flat)[0][1] == pytest.approx(1 - abs(np.corrcoef(x.T)[0, 1]) / 2)


# Independent columns


def test_independent_columns_keep_shapes_and_lose_trends():
    shuffled = independent_columns(REAL, random_state=0)
    assert (column_shapes(REAL, shuffled) == 1).all()
    trends = pair_trends(REAL, shuffled)
    assert trends.loc["size", "weight"] < 0.6
    assert trends.loc["size", "kind"] < 0.7
    assert two_sample_auc(REAL, shuffled, random_state=0) > 0.9
    assert density_coverage(REAL, shuffled).density < 0.5


@pytest.mark.parametrize("container", ["pandas", "polars", "array"])
def test_independent_columns_come_in_the_same_container(container):
    frame = REAL.astype({"kind": "category"}).set_index(np.arange(400) + 7)
    if container == "pandas":
        shuffled = independent_columns(frame, 0)
        assert shuffled.dtypes.equals(frame.dtypes)
        assert shuffled.index.equals(frame.index)
    elif container == "polars":
        shuffled = independent_columns(pl.from_pandas(frame), 0)
        assert shuffled.schema == pl.from_pandas(frame).schema
    else:
        x = normals(30, 2)
        shuffled = independent_columns(x, 0)
        assert isinstance(shuffled, np.ndarray)
        np.testing.assert_array_equal(np.sort(shuffled, axis=0), np.sort(x, axis=0))


# Two samples


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


def test_density_and_coverage_of_one_distribution():
    x, y = normals(2, 1500, 30)
    near = density_coverage(x, y)
    assert near.density == pytest.approx(1, abs=0.06)
    assert near.coverage == pytest.approx(1 - 0.5**5, abs=0.02)
    assert density_coverage(x, y + 50) == (0, 0, 0, 0)


def test_density_and_coverage_are_what_they_are_called():
    x, y = normals(60, 2), normals(50, 2, seed=1) * 1.5
    radii = np.sort(cdist(x, x), axis=1)[:, 3], np.sort(cdist(y, y), axis=1)[:, 3]
    distances = cdist(x, y)
    inside = distances <= radii[0][:, None]
    expected = (
        inside.any(0).mean(),
        (distances <= radii[1]).any(1).mean(),
        inside.sum() / 3 / 50,
        inside.any(1).mean(),
    )
    np.testing.assert_allclose(density_coverage(x, y, 3, scale=False), expected)
    assert density_coverage(x * [1, 100], y * [1, 100], 3) == density_coverage(x, y, 3)


def test_distances_count_labels_and_missing_numbers():
    real = pd.DataFrame({"x": [0.0, 2, np.nan, 1, 1], "y": list("abaab"), "z": [0.0, 1, 2, 3, 4]})
    points = skae.metrics.encoding.encode(real=real, other=real)[0].sample()
    squared = skae.metrics.sample.squared_distances(points, points)
    city = skae.metrics.sample.city_distances(points, points)
    # The variances are 0.5 and 2.
    assert squared[0, 1] == pytest.approx(2**2 / 0.5 + 1 + 1 / 2)
    assert squared[0, 2] == pytest.approx(1 / 0.5 + 1 + 4 / 2)
    assert city[0, 1] == pytest.approx(2 / 0.5**0.5 + 2 + 1 / 2**0.5)
    matrix = points.matrix()
    np.testing.assert_allclose(cdist(matrix, matrix, "sqeuclidean"), squared, atol=1e-12)


def test_the_discrepancy_is_without_bias():
    found = [
        maximum_mean_discrepancy(*normals(2, 50, 3, seed=seed), n_permutations=49, random_state=0)
        for seed in range(60)
    ]
    statistics, pvalues = np.transpose(found)
    assert abs(statistics.mean()) < 3 * statistics.std() / 60**0.5
    assert (statistics < 0).mean() > 0.3
    assert ks_2samp(pvalues, np.linspace(0, 1, 1000)).pvalue > 0.01


def test_the_discrepancy_sees_a_shift():
    x, y = normals(2, 100, 3)
    assert maximum_mean_discrepancy(x, y + 0.7, n_permutations=99, random_state=0).pvalue < 0.03
    assert np.isnan(maximum_mean_discrepancy(x, y).pvalue)


def test_the_discrepancy_is_its_formula():
    x, y = normals(8, 2), normals(6, 2, seed=1)
    d = cdist(np.vstack([x, y]), np.vstack([x, y]))
    h = np.median(d[d > 0])
    k = sum(np.exp(-(d**2) / (2 * (c * h) ** 2)) for c in (0.5, 1, 2)) / 3
    np.fill_diagonal(k, 0)
    expected = k[:8, :8].sum() / 56 + k[8:, 8:].sum() / 30 - 2 * k[:8, 8:].mean()
    found = maximum_mean_discrepancy(x, y, scale=False).statistic
    assert found == pytest.approx(expected, rel=0.02)


def test_frechet_has_a_closed_form():
    x = normals(900, 4) @ normals(4, 4, seed=1)
    y = normals(700, 4, seed=2) @ normals(4, 4, seed=3) + [1, 0, -1, 2]
    s, t = np.cov(x.T), np.cov(y.T)
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s + t - 2 * sqrtm(s @ t).real)
    assert frechet_distance(x, y, scale=False) == pytest.approx(expected)
    # of one component there are two standard deviations
    sd = x[:, 0].std(ddof=1), y[:, 0].std(ddof=1)
    one = (x[:, 0].mean() - y[:, 0].mean()) ** 2 + (sd[0] - sd[1]) ** 2
    assert frechet_distance(x[:, :1], y[:, :1], scale=False) == pytest.approx(one)


def test_frechet_is_measured_in_components_of_given_rows():
    x, right, up = normals(200, 2), np.array([5, 0]), np.array([0, 5])
    axis = normals(50, 2) * [1, 1e-6]
    options = {"n_components": 1, "fit_on": axis, "scale": False}
    assert frechet_distance(x, x + up, **options) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(x, x + right, **options) == pytest.approx(25, abs=1e-3)


@pytest.mark.parametrize("judge", [density_coverage, frechet_distance])
def test_columns_are_found_by_name_whatever_the_scale(judge):
    real = pd.DataFrame(normals(100, 2) * [1, 20], columns=["a", "b"])
    assert judge(real, real, scale=False) == judge(real, real[["b", "a"]], scale=False)


# Copies


def test_copies_are_found():
    train, test, new = normals(3, 300, 3)
    assert nearest_copies(train, test, train) == (0, 1)
    assert nearest_copies(train, test, test) == (1, pytest.approx(0.05))
    found = nearest_copies(train, test, new, quantile=0.2)
    assert found.share == pytest.approx(0.2, abs=0.08)
    assert found.ratio == pytest.approx(1, abs=0.15)
    half = np.vstack([train[:150], new[:150]])
    assert nearest_copies(train, test, half).share == pytest.approx(0.5 + 0.025, abs=0.03)


def test_test_rows_are_at_the_quantile_although_many_are_in_training():
    train, test = REAL[["kind", "is_new"]], OTHER[["kind", "is_new"]]
    assert nearest_copies(train, test, test) == (1, pytest.approx(0.05))
    assert nearest_copies(train, test, test.assign(kind="new")).ratio == np.inf


def test_nearest_rows_are_those_of_all():
    train, test, new = normals(300, 2), normals(40, 2), normals(50, 2, seed=1)
    scale = train.std(0)
    d = [cdist(x / scale, train / scale, "cityblock").min(1) for x in (new, test + 1)]
    found = nearest_copies(train, test + 1, new)
    assert found.ratio == pytest.approx(np.median(d[0]) / np.median(d[1]))


# Use


def test_rows_that_are_real_are_of_real_use():
    rows = load_breast_cancer(as_frame=True).frame
    train, test = rows[:400], rows[400:]
    copied = train_on_synthetic(train.copy(), test, "target", random_state=0)
    assert copied == train_on_synthetic(train, test, "target", random_state=0)
    assert copied > 0.97
    assert train_on_synthetic(train, test, "mean radius", random_state=0) > 0.9
    linear = LogisticRegression(max_iter=5000)
    assert train_on_synthetic(train, test, "target", estimator=linear) > 0.97


def test_targets_of_arrays_have_an_index():
    x, y = normals(2, 300, 2)
    x[:, 1], y[:, 1] = 2 * x[:, 0], 2 * y[:, 0]
    assert train_on_synthetic(x, y, 1, random_state=0) > 0.95


def test_a_label_that_synthetic_rows_lack_counts_a_half():
    test = REAL[["size", "kind"]].dropna()
    whole = train_on_synthetic(test, test, "kind", random_state=0)
    without = test[test["kind"] != "m"]
    lacking = train_on_synthetic(without, test, "kind", random_state=0)
    assert whole > 0.99
    assert 0.5 < lacking < whole - 0.1
    assert train_on_synthetic(test[test["kind"] == "m"], test, "kind") == 0.5
    other = test.assign(kind=test["kind"].where(np.arange(len(test)) > 20, "new"))
    assert train_on_synthetic(other, test, "kind", random_state=0) > 0.9


@pytest.mark.parametrize("target", ["kind", "weight"])
def test_rows_without_a_target_are_left_out(target):
    found = train_on_synthetic(OTHER, REAL, target, random_state=0)
    known = OTHER.dropna(subset=target), REAL.dropna(subset=target)
    assert found == pytest.approx(train_on_synthetic(*known, target, random_state=0), abs=1e-3)


@pytest.mark.parametrize(
    "thinned",
    [
        lambda seed: density_coverage(REAL, OTHER, max_samples=50, random_state=seed),
        lambda seed: maximum_mean_discrepancy(REAL, OTHER, max_samples=50, random_state=seed)[0],
        lambda seed: nearest_copies(REAL, OTHER, OTHER[:300], max_samples=50, random_state=seed),
    ],
)
def test_thinning_is_by_the_seed(thinned):
    assert thinned(0) == thinned(0)
    assert thinned(0) != thinned(1)


# The report


def test_the_report_says_what_the_functions_say():
    test = mixed(300, seed=2)
    report = evaluate_samples(REAL, test, OTHER, target="is_new", random_state=0)
    assert list(report.columns) == ["samples", "floor", "ceiling", "better"]
    samples, ceiling = report["samples"], report["ceiling"]
    assert samples["shape"] == column_shapes(REAL, OTHER).mean()
    assert samples["trend"] == pytest.approx(np.nanmean(pair_trends(REAL, OTHER)))
    assert samples["frechet"] == frechet_distance(REAL, OTHER)
    assert samples["coverage"] == density_coverage(REAL, OTHER).coverage
    assert samples["mmd"] == maximum_mean_discrepancy(REAL, OTHER).statistic
    assert samples["nearest_copy_ratio"] == nearest_copies(REAL, test, OTHER).ratio
    found = tuple(ceiling[["nearest_copy_ratio", "nearest_copy_share"]])
    assert found == pytest.approx(nearest_copies(REAL, test, test))
    assert report.loc["shape", "floor"] == report.loc["shape", "ceiling"]
    for name in ("trend", "density", "coverage", "train_on_synthetic"):
        assert samples[name] > report.loc[name, "floor"]
    for name in ("two_sample_auc", "mmd", "frechet"):
        assert samples[name] < report.loc[name, "floor"]


@pytest.mark.parametrize("container", [lambda x: x, pl.from_pandas], ids=["pandas", "polars"])
def test_the_report_can_be_repeated_without_a_target(container):
    rows = [container(mixed(60, seed)) for seed in range(3)]
    report = evaluate_samples(*rows, random_state=3)
    pd.testing.assert_frame_equal(report, evaluate_samples(*rows, random_state=3))
    assert "train_on_synthetic" not in report.index


def test_synthetic_rows_may_be_more_or_fewer():
    report = evaluate_samples(normals(90, 2), normals(40, 2), normals(150, 2), random_state=0)
    assert not report.isna().any(axis=None)


# Bad input


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


# Documentation


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.__name__)
def test_docstrings_are_whole(function):
    text = NumpyDocString(inspect.cleandoc(function.__doc__))
    described = [name for item in text["Parameters"] for name in item.name.split(", ")]
    assert sorted(described) == sorted(inspect.signature(function).parameters)
    assert all(text[section] for section in ("Returns", "See Also", "References", "Examples"))
