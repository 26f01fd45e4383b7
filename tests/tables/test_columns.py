"""Columns: the way from rows to encoded rows and back, and what one look at rows tells."""

import math

import numpy as np
import pytest
from scipy import sparse

from skae.tables import matrix, summary
from skae.tables.matrix import make_columns
from skae.tables.summary import dense_chunks, summarise


@pytest.fixture(params=["one chunk", "several chunks"], autouse=True)
def chunks(request, monkeypatch):
    if request.param == "several chunks":
        monkeypatch.setattr(summary, "_CELLS_AT_A_TIME", 30)


@pytest.fixture(params=[np.float64, np.float32])
def X(request):
    X = np.random.default_rng(0).normal([5, -1, 0], [3, 1, 0.1], size=(47, 3))
    return np.where(X < -2, 0, X).astype(request.param)


def learn(X, weight=None, likelihood="gaussian", bounds=None):
    return make_columns(X, summarise(X, weight), likelihood=likelihood, bounds=bounds)


def bounds_of(X, bounds):
    made = learn(X, bounds=bounds)
    return made.low.tolist(), made.high.tolist()


def with_extreme(n_rows, n_extreme, extreme):
    X = np.linspace(-1, 1, n_rows)[:, None]
    X[:n_extreme] = extreme
    return X


def test_chunks_are_all_rows_in_order(X, monkeypatch):
    monkeypatch.setattr(summary, "_CELLS_AT_A_TIME", 30)
    starts, parts = zip(*dense_chunks(sparse.csr_array(X)), strict=True)
    assert starts == (0, 10, 20, 30, 40)
    np.testing.assert_array_equal(np.concatenate(parts), X)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_encoding_centres_scales_and_comes_back(X, container):
    made = learn(container(X))
    encoded = made.encode(container(X))
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(encoded, (X - X.mean(0)) / math.sqrt(X.var(0).mean()), atol=1e-5)
    decoded = made.decode(encoded)
    assert decoded.dtype == X.dtype
    np.testing.assert_allclose(decoded, X, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_summary_agrees_with_numpy(X, container):
    weight = np.random.default_rng(1).uniform(0.1, 5, size=len(X))
    summary = summarise(container(X), weight)
    mean = np.average(X, axis=0, weights=weight)
    np.testing.assert_allclose(summary.mean, mean, rtol=1e-5)
    variance = np.average((X - mean) ** 2, axis=0, weights=weight)
    np.testing.assert_allclose(summary.variance, variance, rtol=1e-5)
    np.testing.assert_array_equal(summary.low, X.min(0))
    np.testing.assert_array_equal(summary.high, X.max(0))
    np.testing.assert_array_equal(summary.n_low, (X.min(0) == X).sum(0))
    np.testing.assert_array_equal(summary.n_high, (X.max(0) == X).sum(0))
    assert summary.n_rows == len(X)
    unweighted = summarise(container(X))
    np.testing.assert_allclose(unweighted.mean, X.mean(0, dtype=float), rtol=1e-6)
    np.testing.assert_allclose(unweighted.variance, X.var(0, dtype=float), rtol=1e-6)


def test_constant_columns_come_back():
    X = np.column_stack([np.full(20, 3.0), np.arange(20.0)])
    made = learn(X)
    assert made.scale == pytest.approx(math.sqrt(X[:, 1].var() / 2))
    np.testing.assert_allclose(made.decode(made.encode(X)), X, atol=1e-5)
    constant = learn(np.full((20, 2), 3.0))
    assert constant.scale == 1
    assert (constant.encode(np.full((1, 2), 3.0)) == 0).all()


@pytest.mark.parametrize(
    ("values", "is_binary"),
    [([0, 1], True), ([0, 0], False), ([1, 1], False), ([0, 0.5, 1], False), ([-1, 1], False)],
)
def test_binary_takes_both_values_and_no_others(values, is_binary):
    X = np.resize(np.array(values, dtype=float), (40, 3))
    assert summarise(X).is_binary is is_binary


@pytest.mark.parametrize("n_rows", [2 * matrix._BOUND_ROWS, 1000])
def test_auto_bounds_are_extremes_that_enough_rows_hold(n_rows):
    enough = max(matrix._BOUND_ROWS, math.ceil(matrix._BOUND_SHARE * n_rows))
    assert bounds_of(with_extreme(n_rows, enough, -2.0), "auto") == ([-2.0], [np.inf])
    assert bounds_of(with_extreme(n_rows, enough, 2.0), "auto") == ([-np.inf], [2.0])
    for extreme in (-2.0, 2.0):
        few = with_extreme(n_rows, enough - 1, extreme)
        assert bounds_of(few, "auto") == ([-np.inf], [np.inf])


def test_given_bounds_are_used():
    X = np.linspace(0, 1, 20).reshape(10, 2)
    inf = np.inf
    assert bounds_of(X, None) == ([-inf, -inf], [inf, inf])
    assert bounds_of(X, (None, 3)) == ([-inf, -inf], [3, 3])
    assert bounds_of(X, (-1, None)) == ([-1, -1], [inf, inf])
    assert bounds_of(X, ([0, -1], np.array([2.0, 4.0]))) == ([0, -1], [2, 4])


def test_decoded_values_stay_in_the_range(X):
    made = learn(X, bounds=(X.min(0), None))
    far = np.array([[-1e3] * 3, [1e3] * 3], dtype=np.float32)
    low, high = made.decode(far)
    np.testing.assert_array_equal(low, X.min(0))
    assert (high > X.max(0)).all()
    encoded_low, encoded_high = made.encoded_range
    np.testing.assert_allclose(encoded_low, made.encode(X).min(0), rtol=1e-4, atol=1e-5)
    assert np.isposinf(encoded_high).all()


def test_likelihoods_of_the_unit_interval_leave_values_alone():
    X = np.random.default_rng(0).uniform(size=(20, 3)).astype(np.float32)
    made = learn(X, likelihood="bernoulli")
    np.testing.assert_array_equal(made.encode(X), X)
    assert made.decode(np.array([[-1, 0.5, 2]], dtype=np.float32)).tolist() == [[0, 0.5, 1]]
    assert made.log_volume == 0


def test_huge_values_stay_finite(X):
    huge = np.finfo(X.dtype).max * np.array([[1, -1, 0.1]], dtype=X.dtype)
    encoded = learn(X).encode(huge)
    assert np.isfinite(encoded).all()
    assert (np.sign(encoded) == np.sign(huge)).all()


def test_log_volume_is_what_units_change():
    X = np.random.default_rng(0).normal(size=(50, 4))
    change = learn(1000 * X).log_volume - learn(X).log_volume
    assert change == pytest.approx(4 * math.log(1000))
