"""The report: what the functions say, beside floor and ceiling."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from metric_helpers import mixed, normals

from skae.metrics import (
    column_shapes,
    density_coverage,
    evaluate_samples,
    frechet_distance,
    maximum_mean_discrepancy,
    nearest_copies,
    pair_trends,
)

REAL, OTHER = mixed(400), mixed(400, seed=1)


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
