"""Pre-training: layers that learn one after another are a start that random weights are not."""

import os
import signal
import threading

import numpy as np
import pytest
import torch
from helpers import rows_of_a_shop
from torch import nn

from skae import AutoencoderTransformer, ContractiveAE, DenoisingAE, SparseAE
from skae.nn.networks import convolutional_pair, dense_pair, linear_pair, stages

DEEP = {"hidden_layer_sizes": (100, 50, 25), "activation": "logistic", "likelihood": "bernoulli"}


def make(cls=AutoencoderTransformer, n_components=8, **params):
    params = {"random_state": 0, "max_epochs": 30, "learning_rate": 0.003, **params}
    return cls(n_components, **params)


def error(fitted, X):
    return ((fitted.reconstruct(X) - X) ** 2).sum(1).mean()


@pytest.fixture(scope="module")
def images(digits):
    return digits / 16


class TestStages:
    @pytest.mark.parametrize(
        "pair",
        [
            linear_pair(6, 3, tied=False),
            dense_pair((6, 5, 4, 3), "gelu", 0.1, tied=False),
            dense_pair((6, 5, 4, 3), "gelu", 0.0, tied=True),
            convolutional_pair((1, 6, 6), (2, 3), 4, "gelu", 0.0, tied=False),
        ],
        ids=["linear", "dense", "tied", "convolutional"],
    )
    def test_one_after_another_they_are_the_network(self, pair):
        for network in pair:
            network.eval()
            first = next(m for m in network.modules() if hasattr(m, "weight"))
            is_image = isinstance(first, nn.Conv2d)
            n_in = 36 if is_image else getattr(first, "in_features", first.weight.shape[0])
            x = torch.randn(2, n_in)
            y = x
            for stage in stages(network):
                assert sum(hasattr(module, "weight") for module in stage) == 1
                y = stage(y)
            torch.testing.assert_close(y, network(x))


@pytest.mark.parametrize("init", ["greedy", "rbm"])
def test_deep_logistic_networks_need_it(images, init):
    """Without it they give little more than the mean image, as Hinton and Salakhutdinov found."""
    train, test = images[:1500], images[1500:]
    of_mean = ((test - train.mean(0)) ** 2).sum(1).mean()
    assert error(make(init="random", **DEEP).fit(train), test) > 0.85 * of_mean
    fitted = make(init=init, pretraining_epochs=60, **DEEP).fit(train)
    assert error(fitted, test) < 0.7 * of_mean


@pytest.mark.parametrize(
    "estimator",
    [
        make(init="greedy"),
        make(init="greedy", tied_weights=True),
        make(init="greedy", image_shape=(8, 8)),
        make(init="greedy", hidden_layer_sizes=()),
        make(init="rbm", tied_weights=True, **DEEP),
        make(init="rbm", quantize=8, **DEEP),
        make(DenoisingAE, init="greedy", corruption="masking"),
        make(SparseAE, "auto", init="greedy", hidden_layer_sizes=(50,)),
        make(SparseAE, "auto", init="rbm", penalty="kl", **DEEP),
        make(ContractiveAE, init="greedy", hidden_layer_sizes=(50,)),
    ],
    ids=lambda estimator: f"{type(estimator).__name__}-{estimator.init}",
)
def test_the_whole_family_can_start_there(images, estimator):
    estimator.set_params(max_epochs=5, pretraining_epochs=20).fit(images)
    again = type(estimator)(**estimator.get_params()).fit(images)
    np.testing.assert_array_equal(estimator.transform(images[:9]), again.transform(images[:9]))
    assert error(estimator, images) < 1.05 * images.var(0).sum()


def test_more_of_it_is_a_better_start(images):
    def start(n_epochs):
        fitted = make(init="greedy", learning_rate=1e-9, max_epochs=1, pretraining_epochs=n_epochs)
        return fitted.set_params(learning_rate=3e-3).fit(images).loss_curve_[0]

    assert start(30) < start(1)


def test_weighted_rows_and_tables(images):
    weights = np.r_[np.zeros(100), np.ones(len(images) - 100)]
    params = {"init": "greedy", "max_epochs": 2}
    fitted = make(**params).fit(images, sample_weight=weights)
    again = make(**params).fit(images[100:])
    np.testing.assert_allclose(fitted.transform(images), again.transform(images), atol=1e-5)
    frame = rows_of_a_shop()
    assert make(init="greedy").fit(frame).reconstruct(frame).dtypes.equals(frame.dtypes)


@pytest.mark.parametrize(
    "params", [{}, {"activation": "logistic"}, {**DEEP, "image_shape": (8, 8)}]
)
def test_machines_have_units_of_0_or_1(images, params):
    with pytest.raises(ValueError, match="The 'init' parameter may be 'rbm' for dense"):
        make(init="rbm", **params).fit(images)


def test_ctrl_c_ends_it(images):
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    autoencoder = make(init="greedy", pretraining_epochs=100_000)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        autoencoder.fit(images)
    assert not hasattr(autoencoder, "net_")
