"""The prior: a density of codes, whatever their number and scale, that draws repeatably."""

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.neighbors import KernelDensity
from sklearn.utils.validation import check_is_fitted

from skae.sampling.prior import Prior


class Jitter(BaseEstimator):
    """A density that takes no seed: its codes, moved by the global generator of a library."""

    def __init__(self, library="numpy"):
        self.library = library

    def fit(self, codes):
        self.codes_ = codes
        return self

    def sample(self, n_samples):
        if self.library == "torch":
            drawn, noise = torch.rand(n_samples).numpy(), torch.randn(n_samples, 1).numpy()
        else:
            drawn, noise = np.random.rand(n_samples), np.random.randn(n_samples, 1)  # noqa: NPY002
        return self.codes_[(drawn * len(self.codes_)).astype(int)] + 0.01 * noise


KINDS = {
    "numpy": lambda: Jitter("numpy"),
    "torch": lambda: Jitter("torch"),
    "gmm": lambda: "gmm",
    "normal": lambda: "normal",
    "kernel": lambda: KernelDensity(bandwidth=0.1),
    "bayesian": lambda: BayesianGaussianMixture(n_components=2),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]()


@pytest.fixture
def codes():
    """Two clouds, far apart along the first component and correlated within."""
    rng = np.random.default_rng(0)
    cloud = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 2]], size=600)
    cloud[::2, 0] += 12
    return cloud.astype(np.float32)


def test_draws_have_the_moments_of_the_codes(kind, codes):
    draws = Prior(kind).fit(codes, seed=0).sample(20_000, random_state=0)
    spread = codes.std(0)
    np.testing.assert_allclose(draws.mean(0) / spread, codes.mean(0) / spread, atol=0.05)
    np.testing.assert_allclose(draws.std(0), spread, rtol=0.05)
    assert np.corrcoef(draws.T)[0, 1] == pytest.approx(np.corrcoef(codes.T)[0, 1], abs=0.05)


def test_a_mixture_leaves_the_gap_that_one_normal_fills(codes):
    def share_in_the_gap(kind):
        draws = Prior(kind).fit(codes, seed=0).sample(5000, random_state=0)
        return np.mean((draws[:, 0] > 4.5) & (draws[:, 0] < 7.5))

    assert share_in_the_gap("gmm") < 0.01
    assert share_in_the_gap("normal") > 0.1


def test_mixture_grows_with_the_number_of_codes():
    rng = np.random.default_rng(0)
    numbers = [
        Prior("gmm").fit(rng.normal(size=(n, 2)), 0).density_.n_components for n in (39, 120, 5000)
    ]
    assert numbers == [1, 3, 10]


@pytest.mark.parametrize("shape", [(2, 1), (2, 5), (3, 2)])
def test_few_codes_are_enough(kind, shape):
    codes = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    draws = Prior(kind).fit(codes, seed=0).sample(4, random_state=0)
    assert draws.shape == (4, shape[1])
    assert np.isfinite(draws).all()


def test_a_constant_component_stays_where_it_is(kind, codes):
    codes[:, 1] = 7
    draws = Prior(kind).fit(codes, seed=0).sample(500, random_state=0)
    np.testing.assert_allclose(draws[:, 1], 7, atol=0.5)
    np.testing.assert_allclose(draws[:, 0].std(), codes[:, 0].std(), rtol=0.15)


def test_codes_that_are_all_the_same_can_be_drawn(kind):
    draws = Prior(kind).fit(np.full((50, 3), 0.1, dtype=np.float32), seed=0).sample(20)
    np.testing.assert_allclose(draws, 0.1, atol=0.5)


def test_draws_are_repeatable(kind, codes):
    prior = Prior(kind).fit(codes, seed=0)
    first = prior.sample(10, random_state=3)
    np.testing.assert_array_equal(first, prior.sample(10, random_state=3))
    assert not np.allclose(first, prior.sample(10, random_state=4))
    again = Prior(kind).fit(codes, seed=0)
    np.testing.assert_array_equal(first, again.sample(10, random_state=3))


def test_draws_use_a_given_random_state_up(kind, codes):
    prior, random_state = Prior(kind).fit(codes, seed=0), np.random.RandomState(0)
    first, second = (prior.sample(10, random_state=random_state) for _ in range(2))
    assert not np.allclose(first, second)


def test_global_states_stay(kind, codes):
    def state():
        _, keys, *rest = np.random.get_state()  # noqa: NPY002 - it is what must not change
        return keys.tolist(), rest, torch.get_rng_state().tolist()

    before = state()
    Prior(kind).fit(codes, seed=0).sample(5, random_state=0)
    assert state() == before


def test_nothing_is_set_on_a_density_that_takes_no_seed(codes):
    prior = Prior(Jitter()).fit(codes, seed=0)
    before = dict(vars(prior.density_))
    prior.sample(3, random_state=0)
    assert vars(prior.density_) == before


@pytest.mark.parametrize("name", ["gmm", "posterior"])
def test_an_updated_prior_leaves_the_old_one(codes, name):
    prior = Prior(name).fit(codes, seed=0)
    before = prior.sample(50, random_state=0)
    updated = prior.updated(codes + 100)
    assert updated.sample(500, random_state=0).mean() > 80
    np.testing.assert_array_equal(prior.sample(50, random_state=0), before)


def test_an_estimator_is_cloned_and_not_fitted(codes):
    density = KernelDensity(bandwidth=0.3)
    prior = Prior(density).fit(codes, seed=0)
    assert isinstance(prior.density_, KernelDensity)
    assert prior.density_.bandwidth == 0.3
    with pytest.raises(NotFittedError):
        check_is_fitted(density)


@pytest.mark.parametrize(("own", "used"), [(None, 5), (1, 1)])
def test_an_estimator_is_seeded_where_it_is_not_already(codes, own, used):
    density = GaussianMixture(2, random_state=own)
    assert Prior(density).fit(codes, seed=5).density_.random_state == used
    assert density.random_state == own


def test_scale_of_the_codes_does_not_matter(kind, codes):
    scale, shift = np.array([1e-4, 1e4]), np.array([0, 1e5])
    draws = Prior(kind).fit(codes.astype(float), seed=0).sample(50, random_state=0)
    moved = Prior(kind).fit(codes * scale + shift, seed=0).sample(50, random_state=0)
    np.testing.assert_allclose((moved - shift) / scale, draws, rtol=1e-5, atol=1e-5)


def test_draws_of_a_mixture_come_in_random_order():
    """scikit-learn draws from one component after another."""
    rng = np.random.default_rng(0)
    codes = np.r_[rng.normal(size=(1000, 1)), 50 + rng.normal(size=(1000, 1))]
    drawn = Prior("gmm").fit(codes, 0).sample(400, 0)[:, 0] > 25
    first, second = drawn[:200].mean(), drawn[200:].mean()
    assert abs(first - second) < 0.2
