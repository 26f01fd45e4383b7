"""The best linear code of rows that are to be found from other rows."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression

from skae import DenoisingAE
from skae.nn.pca import principal_components
from skae.nn.regression import Moments, reduced_rank_regression

RNG = np.random.default_rng(0)


def pairs(n_rows, n_columns=6, noise=0.1):
    """Return inputs that are blurred rows of rank three, and the rows."""
    rows = RNG.normal(size=(n_rows, 3)) @ RNG.normal(size=(3, n_columns)) + 5
    blur = np.eye(n_columns) * 0.3 + RNG.normal(size=(n_columns, n_columns)) * 0.3
    return rows @ blur + noise * RNG.normal(size=rows.shape), rows


def regression(x, t, n_components, n_held_out):
    x, t = torch.from_numpy(x), torch.from_numpy(t)
    learned = Moments.of([(x[n_held_out:], t[n_held_out:], None)])
    held_out = Moments.of([(x[:n_held_out], t[:n_held_out], None)])
    pca = principal_components([(t, None)]).keep(n_components)
    return reduced_rank_regression(learned, held_out, pca), pca


def test_it_is_the_rank_reduced_least_squares_solution():
    x, t = pairs(3000)
    found, _ = regression(x, t, 2, 600)
    fitted = LinearRegression().fit(x, t).predict(x)
    _, _, vectors = np.linalg.svd(fitted - fitted.mean(0), full_matrices=False)
    best = (fitted - t.mean(0)) @ vectors[:2].T @ vectors[:2] + t.mean(0)
    error = float(found.error(torch.from_numpy(x), torch.from_numpy(t)).mean())
    assert error == pytest.approx(((best - t) ** 2).mean(), rel=1e-3)
    codes = (x - np.asarray(found.input_mean)) @ np.asarray(found.to_codes).T
    np.testing.assert_allclose(codes.var(0), found.variance, rtol=1e-3)


def test_the_projection_stays_where_nothing_is_better():
    rows = pairs(60)[1]
    found, pca = regression(rows, rows, 3, 12)
    assert found is pca


def test_weights_are_as_if_rows_were_repeated():
    x, t = map(torch.from_numpy, pairs(50))
    weights = torch.from_numpy(RNG.integers(1, 4, size=50))
    weighted = Moments.of([(x[:20], t[:20], weights[:20]), (x[20:], t[20:], weights[20:])])
    repeated = Moments.of(
        [(x.repeat_interleave(weights, 0), t.repeat_interleave(weights, 0), None)]
    )
    torch.testing.assert_close(weighted.products, repeated.products)


def test_more_units_than_columns():
    x, t = pairs(200)
    found, _ = regression(x, t, 9, 40)
    assert found.components.shape == found.to_codes.shape == (9, 6)


def test_pairs_start_at_the_regression():
    x, t = pairs(1000)
    still = {"max_epochs": 1, "learning_rate": 1e-9, "bounds": None, "random_state": 0}
    fitted = DenoisingAE(3, clean="y", **still).fit(x, t)
    by_regression = LinearRegression().fit(x, t).predict(x)
    error = ((fitted.reconstruct(x) - t) ** 2).mean()
    assert error < 1.1 * ((by_regression - t) ** 2).mean()
    assert fitted.reconstruct(x).shape == t.shape


def test_pairs_are_not_corrupted_further_unless_asked():
    x, t = pairs(400)
    quick = {"clean": "y", "n_components": 3, "max_epochs": 3, "random_state": 0}
    plain = DenoisingAE(**quick).fit(x, t).reconstruct(x)
    swapped = DenoisingAE(corruption="swap", **quick).fit(x, t).reconstruct(x)
    also_swapped = DenoisingAE(corruption_level=0.15, **quick).fit(x, t).reconstruct(x)
    np.testing.assert_array_equal(swapped, also_swapped)
    assert ((plain - t) ** 2).mean() < 0.9 * ((swapped - t) ** 2).mean()
