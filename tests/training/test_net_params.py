"""`net_params`: any option of skorch, merged last."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback, Checkpoint, EarlyStopping, LRScheduler
from skorch.dataset import ValidSplit

from skae import AutoencoderTransformer


def make(**params):
    return AutoencoderTransformer(**{"max_epochs": 5, "random_state": 0, **params})


class TestNetParams:
    """`net_params` reaches any option of skorch."""

    def test_optimizer(self, rows):
        params = {"optimizer": torch.optim.SGD, "optimizer__momentum": 0.9}
        optimizer = make(net_params=params).fit(rows).net_.optimizer_
        assert isinstance(optimizer, torch.optim.SGD)
        assert optimizer.param_groups[0]["momentum"] == 0.9

    def test_optimizer_that_needs_a_closure(self, rows):
        params = {"optimizer": torch.optim.LBFGS}
        autoencoder = make(net_params=params, early_stopping=False, noise=0).fit(rows)
        assert autoencoder.loss_curve_[-1] < autoencoder.loss_curve_[0]

    def test_weight_decay_is_not_ignored(self, rows):
        with pytest.raises(ValueError, match="LBFGS, which has no weight decay"):
            make(net_params={"optimizer": torch.optim.LBFGS}, weight_decay=0.1).fit(rows)

    def test_callbacks(self, rows):
        params = {"callbacks": [EarlyStopping(patience=1, threshold=1e9, threshold_mode="abs")]}
        autoencoder = make(max_epochs=50, net_params=params).fit(rows)
        assert autoencoder.n_iter_ < 5
        assert [type(c).__name__ for _, c in autoencoder.net_.callbacks_].count("KeepBest") == 0

    def test_data_loader(self, rows):
        loader = torch.utils.data.DataLoader
        params = {"iterator_train": loader, "iterator_valid": loader}
        expected = make(noise=0, early_stopping=False).fit(rows).loss_curve_
        autoencoder = make(noise=0, early_stopping=False, net_params=params).fit(rows)
        np.testing.assert_allclose(autoencoder.loss_curve_, expected, rtol=1e-3)

    def test_scheduler_of_skorch(self, rows):
        scheduler = LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5)
        autoencoder = make(net_params={"callbacks": [scheduler]}).fit(rows)
        assert autoencoder.net_.optimizer_.param_groups[0]["lr"] == pytest.approx(1e-2 / 2**5)

    def test_learning_rate_of_the_optimizer(self, rows):
        params = {"optimizer__lr": 1e-9}
        moved = make(net_params=params, noise=0, early_stopping=False).fit(rows).loss_curve_
        assert moved[-1] == pytest.approx(moved[0], abs=1e-3)

    def test_max_epochs_makes_the_plan(self, rows):
        params = {"max_epochs": 30}
        assert make(net_params=params, n_iter_no_change=40).fit(rows).n_iter_ == 30

    def test_batch_size(self, rows):
        autoencoder = make(net_params={"batch_size": 7}).fit(rows)
        assert autoencoder.net_.batch_size == 7

    def test_train_split_of_skorch(self, rows):
        autoencoder = make(net_params={"train_split": ValidSplit(3)}).fit(rows)
        assert len(autoencoder.validation_loss_curve_) == 5

    def test_checkpoint_of_skorch(self, rows, tmp_path):
        checkpoint = Checkpoint(dirname=tmp_path)
        autoencoder = make(n_components=1, net_params={"callbacks": [checkpoint]}).fit(rows)
        assert (tmp_path / "params.pt").exists()
        assert autoencoder.n_iter_ == 5

    def test_device(self, rows):
        assert make(net_params={"device": "cpu"}).fit(rows).net_.device == torch.device("cpu")
        with pytest.raises(ValueError, match="'device' parameter must be"):
            make(net_params={"device": "gpu7"}).fit(rows)

    @pytest.mark.parametrize("params", [{"optimizer": "adam"}, {"criterion": 3}])
    def test_nonsense_is_an_error(self, rows, params):
        with pytest.raises(ValueError, match="'net_params' parameter must have a class or"):
            make(net_params=params).fit(rows)

    def test_other_errors_are_not_blamed_on_it(self, rows):
        class OutOfMemory(Callback):
            def initialize(self):
                raise RuntimeError("out of memory")

        with pytest.raises(RuntimeError, match=r"^out of memory$"):
            make(net_params={"callbacks": [OutOfMemory()]}).fit(rows)

    def test_unknown_option_is_an_error(self, rows):
        with pytest.raises(ValueError, match=r"unexpected argument.*spam"):
            make(net_params={"spam": 1}).fit(rows)
