"""Posteriors: densities, divergences and draws agree with each other and with torch's."""

import math

import pytest
import torch
from scipy import integrate, special
from torch.distributions import Independent, Normal, kl_divergence

from skae.nn.posteriors import NormalPosterior, SphericalPosterior
from skae.nn.spheres import log_area, von_mises_fisher_log_normaliser
from skae.nn.variational_chain import Variational, uniforms

KINDS = {
    "normal": NormalPosterior,
    "von_mises_fisher": lambda k: SphericalPosterior(k, "von_mises_fisher"),
    "power_spherical": lambda k: SphericalPosterior(k, "power_spherical"),
}


@pytest.fixture(params=KINDS)
def posterior(request):
    return KINDS[request.param](4)


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def outputs(posterior, n_rows=3):
    return torch.randn(n_rows, posterior.n_outputs).double()


def test_normal_divergence_is_torch_s():
    posterior = NormalPosterior(4)
    h = outputs(posterior)
    q = Normal(*posterior.moments(h))
    torch.testing.assert_close(posterior.divergence(h), kl_divergence(q, Normal(0.0, 1.0)))
    z = torch.randn(5, 3, 4).double()
    torch.testing.assert_close(posterior.log_prob(h, z), Independent(q, 1).log_prob(z))


def test_divergence_is_that_of_draws(posterior):
    h = outputs(posterior).repeat(40_000, 1)
    z = posterior.draw(h)
    ratio = (posterior.log_prob(h, z) - posterior.log_prior(z)).view(40_000, 3)
    error = ratio.std(0) / 200
    exact = posterior.divergence(h[:3]).sum(1)
    assert ((ratio.mean(0) - exact).abs() < 4 * error + 1e-6).all()


def test_placed_codes_have_their_density(posterior):
    """The mean of prior over proposal is the mass of the prior, one."""
    h = outputs(posterior, 2)
    h[:, -1] = 0  # wide, so that the ratio has a small variance
    z = posterior.quantile(h, posterior.sobol_points(20_000)[:, None].expand(-1, 2, -1))
    ratio = (posterior.log_prior(z) - posterior.log_prob_quantile(h, z)).exp().mean(0)
    if not posterior.is_normal:
        torch.testing.assert_close(ratio, torch.ones_like(ratio), rtol=0.1, atol=0)
    else:
        torch.testing.assert_close(z.mean(0), posterior.moments(h)[0], atol=1e-2, rtol=0)
        torch.testing.assert_close(z.std(0), posterior.moments(h)[1], atol=1e-2, rtol=1e-2)


def test_points_are_the_same_every_time(posterior):
    points = posterior.sobol_points(16)
    assert torch.equal(points, posterior.sobol_points(16))
    assert not torch.equal(points, posterior.sobol_points(16, seed=1))


def test_every_row_has_draws_of_its_own_that_follow_from_it():
    points = NormalPosterior(3).sobol_points(64)
    x = torch.randn(2000, 5)
    x[7] = torch.nan
    u = uniforms(x, points)
    torch.testing.assert_close(u[:, 3:5], uniforms(x[3:5], points))
    for part in (u[0], u[:, 0], u[:, 7]):
        torch.testing.assert_close(part.mean(0), torch.full((3,), 0.5), atol=0.03, rtol=0)
        torch.testing.assert_close(part.var(0), torch.full((3,), 1 / 12), atol=0.01, rtol=0)
    assert torch.corrcoef(u[0].T).triu(1).abs().max() < 0.08
    nearly = x.clone()
    nearly[:, 0] = torch.nextafter(nearly[:, 0], torch.tensor(9.0))
    shift = (uniforms(nearly, points)[0] - u[0])[torch.arange(2000) != 7]
    assert shift.abs().mean() > 0.2


@pytest.mark.parametrize("k", [2, 3, 10, 40])
@pytest.mark.parametrize("kappa", [1.0, 30.0])
def test_spherical_densities_have_mass_one(k, kappa):
    def along(density):
        side = math.exp(log_area(k - 1)) if k > 2 else 2.0
        return integrate.quad(lambda t: density(t) * side * (1 - t * t) ** ((k - 3) / 2), -1, 1)[0]

    concentration = torch.tensor([[kappa]]).double()
    normaliser = float(von_mises_fisher_log_normaliser(concentration, k))
    assert along(lambda t: math.exp(normaliser + kappa * t)) == pytest.approx(1, rel=1e-6)
    posterior = SphericalPosterior(k, "power_spherical")
    direction = torch.zeros(1, k).double()
    direction[0, 0] = 1

    def density(t):
        z = torch.zeros(1, k).double()
        z[0, 0] = t
        return float(posterior._log_power(direction, concentration, z).exp())

    assert along(density) == pytest.approx(1, rel=1e-4)


