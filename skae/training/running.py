"""Running a training: making the net, training it, and restoring it after a failure."""

import copy
import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from skorch.callbacks import LRScheduler
from torch import nn

from skae.common.devices import on_one_thread, threads_for
from skae.common.shared_parameters import TrainingParameters
from skae.nn.networks import SkipNetwork
from skae.nn.seeding import seeded
from skae.training.adamw import AdamW
from skae.training.checkpoints import run_training
from skae.training.lazy_compiler import without_compiler
from skae.training.net import AutoencoderNet
from skae.training.rows import Rows, rows_at_a_time
from skae.training.schedule import SCHEDULES, Plan, steady

# The floating-point operations of a step per weight and row: two in the forward pass, four in the
# backward pass.
_TRAINING_FLOP_PER_WEIGHT = 6
# Those over time are small: on a busy machine, a second thread made fits four times slower or more.
_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d)
# The number of passes of a stream whose losses are kept.
MOST_HISTORY = 1000
# The options of a net that every pass of `partial_fit` sets again.
_OF_PASSES = ("lr", "batch_size", "verbose")
# The attributes of a module that are restored by its state, not by name.
_TENSORS_AND_PARTS = ("_parameters", "_buffers", "_modules")


def make_net(
    module: nn.Module,
    parameters: TrainingParameters,
    plan: Plan,
    device: torch.device,
    *,
    n_columns: int,
    split: Callable | None = None,
    betas: tuple[float, float] | None = None,
) -> AutoencoderNet:
    """Return an initialised net, with `net_params` merged last into its options.

    Parameters
    ----------
    module : nn.Module
        The chain to train.
    parameters : TrainingParameters
        The estimator, whose parameters are used.
    plan : Plan
        The length of the training.
    device : torch.device
        The device to train on.
    n_columns : int
        The number of columns of encoded rows.
    split : callable or None, default=None
        A function that splits rows into training rows and validation rows; None for no validation
        rows.
    betas : tuple of float or None, default=None
        The decays of the means of AdamW; None for those of torch.

    Raises
    ------
    ValueError
        If skorch does not accept the `net_params`.
    """
    given = parameters.net_params or {}
    schedule = SCHEDULES[parameters.learning_rate_schedule]
    options = {
        **_options_of_passes(parameters, plan),
        "schedule": None if _has_scheduler(given) else schedule,
        "iterator_train__shuffle": True,
        "iterator_valid__batch_size": rows_at_a_time(n_columns),
        "train_split": split,
        "max_epochs": plan.max_epochs,
    }
    try:
        groups = _groups(module, parameters.learning_rate, given)
        options |= {**_optimizer_params(parameters.weight_decay, given, betas), **groups, **given}
        options["device"] = device
        net = AutoencoderNet(module, **options).initialize()
    except (TypeError, ValueError) as error:
        if not parameters.net_params:
            raise
        raise ValueError(f"The 'net_params' parameter does not fit skorch: {error}") from error
    if groups:
        net.put_rest_first()
    return net


def prepare_pass(net: AutoencoderNet, parameters: TrainingParameters, plan: Plan) -> None:
    """Prepare a net for one pass over rows, at a constant learning rate."""
    given = {
        name: value for name, value in (parameters.net_params or {}).items() if name in _OF_PASSES
    }
    options = {**_options_of_passes(parameters, plan), **given}
    net.set_params(schedule=steady, train_split=None, max_epochs=1, **options)


def _options_of_passes(parameters: TrainingParameters, plan: Plan) -> dict[str, Any]:
    """Return the options that every training and every pass takes from the parameters again."""
    return {
        "lr": parameters.learning_rate,
        "batch_size": plan.batch_size,
        "verbose": int(parameters.verbose),
    }


def _has_scheduler(given: dict[str, Any]) -> bool:
    """Return whether a skorch callback sets the learning rate."""
    callbacks = given.get("callbacks")
    if not isinstance(callbacks, (list, tuple)):
        return False
    callbacks = [
        callback[-1] if isinstance(callback, tuple) else callback for callback in callbacks
    ]
    return any(isinstance(callback, LRScheduler) for callback in callbacks)


