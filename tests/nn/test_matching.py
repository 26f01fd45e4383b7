"""Laws of codes, and penalties that pull codes to them."""

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from skae.nn.laws import LAWS, Normal, Sampled
from skae.nn.matching import MATCHINGS, Adversarial, sliced_distance

KINDS = pytest.mark.parametrize("kind", MATCHINGS)
EXACT = pytest.mark.parametrize("kind", ["sliced", "mmd", "cramer_wold"])


class Chain:
    training = True


class TestLaws:
    """What codes are drawn from."""

    @pytest.mark.parametrize("name", LAWS)
    def test_draws(self, name):
        torch.manual_seed(0)
        codes = LAWS[name](4).draw(torch.empty(20_000, 4))
        assert codes.shape == (20_000, 4)
        np.testing.assert_allclose(codes.mean(0), 0, atol=0.5 if name == "swiss_roll" else 0.05)
        assert ((codes.std(0) > 0.6) & (codes.std(0) < 1.3)).all()

    def test_normal_and_uniform(self):
        torch.manual_seed(0)
        like = torch.empty(5000, 2)
        assert kstest(LAWS["normal"](2).draw(like)[:, 1].numpy(), "norm").pvalue > 0.01
        bounds = (-np.sqrt(3), 2 * np.sqrt(3))
        assert kstest(LAWS["uniform"](2).draw(like)[:, 1].numpy(), "uniform", bounds).pvalue > 0.01

    def test_a_mixture_has_ten_petals(self):
        torch.manual_seed(0)
        plane = LAWS["mixture"](2).draw(torch.empty(20_000, 2))
        angle = torch.atan2(plane[:, 1], plane[:, 0]) * 10 / (2 * np.pi)
        assert (angle - angle.round()).abs().mean() < 0.15
        assert len(torch.unique(angle.round().long() % 10)) == 10

    def test_a_law_of_ones_own(self):
        law = Sampled(torch.eye(3))
        codes = law.draw(torch.empty(50, 3))
        assert (codes.sum(1) == 1).all()


class TestDistances:
    """How far codes are from a law."""

    @EXACT
    def test_of_the_law_itself_it_is_zero_on_the_mean(self, kind):
        torch.manual_seed(0)
        matching = MATCHINGS[kind](1.0, Normal(4))
        costs = torch.stack([matching.cost(*torch.randn(2, 200, 4)) for _ in range(300)])
        error = costs.std() / np.sqrt(len(costs))
        if kind == "sliced":
            assert costs.mean() < 0.05
        else:
            assert abs(costs.mean()) < 4 * error

    @EXACT
    def test_it_rises_with_the_distance(self, kind):
        torch.manual_seed(0)
        matching = MATCHINGS[kind](1.0, Normal(4))
        z, y = torch.randn(2, 500, 4)
        shifts = [float(matching.cost(z + shift, y)) for shift in (0.0, 0.5, 1.0, 3.0)]
        scales = [float(matching.cost(z * scale, y)) for scale in (1.0, 2.0, 5.0)]
        assert shifts == sorted(shifts)
        assert scales == sorted(scales)

    def test_the_sliced_distance_of_shifted_codes(self):
        torch.manual_seed(0)
        z = torch.randn(4000, 3)
        shift = torch.tensor([3.0, 0.0, 0.0])
        # The mean square of a direction's first coordinate is one third.
        assert float(sliced_distance(z, z + shift)) == pytest.approx(3.0, rel=0.4)

    @KINDS
    def test_descent_matches_codes(self, kind):
        torch.manual_seed(0)
        matching = MATCHINGS[kind](1.0, Normal(2))
        z = torch.nn.Parameter(0.3 * torch.randn(256, 2) + 2)
        start = float(sliced_distance(z.detach(), torch.randn(256, 2)))
        steps = torch.optim.Adam([z, *matching.parameters()], lr=0.03)
        for _ in range(400):
            steps.zero_grad()
            matching(Chain(), None, z).mean().backward()
            steps.step()
        assert float(sliced_distance(z.detach(), torch.randn(256, 2))) < 0.2 * start

    @KINDS
    def test_evaluation_repeats_itself_and_is_in_proportion_to_the_strength(self, kind):
        chain = Chain()
        chain.training = False
        z = torch.randn(50, 3)
        costs = [
            MATCHINGS[kind](strength, Normal(3))(chain, None, z) for strength in (1.0, 1.0, 2.0)
        ]
        assert torch.equal(costs[0], costs[1])
        torch.testing.assert_close(costs[2], 2 * costs[0])
        assert (costs[0] == costs[0][0]).all()

    def test_a_discriminator_and_its_encoder_pull_apart(self):
        torch.manual_seed(0)
        matching = Adversarial(1.0, Normal(2))
        z = (torch.randn(64, 2) + 3).requires_grad_()
        y = torch.randn(64, 2)
        steps = torch.optim.Adam(matching.parameters(), lr=0.01)
        for _ in range(100):
            steps.zero_grad()
            matching.cost(z.detach(), y).backward()
            steps.step()
        assert matching.accuracy(z.detach()) > 0.9
        # The encoder is pulled to where draws are: against the descent of the discriminator's loss.
        (gradient,) = torch.autograd.grad(matching.cost(z, y), z)
        assert (gradient.mean(0) > 0).all()
