"""Training: what is kept, when it stops, what parameters do, and what happens when it fails."""

import signal
import threading

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback, Checkpoint, EarlyStopping, LRScheduler
from skorch.dataset import ValidSplit

from skae import AutoencoderTransformer, VAETransformer
from skae.training.callbacks import KeepBest
from skae.training.schedule import Plan, noise_level, one_cycle


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


@pytest.mark.parametrize(("spread", "kept"), [(0.0, 1), (3.0, 1), (5.0, 0)])
def test_a_gain_of_less_than_half_its_standard_error_is_none(spread, kept):
    """The standard error of four gains of plus and minus a spread is half that spread."""
    net, keeper = StubNet(2.0, [1.0], spread), KeepBest(patience=10)
    net.run(keeper)
    assert keeper.best_epoch_ == kept
    assert int(net.module_.bias.item()) == kept
    assert keeper.best_loss_ == 2.0 - kept


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
    np.testing.assert_allclose(rates, [3e-3 * one_cycle((t + 0.5) / 40) for t in range(40)])


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
    assert noise_level("auto", 100) == noise_level("auto", 500) == 1
    assert noise_level("auto", 50_000) == pytest.approx(0.1)
    assert noise_level(0.3, 200_000) == 0.3


@pytest.mark.parametrize("params", [{"weight_decay": 10.0}, {"noise": 2.0}, {"dropout": 0.5}])
def test_regularisation_does_something(rows, params):
    plain = make(early_stopping=False, noise=0).fit(rows)
    regularised = make(**{"early_stopping": False, "noise": 0, **params}).fit(rows)
    assert not np.allclose(plain.transform(rows), regularised.transform(rows))


def test_weights_count(rows):
    weights = np.where(rows[:, 0] > 0, 1.0, 0.0)
    only = make().fit(rows[weights > 0])
    np.testing.assert_array_equal(
        make().fit(rows, sample_weight=weights).transform(rows), only.transform(rows)
    )
    weights = np.where(rows[:, 0] > 0, 100.0, 1.0)
    weighted = make(max_epochs=100).fit(rows, sample_weight=weights)
    plain = make(max_epochs=100).fit(rows)

    def error(autoencoder, side):
        return ((autoencoder.reconstruct(side) - side) ** 2).mean()

    heavy, light = rows[rows[:, 0] > 0], rows[rows[:, 0] <= 0]
    balance = [error(fitted, heavy) / error(fitted, light) for fitted in (weighted, plain)]
    assert balance[0] < balance[1]


def test_equal_weights_are_no_weights(rows):
    np.testing.assert_allclose(
        make().fit(rows, sample_weight=np.full(len(rows), 7.0)).transform(rows),
        make().fit(rows).transform(rows),
        rtol=1e-3,
        atol=1e-4,
    )


def test_warm_start_continues(rows):
    autoencoder = make(warm_start=True, max_epochs=50).fit(rows)
    first = autoencoder.best_loss_
    module = autoencoder.net_.module_
    autoencoder.fit(rows)
    assert autoencoder.net_.module_ is module
    start = autoencoder.net_.history[0, "valid_loss"]
    assert start < first + 5
    assert make(max_epochs=50).fit(rows).fit(rows).net_.module_ is not module


def test_warm_start_refuses_another_size(rows):
    autoencoder = make(warm_start=True).fit(rows)
    with pytest.raises(ValueError, match="n_components=3 differs from the 2"):
        autoencoder.set_params(n_components=3).fit(rows)


@pytest.mark.parametrize("params", [{"dropout": 0.5}, {"likelihood": "gaussian"}, {"noise": 2}])
def test_continued_training_refuses_parameters_of_another_model(rows, params):
    autoencoder = make(warm_start=True).fit(rows).set_params(**params)
    for method in (autoencoder.fit, autoencoder.partial_fit):
        with pytest.raises(ValueError, match=f"{next(iter(params))}=.* differs from the "):
            method(rows)


def test_partial_fit_learns_from_a_stream(digits):
    autoencoder = make(n_components=4)
    errors = []
    for _ in range(15):
        for chunk in np.array_split(digits, 4):
            autoencoder.partial_fit(chunk)
        errors.append(((autoencoder.reconstruct(digits) - digits) ** 2).mean())
    assert errors[-1] < 0.8 * errors[0]
    assert autoencoder.n_iter_ == 60
    assert autoencoder.sample(2, random_state=0).shape == (2, 64)


def test_partial_fit_after_fit_continues(rows):
    autoencoder = make().fit(rows)
    module = autoencoder.net_.module_
    autoencoder.partial_fit(rows[:10])
    assert autoencoder.net_.module_ is module
    assert autoencoder.net_.optimizer_.param_groups[0]["lr"] == autoencoder.learning_rate


