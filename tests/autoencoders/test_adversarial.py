"""An autoencoder whose codes have a chosen distribution."""

import numpy as np
import pytest
from helpers import rows_of_a_shop
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from skae import AdversarialAE, AutoencoderTransformer
from skae.nn.matching import MATCHINGS

X = load_digits().data[:900]


def make(**parameters):
    return AdversarialAE(**{"n_components": 4, "max_epochs": 60, "random_state": 0} | parameters)


@pytest.mark.parametrize("matching", MATCHINGS)
def test_codes_have_the_law(matching):
    fitted = make(matching=matching).fit(X)
    codes = fitted.transform(X)
    np.testing.assert_allclose(codes.mean(0), 0, atol=0.25)
    np.testing.assert_allclose(np.cov(codes.T), np.eye(4), atol=0.35)
    plain = AutoencoderTransformer(4, max_epochs=60, random_state=0).fit(X).transform(X)
    assert plain.std() > 3
    assert fitted.law_distance_ < 4 * fitted.law_distance_of_itself_
    assert (fitted.discriminator_accuracy_ is None) == (matching != "discriminator")


def test_it_starts_at_whitened_principal_components():
    fitted = make(max_epochs=1, learning_rate=1e-9, strength=0, bounds=None).fit(X)
    pca = PCA(4, whiten=True).fit(X)
    expected = pca.transform(X)
    codes = fitted.transform(X)
    signs = np.sign((codes * expected).sum(0))
    np.testing.assert_allclose(codes * signs, expected, atol=0.02)
    np.testing.assert_allclose(fitted.reconstruct(X), pca.inverse_transform(expected), atol=0.1)


def test_without_strength_it_reconstructs_as_the_plain_one():
    errors = [
        ((each.fit(X).reconstruct(X) - X) ** 2).sum(1).mean()
        for each in (
            make(strength=0),
            AutoencoderTransformer(
                4, max_epochs=60, noise=0.0, learning_rate=0.003, random_state=0
            ),
            make(strength=3000),
        )
    ]
    assert errors[0] == pytest.approx(errors[1], rel=0.1)
    assert errors[2] > 1.1 * errors[0]


@pytest.mark.parametrize("law", ["uniform", "mixture", "swiss_roll"])
def test_laws(law):
    fitted = make(n_components=2, latent_distribution=law, strength=1000, prior="law").fit(X)
    codes, draws = fitted.transform(X), fitted.prior_.sample(2000, 0)
    np.testing.assert_allclose(codes.std(0), draws.std(0), rtol=0.3)
    if law == "uniform":
        assert np.abs(codes).max() < 3
    if law == "mixture":
        # The middle of the flower is empty.
        radius = np.linalg.norm(codes, axis=1)
        assert (radius < 0.4).mean() < 0.08


def test_a_density_of_ones_own():
    law = GaussianMixture(2, random_state=0).fit(
        np.r_[np.full((50, 1), -2.0), np.full((50, 1), 2.0)]
    )
    fitted = make(n_components=1, latent_distribution=law, max_epochs=40).fit(X)
    codes = fitted.transform(X)[:, 0]
    assert np.abs(codes).mean() > 1.5
    with pytest.raises(ValueError, match=r"must draw codes of 3 units\. Got draws of shape"):
        make(n_components=3, latent_distribution=law).fit(X)


def test_samples_of_the_law_and_of_a_mixture():
    by_law, by_mixture = make(prior="law").fit(X), make(prior="gmm").fit(X)
    assert by_law.prior_.sample(5000, 0).std() == pytest.approx(1, abs=0.05)
    for each in (by_law, by_mixture):
        draws = each.sample(500, random_state=0)
        np.testing.assert_array_equal(draws, each.sample(500, random_state=0))
        assert np.abs(draws.mean(0) - X.mean(0)).max() < 2.5


@pytest.mark.parametrize("matching", ["cramer_wold", "discriminator"])
def test_tables_streams_and_warm_starts(matching):
    frame = rows_of_a_shop()
    fitted = make(matching=matching, n_components=3, max_epochs=10, warm_start=True).fit(frame)
    assert fitted.sample(5, random_state=0).dtypes.equals(frame.dtypes)
    assert np.isfinite(fitted.partial_fit(frame).transform(frame)).all()
    assert np.isfinite(fitted.fit(frame).score_samples(frame)).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tied_weights": True}, "The 'tied_weights' parameter must be False"),
        ({"matching": "kl"}, "The 'matching' parameter"),
        ({"latent_distribution": "cauchy"}, "The 'latent_distribution' parameter"),
        ({"latent_distribution": "mixture", "n_components": 1}, "needs at least 2 units"),
        ({"strength": -1}, "The 'strength' parameter"),
        ({"prior": "laws"}, "The 'prior' parameter"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        make(**parameters).fit(X)