def test_bessel_functions_that_underflow_are_still_right():
    """The ratio of orders that differ by one is known to be about kappa over twice the order."""
    kappa = torch.tensor([[1.0]]).double()
    k = 2000
    below = float(von_mises_fisher_log_normaliser(kappa, k))
    uniform = -log_area(k)
    assert math.isfinite(below)
    assert below == pytest.approx(uniform, abs=1e-3)
    assert special.ive(k / 2 - 1, 1.0) == 0


def test_gradients_are_those_of_differences(posterior):
    h = outputs(posterior).requires_grad_()
    assert torch.autograd.gradcheck(posterior.divergence, (h,), atol=1e-4)
    z = posterior.constrain(torch.randn(3, 4).double())
    assert torch.autograd.gradcheck(lambda h: posterior.log_prob(h, z), (h,), atol=1e-4)


@pytest.mark.parametrize("kappa", [1e3, 5e4])
@pytest.mark.parametrize("k", [3, 10])
def test_narrow_densities_keep_their_digits(k, kappa):
    """The divergence of a narrow bump grows by half its dimensions for each factor of e."""
    for kind in ("von_mises_fisher", "power_spherical"):
        posterior = SphericalPosterior(k, kind)
        h = torch.full((1, k + 1), kappa, requires_grad=True)
        (gradient,) = torch.autograd.grad(posterior.divergence(h).sum(), h)
        assert float(gradient[0, -1]) == pytest.approx((k - 1) / (2 * kappa), rel=0.05)


def test_draws_pass_a_gradient(posterior):
    """Of a linear function, the mean gradient of draws is the gradient of the mean."""
    h = outputs(posterior, 1).requires_grad_()
    direction = torch.tensor([1.0, -0.5, 0.3, 2.0]).double()

    def mean_of(h):
        if posterior.is_normal:
            return posterior.moments(h)[0] @ direction
        mu, kappa = posterior.moments(h)
        if posterior.is_power:
            length = kappa / (kappa + posterior.n_components - 1)
        else:
            order = posterior.n_components / 2
            kappa = kappa.detach().numpy()
            length = torch.from_numpy(special.ive(order, kappa) / special.ive(order - 1, kappa))
        return (length * mu) @ direction

    draws = posterior.draw(h.expand(200_000, -1)) @ direction
    assert draws.mean().item() == pytest.approx(mean_of(h).sum().item(), abs=0.02)
    (by_draws,) = torch.autograd.grad(draws.mean(), h)
    (exact,) = torch.autograd.grad(mean_of(h).sum(), h)
    directions = slice(None) if posterior.is_normal or posterior.is_power else slice(0, -1)
    torch.testing.assert_close(by_draws[:, directions], exact[:, directions], atol=0.03, rtol=0)


def test_codes_lie_where_they_should():
    posterior = SphericalPosterior(5, "von_mises_fisher")
    h = outputs(posterior, 100)
    for z in (posterior.draw(h), posterior.constrain(torch.randn(9, 5)), posterior.moments(h)[0]):
        torch.testing.assert_close(z.norm(dim=1), torch.ones_like(z[:, 0]))


class TestVariational:
    h = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))

    def test_penalty_is_the_divergence_times_beta(self):
        posterior = NormalPosterior(3)
        for beta in (0.0, 1.0, 2.5):
            penalty = Variational(posterior, beta)(self.h).penalty
            torch.testing.assert_close(penalty, beta * posterior.divergence(self.h).sum(1))

    def test_schedule_counts_in_training_alone(self):
        bottleneck = Variational(NormalPosterior(3), 2.0, schedule=lambda progress: progress)
        bottleneck.set_progress(0.25)
        whole = bottleneck.eval()(self.h).penalty
        torch.testing.assert_close(bottleneck.train()(self.h).penalty, 0.25 * whole)

    def test_free_bits_press_no_unit_below_them(self):
        posterior = NormalPosterior(3)
        h = 0.1 * self.h
        h[:, 0] += 5
        h.requires_grad_()
        bottleneck = Variational(posterior, free_bits=4.0).train()
        bottleneck(h).penalty.sum().backward()
        assert (h.grad[:, 0] != 0).all()
        assert not h.grad[:, [1, 2, 4, 5]].any()
        assert bottleneck.eval()(h).penalty.mean() > 4

    def test_evaluation_draws_the_same_codes_every_time(self):
        bottleneck = Variational(NormalPosterior(3)).eval()
        assert torch.equal(bottleneck(self.h).z, bottleneck(self.h).z)
        bottleneck.train()
        assert not torch.equal(bottleneck(self.h).z, bottleneck(self.h).z)

    def test_several_draws_follow_one_another(self):
        code = Variational(NormalPosterior(3), n_draws=4)(self.h)
        assert code.z.shape == (256, 3)
        assert code.penalty.shape == (256,)
