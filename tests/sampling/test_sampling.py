"""Samples keep to what columns can hold, whatever the rows came in."""

import numpy as np
import pandas as pd
import pytest
from helpers import AUTOENCODERS, make_rows
from sklearn.datasets import load_digits

from skae import AutoencoderTransformer, VAETransformer
from skae.common.seeds import draw_seed

EVERY = pytest.mark.parametrize("autoencoder", AUTOENCODERS)
QUICK = {"max_epochs": 5, "random_state": 0}


@EVERY
def test_samples_without_noise_are_the_expected_rows_of_drawn_codes(autoencoder):
    fitted = autoencoder(2, **QUICK).fit(make_rows(200))
    codes = fitted.prior_.sample(20, draw_seed(0)).astype(np.float32)
    np.testing.assert_array_equal(
        fitted.sample(20, random_state=0, noise=False), fitted.inverse_transform(codes)
    )


def test_given_cells_stay_in_samples_without_noise():
    fitted = VAETransformer(2, **QUICK).fit(make_rows(200))
    draws = fitted.sample(10, random_state=0, given={1: 0.5}, noise=False)
    assert (draws[:, 1] == 0.5).all()
    assert np.isfinite(draws).all()


@EVERY
def test_draws_of_images_stay_in_their_range(autoencoder):
    images = load_digits().data[:300]
    fitted = autoencoder(8, image_shape=(8, 8), **QUICK).fit(images)
    draws = fitted.sample(200, random_state=0)
    assert draws.min() >= 0
    assert draws.max() <= 16
    assert (draws == np.rint(draws)).all()


@EVERY
@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame], ids=["array", "frame"])
def test_draws_of_numbers_keep_to_range_and_grid(autoencoder, container):
    rng = np.random.default_rng(0)
    quarter = 0.25 * rng.integers(0, 300, 400)
    rows = np.stack([quarter, np.minimum(quarter, 50), rng.exponential(size=400)], axis=1)
    fitted = autoencoder(2, **QUICK).fit(container(rows))
    draws = np.asarray(fitted.sample(500, random_state=0))
    assert (4 * draws[:, 0] == np.rint(4 * draws[:, 0])).all()
    assert (draws.min(0) >= rows.min(0)).all()
    assert (draws.max(0) <= rows.max(0)).all()


def test_arrays_and_frames_of_the_same_numbers_have_the_same_samples():
    rows = make_rows(300)
    by_array, by_frame = (
        VAETransformer(2, **QUICK).fit(X).sample(50, random_state=0)
        for X in (rows, pd.DataFrame(rows))
    )
    np.testing.assert_array_equal(by_array, by_frame.to_numpy())


@pytest.mark.parametrize("autoencoder", [AutoencoderTransformer, VAETransformer])
@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame], ids=["array", "frame"])
def test_sums_of_numbers_alone_hold_in_samples(autoencoder, container):
    rng = np.random.default_rng(0)
    parts = rng.integers(0, 500, size=(400, 2)).astype(float)
    rows = np.column_stack([parts, parts.sum(1)])
    fitted = autoencoder(2, **QUICK).fit(container(rows))
    assert len(fitted.dependencies_) == 1
    draws = np.asarray(fitted.sample(300, random_state=0))
    np.testing.assert_array_equal(draws[:, 2], draws[:, 0] + draws[:, 1])
    assert (draws.max(0) <= rows.max(0)).all()


def test_what_is_not_kept_is_not_looked_for():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.integers(0, 500, 400), "b": rng.choice(list("xy"), 400)})
    frame["c"] = frame["a"] + 7
    fitted = VAETransformer(2, keep_dependencies=False, **QUICK).fit(frame)
    assert fitted.dependencies_ == ()
    draws = fitted.sample(300, random_state=0)
    assert (draws["c"] != draws["a"] + 7).any()


@pytest.mark.parametrize("autoencoder", [AutoencoderTransformer, VAETransformer])
def test_what_is_computed_from_others_holds_in_varied_samples(autoencoder):
    rng = np.random.default_rng(0)
    price, number = rng.uniform(1, 50, 600).round(2), rng.integers(1, 10, 600)
    frame = pd.DataFrame(
        {"price": price, "number": number, "ship": rng.uniform(0, 9, 600).round(2)}
    )
    frame["total"] = (frame["price"] * frame["number"]).round(2)
    frame["grand"] = (frame["total"] + frame["ship"]).round(2)
    draws = autoencoder(2, max_epochs=20, random_state=0).fit(frame).sample(500, random_state=0)
    assert len(draws.drop_duplicates()) > 450
    total = (draws["price"] * draws["number"] - draws["total"]).abs() < 0.006
    grand = (draws["total"] + draws["ship"] - draws["grand"]).abs() < 0.006
    assert (total & grand).mean() > 0.95


def test_no_cell_is_missing_where_none_was():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=500), "name": rng.choice(list("ab"), 500)})
    draws = AutoencoderTransformer(1, max_epochs=1, random_state=0).fit(frame).sample(500, 0)
    assert (draws["x"] == frame["x"].min()).mean() < 0.02
