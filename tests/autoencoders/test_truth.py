"""Against truth: a linear autoencoder is PCA."""

import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from skae import AutoencoderTransformer


def squared_error(transformer, X):
    return ((transformer.inverse_transform(transformer.transform(X)) - X) ** 2).sum(1).mean()


def subspace(autoencoder):
    """The span of the linear decoder's columns."""
    decoder = autoencoder.net_.module_.decoder
    weight = decoder.weight.detach().numpy()
    return weight if weight.shape[0] == autoencoder.n_features_in_ else weight.T


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("init", ["pca", "random"])
def test_linear_autoencoder_is_pca(digits, init, tied):
    pca = PCA(8).fit(digits)
    autoencoder = AutoencoderTransformer(
        8,
        hidden_layer_sizes=(),
        tied_weights=tied,
        init=init,
        bounds=None,
        noise=0,
        early_stopping=False,
        learning_rate=0.03,
        max_epochs=100,
        random_state=0,
    ).fit(digits)
    assert squared_error(autoencoder, digits) <= 1.001 * squared_error(pca, digits)
    angles = subspace_angles(subspace(autoencoder), pca.components_.T)
    assert np.rad2deg(angles).max() < 1


def test_start_is_pca_to_the_sign(digits):
    pca = PCA(8).fit(digits)
    autoencoder = AutoencoderTransformer(8, hidden_layer_sizes=(), bounds=None, random_state=0)
    codes = autoencoder.fit(digits).transform(digits)
    np.testing.assert_allclose(
        codes * autoencoder.columns_.scale, pca.transform(digits), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"tied_weights": True},
        {"tied_weights": True, "activation": "logistic"},
        {"image_shape": (8, 8), "hidden_layer_sizes": (4, 8)},
        {"image_shape": (8, 8), "tied_weights": True},
        {"hidden_layer_sizes": (32, 16, 8), "dropout": 0.2},
    ],
)
def test_deep_autoencoder_starts_at_pca(digits, params):
    """With a learning rate of next to nothing, training stays where it starts."""
    pca = PCA(8).fit(digits)
    autoencoder = AutoencoderTransformer(
        8, learning_rate=1e-12, max_epochs=1, bounds=None, random_state=0, **params
    ).fit(digits)
    np.testing.assert_allclose(
        autoencoder.reconstruct(digits),
        pca.inverse_transform(pca.transform(digits)),
        atol=1e-3,
    )


def test_never_worse_than_pca_where_nothing_can_be_learned():
    """Pure noise: the start must win, on rows that were not seen."""
    X = np.random.default_rng(0).normal(size=(400, 10))
    pca = PCA(3).fit(X[:200])
    autoencoder = AutoencoderTransformer(3, random_state=0).fit(X[:200])
    assert squared_error(autoencoder, X[200:]) <= 1.005 * squared_error(pca, X[200:])


def test_better_than_pca_where_there_is_a_curve(rows):
    pca = PCA(1).fit(rows)
    autoencoder = AutoencoderTransformer(1, random_state=0).fit(rows)
    assert squared_error(autoencoder, rows) < 0.5 * squared_error(pca, rows)


def test_a_share_of_variance_takes_as_many_components_as_pca(digits):
    for share in (0.5, 0.9):
        autoencoder = AutoencoderTransformer(share, max_epochs=1).fit(digits)
        assert autoencoder.n_components_ == PCA(share).fit(digits).n_components_


def test_linear_coins_are_logistic_pca(digits):
    """No linear projection is as good at coins, clipped or not."""
    X = (digits > 7).astype(float)
    fitted = AutoencoderTransformer(8, hidden_layer_sizes=(), random_state=0, max_epochs=60).fit(X)
    assert fitted.likelihood_ == "bernoulli"
    pca = PCA(8).fit(X)
    projected = pca.inverse_transform(pca.transform(X))

    def cross_entropy(p):
        p = np.clip(p, 1e-3, 1 - 1e-3)
        return -(X * np.log(p) + (1 - X) * np.log(1 - p)).sum(1).mean()

    assert cross_entropy(fitted.reconstruct(X)) < 0.9 * cross_entropy(projected)
