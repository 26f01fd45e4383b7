"""Principal components: scikit-learn's, whatever the weights, the batches and the shape."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from skae.nn.pca import principal_components, principal_components_of_few


@pytest.fixture
def x():
    """Rows whose features differ in mean and spread, and are correlated."""
    generator = torch.Generator().manual_seed(0)
    normal = torch.randn(46, 6, generator=generator, dtype=torch.float64)
    return normal[:40] @ normal[40:] * torch.arange(1, 7) + 3


def test_principal_components_are_scikit_learn_s(x):
    found = principal_components([(x[:15], None), (x[15:], None)])
    truth = PCA().fit(x.numpy())
    np.testing.assert_allclose(found.mean, truth.mean_)
    np.testing.assert_allclose(found.variance, truth.explained_variance_ * 39 / 40)
    np.testing.assert_allclose(found.components.abs(), np.abs(truth.components_), atol=1e-8)
    np.testing.assert_allclose(found.feature_variance, x.numpy().var(0))
    largest = found.components.abs().argmax(1, keepdim=True)
    assert (found.components.gather(1, largest) > 0).all()
    truth = PCA(2).fit(x.numpy())
    error = (truth.inverse_transform(truth.transform(x.numpy())) - x.numpy()) ** 2
    np.testing.assert_allclose(found.keep(2).residual, error.mean(0))


def check_same(found, expected, n_components):
    for name in ("mean", "feature_variance"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name))
    found, expected = found.keep(n_components), expected.keep(n_components)
    torch.testing.assert_close(found.variance, expected.variance)
    torch.testing.assert_close(found.components, expected.components)


def test_weights_are_repetitions(x):
    weight = torch.arange(40) % 4
    repeated = x.repeat_interleave(weight, 0)
    check_same(principal_components([(x, weight)]), principal_components([(repeated, None)]), 6)


@pytest.mark.parametrize(("n_rows", "n_components"), [(40, 6), (4, 3)])
def test_components_of_few_rows_are_the_same(x, n_rows, n_components):
    x = x[:n_rows]
    check_same(principal_components_of_few(x), principal_components([(x, None)]), n_components)


def test_components_beyond_the_rank_are_zero(x):
    found = principal_components_of_few(x[:4])
    kept = found.keep(6)
    assert kept.components.shape == (6, 6)
    assert (kept.components[4:] == 0).all()
    assert (kept.variance[4:] == 0).all()
    torch.testing.assert_close(kept.components[:4], found.components)
    torch.testing.assert_close(kept.residual, torch.zeros_like(kept.residual))
    assert found.keep(2).components.shape == (2, 6)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9, 0.99, 0.9999])
def test_number_for_a_share_is_scikit_learn_s(x, share):
    expected = PCA(share).fit(x.numpy()).n_components_
    assert principal_components([(x, None)]).number_for(share) == expected


def test_noise_unit_is_between_the_error_by_feature_and_by_direction(x):
    n_features = x.shape[1]
    for n_components in range(1, n_features):
        left = principal_components([(x, None)]).keep(n_components)
        total = float(left.residual.sum())
        by_feature, by_direction = total / n_features, total / (n_features - n_components)
        assert left.noise_unit**2 == pytest.approx((by_feature * by_direction) ** 0.5)
    assert principal_components([(x, None)]).keep(n_features).noise_unit == pytest.approx(
        0, abs=1e-3
    )
