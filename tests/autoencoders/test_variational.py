"""VAETransformer: against truth."""

import numpy as np
import pytest
import torch
from helpers import rows_of_a_shop
from sklearn.base import clone
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.model_selection import GridSearchCV

from skae import VAETransformer
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
        autoencoder = make(3, latent_distribution=latent, likelihood="gaussian").fit(rows)
        module = autoencoder.net_.module_
        x = torch.from_numpy(autoencoder.columns_.encode(rows))
        with torch.no_grad():
            output, code = module(x)
            cells = module.likelihood.log_prob(output, x)
            divergence = module.bottleneck.posterior.divergence(module.encoder(x))
            loss = module.loss(output, code, x)
        torch.testing.assert_close(loss, divergence.sum(1) - cells.sum(1))

    def test_held_out_rows_are_judged_with_the_whole_of_beta(self, rows):
        autoencoder = make(3, beta_schedule="linear", max_epochs=4, likelihood="gaussian").fit(rows)
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
