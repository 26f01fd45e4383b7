"""VAETransformer: what the code carries, and what parameters do to it."""

import numpy as np
import pytest
import torch
from helpers import rows_of_a_shop
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from skae import VAETransformer

LATENT = ["normal", "von_mises_fisher", "power_spherical"]


def make(n_components=2, **params):
    return VAETransformer(n_components, **{"max_epochs": 20, "random_state": 0, **params})


def linear(n_components, **params):
    params = {"hidden_layer_sizes": (), "bounds": None, "early_stopping": False, **params}
    return make(n_components, **params)


@pytest.fixture(scope="module")
def shop():
    return rows_of_a_shop()


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
        few = make("auto", latent_distribution=latent, likelihood="gaussian").fit(rows[:, :2])
        assert few.n_components_ == 2

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
        steps = []

        class Watch(Callback):
            def on_grad_computed(self, net, named_parameters, **kwargs):
                steps.append(next(net.module_.decoder.parameters()).grad is not None)

        make(3, n_encoder_steps=3, net_params={"callbacks": [Watch()]}).partial_fit(rows)
        assert steps == [False, False, True] * (len(steps) // 3)
        assert len(steps) >= 3

    def test_steps_of_the_encoder_are_more_steps(self):
        images = load_digits().data[:600]
        fits = [
            make(8, n_encoder_steps=n, max_epochs=40, early_stopping=False).fit(images)
            for n in (1, 3)
        ]
        bounds = [each.score(images) for each in fits]
        assert bounds[1] > bounds[0] - 1

    def test_weights_count_in_the_variance(self, rows):
        far = np.vstack([rows, 100 * np.random.default_rng(0).normal(size=(60, 5))])
        weights = np.repeat([1.0, 1e-9], 60)
        options = {"early_stopping": False, "learning_rate": 1e-9, "likelihood": "gaussian"}
        autoencoder = make(3, max_epochs=60, **options)
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