def _optimizer_params(
    weight_decay: float, given: dict[str, Any], betas: tuple[float, float] | None
) -> dict[str, Any]:
    """Return the options of the optimiser; of one that is given, those that it accepts."""
    if "optimizer" not in given:
        decays = {} if betas is None else {"optimizer__betas": betas}
        return decays | {
            "optimizer": AdamW,
            "optimizer__weight_decay": weight_decay,
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


def _groups(module: nn.Module, learning_rate: float, given: dict[str, Any]) -> dict[str, Any]:
    """Return skorch's option for the parameters that have a learning rate of their own."""
    if "optimizer" in given or "optimizer__param_groups" in given:
        return {}
    rate = given.get("optimizer__lr", given.get("lr", learning_rate))
    networks = {n: part for n, part in module.named_modules() if isinstance(part, SkipNetwork)}
    shares = {
        f"{n}.{pattern}": share
        for n, part in networks.items()
        for pattern, share in part.rates().items()
    }
    groups = [(pattern, {"lr": rate * share}) for pattern, share in shares.items() if share != 1]
    return {"optimizer__param_groups": groups} if groups else {}


def train(net: AutoencoderNet, rows: Rows, callbacks: Sequence = ()) -> None:
    """Train a net, with callbacks for this training only, on a suitable number of threads.

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
            run_training(net, rows)
    finally:
        net.callbacks_ = lasting
        net.module_.eval()


def train_pass(net: AutoencoderNet, rows: Rows, callbacks: Sequence = ()) -> int:
    """Train a net for one pass, forget the oldest passes, and return how many were made."""
    n_before = len(net.history)
    train(net, rows, callbacks)
    n_passes = len(net.history) - n_before
    del net.history[:-MOST_HISTORY]
    return n_passes


@contextmanager
def unchanged_on_failure(net: AutoencoderNet) -> Iterator[None]:
    """Restore a trained net if an exception is raised inside the block."""
    attributes, n_epochs = dict(vars(net)), len(net.history)
    module, state = copy.deepcopy(net.module_), copy.deepcopy(net.optimizer_.state_dict())
    try:
        yield
    except BaseException:
        net.__dict__.clear()
        net.__dict__.update(attributes)
        _restore(net.module_, module)
        net.optimizer_.load_state_dict(state)
        del net.history[n_epochs:]
        raise


def _restore(module: nn.Module, saved: nn.Module) -> None:
    """Restore the weights, buffers and Python attributes of a module from an earlier copy."""
    for part, before in zip(module.modules(), saved.modules(), strict=True):
        kept = {name: getattr(part, name) for name in _TENSORS_AND_PARTS}
        vars(part).clear()
        vars(part).update({**vars(before), **kept})
    module.load_state_dict(saved.state_dict())


def _flop_per_layer(net: AutoencoderNet) -> float:
    """Return the mean FLOP of a layer in a step; infinite if images are convolved."""
    if any(isinstance(module, _CONVOLUTIONS) for module in net.module_.modules()):
        return math.inf
    sizes = [weight.numel() for weight in net.module_.parameters() if weight.dim() > 1]
    return _TRAINING_FLOP_PER_WEIGHT * net.batch_size * sum(sizes) / max(1, len(sizes))


@contextmanager
def repeatable(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside the block, with gradients and on one thread whatever is set outside."""
    with (
        seeded(seed, device),
        torch.inference_mode(False),
        torch.enable_grad(),
        without_compiler(),
        on_one_thread(),
    ):
        yield


def loss_curves(net: AutoencoderNet) -> tuple[list[float], list[float] | None]:
    """Return the mean losses by epoch of training rows and, if there are any, validation rows."""
    history = net.history
    train = [epoch["train_loss"] for epoch in history]
    validation = [epoch["valid_loss"] for epoch in history if "valid_loss" in epoch]
    return train, validation if len(validation) == len(history) > 0 else None
