"""Imputation by every autoencoder, of every kind of rows."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import AUTOENCODERS, make_rows
from scipy import sparse

from skae import AutoencoderTransformer, DenoisingAE, VAETransformer

EVERY = pytest.mark.parametrize("autoencoder", AUTOENCODERS)


def with_holes(rows, share=0.2, seed=1):
    rows = np.array(rows, copy=True)
    rows[np.random.default_rng(seed).random(rows.shape) < share] = np.nan
    return rows


@EVERY
def test_numbers_without_holes_in_fit_are_imputed(autoencoder):
    rows = make_rows(600)
    fitted = autoencoder(2, random_state=0, max_epochs=60).fit(rows[:400])
    holed = with_holes(rows[400:])
    filled, holes = fitted.impute(holed), np.isnan(holed)
    assert filled.dtype == rows.dtype
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[~holes], holed[~holes])
    error = ((filled - rows[400:])[holes] ** 2).mean()
    by_mean = ((rows[:400].mean(0) - rows[400:])[holes] ** 2).mean()
    assert error < 0.9 * by_mean


@EVERY
def test_draws_of_numbers_differ_in_the_holes_alone(autoencoder):
    rows = make_rows(200)
    holed = with_holes(rows)
    first, second = autoencoder(2, random_state=0, max_epochs=5).fit(rows).impute(holed, n_draws=2)
    holes = np.isnan(holed)
    assert (first[holes] != second[holes]).mean() > 0.9
    np.testing.assert_array_equal(first[~holes], second[~holes])


@EVERY
def test_rows_with_one_cell_and_with_none(autoencoder):
    rows = make_rows(200)
    fitted = autoencoder(2, random_state=0, max_epochs=5).fit(rows)
    one, none = np.full((5, 5), np.nan), np.full((2, 5), np.nan)
    np.fill_diagonal(one, rows[:5].diagonal())
    assert np.isfinite(fitted.impute(one)).all()
    assert np.isfinite(fitted.impute(none)).all()


def test_complete_rows_come_back_as_they_are():
    rows = make_rows(100)
    fitted = AutoencoderTransformer(2, max_epochs=2).fit(rows)
    np.testing.assert_array_equal(fitted.impute(rows), rows)
    sparse_rows = sparse.csr_array(rows)
    np.testing.assert_array_equal(fitted.impute(sparse_rows), rows)


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_frames_of_numbers_keep_their_types(library):
    rng = np.random.default_rng(0)
    size = rng.integers(0, 50, 300)
    data = {"size": size, "double": 2 * size, "share": size / 50, "flag": size > 25}
    frame = library(data)
    fitted = AutoencoderTransformer(1, random_state=0, max_epochs=60).fit(frame)
    if library is pd.DataFrame:
        holed = frame.astype({"double": "Int64"})
        holed.loc[:50, "double"] = pd.NA
    else:
        holed = frame.with_columns(
            pl.when(pl.col("size") > 40).then(None).otherwise("double").alias("double")
        )
    filled = fitted.impute(holed)
    assert isinstance(filled, library)
    double = np.array(filled["double"].to_list())
    np.testing.assert_allclose(double, 2 * size, atol=4)
    assert (double == np.rint(double)).all()
    np.testing.assert_array_equal(np.array(filled["share"]), size / 50)


def test_tensors_of_single_precision_come_back():
    rows = torch.from_numpy(make_rows(200).astype(np.float32))
    fitted = AutoencoderTransformer(2, max_epochs=5).fit(rows)
    holed = rows.clone()
    holed[0, 0] = torch.nan
    filled = fitted.impute(holed)
    assert filled.dtype == torch.float32
    assert torch.equal(filled[1:], rows[1:])


def test_images_with_missing_pixels():
    rng = np.random.default_rng(0)
    images = (rng.random((200, 1)) > 0.5) * np.ones((1, 64))
    fitted = DenoisingAE(4, image_shape=(8, 8), random_state=0, max_epochs=20).fit(images)
    holed = images.copy()
    holed[:, :32] = np.nan
    assert ((fitted.impute(holed) > 0.5) == images).mean() > 0.95
    draws = fitted.impute(holed, n_draws=1, random_state=0)[0]
    assert set(np.unique(draws)) <= {0.0, 1.0}


def test_wide_matrices_of_a_variational_autoencoder():
    rows = np.random.default_rng(0).normal(size=(200, 3)) @ np.ones((3, 70))
    fitted = VAETransformer(3, random_state=0, max_epochs=10).fit(rows)
    assert not fitted.columns_.is_table
    assert np.isfinite(fitted.impute(with_holes(rows))).all()


@pytest.fixture
def shop():
    rng = np.random.default_rng(0)
    area = np.where(rng.random(400) < 0.3, 0, rng.integers(10, 90, 400))
    kind = np.where(area == 0, None, rng.choice(["a", "b"], 400))
    city = rng.integers(0, 12, 400)
    data = {
        "area": area,
        "kind": kind,
        "more": area + 5.0,
        "city": city.astype(str),
        "land": city // 4,
    }
    return pd.DataFrame(data).astype({"land": str})


@pytest.mark.parametrize("autoencoder", [AutoencoderTransformer, VAETransformer])
def test_what_other_columns_say_is_filled_in_and_stays_empty(shop, autoencoder):
    fitted = autoencoder(2, random_state=0, max_epochs=5).fit(shop)
    holed = shop.assign(land=shop["land"].where(shop.index % 3 > 0), kind=None)
    with pytest.warns(UserWarning, match=r"of 'kind' \('kind' is empty exactly where 'area' is 0"):
        filled = fitted.impute(holed.astype({"kind": shop["kind"].dtype}))
    assert filled["land"].equals(shop["land"])
    assert (filled["kind"].isna() == (shop["area"] == 0)).all()
    assert set(filled["kind"].dropna()) <= {"a", "b"}


def test_without_dependencies_structural_holes_are_filled(shop):
    fitted = AutoencoderTransformer(2, max_epochs=5, keep_dependencies=False).fit(shop)
    assert fitted.dependencies_ == ()
    assert not fitted.impute(shop)["kind"].isna().any()


@pytest.mark.parametrize("columns", ["city", ["city"]], ids=str)
def test_only_the_columns_that_are_named_are_filled(shop, columns):
    holed = shop.assign(city=shop["city"].where(shop.index % 2 > 0), more=np.nan)
    fitted = AutoencoderTransformer(2, max_epochs=5).fit(shop)
    filled = fitted.impute(holed, columns=columns)
    assert not filled["city"].isna().any()
    pd.testing.assert_frame_equal(filled.drop(columns="city"), holed.drop(columns="city"))


def test_columns_of_an_array_are_named_by_index():
    rows = make_rows(100)
    filled = (
        AutoencoderTransformer(2, max_epochs=5).fit(rows).impute(with_holes(rows, 0.5), columns=[1])
    )
    assert np.isfinite(filled[:, 1]).all()
    assert np.isnan(filled[:, [0, 2, 3, 4]]).any(0).all()


@pytest.mark.parametrize(("rows", "columns"), [(make_rows(50), "a"), (make_rows(50), [7])], ids=str)
def test_unknown_columns_are_named(rows, columns):
    with pytest.raises(ValueError, match=r"'columns' parameter names columns that X has not"):
        AutoencoderTransformer(2, max_epochs=2).fit(rows).impute(rows, columns=columns)


@pytest.mark.parametrize("autoencoder", [AutoencoderTransformer, VAETransformer])
@pytest.mark.parametrize("seed", range(2))
def test_no_hole_is_left_where_holes_come_together(autoencoder, seed):
    frame = pd.DataFrame(
        {
            "i": pd.array([1, 2, None, 4] * 20, dtype="Int64"),
            "b": ["t", None, "f", "t"] * 20,
            "s": ["a", None, "b", "a"] * 20,
        }
    )
    fitted = autoencoder(2, max_epochs=30, random_state=seed).fit(frame)
    assert not fitted.impute(frame).isna().to_numpy().any()
    assert not fitted.impute(frame, n_draws=1, random_state=0)[0].isna().to_numpy().any()


@pytest.mark.parametrize("autoencoder", [AutoencoderTransformer, VAETransformer])
def test_filled_cells_keep_to_the_grid_and_the_range(autoencoder):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"half": rng.integers(0, 400, 300) * 0.5, "name": rng.choice(list("xy"), 300)}
    )
    frame["other"] = frame["half"] + rng.normal(size=300)
    holed = frame.assign(half=frame["half"].where(frame.index % 2 > 0))
    filled = autoencoder(2, random_state=0, max_epochs=20).fit(frame).impute(holed)["half"]
    assert (2 * filled == np.rint(2 * filled)).all()
    assert filled.between(frame["half"].min(), frame["half"].max()).all()


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_columns_without_any_cell_get_the_type_of_fit(library):
    rng = np.random.default_rng(0)
    frame = library(
        {
            "count": rng.integers(0, 9, 200),
            "flag": rng.random(200) > 0.5,
            "x": rng.normal(size=200),
            "name": rng.choice(list("ab"), 200),
        }
    )
    fitted = AutoencoderTransformer(2, max_epochs=2).fit(frame)
    empty = library(
        {"count": [None, None], "flag": [None, None], "x": [None, 1.0], "name": ["a", "b"]}
    )
    filled = fitted.impute(empty)
    assert all(isinstance(cell, (int, np.integer)) for cell in filled["count"])
    assert set(map(bool, filled["flag"])) <= {True, False}
    assert not any(isinstance(cell, str) for cell in filled["flag"])
    record = library([{"count": None, "flag": None, "x": None, "name": "a"}])
    assert isinstance(fitted.impute(record)["x"][0], float)


def test_identifiers_cannot_be_asked_for():
    frame = pd.DataFrame({"id": [f"row {i * 7 % 101}" for i in range(101)], "x": range(101)})
    kinds = {"id": "identifier", "x": "number"}
    fitted = AutoencoderTransformer(1, max_epochs=2, column_kinds=kinds).fit(frame)
    with pytest.raises(ValueError, match=r"'id' \(identifier\)"):
        fitted.impute(frame, columns=["id"])


@pytest.mark.parametrize("autoencoder", [AutoencoderTransformer, DenoisingAE])
def test_many_labels_and_no_number(autoencoder):
    rng = np.random.default_rng(0)
    cells = {c: rng.choice([f"{c}{i:03d}x" for i in range(90)], 5000) for c in "abc"}
    frame = pd.DataFrame(cells)
    holed = frame.assign(a=frame["a"].where(frame.index > 100))
    assert not autoencoder(1, max_epochs=1).fit(frame).impute(holed)["a"].isna().any()
