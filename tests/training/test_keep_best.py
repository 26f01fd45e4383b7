"""KeepBest: which weights are kept, and when training stops."""

from unittest import mock

import numpy as np
import pytest
import torch

from skae import AutoencoderTransformer
from skae.training import callbacks
from skae.training.callbacks import KeepBest


def make(**params):
    return AutoencoderTransformer(**{"max_epochs": 5, "random_state": 0, **params})


class StubModule(torch.nn.Module):
    """A chain whose losses in every epoch are given; its bias tells the epoch of its weights."""

    def __init__(self, means, spreads):
        super().__init__()
        self.means, self.spreads = means, spreads
        self.bias = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return (x,)

    def loss(self, output, x):
        epoch = int(self.bias.item())
        return self.means[epoch] + self.spreads[epoch] * torch.tensor([-1.0, 1.0, -1.0, 1.0])


class StubNet:
    """As much of a net as KeepBest sees."""

    def __init__(self, start, means, spread=0.0):
        self.means = [start, *means]
        self.module_ = StubModule(self.means, [0.0] + [spread] * len(means))
        self.stopped = False

    def batches(self, rows):
        yield torch.zeros(4, 1), None

    def stop(self):
        self.stopped = True

    def run(self, keeper):
        keeper.on_train_begin(self)
        for epoch, loss in enumerate(self.means[1:], start=1):
            keeper.on_epoch_begin(self, dataset_train=[], dataset_valid=[0])
            with torch.no_grad():
                self.module_.bias.fill_(epoch)
            self.history = {(-1, "valid_loss"): loss}
            keeper.on_epoch_end(self)
            if self.stopped:
                break
        keeper.on_train_end(self)
        return epoch


def test_best_epoch_is_kept_also_below_zero():
    net, keeper = StubNet(-1.0, [-10.0, -9.9995, -12.0, -11.0]), KeepBest(patience=10)
    net.run(keeper)
    assert (keeper.best_epoch_, keeper.best_loss_) == (3, -12.0)
    assert float(net.module_.bias.detach()) == 3


def test_getting_worse_below_zero_is_no_gain():
    """A relative threshold would count -9.9995 after -10 as a gain."""
    net, keeper = StubNet(-1.0, [-10.0, -9.9995, -9.9999, -9.9998]), KeepBest(patience=2, tol=1e-4)
    assert net.run(keeper) == 3
    assert keeper.best_epoch_ == 1


def test_the_start_can_be_the_best():
    net, keeper = StubNet(1.0, [2.0, 3.0]), KeepBest(patience=10)
    net.run(keeper)
    assert keeper.best_epoch_ == 0
    assert float(net.module_.bias.detach()) == 0


@pytest.mark.parametrize(("spread", "kept"), [(0.0, 1), (1.6, 1), (1.7, 0)])
def test_a_gain_of_less_than_half_its_standard_error_is_none(spread, kept):
    """Of the gains 1 + s, 1 + s, 1 - s, 1 - s, the first is left out: mean and error of three."""
    net, keeper = StubNet(2.0, [1.0], spread), KeepBest(patience=10)
    net.run(keeper)
    assert keeper.best_epoch_ == kept
    assert int(net.module_.bias.item()) == kept
    assert keeper.best_loss_ == 2.0 - kept


def test_the_gain_of_a_single_row_is_none():
    keeper = KeepBest()
    keeper.start_losses_ = torch.tensor([9.0, 1.0, 1.0, 1.0, 1.0])
    keeper.importance_ = torch.full((5,), 0.2)
    keeper.validation_rows_ = []
    for losses, is_better in (
        ([1.0, 1.1, 1.1, 1.1, 1.1], False),
        ([5.0, 0.9, 0.8, 0.9, 0.9], True),
    ):
        with mock.patch.object(
            callbacks, "losses", return_value=(torch.tensor(losses), keeper.importance_)
        ):
            assert keeper._is_better_than_start(None) == is_better


def test_a_single_row_that_counts_decides():
    keeper = KeepBest()
    keeper.start_losses_ = torch.tensor([2.0, 1.0])
    keeper.importance_ = torch.tensor([1.0, 0.0])
    keeper.validation_rows_ = []
    for loss, is_better in ((1.0, True), (3.0, False)):
        found = torch.tensor([loss, 0.0]), keeper.importance_
        with mock.patch.object(callbacks, "losses", return_value=found):
            assert keeper._is_better_than_start(None) == is_better


def test_a_gain_below_tol_is_kept_but_does_not_prolong():
    net, keeper = StubNet(1.0, [0.5, 0.49, 0.48, 0.47]), KeepBest(patience=2, tol=0.1)
    assert net.run(keeper) == 3
    assert keeper.best_epoch_ == 3


def test_the_warm_up_does_not_try_the_patience():
    net, keeper = StubNet(1.0, [2.0] * 9), KeepBest(patience=2, warm_up=5)
    assert net.run(keeper) == 7


def test_early_stopping_stops(rows):
    autoencoder = make(max_epochs=300, n_iter_no_change=2, learning_rate_schedule="constant")
    autoencoder.fit(rows)
    assert autoencoder.n_iter_ < 300
    assert autoencoder.n_iter_ >= autoencoder.best_epoch_ + 2


def test_without_early_stopping_all_epochs_run_on_all_rows(rows):
    autoencoder = make(early_stopping=False).fit(rows)
    assert autoencoder.n_iter_ == 5
    assert autoencoder.validation_loss_curve_ is None
    assert len(autoencoder.loss_curve_) == 5


def test_kept_weights_have_the_best_loss(rows):
    autoencoder = make(max_epochs=60, learning_rate=0.05).fit(rows)
    losses = autoencoder.validation_loss_curve_
    assert autoencoder.best_loss_ <= min(losses)
    assert autoencoder.best_epoch_ in (0, 1 + int(np.argmin(losses)))


def test_a_stream_has_no_best_epoch(rows):
    autoencoder = make().fit(rows)
    assert autoencoder.best_epoch_ >= 0
    assert not hasattr(autoencoder.partial_fit(rows), "best_epoch_")
