"""Schedules of the learning rate, and plans by rule."""

import numpy as np
import pytest
from skorch.callbacks import Callback

from skae import AutoencoderTransformer
from skae.training.schedule import Plan, noise_level, one_cycle


def make(**params):
    return AutoencoderTransformer(**{"max_epochs": 5, "random_state": 0, **params})


def test_one_cycle_goes_up_and_down():
    factors = [one_cycle(t / 100) for t in range(100)]
    assert factors[0] == 0
    assert np.argmax(factors) == 20
    assert max(factors) == 1
    assert factors[-1] < 0.01


def test_schedule_is_followed(rows):
    rates = []

    class Watch(Callback):
        def on_batch_end(self, net, training, **kwargs):
            if training:
                rates.append(net.optimizer_.param_groups[0]["lr"])

    make(batch_size=8, early_stopping=False, net_params={"callbacks": [Watch()]}).fit(rows)
    assert len(rates) == 5 * 8
    np.testing.assert_allclose(rates, [1e-2 * one_cycle((t + 0.5) / 40) for t in range(40)])


def test_constant_schedule_leaves_the_rate_alone(rows):
    autoencoder = make(learning_rate_schedule="constant", learning_rate=1e-3).fit(rows)
    assert autoencoder.net_.optimizer_.param_groups[0]["lr"] == 1e-3


def test_plan_suits_a_hundred_rows_and_a_million():
    steps = {}
    for n_rows in (20, 100, 10_000, 1_000_000):
        plan = Plan.of(AutoencoderTransformer(), n_rows, one_pass=False)
        steps[n_rows] = plan.max_epochs * -(-n_rows // plan.batch_size)
        assert plan.batch_size <= n_rows
        assert plan.max_epochs >= 5
    assert steps[20] < 500
    assert 200 < steps[100] < 2000
    assert steps[100] < steps[10_000] < steps[1_000_000] < 200_000


def test_noise_falls_with_the_number_of_rows():
    assert noise_level("auto", 100) == noise_level("auto", 500) == 0.7
    assert noise_level("auto", 50_000) == pytest.approx(0.07)
    assert noise_level(0.3, 200_000) == 0.3
