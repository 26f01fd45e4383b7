"""The game of a generator and a discriminator."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from skae.gans.judging import Judge
from skae.nn.chain import Autoencoder
from skae.nn.discriminators import convolutional_discriminator, dense_discriminator
from skae.nn.game import Game, Generator
from skae.nn.laws import Normal
from skae.nn.likelihoods import Gaussian
from skae.nn.pca import principal_components


def make_game(gradient_penalty=0.7):
    torch.manual_seed(0)
    ends = torch.full((3,), -torch.inf), torch.full((3,), torch.inf)
    chain = Autoencoder(nn.Linear(3, 2), nn.Linear(2, 3), Gaussian(*ends, 1.0))
    discriminator = dense_discriminator(3, (8,))
    nn.init.normal_(discriminator[-1].weight)
    return Game(Generator(chain), discriminator, Normal(2), gradient_penalty)


def gradients(network):
    return [each.grad.clone() for each in network.parameters()]


def test_each_player_has_the_gradient_of_its_own_loss():
    game, x = make_game(), torch.randn(16, 3)
    torch.manual_seed(1)
    losses = game.loss(*game(x), x)
    losses.mean().backward()
    found = gradients(game.generator.decoder), gradients(game.discriminator)
    game.zero_grad()

    torch.manual_seed(1)
    game.n_steps = 0
    (fake,) = game(x)
    softplus(game.discriminator(x) - game.discriminator(fake)).mean().backward()
    for one, other in zip(found[0], gradients(game.generator.decoder), strict=True):
        torch.testing.assert_close(one, other)

    game.zero_grad()
    pair = [each.detach().requires_grad_() for each in (x, fake)]
    logits = [game.discriminator(each)[:, 0] for each in pair]
    loss = softplus(logits[1] - logits[0]).mean()
    for logit, each in zip(logits, pair, strict=True):
        (slope,) = torch.autograd.grad(logit.sum(), each, create_graph=True)
        loss = loss + 0.35 * slope.square().sum(1).mean()
    loss.backward()
    for one, other in zip(found[1], gradients(game.discriminator), strict=True):
        torch.testing.assert_close(one, other)


def test_weights_are_averaged():
    game, x = make_game(), torch.randn(4, 3)
    game(x)
    weight = game.generator.decoder.weight
    torch.testing.assert_close(game.averaged.decoder.weight, weight)
    with torch.no_grad():
        weight.zero_()
    for _ in range(20):
        game(x)
    assert 0 < game.averaged.decoder.weight.abs().max() < 0.1
    before = game.averaged.decoder.weight.clone()
    game.eval()(x)
    torch.testing.assert_close(game.averaged.decoder.weight, before)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 9, 14), (1, 1, 5)])
@pytest.mark.parametrize("channels", [(), (4,), (4, 6, 8)])
def test_convolutional_discriminators(shape, channels):
    discriminator = convolutional_discriminator(shape, channels)
    assert discriminator(torch.randn(2, int(np.prod(shape)))).tolist() == [[0], [0]]


def test_the_judge_tells_distributions_of_equal_moments():
    rng = np.random.default_rng(0)
    signs = rng.choice([-1, 1], size=(3, 4000, 2))
    two = torch.from_numpy(signs + 0.1 * rng.normal(size=signs.shape))
    normal = torch.from_numpy(np.sqrt(1.01) * rng.normal(size=(4000, 2)))
    judge = Judge(principal_components([(two[0], None)]), two[1])
    assert abs(judge(two[2])) < 0.002
    assert judge(normal) > 0.02
