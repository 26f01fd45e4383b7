"""VAETransformer: against truth, and what only it does."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import make_rows, rows_of_a_shop
from sklearn.base import clone
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity

from skae import AutoencoderTransformer, VAETransformer
from skae.training.reading import mean_loss
from skae.training.rows import Rows

LATENT = ["normal", "von_mises_fisher", "power_spherical"]


def make(n_components=2, **params):
    return VAETransformer(n_components, **{"max_epochs": 20, "random_state": 0, **params})


def linear(n_components, **params):
    params = {"hidden_layer_sizes": (), "bounds": None, "early_stopping": False, **params}
    return make(n_components, **params)


@pytest.fixture(scope="module")
def few_digits():
    from sklearn.datasets import load_digits

    return load_digits().data[:1000]


@pytest.fixture(scope="module")
def shop():
    return rows_of_a_shop()


@pytest.fixture(scope="module")
def fitted_shop(shop):
    return make(6, max_epochs=60).fit(shop)


class TestTruth:
    @pytest.mark.parametrize("init", ["pca", "random"])
    def test_linear_is_probabilistic_pca(self, few_digits, init):
        pca = PCA(8).fit(few_digits)
        long = {"max_epochs": 800, "learning_rate": 0.02} if init == "random" else {}
        autoencoder = linear(8, init=init, n_draws=256, **long).fit(few_digits)
        exact = pca.score(few_digits)
        assert -autoencoder.best_loss_ - autoencoder.columns_.log_volume == pytest.approx(
            exact, rel=1e-3
        )
        assert autoencoder.score(few_digits) == pytest.approx(exact, rel=1e-3)
        assert autoencoder.noise_variance_ == pytest.approx(pca.noise_variance_, rel=0.01)

    def test_more_draws_come_closer_to_the_likelihood(self, few_digits):
        """By far fewer than the posterior needs, which a wrong scale makes hard."""
        autoencoder = linear(8).fit(few_digits)
        with torch.no_grad():
            autoencoder.net_.module_.encoder.bias[8:] += 0.5
        scores = [autoencoder.set_params(n_draws=n).score(few_digits) for n in (4, 32, 256, 2048)]
        exact = PCA(8).fit(few_digits).score(few_digits)
        assert np.all(np.diff(scores) > 0)
        assert scores[0] < exact - 0.3
        assert scores[-1] == pytest.approx(exact, rel=1e-3)

    def test_a_variance_of_one_leaves_active_what_is_above_it(self):
        """The first eigenvalues of MNIST, pixels 0 to 1: twelve are above one."""
        spectrum = [5.1, 3.7, 3.25, 2.8, 2.6, 2.3, 1.7, 1.5, 1.46, 1.24, 1.11, 1.07, 0.9, 0.87]
        rng = np.random.default_rng(0)
        rotation = np.linalg.qr(rng.normal(size=(40, 40)))[0][: len(spectrum)]
        codes = rng.normal(size=(5000, len(spectrum)))
        codes = np.linalg.qr(codes - codes.mean(0))[0] * np.sqrt(5000)
        X = codes * np.sqrt(spectrum) @ rotation
        autoencoder = linear(14, noise_variance=1.0, max_epochs=100, learning_rate=0.01).fit(X)
        assert autoencoder.active_units_.tolist() == list(range(12))
        assert autoencoder.noise_variance_ == pytest.approx(1)

    def test_variance_of_each_column_is_found(self):
        rng = np.random.default_rng(0)
        z = rng.normal(size=(3000, 1))
        noise = np.array([0.1, 0.3, 1.0, 0.2, 0.5])
        X = 2 * z + noise * rng.normal(size=(3000, 5))
        autoencoder = linear(
            1, noise_variance="per_column", max_epochs=600, learning_rate=0.01, n_draws=256
        ).fit(X)
        exact = FactorAnalysis(1).fit(X)
        assert autoencoder.score(X) == pytest.approx(exact.score(X), rel=1e-3)
        deviations = np.sqrt(autoencoder.noise_variance_)
        np.testing.assert_allclose(deviations, np.sqrt(exact.noise_variance_), rtol=0.1)

    def test_conditional_draws_are_those_of_the_normal(self):
        rng = np.random.default_rng(0)
        factors = rng.normal(size=(2, 5))
        X = rng.normal(size=(4000, 2)) @ factors + 0.3 * rng.normal(size=(4000, 5))
        autoencoder = linear(2).fit(X)
        draws = autoencoder.sample(4000, random_state=0, given={0: 1.5, 3: -0.5})
        assert (draws[:, 0] == 1.5).all()
        covariance = np.cov(X.T)
        seen, hidden = [0, 3], [1, 2, 4]
        gain = covariance[np.ix_(hidden, seen)] @ np.linalg.inv(covariance[np.ix_(seen, seen)])
        mean = X.mean(0)[hidden] + gain @ (np.array([1.5, -0.5]) - X.mean(0)[seen])
        rest = covariance[np.ix_(hidden, hidden)] - gain @ covariance[np.ix_(seen, hidden)]
        np.testing.assert_allclose(draws[:, hidden].mean(0), mean, atol=0.05)
        np.testing.assert_allclose(np.cov(draws[:, hidden].T), rest, atol=0.05)


class TestBound:
    @pytest.mark.parametrize("latent", LATENT)
    def test_loss_is_summed_over_columns_and_beta_one_is_the_bound(self, rows, latent):
        autoencoder = make(3, latent_distribution=latent).fit(rows)
        module = autoencoder.net_.module_
        x = torch.from_numpy(autoencoder.columns_.encode(rows))
        with torch.no_grad():
            output, code = module(x)
            cells = module.likelihood.log_prob(output, x)
            divergence = module.bottleneck.posterior.divergence(module.encoder(x))
            loss = module.loss(output, code, x)
        torch.testing.assert_close(loss, divergence.sum(1) - cells.sum(1))

    def test_held_out_rows_are_judged_with_the_whole_of_beta(self, rows):
        autoencoder = make(3, beta_schedule="linear", max_epochs=4).fit(rows)
        encoded = torch.from_numpy(autoencoder.columns_.encode(rows))
        losses = []
        for progress in (0.0, 1.0):
            autoencoder.net_.module_.set_progress(progress)
            losses.append(mean_loss(autoencoder.net_, Rows(encoded)))
        assert losses[0] == losses[1]

    def test_cells_add_up_to_the_row(self, rows, shop, fitted_shop):
        autoencoder = make(3).fit(rows)
        np.testing.assert_allclose(
            autoencoder.score_cells(rows).sum(1), autoencoder.score_samples(rows), atol=1e-4
        )
        cells = fitted_shop.score_cells(shop)
        assert list(cells.columns) == list(shop.columns)
        np.testing.assert_allclose(cells.sum(axis=1), fitted_shop.score_samples(shop), rtol=1e-4)

    def test_importance_weighted_training_makes_a_tighter_bound(self, rows):
        plain = make(2, early_stopping=False, max_epochs=60, init="random").fit(rows)
        tight = clone(plain).set_params(n_importance=16).fit(rows)
        assert tight.best_loss_ < plain.best_loss_

    def test_scores_of_sizes_pick_the_one_that_generalises(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(400, 3)) @ rng.normal(size=(3, 12)) + 0.5 * rng.normal(size=(400, 12))
        search = GridSearchCV(linear(1), {"n_components": [1, 3, 11]}, cv=3).fit(X)
        assert search.best_params_["n_components"] == 3


class TestCode:
    def test_transform_is_the_mean_of_the_posterior(self, rows):
        autoencoder = make(3).fit(rows)
        mean, scale = autoencoder.posterior(rows)
        assert np.array_equal(mean, autoencoder.transform(rows))
        assert mean.shape == scale.shape == (60, 3)
        assert (scale > 0).all()

    @pytest.mark.parametrize("latent", LATENT[1:])
    def test_spherical_codes_have_length_one(self, rows, latent):
        autoencoder = make(3, latent_distribution=latent).fit(rows)
        mean, concentration = autoencoder.posterior(rows)
        np.testing.assert_allclose(np.linalg.norm(mean, axis=1), 1, rtol=1e-5)
        assert concentration.shape == (60, 1)
        assert autoencoder.kl_per_component_.shape == (1,)
        for prior in ("normal", "posterior", "gmm"):
            assert np.isfinite(
                clone(autoencoder).set_params(prior=prior).fit(rows).sample(20)
            ).all()
        with pytest.raises(ValueError, match="at least 2"):
            make(1, latent_distribution=latent).fit(rows)
        assert make("auto", latent_distribution=latent).fit(rows[:, :2]).n_components_ == 2

    @pytest.mark.parametrize("latent", LATENT[1:])
    def test_codes_off_the_sphere_are_brought_to_it(self, rows, latent):
        autoencoder = make(3, latent_distribution=latent).fit(rows)
        codes = autoencoder.transform(rows)
        np.testing.assert_allclose(
            autoencoder.inverse_transform(5 * codes), autoencoder.reconstruct(rows), rtol=1e-4
        )
        given = autoencoder.sample(400, random_state=0, given={0: 1.0})
        assert given[:, 3].mean() == pytest.approx(0, abs=0.5)

    def test_what_the_code_carries_is_counted(self, digits):
        autoencoder = make(8, max_epochs=30).fit(digits)
        assert autoencoder.active_units_.tolist() == list(range(8))
        assert (autoencoder.kl_per_component_ > 0.1).all()
        total = autoencoder.kl_per_component_.sum()
        assert 2 < autoencoder.mutual_information_ < min(total, np.log(2000)) + 0.2

    def test_a_code_that_carries_nothing_says_so(self, digits):
        with pytest.warns(ConvergenceWarning, match=r"carries nothing.*noise_variance"):
            autoencoder = make(4, noise_variance=1e4, max_epochs=60).fit(digits)
        assert len(autoencoder.active_units_) == 0

    def test_free_bits_keep_units_in_use(self, digits):
        autoencoder = make(4, noise_variance=100.0, max_epochs=60, init="random")
        with_bits = clone(autoencoder).set_params(free_bits=0.5).fit(digits)
        assert with_bits.kl_per_component_.min() > 0.2
        assert autoencoder.fit(digits).kl_per_component_.min() < 0.2

    @pytest.mark.parametrize(
        "params",
        [
            {"beta": 4.0},
            {"beta_schedule": "linear"},
            {"beta_schedule": "sigmoid"},
            {"beta_schedule": "cyclical"},
            {"beta_schedule": "linear", "beta_warm_up": 0.9},
            {"free_bits": 2.0},
            {"n_importance": 3},
            {"n_encoder_steps": 4},
            {"skip_connections": True},
            {"noise_variance": "per_column"},
            {"noise_variance": 0.5},
            {"latent_distribution": "power_spherical"},
        ],
        ids=str,
    )
    @pytest.mark.filterwarnings("ignore:The code carries nothing")
    def test_no_parameter_of_the_training_is_ignored(self, rows, params):
        plain = make(3, early_stopping=False, init="random").fit(rows).reconstruct(rows)
        other = make(3, early_stopping=False, init="random", **params).fit(rows)
        assert not np.allclose(other.reconstruct(rows), plain, rtol=1e-3)

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"likelihood": "bernoulli", "noise_variance": 1.0}, "for the Gaussian likelihood"),
            ({"free_bits": 0.1, "n_importance": 2}, "n_importance is 2"),
            ({"skip_connections": True, "hidden_layer_sizes": ()}, "there are none"),
            ({"skip_connections": True, "decoder": torch.nn.Linear(3, 64)}, "there are none"),
        ],
    )
    def test_parameters_that_do_not_go_together(self, digits, params, message):
        with pytest.raises(ValueError, match=message):
            make(3, **params).fit(digits / 16)

    def test_a_warm_start_takes_new_parameters_of_the_training(self, rows):
        autoencoder = make(3, warm_start=True).fit(rows)
        autoencoder.set_params(n_importance=5, beta=2.0, beta_schedule="linear").fit(rows)
        bottleneck = autoencoder.net_.module_.bottleneck
        assert (bottleneck.n_draws, bottleneck.beta) == (5, 2.0)
        with pytest.raises(ValueError, match="skip_connections"):
            autoencoder.set_params(skip_connections=True).fit(rows)

    def test_the_decoder_rests_while_the_encoder_steps(self, rows):
        def parameters(learning_rate):
            autoencoder = make(3, n_encoder_steps=1000, learning_rate=learning_rate)
            module = autoencoder.partial_fit(rows).net_.module_
            return list(module.encoder.parameters()), list(module.decoder.parameters())

        still, moved = parameters(1e-12), parameters(0.1)
        same = [all(map(torch.equal, *each)) for each in zip(still, moved, strict=True)]
        assert same == [False, True]

    def test_the_decoder_has_its_turn_across_passes(self, rows):
        autoencoder = make(3, n_encoder_steps=3).partial_fit(rows)
        weights = [w.clone() for w in autoencoder.net_.module_.decoder.parameters()]
        for turn in range(2, 4):
            autoencoder.partial_fit(rows)
            now = autoencoder.net_.module_.decoder.parameters()
            assert all(map(torch.equal, weights, now)) == (turn < 3)

    def test_weights_count_in_the_variance(self, rows):
        far = np.vstack([rows, 100 * np.random.default_rng(0).normal(size=(60, 5))])
        weights = np.repeat([1.0, 1e-9], 60)
        autoencoder = make(3, early_stopping=False, learning_rate=1e-9, max_epochs=60)
        few = clone(autoencoder).fit(rows, sample_weight=np.ones(60))
        weighted = autoencoder.fit(far, sample_weight=weights)
        scale = weighted.columns_.scale / few.columns_.scale
        assert weighted.net_.module_.likelihood.variance * scale**2 == pytest.approx(
            few.net_.module_.likelihood.variance.item(), rel=0.05
        )

    def test_information_does_not_depend_on_the_order(self):
        rng = np.random.default_rng(0)
        X = np.repeat(rng.normal(size=(4, 6)), 1500, axis=0) + 0.1 * rng.normal(size=(6000, 6))
        sorted_first = make(3, max_epochs=3).fit(X).mutual_information_
        shuffled = make(3, max_epochs=3).fit(rng.permutation(X)).mutual_information_
        assert sorted_first == pytest.approx(shuffled, abs=0.3)
        assert sorted_first > 1

    def test_images_and_skips(self, digits):
        autoencoder = make(
            6, image_shape=(8, 8), skip_connections=True, hidden_layer_sizes=(8, 16), max_epochs=3
        ).fit(digits)
        assert autoencoder.sample(2).shape == (2, 64)

    def test_own_networks(self, rows):
        encoder, decoder = torch.nn.Linear(5, 6), torch.nn.Linear(3, 5)
        assert make(3, encoder=encoder, decoder=decoder).fit(rows).transform(rows).shape == (60, 3)
        with pytest.raises(ValueError, match=r"shape \(2, 6\)"):
            make(3, encoder=torch.nn.Linear(5, 3)).fit(rows)

    def test_warm_up_does_not_try_the_patience(self, rows):
        params = {"n_iter_no_change": 1, "tol": 1e9, "learning_rate_schedule": "constant"}
        plain = make(3, max_epochs=40, **params).fit(rows)
        warm = make(3, max_epochs=40, beta_schedule="linear", beta_warm_up=0.5, **params).fit(rows)
        assert plain.n_iter_ == 1
        assert warm.n_iter_ == 21

    def test_tables_have_a_likelihood_of_their_own(self, shop):
        with pytest.raises(ValueError, match="must then be 'auto'"):
            make(2, likelihood="gaussian").fit(shop)

    @pytest.mark.parametrize("n_draws", [0, 2.5, "many"])
    def test_number_of_draws_is_checked_when_it_is_used(self, rows, n_draws):
        autoencoder = make(2).fit(rows).set_params(n_draws=n_draws)
        with pytest.raises((TypeError, ValueError), match="n_draws"):
            autoencoder.score_samples(rows)


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
        autoencoder = make(2).fit(rows)
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
            ({"price": np.inf}, "infinity"),
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
