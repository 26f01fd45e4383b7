"""A generator against a discriminator."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import rows_of_a_shop
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from skorch.callbacks import Callback
from torch import nn

from skae import AdversarialAE, AutoencoderTransformer, GANSampler, SparseAE, VAETransformer
from skae.metrics import maximum_mean_discrepancy

X, y = load_digits(return_X_y=True)
TRAIN, TEST = X[:1300], X[1300:]


@pytest.fixture(scope="module")
def start():
    return AdversarialAE(8, max_epochs=60, random_state=0).fit(TRAIN)


@pytest.fixture(scope="module")
def gan(start):
    return GANSampler(FrozenEstimator(start), max_epochs=60, random_state=0).fit(TRAIN)


def quick(**parameters):
    parameters = {"max_epochs": 10, "random_state": 0, **parameters}
    return GANSampler(AdversarialAE(4, max_epochs=5), **parameters)


def discrepancy(rows):
    return maximum_mean_discrepancy(TEST, rows, scale=False, random_state=0).statistic


class TestSamples:
    """Drawn rows are nearer to those of `fit` than those that the start draws."""

    def test_they_are_nearer_than_those_of_the_start(self, start, gan):
        assert gan.best_step_ > 0
        before = start.sample(1000, random_state=1, noise=False)
        assert discrepancy(gan.sample(1000, random_state=1)) < 0.7 * discrepancy(before)

    def test_the_start_is_kept_where_training_is_no_gain(self, start):
        sampler = GANSampler(
            FrozenEstimator(start), learning_rate=0.3, gradient_penalty=0, max_epochs=5
        )
        sampler.fit(TRAIN)
        assert sampler.best_step_ == 0
        assert sampler.distance_curve_[0] == min(sampler.distance_curve_)
        drawn = start.sample(5, random_state=0, noise=False)
        low, high = TRAIN.min(0), TRAIN.max(0)
        expected = drawn.round().clip(low, high)
        np.testing.assert_array_equal(sampler.sample(5, random_state=0), expected)
        np.testing.assert_array_equal(sampler.transform(TEST), start.transform(TEST))

    def test_from_scratch_it_finds_every_cluster(self):
        rng = np.random.default_rng(0)
        angles = 2 * np.pi * np.arange(8) / 8
        centers = 4 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        rows = np.repeat(centers, 250, axis=0) + 0.2 * rng.normal(size=(2000, 2))
        sampler = GANSampler(
            AutoencoderTransformer(2), init="random", learning_rate=0.001, random_state=0
        )
        drawn = sampler.fit(rows).sample(2000, random_state=0)
        distances = np.linalg.norm(drawn[:, None] - centers, axis=2)
        shares = np.bincount(distances.argmin(1), minlength=8) / 2000
        assert shares.min() > 0.05
        assert min(sampler.distance_curve_) < 0.03 * sampler.distance_curve_[0]

    def test_seeds(self, gan):
        np.testing.assert_array_equal(gan.sample(3, random_state=0), gan.sample(3, random_state=0))
        assert (gan.sample(3, random_state=0) != gan.sample(3, random_state=1)).any()
        for init in ("autoencoder", "random"):
            first, second = (quick(init=init).fit(TRAIN[:400]) for _ in range(2))
            assert first.distance_curve_ == second.distance_curve_
            np.testing.assert_array_equal(first.score_samples(TEST), second.score_samples(TEST))

    def test_they_keep_to_the_range_and_the_grid_of_the_columns(self, gan):
        drawn = gan.sample(500, random_state=0)
        assert (drawn >= TRAIN.min(0)).all()
        assert (drawn <= TRAIN.max(0)).all()
        np.testing.assert_array_equal(drawn, drawn.round())

    @pytest.mark.parametrize("n_samples", [0, -1])
    def test_numbers_of_rows(self, gan, n_samples):
        with pytest.raises(ValueError, match="n_samples"):
            gan.sample(n_samples)


class TestOtherReadings:
    """Codes, rows of codes, and how real rows look."""

    def test_the_encoder_inverts_the_generator(self, gan):
        rng = np.random.default_rng(0)
        codes = gan.transform(TEST)[:200] + 0.1 * rng.normal(size=(200, 8))
        found = gan.transform(gan.inverse_transform(codes.astype(np.float32)))
        correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(codes.T, found.T, strict=True)]
        assert min(correlations) > 0.8

    def test_an_untrained_encoder_learns_to(self):
        sampler = quick(init="random", max_epochs=60).fit(TRAIN)
        rows = sampler.autoencoder_.reconstruct(TEST)
        assert ((rows - TEST) ** 2).sum(1).mean() < 0.6 * TEST.var(0).sum()

    def test_real_rows_look_more_real_than_those_of_a_generator_that_has_just_begun(self):
        sampler = quick(init="random", max_epochs=3).fit(TRAIN)
        real, drawn = sampler.score_samples(TEST), sampler.score_samples(sampler.sample(500, 0))
        assert (real[:, None] > drawn).mean() > 0.9
        assert real.dtype == np.float32

    def test_the_autoencoder_is_of_the_generator(self, gan):
        codes = gan.transform(TEST[:4])
        np.testing.assert_array_equal(
            gan.inverse_transform(codes), gan.autoencoder_.inverse_transform(codes)
        )
        assert gan.autoencoder_.interpolate(TEST[:1], TEST[1:2], 5).shape == (1, 5, 64)
        errors = (gan.autoencoder_.reconstruct(TEST) - TEST) ** 2
        assert gan.autoencoder_.noise_variance_ == pytest.approx(errors.mean(), rel=0.2)

    def test_the_discriminator_can_be_left_out(self):
        sampler = quick(keep_discriminator=False).fit(TRAIN)
        assert sampler.discriminator_ is None
        with pytest.raises(AttributeError, match="keep_discriminator=False"):
            sampler.score_samples(TEST)
        assert sampler.sample(2).shape == (2, 64)

    def test_before_a_fit(self):
        for call in ("sample", "transform", "inverse_transform", "score_samples"):
            with pytest.raises(NotFittedError):
                getattr(GANSampler(), call)(*([] if call == "sample" else [TEST]))

    def test_files(self, gan):
        again = pickle.loads(pickle.dumps(gan))
        np.testing.assert_array_equal(again.sample(3, 0), gan.sample(3, 0))
        np.testing.assert_array_equal(again.score_samples(TEST), gan.score_samples(TEST))

    def test_frames(self):
        frame = pd.DataFrame(TRAIN, columns=[f"p{i}" for i in range(64)])
        sampler = quick().fit(frame)
        assert [*sampler.sample(2)] == [*frame]
        assert sampler.feature_names_in_.tolist() == [*frame]
        assert sampler.get_feature_names_out().tolist() == [f"gansampler{i}" for i in range(4)]


class TestStart:
    """What a GAN starts from."""

    def test_frozen_autoencoders_are_left_as_they_are(self, start, gan):
        fresh = AdversarialAE(8, max_epochs=60, random_state=0).fit(TRAIN)
        np.testing.assert_array_equal(start.transform(TEST), fresh.transform(TEST))
        np.testing.assert_array_equal(start.sample(3, 0), fresh.sample(3, 0))

    @pytest.mark.parametrize(
        "autoencoder",
        [
            AutoencoderTransformer(4, max_epochs=5),
            SparseAE(16, max_epochs=5),
            VAETransformer(4, max_epochs=5, likelihood="gaussian"),
            VAETransformer(
                4, max_epochs=5, likelihood="gaussian", latent_distribution="von_mises_fisher"
            ),
            AdversarialAE(4, max_epochs=5, image_shape=(8, 8), likelihood="bernoulli"),
        ],
        ids=lambda each: type(each).__name__,
    )
    @pytest.mark.parametrize("init", ["autoencoder", "random"])
    @pytest.mark.filterwarnings("ignore:The code carries nothing")
    def test_any_autoencoder(self, autoencoder, init):
        sampler = GANSampler(clone(autoencoder), init=init, max_epochs=3, random_state=0)
        drawn = sampler.fit(TRAIN / 16).sample(20, random_state=0)
        assert np.isfinite(drawn).all()
        assert np.isfinite(sampler.transform(TEST / 16)).all()
        assert sampler.n_components_ == autoencoder.n_components

    def test_images_have_a_convolutional_discriminator(self):
        images = AdversarialAE(4, max_epochs=5, image_shape=(8, 8))
        sampler = GANSampler(images, hidden_layer_sizes=(4, 8), max_epochs=2).fit(TRAIN)
        kinds = [
            type(layer) for layer in sampler.discriminator_ if not isinstance(layer, nn.Linear)
        ]
        assert kinds.count(nn.Conv2d) == 2
        dense = quick(hidden_layer_sizes=(5,), max_epochs=2).fit(TRAIN).discriminator_
        assert [tuple(weight.shape) for weight in dense.parameters()][::2] == [(5, 64), (1, 5)]

    def test_default_is_an_adversarial_autoencoder(self, monkeypatch):
        def fit(self, X, y=None, sample_weight=None):
            raise KeyboardInterrupt(type(self).__name__, self.n_components)

        monkeypatch.setattr(AdversarialAE, "fit", fit)
        with pytest.raises(KeyboardInterrupt) as stopped:
            GANSampler().fit(TRAIN)
        assert stopped.value.args == ("AdversarialAE", 16)

    @pytest.mark.parametrize(
        ("autoencoder", "rows"),
        [
            (None, rows_of_a_shop()),
            (AdversarialAE(categorical_features=[0]), TRAIN),
            (VAETransformer(2, max_epochs=2), TRAIN[:, 20:24]),
        ],
    )
    def test_tables_are_refused(self, autoencoder, rows):
        with pytest.raises(ValueError, match="VAETransformer draws rows of tables"):
            GANSampler(autoencoder).fit(rows)
        holes = np.where(TRAIN == 16, np.nan, TRAIN)
        with pytest.raises(ValueError, match="NaN"):
            GANSampler(autoencoder).fit(holes)

    def test_other_estimators_are_refused(self):
        with pytest.raises(ValueError, match="'autoencoder' parameter of GANSampler must be"):
            GANSampler(nn.Linear(2, 2)).fit(TRAIN)
        with pytest.raises(NotFittedError):
            GANSampler(FrozenEstimator(AdversarialAE())).fit(TRAIN)


class TestTraining:
    """How long it is, and what happens when it ends."""

    def test_comparisons(self):
        sampler = quick(max_epochs=20).fit(TRAIN)
        assert sampler.n_iter_ == 20
        assert len(sampler.loss_curve_) == 20
        # 1,170 rows in batches of 64.
        assert sampler.step_curve_ == [0, 266, 380]
        assert sampler.best_step_ in sampler.step_curve_

    def test_patience(self, start):
        options = {"learning_rate": 0.3, "gradient_penalty": 0, "random_state": 0}
        sampler = GANSampler(
            FrozenEstimator(start), n_iter_no_change=2, max_epochs=100, **options
        ).fit(TRAIN)
        assert len(sampler.step_curve_) == 3

    def test_without_held_out_rows(self):
        sampler = quick(early_stopping=False, max_epochs=13).fit(TRAIN)
        assert sampler.step_curve_ == [0, 252, 273]

    def test_weights_count(self):
        weights = np.where(y[:1300] == 0, 1.0, 0.0)
        zeros = TRAIN[weights > 0].mean(0)
        drawn = quick().fit(TRAIN, sample_weight=weights).sample(300, random_state=0)
        assert abs(drawn.mean(0) - zeros).mean() < 0.5

    def test_a_failed_fit_leaves_the_earlier_one(self, gan):
        fitted = pickle.loads(pickle.dumps(gan))

        class Failing(Callback):
            def on_epoch_end(self, net, **kwargs):
                raise RuntimeError("stop")

        with pytest.raises(RuntimeError, match="stop"):
            fitted.set_params(net_params={"callbacks": [Failing()]}).fit(TRAIN)
        np.testing.assert_array_equal(fitted.sample(3, 0), gan.sample(3, 0))

    def test_callbacks_of_skorch_end_it(self):
        class Stopping(Callback):
            def on_epoch_end(self, net, **kwargs):
                if len(net.history) == 4:
                    raise KeyboardInterrupt

        sampler = quick(net_params={"callbacks": [Stopping()]}).fit(TRAIN)
        assert sampler.n_iter_ == 4

    def test_divergence_is_told(self):
        with pytest.raises(FloatingPointError, match="smaller learning_rate"):
            quick(learning_rate=1e30).fit(TRAIN)

    def test_global_generators_are_left_alone(self):
        torch.manual_seed(0)
        before = torch.get_rng_state()
        quick(max_epochs=1).fit(TRAIN)
        assert torch.equal(before, torch.get_rng_state())