def test_partial_fit_checks_parameters_that_were_set_since(rows):
    autoencoder = make().partial_fit(rows)
    with pytest.raises(ValueError, match="'batch_size' parameter"):
        autoencoder.set_params(batch_size=0).partial_fit(rows)


def test_verbose_prints_a_line_an_epoch(rows, capsys):
    make(verbose=1).fit(rows)
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 2 + 5
    assert "valid_loss" in lines[0]
    make().fit(rows)
    assert capsys.readouterr().out == ""


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
        assert autoencoder.net_.optimizer_.param_groups[0]["lr"] == pytest.approx(3e-3 / 2**5)

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
        with pytest.raises(ValueError, match="'net_params' parameter does not fit skorch"):
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


class Press(Callback):
    """Press Ctrl-C, or ask for a stop as skorch's callbacks do, at one place of one epoch."""

    def __init__(self, hook, epoch, press=True):
        self.hook = hook
        self.epoch = epoch
        self.press = press

    def on_batch_begin(self, net, **kwargs):
        self.stop("on_batch_begin", net)

    def on_batch_end(self, net, **kwargs):
        self.stop("on_batch_end", net)

    def on_epoch_begin(self, net, **kwargs):
        self.stop("on_epoch_begin", net)

    def stop(self, here, net):
        if here == self.hook and len(net.history) == self.epoch:
            if self.press:
                signal.raise_signal(signal.SIGINT)
            raise KeyboardInterrupt


HOOKS = ["on_batch_begin", "on_batch_end", "on_epoch_begin"]


class TestCtrlC:
    """Ctrl-C ends whatever runs, and leaves the estimator as it was."""

    @pytest.mark.parametrize("hook", HOOKS)
    @pytest.mark.parametrize("epoch", [1, 3])
    def test_nothing_is_left_of_a_fit(self, rows, hook, epoch):
        autoencoder = make(net_params={"callbacks": [Press(hook, epoch)]})
        with pytest.raises(KeyboardInterrupt):
            autoencoder.fit(rows)
        assert not any(name.endswith("_") for name in vars(autoencoder))

    @pytest.mark.parametrize("hook", HOOKS)
    @pytest.mark.parametrize(("method", "epoch"), [("fit", 2), ("partial_fit", 3)])
    def test_what_was_there_stays(self, rows, hook, method, epoch):
        press = Press(hook, None)
        autoencoder = make(max_epochs=2, warm_start=True, net_params={"callbacks": [press]})
        autoencoder.fit(rows)
        before = autoencoder.reconstruct(rows), autoencoder.sample(5, random_state=0)
        press.epoch = epoch
        with pytest.raises(KeyboardInterrupt):
            getattr(autoencoder, method)(rows + 1)
        assert autoencoder.n_iter_ == len(autoencoder.net_.history) == 2
        assert np.array_equal(autoencoder.reconstruct(rows), before[0])
        assert np.array_equal(autoencoder.sample(5, random_state=0), before[1])
        press.epoch = None
        assert autoencoder.partial_fit(rows).n_iter_ == 3

    def test_attributes_of_modules_and_the_prior_stay(self, rows):
        class Picky(GaussianMixture):
            def fit(self, codes):
                is_first = not hasattr(self, "means_")
                super().fit(codes)
                if not is_first:
                    raise KeyboardInterrupt
                return self

        params = {"max_epochs": 2, "random_state": 0, "prior": Picky()}
        autoencoder = VAETransformer(2, **params).fit(rows)
        draws = autoencoder.sample(5, random_state=0)
        before = [vars(part).keys() for part in autoencoder.net_.module_.modules()]
        autoencoder.set_params(beta=7.0, free_bits=0.5)
        with pytest.raises(KeyboardInterrupt):
            autoencoder.partial_fit(rows + 1)
        bottleneck = autoencoder.net_.module_.bottleneck
        assert (bottleneck.beta, bottleneck.weight, bottleneck.free_bits) == (1.0, 1.0, 0.0)
        assert [vars(part).keys() for part in autoencoder.net_.module_.modules()] == before
        assert np.array_equal(autoencoder.sample(5, random_state=0), draws)

    def test_the_handler_of_the_signal_is_put_back(self, rows):
        before = signal.getsignal(signal.SIGINT)
        make().fit(rows)
        assert signal.getsignal(signal.SIGINT) is before

    @pytest.mark.parametrize("n_jobs", [None, 1])
    def test_searches_end(self, rows, n_jobs):
        callbacks = [Press("on_epoch_begin", 2)]
        autoencoder = make(max_epochs=50, net_params={"callbacks": callbacks})
        search = GridSearchCV(
            make_pipeline(StandardScaler(), autoencoder),
            {"autoencodertransformer__n_components": [1, 2]},
            cv=2,
            n_jobs=n_jobs,
        )
        with pytest.raises(KeyboardInterrupt):
            search.fit(rows)
        with pytest.raises(KeyboardInterrupt):
            cross_val_score(autoencoder, rows, cv=2)


