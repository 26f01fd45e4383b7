"""The skorch net that trains every chain, nearly as fast as a plain PyTorch loop."""

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer
from torch import Tensor, nn

from skae.common.interrupts import noting_ctrl_c
from skae.training.direct import DirectStep, is_direct, requires_closure
from skae.training.log import Log
from skae.training.rows import Batches
from skae.training.saved_net import SavedNet
from skae.training.shards import (
    Shard,
    average_gradients,
    mean_over_processes,
    take_buffers_of_first,
)

_BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")


class StopTraining(KeyboardInterrupt):
    """A request to end the training; skorch's own callbacks raise KeyboardInterrupt for it."""


class WeightedMean(nn.Module):
    """The weighted mean of the rows' losses."""

    def forward(self, losses: Tensor, weights: Tensor | None) -> Tensor:
        """Reduce losses $(B,)$ and weights $(B,)$ to a scalar."""
        if weights is None:
            shares = losses.new_full(losses.shape, 1 / len(losses))
        else:
            shares = weights / weights.sum()
        return torch.dot(losses, shares)


class AutoencoderNet(SavedNet):
    """A skorch net whose target is its input.

    Where skorch takes a target, this net takes the rows' weights, or None. The data is a
    `skae.training.rows.Rows`, or any data set whose batches are pairs of rows and weights.
    Everything else is as in skorch, and every parameter of `skorch.NeuralNet` can be set.

    Parameters
    ----------
    module : skae.nn.chain.Autoencoder
        The chain, or a class or function that makes it.
    criterion : class, default=WeightedMean
        A module from the losses and weights of a batch's rows to a scalar.
    schedule : callable or None, default=None
        A map from the share of the training that is done, in [0, 1), to a factor on the learning
        rate; None for a constant learning rate.
    n_encoder_steps : int, default=1
        The number of steps of the encoder for every batch, of which only the last one is also a
        step of the decoder.
    **kwargs
        The other parameters of `skorch.NeuralNet`.
    """

    # A map from the batches of an epoch to those that are left, given the net, the losses and the
    # weights of the others; a checkpoint sets it for a training.
    watch_: Callable[..., Iterable] | None = None

    def __init__(
        self,
        module: nn.Module | Callable[..., nn.Module],
        criterion: Callable[..., nn.Module] = WeightedMean,
        *,
        schedule: Callable[[float], float] | None = None,
        n_encoder_steps: int = 1,
        iterator_train: Callable[..., Iterable] = Batches,
        iterator_valid: Callable[..., Iterable] = Batches,
        train_split: Callable | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            module,
            criterion,
            iterator_train=iterator_train,
            iterator_valid=iterator_valid,
            train_split=train_split,
            **kwargs,
        )
        self.schedule = schedule
        self.n_encoder_steps = n_encoder_steps

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> NeuralNet:
        """Make the optimiser, and store the ratios of the learning rates of its groups."""
        super().initialize_optimizer(*args, **kwargs)
        self.decoder_rests_ = False
        self._store_rates()
        return self

    def _store_rates(self) -> None:
        self.rate_shares_ = [group["lr"] / self.lr for group in self.optimizer_.param_groups]

    def put_rest_first(self) -> None:
        """Make the parameters without a group of their own the first one; skorch has them last."""
        super().put_rest_first()
        self._store_rates()

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        return [("epoch_timer", EpochTimer()), ("print_log", Log())]

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Reset the state of the training, and find out whether steps need skorch's closure."""
        self.stopping_ = False
        self.direct_: DirectStep | None = None
        self.smallest_: dict[str, float] = {}
        self.needs_closure_ = requires_closure(self.optimizer_) or self._overridden(
            ("on_grad_computed",)
        )

    def stop(self) -> None:
        """End the training after this epoch, once all callbacks have been notified of its end."""
        self.stopping_ = True

    def notify(self, method_name: str, **kwargs: Any) -> None:
        """Call the callbacks, then stop if one of them has requested it."""
        super().notify(method_name, **kwargs)
        if method_name == "on_epoch_end" and self.stopping_:
            raise StopTraining

    def partial_fit(self, X: object, y: object = None, **fit_params: Any) -> NeuralNet:
        """Train until all epochs are done or a callback stops the training; re-raise Ctrl-C.

        A callback stops the training as skorch's own do, by raising KeyboardInterrupt.
        """
        if not self.initialized_:
            self.initialize()
        with noting_ctrl_c() as is_pressed:
            self.notify("on_train_begin", X=X, y=y)
            try:
                self.fit_loop(X, y, **fit_params)
            except KeyboardInterrupt:
                if is_pressed():
                    raise
            finally:
                self._release()
            if self.history and not self._is_complete(self.history[-1]):
                del self.history[-1]
            self.notify("on_train_end", X=X, y=y)
        return self

    def _is_complete(self, epoch: dict) -> bool:
        return "train_loss" in epoch and (self.train_split is None or "valid_loss" in epoch)

    def get_iterator(self, dataset: object, training: bool = False) -> Iterable:
        """Return the batches of a data set; in training, also start the schedule."""
        iterator = super().get_iterator(dataset, training)
        if training:
            self.is_shared_ = isinstance(dataset, Shard)
            self.n_steps_ = self.max_epochs * len(iterator)
            self.step_ = 0
        return iterator

    def _choose_step(self) -> None:
        """Find out whether the next steps can be made without a graph.

        It is asked before every epoch, and before every step where callbacks may change something
        in between.
        """
        is_possible = (
            not self.needs_closure_
            and self.n_encoder_steps == 1
            and not self.is_shared_
            and type(self.criterion_) is WeightedMean
            and is_direct(self.module_, self.optimizer_)
        )
        direct = self.direct_
        if direct is not None and not (is_possible and direct.is_current(self.optimizer_)):
            self._release()
        if is_possible and self.direct_ is None:
            listening = self._overridden(_BATCH_HOOKS)
            self.direct_ = DirectStep(self.module_, self.optimizer_, is_watched=listening)

    def _release(self) -> None:
        if self.direct_ is not None:
            self.direct_.release()
            self.direct_ = None

    def train_step(self, batch: tuple, **fit_params: Any) -> dict[str, Tensor]:
        """Make one optimisation step, without skorch's closure where it is not needed."""
        self._follow_schedule()
        if self.direct_ is not None:
            self._set_training(True)
            return self.direct_(*self._to_device(batch))
        for left in reversed(range(self.n_encoder_steps)):
            self.decoder_rests_ = left > 0
            step = self._make_step(batch, **fit_params)
        return step

    def _make_step(self, batch: tuple, **fit_params: Any) -> dict[str, Tensor]:
        if self.needs_closure_:
            return super().train_step(batch, **fit_params)
        self._drop_gradients()
        step = self.train_step_single(batch, **fit_params)
        self._step_optimizer(None)
        return step

    def train_step_single(self, batch: tuple, **fit_params: Any) -> dict[str, Any]:
        """Compute the loss of a batch and its gradient."""
        self._set_training(True)
        step = self._try(batch)
        step["loss"].backward()
        if self.decoder_rests_:
            for parameter in self.module_.decoder.parameters():
                parameter.grad = None
        if self.is_shared_:
            average_gradients([*self.module_.parameters()], float(_total_weight(batch)))
        return step

    @torch.no_grad()
    def validation_step(self, batch: tuple, **fit_params: Any) -> dict[str, Any]:
        """Compute the loss of a batch in evaluation mode."""
        self._set_training(False)
        return self._try(batch)

    def _try(self, batch: tuple) -> dict[str, Any]:
        """Return the loss and the output of the chain for a batch."""
        x, weights = self._to_device(batch)
        output = self.module_(x)
        loss = self.criterion_(self.module_.loss(*output, x, weights), weights)
        return {"loss": loss, "y_pred": output}

    def batches(self, dataset: object) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield the rows and weights of a data set, a batch at a time, on the device of the net."""
        return map(self._to_device, self.get_iterator(dataset))

    def _to_device(self, batch: tuple) -> tuple[Tensor, Tensor | None]:
        x, weights = batch
        return x.to(self.device), None if weights is None else weights.to(self.device)

    def _drop_gradients(self) -> None:
        """Drop the gradients as `zero_grad` does, without its overhead."""
        for group in self.optimizer_.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    def _set_training(self, training: bool = True) -> None:
        """Set the mode of the modules, only if it changes: skorch's walk over them takes time."""
        if self.module_.training != training:
            super()._set_training(training)

    def run_single_epoch(
        self,
        iterator: Iterable | None,
        training: bool,
        prefix: str,
        step_fn: Callable,
        **fit_params: Any,
    ) -> None:
        """Pass over the data once and record the mean loss, copied from the device only once."""
        if iterator is None:
            return
        listening = self._overridden(_BATCH_HOOKS)
        if not listening:
            self.history.new_batch()
        losses: list[Tensor] = []
        weights: list[Tensor | int] = []
        if training and self.watch_ is not None:
            iterator = self.watch_(self, iterator, losses, weights)
        if training:
            self._choose_step()
        for batch in iterator:
            if listening:
                self.notify("on_batch_begin", batch=batch, training=training)
                if training:
                    self._choose_step()
            step = step_fn(batch, **fit_params)
            losses.append(step["loss"].detach())
            weights.append(_total_weight(batch))
            if listening:
                self.history.record_batch(prefix + "_loss", losses[-1].item())
                self.history.record_batch(prefix + "_batch_size", len(batch[0]))
                self.notify("on_batch_end", batch=batch, training=training, **step)
        self._record_mean(losses, weights, prefix, is_shared=training and self.is_shared_)

    def _record_mean(
        self, losses: list[Tensor], weights: list[Tensor | int], prefix: str, *, is_shared: bool
    ) -> None:
        """Record the mean loss of a pass, over all processes if they share it."""
        weight = torch.tensor(weights, dtype=torch.float64)
        mean = float(torch.stack(losses).cpu().double() @ weight / weight.sum())
        if is_shared:
            mean = mean_over_processes(mean, float(weight.sum()))
            take_buffers_of_first(self.module_)
        self.check_finite(mean, f"{prefix} loss of epoch {len(self.history)}")
        best = self.smallest_.setdefault(prefix, math.inf)
        self.smallest_[prefix] = min(mean, best)
        self.history.record(prefix + "_loss", mean)
        self.history.record(prefix + "_loss_best", mean < best)

    def finish(self) -> None:
        """Drop the gradients and the optimiser's state, which only another step would need."""
        self._drop_gradients()
        self.optimizer_.state.clear()

    def frozen(self) -> "AutoencoderNet":
        """Return a copy that further training does not change."""
        frozen = copy.copy(self)
        frozen.callbacks_ = []
        frozen.module_ = copy.deepcopy(self.module_).eval()
        return frozen

    def __getstate__(self) -> dict:
        state = {**super().__getstate__(), "direct_": None}
        if self.initialized_ and self.module is self.module_:
            del state["module"]
        return state

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("module", self.__dict__.get("module_"))

    def _follow_schedule(self) -> None:
        if self.schedule is not None:
            factor = self.lr * self.schedule((self.step_ + 0.5) / self.n_steps_)
            for group, share in zip(self.optimizer_.param_groups, self.rate_shares_, strict=True):
                group["lr"] = factor * share
        self.step_ += 1

    def check_finite(self, number: float, name: str) -> None:
        """Raise FloatingPointError if a result of the training is not finite."""
        if not math.isfinite(number):
            raise FloatingPointError(
                f"The {name} is {number}: training diverged. Try a smaller learning_rate (it is "
                f"{self.lr:g}), and see that X holds no extreme values."
            )

    def _overridden(self, hooks: tuple[str, ...]) -> bool:
        classes = [type(callback) for _, callback in self.callbacks_]
        return any(
            getattr(c, hook) is not getattr(Callback, hook) for c in classes for hook in hooks
        )


def _total_weight(batch: tuple) -> Tensor | int:
    x, weights = batch
    return len(x) if weights is None else weights.sum()
