"""VAETransformer: samples, given cells and imputation."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import make_rows, rows_of_a_shop
from sklearn.neighbors import KernelDensity

from skae import AutoencoderTransformer, VAETransformer


def make(n_components=2, **params):
    return VAETransformer(n_components, **{"max_epochs": 20, "random_state": 0, **params})


@pytest.fixture(scope="module")
def shop():
    return rows_of_a_shop()


@pytest.fixture(scope="module")
def fitted_shop(shop):
    return make(6, max_epochs=60).fit(shop)


class TestSamples:
    @pytest.mark.parametrize("prior", ["normal", "gmm", "posterior", KernelDensity(bandwidth=0.2)])
    @pytest.mark.parametrize("cls", [VAETransformer, AutoencoderTransformer])
    def test_priors_serve_every_autoencoder(self, cls, prior):
        X = make_rows(600)
        autoencoder = cls(3, prior=prior, max_epochs=60, random_state=0).fit(X)
        draws = autoencoder.sample(3000, random_state=0)
        np.testing.assert_allclose(draws.mean(0), X.mean(0), atol=0.35 * X.std())
        np.testing.assert_allclose(draws.std(0), X.std(0), rtol=0.35)

    def test_draws_are_of_the_likelihood_and_not_its_mode(self, rows):
        """A constant code gives rows as far from each other as the likelihood says."""
        autoencoder = make(2, likelihood="gaussian").fit(rows)
        code = np.zeros((2000, 2), dtype=np.float32)
        with torch.no_grad():
            draws = autoencoder.net_.chain.draw(
                torch.from_numpy(code), torch.Generator().manual_seed(0)
            )
        expected = np.sqrt(autoencoder.noise_variance_) / autoencoder.columns_.scale
        np.testing.assert_allclose(draws.std(0).numpy(), expected, rtol=0.1)

    def test_tables_come_back_as_they_were(self, shop, fitted_shop):
        draws = fitted_shop.sample(400, random_state=0)
        assert draws.dtypes.equals(shop.dtypes)
        for name in ("kind", "electric"):
            a, b = (frame[name].value_counts(normalize=True) for frame in (shop, draws))
            np.testing.assert_allclose(b.reindex(a.index).fillna(0), a, atol=0.12)
        assert draws["price"].mean() == pytest.approx(shop["price"].mean(), rel=0.1)
        assert draws["extras"].eq(0).mean() == pytest.approx(shop["extras"].eq(0).mean(), abs=0.1)
        assert draws.isna().to_numpy().mean() == pytest.approx(
            shop.isna().to_numpy().mean(), abs=0.03
        )
        assert (draws.groupby("kind")["price"].mean()["van"]) > draws["price"].mean() + 3

    def test_given_cells_are_kept_and_tell_of_the_others(self, shop, fitted_shop):
        vans = fitted_shop.sample(500, random_state=0, given={"kind": "van"})
        bikes = fitted_shop.sample(500, random_state=0, given={"kind": "bike"})
        assert vans["kind"].eq("van").all()
        means = shop.groupby("kind")["price"].mean()
        assert vans["price"].mean() == pytest.approx(means["van"], abs=3)
        assert bikes["price"].mean() == pytest.approx(means["bike"], abs=3)
        exact = fitted_shop.sample(50, random_state=0, given={"price": 31.25})
        assert exact["price"].eq(31.25).all()
        assert exact["kind"].eq("van").mean() > 0.6

    @pytest.mark.parametrize(
        "convert", [lambda frame: frame, pl.from_pandas], ids=["pandas", "polars"]
    )
    def test_a_frame_of_given_rows(self, shop, convert):
        autoencoder = make(4, max_epochs=20).fit(convert(shop))
        given = convert(pd.DataFrame({"kind": ["van", None, "bike"], "price": [30.0, 12.5, None]}))
        draws = autoencoder.sample(4, random_state=0, given=given)
        assert type(draws) is type(given)
        assert draws["kind"].to_list()[:4] == ["van"] * 4
        assert draws["price"].to_list()[:8] == [30.0] * 4 + [12.5] * 4
        assert draws["kind"].to_list()[8:] == ["bike"] * 4
        again = autoencoder.sample(4, random_state=0, given=given)
        assert draws.equals(again)

    @pytest.mark.parametrize("convert", [None, pl.from_pandas], ids=["pandas", "polars"])
    @pytest.mark.parametrize(
        ("cells", "column"),
        [
            ({"price": 30}, [30.0]),
            ({"seats": 5.0}, [5]),
            ({"seats": None, "kind": "van"}, None),
            ({"electric": True, "seats": pd.NA}, None),
            ({"sold": pd.Timestamp("2024-01-05")}, [pd.Timestamp("2024-01-05")]),
            ({"sold": pd.Timestamp("2024-01-05").to_pydatetime()}, [pd.Timestamp("2024-01-05")]),
            ({"kind": "tram"}, ["tram"]),
        ],
        ids=str,
    )
    def test_cells_of_any_kind(self, shop, convert, cells, column):
        frame = shop.assign(kind=shop["kind"].where(shop.index != 3, "tram"))
        frame = frame if convert is None else convert(frame)
        autoencoder = make(3, max_epochs=2, min_frequency=0.01).fit(frame)
        draws = autoencoder.sample(2, random_state=0, given=cells)
        assert list(draws.dtypes) == list(frame.dtypes)
        if column is not None:
            assert draws[next(iter(cells))].to_list() == 2 * column

    def test_a_frame_of_another_library(self, fitted_shop):
        given = pl.DataFrame({"seats": [4, None], "kind": [None, "van"]})
        draws = fitted_shop.sample(2, random_state=0, given=given)
        assert draws["seats"].to_list()[:2] == [4, 4]
        assert draws["kind"].to_list()[2:] == ["van", "van"]

    def test_given_columns_of_numbers(self, rows):
        frame = pd.DataFrame(rows, columns=list("abcde"))
        autoencoder = make(2, max_epochs=60).fit(frame)
        draws = autoencoder.sample(300, random_state=0, given={"a": 1.0})
        assert list(draws.columns) == list("abcde")
        np.testing.assert_allclose(draws["a"], 1.0, rtol=1e-6)
        assert draws["d"].mean() == pytest.approx(0, abs=0.3)

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"colour": "red"}, "names columns that X has not"),
            ({}, "at least one column"),
            ("van", "dict from at least one column"),
            ({"kind": "train"}, "which fit did not see"),
            ({"price": np.inf}, "must hold finite numbers in column 'price'. Got inf"),
            ({"kind": ["car", "van"]}, "one cell for each column"),
            ({"price": "dear"}, "cells of type Float64 in column 'price'"),
            ({"seats": 2.5}, "cells of type Int64 in column 'seats'"),
        ],
    )
    def test_what_cannot_be_given(self, fitted_shop, given, message):
        with pytest.raises(ValueError, match=message):
            fitted_shop.sample(2, given=given)

    def test_holes_are_filled_by_what_is_known(self, shop, fitted_shop):
        whole = shop.dropna()
        holes = whole.assign(price=np.nan)
        filled = fitted_shop.impute(holes)
        assert np.corrcoef(filled["price"], whole["price"])[0, 1] > 0.8
        draws = fitted_shop.impute(holes, n_draws=2, random_state=0)
        assert not draws[0]["price"].equals(draws[1]["price"])
        pd.testing.assert_frame_equal(filled.drop(columns="price"), whole.drop(columns="price"))

    def test_what_is_expected_of_a_skewed_number_is_its_mean(self):
        rng = np.random.default_rng(0)
        frame = pd.DataFrame(
            {"skewed": np.exp(1.5 * rng.normal(size=3000)), "label": rng.choice(list("ab"), 3000)}
        )
        autoencoder = make(2, max_epochs="auto").fit(frame)
        filled = autoencoder.impute(frame.head(20).assign(skewed=np.nan))["skewed"]
        np.testing.assert_allclose(filled, frame["skewed"].mean(), rtol=0.25)

    def test_columns_in_lockstep_stay_so(self):
        rng = np.random.default_rng(0)
        number = rng.integers(1, 4, size=1500)
        frame = pd.DataFrame({"number": number, "label": np.array(list("abc"))[number - 1]})
        draws = make("auto", max_epochs=60).fit(frame).sample(1000, random_state=0)
        pairs = draws["label"].map({"a": 1, "b": 2, "c": 3}) == draws["number"]
        assert pairs.mean() >= 0.99