class TestStopsOfCallbacks:
    """A callback ends its training alone, by raising KeyboardInterrupt as skorch's own do."""

    @pytest.mark.parametrize("hook", HOOKS)
    @pytest.mark.parametrize("epoch", [1, 3])
    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    def test_wherever_it_comes(self, rows, hook, epoch, method):
        autoencoder = make(net_params={"callbacks": [Press(hook, epoch, press=False)]})
        if method == "partial_fit":
            for _ in range(epoch - 1):
                autoencoder.partial_fit(rows)
        getattr(autoencoder, method)(rows)
        assert autoencoder.n_iter_ == len(autoencoder.loss_curve_) == epoch - 1
        assert np.isfinite(autoencoder.reconstruct(rows)).all()
        assert autoencoder.sample(2).shape == (2, 5)

    def test_the_best_weights_are_kept(self, rows):
        params = {"callbacks": [Press("on_epoch_begin", 21, press=False)]}
        autoencoder = make(n_components=1, max_epochs=50, net_params=params).fit(rows)
        assert autoencoder.n_iter_ == 20
        assert 0 < autoencoder.best_epoch_ <= 20

    def test_searches_go_on(self, rows):
        params = {"callbacks": [Press("on_epoch_begin", 3, press=False)]}
        search = GridSearchCV(make(net_params=params), {"n_components": [1, 2]}, cv=2).fit(rows)
        assert search.best_estimator_.n_iter_ == 2


def test_fits_in_threads_are_as_repeatable_as_one_after_the_other(rows):
    expected = make(max_epochs=30).fit(rows).transform(rows)
    state, results = torch.get_rng_state(), []
    threads = [
        threading.Thread(target=lambda: results.append(make(max_epochs=30).fit(rows)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(each.transform(rows), expected) for each in results)
    assert len(results) == 3
    assert torch.equal(torch.get_rng_state(), state)


def test_settings_of_torch_outside_do_not_matter(rows):
    expected = make().fit(rows).transform(rows)
    with torch.inference_mode():
        assert np.array_equal(make().fit(rows).transform(rows), expected)
    torch.set_default_dtype(torch.float64)
    try:
        autoencoder = make(init="random").fit(rows)
    finally:
        torch.set_default_dtype(torch.float32)
    assert autoencoder.transform(rows).dtype == np.float32


def test_dropout_works_in_the_first_pass(rows):
    params = {"noise": 0, "init": "random", "batch_size": 20}
    plain, thinned = (make(dropout=dropout, **params).partial_fit(rows) for dropout in (0, 0.9))
    assert not np.allclose(plain.transform(rows), thinned.transform(rows))


def test_a_stream_has_no_best_epoch(rows):
    autoencoder = make().fit(rows)
    assert autoencoder.best_epoch_ >= 0
    assert not hasattr(autoencoder.partial_fit(rows), "best_epoch_")


class TestDivergence:
    """A loss that diverges says so and leaves no model behind."""

    def test_fit(self, rows):
        autoencoder = make(learning_rate=1e30, learning_rate_schedule="constant")
        with pytest.raises(FloatingPointError, match=r"diverged.*smaller learning_rate"):
            autoencoder.fit(rows)
        assert not hasattr(autoencoder, "net_")

    def test_partial_fit_keeps_the_last_good_weights(self, rows):
        autoencoder = make().fit(rows)
        autoencoder.set_params(learning_rate=1e30)
        with pytest.raises(FloatingPointError, match="diverged"):
            autoencoder.partial_fit(rows)
        assert np.isfinite(autoencoder.transform(rows)).all()

        autoencoder.set_params(learning_rate=1e-4).partial_fit(rows)
        assert np.isfinite(autoencoder.transform(rows)).all()

    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    def test_a_failure_after_the_training_changes_nothing(self, rows, method):
        class Picky(GaussianMixture):
            def fit(self, X):
                if len(X) == 7:
                    raise ValueError("seven")
                return super().fit(X)

        autoencoder = make(warm_start=True, prior=Picky()).fit(rows)
        before, n_epochs = autoencoder.reconstruct(rows), autoencoder.n_iter_
        with pytest.raises(ValueError, match="seven"):
            getattr(autoencoder, method)(rows[:7])
        assert np.array_equal(autoencoder.reconstruct(rows), before)
        assert len(autoencoder.net_.history) == autoencoder.n_iter_ == n_epochs
