"""Training a chain: making the net, running it, and what happens when it does not end well."""

import copy
import inspect
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from skorch.callbacks import LRScheduler
from torch import nn

from skae.common.devices import threads_for
from skae.training.net import AutoencoderNet
from skae.training.rows import HeldOut, Rows, rows_at_a_time
from skae.training.schedule import SCHEDULES, Plan, steady

_TRAINING_FLOP_PER_WEIGHT = 6
_TENSORS_AND_PARTS = ("_parameters", "_buffers", "_modules")


def make_net(estimator, module: nn.Module, device: torch.device, plan: Plan) -> AutoencoderNet:
    """Return an initialised net with an estimator's options, `net_params` last.

    Parameters
    ----------
    estimator : BaseAutoencoder
        Its parameters of the training are read.
    module : Autoencoder
        The chain to train.
    device : torch.device
        Where.
    plan : Plan
        How long.
    """
    try:
        return AutoencoderNet(module, **net_options(estimator, device, plan)).initialize()
    except (TypeError, ValueError) as error:
        if not estimator.net_params:
            raise
        raise ValueError(f"The 'net_params' parameter does not fit skorch: {error}") from error


def prepare_pass(net: AutoencoderNet, estimator, plan: Plan) -> None:
    """Make a net ready for one pass over some rows, at a constant learning rate."""
    options = net_options(estimator, torch.device(net.device), plan)
    options = {name: options[name] for name in ("lr", "batch_size", "verbose")}
    net.set_params(schedule=steady, train_split=None, max_epochs=1, **options)


def net_options(estimator, device: torch.device, plan: Plan) -> dict:
    """Return the options of an estimator's net, `net_params` last."""
    given = estimator.net_params or {}
    schedule = SCHEDULES[estimator.learning_rate_schedule]
    split = getattr(estimator, "_split_rows", None) or HeldOut(estimator.validation_fraction)
    return {
        "lr": estimator.learning_rate,
        "decoder_every": getattr(estimator, "n_encoder_steps", 1),
        "schedule": None if _has_scheduler(given) else schedule,
        "iterator_train__shuffle": True,
        "iterator_valid__batch_size": rows_at_a_time(estimator.columns_.n_encoded),
        "train_split": split if estimator.early_stopping else None,
        "verbose": int(estimator.verbose),
        "batch_size": plan.batch_size,
        "max_epochs": plan.max_epochs,
        **_optimizer_params(estimator.weight_decay, given),
        **given,
        "device": device,
    }


def _has_scheduler(given: dict) -> bool:
    """Tell whether a skorch callback sets the learning rate."""
    callbacks = given.get("callbacks")
    if not isinstance(callbacks, (list, tuple)):
        return False
    callbacks = [
        callback[-1] if isinstance(callback, tuple) else callback for callback in callbacks
    ]
    return any(isinstance(callback, LRScheduler) for callback in callbacks)


def _optimizer_params(weight_decay: float, given: dict) -> dict:
    """Return the options of the optimiser, among those that a given one takes."""
    if "optimizer" not in given:
        return {
            "optimizer": torch.optim.AdamW,
            "optimizer__weight_decay": weight_decay,
            "optimizer__fused": True,
        }
    if "weight_decay" in inspect.signature(given["optimizer"]).parameters:
        return {"optimizer__weight_decay": weight_decay}
    if weight_decay:
        name = getattr(given["optimizer"], "__name__", repr(given["optimizer"]))
        raise ValueError(
            f"net_params['optimizer'] is {name}, which has no weight decay, but "
            f"weight_decay={weight_decay!r}. Set weight_decay=0."
        )
    return {}


def train(net: AutoencoderNet, rows: Rows, callbacks: Sequence = ()) -> None:
    """Train a net, with callbacks that leave it afterwards, on as many threads as are worth it.

    Raises
    ------
    FloatingPointError
        If the loss stops being finite.
    """
    lasting = net.callbacks_
    named = [(type(callback).__name__, callback.initialize()) for callback in callbacks]
    net.callbacks_ = [*named, *lasting]
    try:
        with threads_for(_flop_per_layer(net), torch.device(net.device)):
            net.partial_fit(rows)
    finally:
        net.callbacks_ = lasting
        net.module_.eval()


@contextmanager
def unchanged_on_failure(net: AutoencoderNet) -> Iterator[None]:
    """Leave a trained net as it was if something goes wrong inside the block."""
    attributes, n_epochs = dict(vars(net)), len(net.history)
    module, state = copy.deepcopy(net.module_), copy.deepcopy(net.optimizer_.state_dict())
    try:
        yield
    except BaseException:
        vars(net).clear()
        vars(net).update(attributes)
        _restore(net.module_, module)
        net.optimizer_.load_state_dict(state)
        del net.history[n_epochs:]
        raise


def _restore(module: nn.Module, saved: nn.Module) -> None:
    """Give a module the weights, buffers and Python attributes of a copy that was made before."""
    for part, before in zip(module.modules(), saved.modules(), strict=True):
        kept = {name: getattr(part, name) for name in _TENSORS_AND_PARTS}
        vars(part).clear()
        vars(part).update({**vars(before), **kept})
    module.load_state_dict(saved.state_dict())


def _flop_per_layer(net: AutoencoderNet) -> float:
    """Return the mean cost of a layer in a step; that of a convolution is beyond all thresholds."""
    if any(isinstance(module, nn.modules.conv._ConvNd) for module in net.module_.modules()):
        return math.inf
    sizes = [weight.numel() for weight in net.module_.parameters() if weight.dim() > 1]
    return _TRAINING_FLOP_PER_WEIGHT * net.batch_size * sum(sizes) / max(1, len(sizes))
