"""Likelihoods: densities that are right, means that are means, draws that follow them."""

import math

import pytest
import torch
from torch.distributions import Bernoulli as TorchBernoulli
from torch.distributions import ContinuousBernoulli as TorchContinuousBernoulli
from torch.distributions import Normal

from skae.nn.likelihoods import Gaussian
from skae.nn.table_likelihoods import NumbersAndStates
from skae.nn.unit_interval import Bernoulli, ContinuousBernoulli

INFINITE = torch.full((3,), math.inf, dtype=torch.float64)


def make_gaussian(variance=0.5, low=-INFINITE, high=INFINITE):
    return Gaussian(low, high, variance).double()


LIKELIHOODS = {
    "gaussian": make_gaussian,
    "bernoulli": Bernoulli,
    "continuous_bernoulli": ContinuousBernoulli,
}


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture(params=LIKELIHOODS)
def likelihood(request):
    return LIKELIHOODS[request.param]()


@pytest.fixture
def output(generator):
    return torch.randn(4, 3, generator=generator, dtype=torch.float64)


@pytest.fixture
def x(generator):
    return torch.rand(4, 3, generator=generator, dtype=torch.float64)


def test_gaussian_log_prob_is_torch_s(output, x):
    expected = Normal(output, math.sqrt(0.5)).log_prob(x)
    torch.testing.assert_close(make_gaussian().log_prob(output, x), expected)


def test_bernoulli_log_prob_is_torch_s(output):
    x = torch.ones_like(output)
    expected = TorchBernoulli(logits=output).log_prob(x)
    torch.testing.assert_close(Bernoulli().log_prob(output, x), expected)


def test_continuous_bernoulli_is_a_density(output):
    grid = torch.linspace(0, 1, 2001, dtype=torch.float64)
    density = ContinuousBernoulli().log_prob(output[:1, :1], grid[:, None]).exp()
    assert float(torch.trapezoid(density[:, 0], grid)) == pytest.approx(1, abs=1e-5)
    mean = torch.trapezoid(density[:, 0] * grid, grid)
    assert float(ContinuousBernoulli().mean(output[:1, :1])) == pytest.approx(float(mean), abs=1e-4)


def test_continuous_bernoulli_is_exact_for_all_logits():
    """Against the limits far out, and in the middle against torch's, which is right there."""
    logits = torch.tensor([[-200.0, -50, -5, -0.61, -0.59, -1e-4, 0, 0.3, 0.6, 5, 50, 200]])
    mean = ContinuousBernoulli().mean(logits)
    far = logits[:, [0, 1, 10, 11]]
    expected = torch.where(far > 0, 1 - 1 / far, -1 / far)
    torch.testing.assert_close(mean[:, [0, 1, 10, 11]], expected)
    near = logits[:, 2:10].double()
    reference = TorchContinuousBernoulli(logits=near, lims=(0.4999, 0.5001))
    torch.testing.assert_close(mean[:, 2:10].double(), reference.mean, atol=1e-6, rtol=0)
    x = torch.full_like(near, 0.3)
    log_prob = ContinuousBernoulli().log_prob(near.float(), x.float()).double()
    torch.testing.assert_close(log_prob, reference.log_prob(x), atol=1e-6, rtol=0)


def test_continuous_bernoulli_draws_have_its_mean(generator):
    logits = torch.tensor([[-60.0, -4, 0, 1e-3, 4, 60]])
    draws = ContinuousBernoulli().sample(logits.repeat(100_000, 1), generator)
    assert draws.min() >= 0
    assert draws.max() <= 1
    expected = ContinuousBernoulli().mean(logits)[0]
    torch.testing.assert_close(draws.mean(0), expected, atol=4e-3, rtol=0)


def test_rows_are_sums_of_cells(likelihood, output, x):
    torch.testing.assert_close(
        likelihood.negative_log_prob(output, x), -likelihood.log_prob(output, x).sum(1)
    )


def test_gradient_agrees_with_finite_differences(likelihood, output, x):
    output.requires_grad_()
    assert torch.autograd.gradcheck(lambda o: likelihood.negative_log_prob(o, x), (output,))


def test_draws_have_the_mean(likelihood, output, generator):
    many = output[:1].expand(20_000, 3)
    draws = likelihood.sample(many, generator)
    torch.testing.assert_close(draws.mean(0), likelihood.mean(output)[0], atol=0.02, rtol=0)


def test_clamp_clips_the_value_and_passes_the_gradient():
    low, high = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    gaussian = make_gaussian(low=low, high=high)
    output = torch.tensor([[-2.0, 0.5, 3.0]], dtype=torch.float64, requires_grad=True)
    mean = gaussian.mean(output)
    assert mean.tolist() == [[0.0, 0.5, 1.0]]
    mean.sum().backward()
    assert output.grad.tolist() == [[1.0, 1.0, 1.0]]


