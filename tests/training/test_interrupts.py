"""Ctrl-C ends what runs and leaves the estimator as it was; callbacks end their training alone."""

import signal

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from skae import AutoencoderTransformer, VAETransformer


def make(**params):
    return AutoencoderTransformer(**{"max_epochs": 5, "random_state": 0, **params})


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

    def test_before_the_first_epoch_there_is_nothing_to_keep(self, rows):
        class Never(Callback):
            def on_train_begin(self, net, **kwargs):
                raise KeyboardInterrupt

        autoencoder = make(net_params={"callbacks": [Never()]})
        with pytest.raises(KeyboardInterrupt):
            autoencoder.fit(rows)
        assert not hasattr(autoencoder, "net_")

    def test_the_best_weights_are_kept(self, rows):
        params = {"callbacks": [Press("on_epoch_begin", 21, press=False)]}
        autoencoder = make(n_components=1, max_epochs=50, net_params=params).fit(rows)
        assert autoencoder.n_iter_ == 20
        assert 0 < autoencoder.best_epoch_ <= 20

    def test_searches_go_on(self, rows):
        params = {"callbacks": [Press("on_epoch_begin", 3, press=False)]}
        search = GridSearchCV(make(net_params=params), {"n_components": [1, 2]}, cv=2).fit(rows)
        assert search.best_estimator_.n_iter_ == 2
