"""Networks: shapes that fit, ties that hold, and gradients that are right."""

import math

import pytest
import torch
from torch import nn

from skae.nn.chain import Autoencoder
from skae.nn.likelihoods import Gaussian
from skae.nn.networks import (
    ACTIVATIONS,
    CodeToEveryLayer,
    SkipNetwork,
    convolutional_pair,
    dense_pair,
    linear_pair,
)
from skae.nn.unit_interval import Bernoulli, ContinuousBernoulli

INFINITE = torch.full((4,), math.inf)
LIKELIHOODS = {
    "gaussian": lambda: Gaussian(-INFINITE, INFINITE, 0.5),
    "bernoulli": Bernoulli,
    "continuous_bernoulli": ContinuousBernoulli,
}


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def layers(network, kind):
    return [module for module in network.modules() if isinstance(module, kind)]


def weights(network):
    return [module.weight for module in network.modules() if hasattr(module, "weight")]


def check_shapes(encoder, decoder, n_features, n_components):
    z = encoder(torch.randn(3, n_features))
    assert z.shape == (3, n_components)
    assert decoder(z).shape == (3, n_features)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("hidden", [(8,), (8, 5), (8, 5, 7)])
def test_dense_pairs_lead_to_the_code_and_back(hidden, tied):
    encoder, decoder = dense_pair((10, *hidden, 2), "relu", 0, tied=tied)
    check_shapes(encoder, decoder, 10, 2)
    shapes = [tuple(weight.shape) for weight in weights(encoder)]
    assert shapes == list(zip((*hidden, 2), (10, *hidden), strict=True))
    assert len(layers(encoder, nn.ReLU)) == len(layers(decoder, nn.ReLU)) == len(hidden)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("channels", [(4,), (4, 3), (4, 3, 5)])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 7, 7), (1, 5, 12), (3, 1, 2)])
def test_convolutional_pairs_lead_to_the_code_and_back(shape, channels, tied):
    encoder, decoder = convolutional_pair(shape, channels, 2, "relu", 0, tied=tied)
    check_shapes(encoder, decoder, math.prod(shape), 2)
    assert [layer.out_channels for layer in layers(encoder, nn.Conv2d)] == list(channels)


@pytest.mark.parametrize(
    "make",
    [
        lambda tied: dense_pair((10, 8, 5, 2), "relu", 0, tied=tied),
        lambda tied: convolutional_pair((3, 7, 6), (4, 5), 2, "relu", 0, tied=tied),
        lambda tied: linear_pair(10, 2, tied=tied),
    ],
    ids=["dense", "convolutional", "linear"],
)
def test_tied_weights_are_one_tensor_and_biases_two(make):
    encoder, decoder = make(tied=True)
    pairs = list(zip(weights(encoder), reversed(weights(decoder)), strict=True))
    assert all(there is back for there, back in pairs)
    untied = make(tied=False)
    assert not {id(w) for w in weights(untied[0])} & {id(w) for w in weights(untied[1])}
    sizes = [
        [
            len(parameter)
            for parameter in nn.ModuleList(networks).parameters()
            if parameter.ndim == 1
        ]
        for networks in ((encoder, decoder), untied)
    ]
    assert sorted(sizes[0]) == sorted(sizes[1])


@pytest.mark.parametrize("n_in", [8, 30, 300, 784])
@pytest.mark.parametrize("width", [256, 1000])
def test_units_of_wide_layers_start_as_large_as_those_of_128(n_in, width):
    x = torch.randn(2000, n_in, generator=torch.Generator().manual_seed(0))
    sizes = []
    for n_units in (128, width):
        encoder, decoder = dense_pair((n_in, n_units, 4), "gelu", 0.0, tied=False)
        sizes.append([encoder[0](x).std().item(), decoder[0](x[:, :4]).std().item()])
    assert sizes[1] == pytest.approx(sizes[0], rel=0.1)


def test_a_tied_linear_decoder_is_the_transpose():
    encoder, decoder = linear_pair(5, 2, tied=True)
    torch.testing.assert_close(decoder(torch.eye(2)), encoder.weight)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS.keys() - {"identity"}))
def test_every_activation_is_used_and_bends(name):
    encoder, decoder = dense_pair((4, 8, 8, 2), name, 0, tied=False)
    assert len(layers(encoder, ACTIVATIONS[name])) == len(layers(decoder, ACTIVATIONS[name])) == 2
    a, b = torch.randn(2, 1, 4)
    parts, whole = encoder(a) + encoder(b), encoder(a + b) + encoder(0 * a)
    assert not torch.allclose(parts, whole)


@pytest.mark.parametrize(("dropout", "n_layers"), [(0.0, 0), (0.3, 2)])
def test_dropout_is_there_only_if_asked_for(dropout, n_layers):
    dense = dense_pair((4, 8, 8, 2), "relu", dropout, tied=False)
    convolutional = convolutional_pair((1, 8, 8), (4, 4), 2, "relu", dropout, tied=False)
    for network in (*dense, *convolutional):
        assert [layer.p for layer in layers(network, nn.Dropout)] == [dropout] * n_layers


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_gradients_of_the_chain_agree_with_finite_differences(likelihood, tied):
    there, back = linear_pair(4, 2, tied=tied)
    deep_there, deep_back = dense_pair((4, 3, 2), "tanh", 0, tied=tied)
    encoder, decoder = SkipNetwork(there, deep_there), SkipNetwork(back, deep_back)
    chain = Autoencoder(encoder, decoder, LIKELIHOODS[likelihood]()).double()
    x = torch.rand(3, 4, dtype=torch.float64)

    def loss(*parameters):
        named = dict(zip(dict(chain.named_parameters()), parameters, strict=True))
        output, code = torch.func.functional_call(chain, named, (x,))
        return chain.loss(output, code, x)

    assert torch.autograd.gradcheck(loss, tuple(chain.parameters()))


@pytest.mark.parametrize("shape", [None, (1, 8, 8)], ids=["dense", "convolutional"])
def test_every_layer_sees_the_code(shape):
    if shape is None:
        _, decoder = dense_pair((64, 12, 10, 3), "tanh", 0.0, tied=False)
    else:
        _, decoder = convolutional_pair(shape, (4, 6), 3, "tanh", 0.0, tied=False)
    z = torch.randn(5, 3)
    before = decoder(z)
    skips = CodeToEveryLayer(decoder, 3)
    torch.testing.assert_close(skips(z), before)
    for path in skips.paths:
        with torch.no_grad():
            path.weight.fill_(0.5)
        assert not torch.allclose(skips(z), before)
        torch.nn.init.zeros_(path.weight)
    assert len(skips.paths) == 2