def test_a_clamped_cell_that_is_right_is_not_pushed():
    low, high = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    output = torch.tensor([[-2.0, 0.5, 3.0]], dtype=torch.float64, requires_grad=True)
    x = torch.tensor([[0.0, 0.5, 0.0]], dtype=torch.float64)
    make_gaussian(low=low, high=high).negative_log_prob(output, x).sum().backward()
    assert output.grad[0, 0] == 0
    assert output.grad[0, 2] > 0


def test_draws_stay_in_the_range(generator):
    low, high = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    output = torch.zeros(100, 3, dtype=torch.float64)
    draws = make_gaussian(4.0, low, high).sample(output, generator)
    assert draws.min() == 0
    assert draws.max() == 1


def test_variance_of_an_exact_fit_keeps_the_density_finite(x):
    gaussian = make_gaussian(0.0)
    assert torch.isfinite(gaussian.log_prob(x, x)).all()


class TestNumbersAndCodes:
    """Two numbers, the second with an point_mass at 1, and three codes, the last of labels."""

    @pytest.fixture
    def cells(self):
        return NumbersAndStates([2, 3, 4], [0, 1], [[], [1.0]], 0.5).double()

    @pytest.fixture
    def output(self, generator):
        return torch.randn(5, 11, generator=generator, dtype=torch.float64)

    def test_codes_of_a_cell_have_probability_one(self, cells, output):
        codes = torch.tensor([[0, 0, code] for code in range(4)])
        x = torch.cat([torch.zeros(4, 2), codes], dim=1).double()
        probabilities = cells.log_prob(output[:1].expand(4, -1), x)[:, 4].exp()
        torch.testing.assert_close(probabilities.sum(), torch.ones((), dtype=torch.float64))

    def test_cells_of_numbers_have_the_density_of_normals(self, cells, output):
        x = torch.tensor([[0.3, -2.0, 0, 0, 2]], dtype=torch.float64).expand(5, -1)
        normal = torch.distributions.Normal(output[:, :2], math.sqrt(0.5))
        torch.testing.assert_close(cells.log_prob(output, x)[:, :2], normal.log_prob(x[:, :2]))
        torch.testing.assert_close(
            cells.negative_log_prob(output, x), -cells.log_prob(output, x).sum(1)
        )

    def test_absent_numbers_and_hidden_cells_count_nothing(self, cells, output):
        x = torch.tensor([[math.nan, 1.0, 1, 2, -1]], dtype=torch.float64).expand(5, -1)
        log_prob = cells.log_prob(output, x)
        assert (log_prob[:, [0, 1, 4]] == 0).all()
        assert (log_prob[:, [2, 3]] < 0).all()
        assert torch.isnan(cells.squared_error(output, x)).all()

    def test_atoms_teach_the_mean_too(self, cells, output):
        x = torch.tensor([[0.0, 1.0, 0, 2, 0]], dtype=torch.float64).expand(5, -1)
        output.requires_grad_()
        cells.negative_log_prob(output, x).sum().backward()
        assert (output.grad[:, 1] != 0).all()

    def test_gradient_agrees_with_finite_differences(self, cells, output):
        x = torch.tensor([[math.nan, 1.0, 1, 2, 3]], dtype=torch.float64).expand(5, -1)
        output.requires_grad_()
        assert torch.autograd.gradcheck(lambda o: cells.negative_log_prob(o, x), (output,))

    def test_an_atom_is_taken_only_where_the_mean_is_near(self, cells):
        output = torch.zeros(2, 11, dtype=torch.float64)
        output[:, 1] = torch.tensor([1.1, 9.0])
        output[:, 2 + 2 + 2] = 3.0
        mean = cells.mean(output)
        assert mean[:, 3].tolist() == [2, 0]
        assert torch.equal(mean[:, 1], output[:, 1])

    def test_draws_follow_the_codes(self, cells, generator):
        output = torch.zeros(20_000, 11, dtype=torch.float64)
        output[:, 0] = 3.0
        draws = cells.sample(output, generator)
        assert draws[:, 0].mean() == pytest.approx(3, abs=0.02)
        assert draws[:, 0].var() == pytest.approx(0.5, abs=0.02)
        shares = torch.bincount(draws[:, 4].long()) / len(draws)
        torch.testing.assert_close(shares, torch.full((4,), 0.25), atol=0.02, rtol=0)


@pytest.mark.parametrize(
    "likelihood",
    [
        Bernoulli(),
        ContinuousBernoulli(),
        Gaussian(torch.full((4,), -torch.inf), torch.full((4,), torch.inf), 0.3),
    ],
    ids=lambda likelihood: type(likelihood).__name__,
)
def test_curvature_is_the_second_derivative(likelihood):
    likelihood = likelihood.double()
    output = torch.tensor([[-9.0, -0.4, 0.0, 2.0], [0.1, 0.61, 5.0, 30.0]]).double()
    x = torch.full_like(output, 0.3)

    def loss(o):
        return likelihood.negative_log_prob(o.view(2, 4), x).sum()

    exact = torch.autograd.functional.hessian(loss, output.flatten()).diagonal().view(2, 4)
    torch.testing.assert_close(likelihood.curvature(output), exact, rtol=1e-3, atol=1e-6)
