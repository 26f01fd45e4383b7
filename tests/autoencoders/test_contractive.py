"""ContractiveAE: the penalty is the norm of the Jacobian, and does its work."""

import numpy as np
import pytest
import torch
from helpers import rows_of_a_shop
from torch import nn

from skae import ContractiveAE
from skae.nn.bottlenecks import Activated, Identity
from skae.nn.chain import Autoencoder
from skae.nn.networks import dense_pair
from skae.nn.penalties import Contraction

X = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))


def make_chain(hidden, bottleneck):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder, decoder = dense_pair((5, *hidden, 3), "tanh", 0.0, tied=False)
    return Autoencoder(encoder[0] if not hidden else encoder, decoder, nn.Identity(), bottleneck)


def squared_norms(chain, x):
    """The squared norm of every row's Jacobian, by autograd."""
    jacobians = [torch.func.jacrev(lambda row: chain.encode(row[None])[0])(row) for row in x]
    return torch.stack(jacobians).square().sum((1, 2))


@pytest.mark.parametrize("bottleneck", [Identity(), Activated("logistic"), Activated("tanh")])
def test_one_layer_is_exact(bottleneck):
    chain = make_chain((), bottleneck)
    cost = Contraction(2.0)(chain, X, None)
    torch.testing.assert_close(cost, 2 * squared_norms(chain, X))


@pytest.mark.parametrize("bottleneck", [Identity(), Activated("logistic")])
def test_the_estimate_is_unbiased(bottleneck):
    chain = make_chain((7,), bottleneck)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        penalty = Contraction(2.0)
        cost = torch.stack([penalty(chain, X, None).detach() for _ in range(4000)]).mean(0)
    torch.testing.assert_close(cost, 2 * squared_norms(chain, X), rtol=0.05, atol=0)


@pytest.mark.parametrize("hidden", [(), (7,)])
def test_its_gradient_is_that_of_finite_differences(hidden):
    chain = make_chain(hidden, Activated("logistic")).double()
    penalty = Contraction(1.0)
    weight = next(chain.encoder.parameters())

    def cost():
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return penalty(chain, X.double(), None).sum()

    (gradient,) = torch.autograd.grad(cost(), weight)
    with torch.no_grad():
        weight[1, 2] += 1e-6
        above = cost()
        weight[1, 2] -= 2e-6
        below = cost()
    assert float(gradient[1, 2]) == pytest.approx(float(above - below) / 2e-6, rel=1e-4)


def test_evaluation_repeats_itself():
    chain = make_chain((7,), Identity()).eval()
    with torch.no_grad():
        first, second = (Contraction(1.0)(chain, X, None) for _ in range(2))
    assert torch.equal(first, second)
    assert not first.requires_grad


@pytest.mark.parametrize("hidden", [(), (32,)])
def test_strength_contracts(digits, hidden):
    def movement(strength):
        fitted = ContractiveAE(
            strength=strength,
            hidden_layer_sizes=hidden,
            activation="tanh",
            max_epochs=30,
            random_state=0,
        ).fit(digits)
        step = 0.1 * np.random.default_rng(0).normal(size=digits.shape)
        moved = fitted.transform(digits + step) - fitted.transform(digits)
        return (moved**2).sum(1).mean()

    assert movement(10.0) < 0.5 * movement(0.0)


def test_it_reconstructs(digits):
    fitted = ContractiveAE(64, max_epochs=60, random_state=0).fit(digits[:1500])
    error = ((fitted.reconstruct(digits[1500:]) - digits[1500:]) ** 2).sum(1).mean()
    assert error < 0.15 * digits.var(0).sum()
    codes = fitted.transform(digits)
    assert codes.min() >= 0
    assert codes.max() <= 1


@pytest.mark.parametrize("hidden", [(), (16,)])
def test_tables(hidden):
    frame = rows_of_a_shop()
    fitted = ContractiveAE(8, hidden_layer_sizes=hidden, max_epochs=20, random_state=0).fit(frame)
    back = fitted.reconstruct(frame)
    assert back.dtypes.equals(frame.dtypes)
