"""Density, coverage, discrepancy and Frechet distance: against their formulas."""

import numpy as np
import pandas as pd
import pytest
from metric_helpers import normals
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from scipy.stats import ks_2samp

import skae.metrics
from skae.metrics import (
    density_coverage,
    frechet_distance,
    maximum_mean_discrepancy,
)


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
