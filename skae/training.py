"""Training a chain: making the net, running it, and what happens when it does not end well."""

import copy
import inspect
import math
import sys
import warnings

import torch
from torch import nn

from skae.devices import threads_for
from skae.net import AutoencoderNet
from skae.rows import HeldOut, Rows
from skae.schedule import SCHEDULES, Plan

_TRAINING_FLOP_PER_WEIGHT = 6


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
    options = net_options(estimator, device, plan)
    try:
        return AutoencoderNet(module, **options).initialize()
    except (TypeError, ValueError) as error:
        if not estimator.net_params:
            raise
        raise ValueError(f"The 'net_params' parameter does not fit skorch: {error}") from error


def net_options(estimator, device: torch.device, plan: Plan) -> dict:
    """Return the options of an estimator's net, `net_params` last."""
    given = estimator.net_params or {}
    held_out = HeldOut(estimator.validation_fraction) if estimator.early_stopping else None
    return {
        "lr": estimator.learning_rate,
        "schedule": SCHEDULES[estimator.learning_rate_schedule],
        "iterator_train__shuffle": True,
        "iterator_valid__batch_size": 4096,
        "train_split": held_out,
        "verbose": int(estimator.verbose),
        "device": device,
        "batch_size": plan.batch_size,
        "max_epochs": plan.max_epochs,
        **_optimizer_params(estimator.weight_decay, given),
        **given,
    }


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
        raise ValueError(
            f"net_params['optimizer'] is {given['optimizer'].__name__}, which has no weight decay, "
            f"but weight_decay={weight_decay!r}. Set weight_decay=0."
        )
    return {}


def train(net: AutoencoderNet, rows: Rows, callbacks: list) -> None:
    """Train a net, with callbacks that leave it afterwards.

    Ctrl-C ends the training with a warning; in scikit-learn's searches and cross-validation it is
    passed on, so that it ends them too.

    Raises
    ------
    FloatingPointError
        If the loss stops being finite. After this and any other error, the weights are those from
        before.
    """
    lasting, before = net.callbacks_, copy.deepcopy(net.module_.state_dict())
    named = [(type(callback).__name__, callback.initialize()) for callback in callbacks]
    net.callbacks_ = [*named, *lasting]
    try:
        with threads_for(_flop_per_step(net), torch.device(net.device)):
            net.partial_fit(rows)
    except BaseException:
        net.module_.load_state_dict(before)
        raise
    finally:
        net.callbacks_ = lasting
        net.module_.eval()
    if net.interrupted_:
        _pass_on_or_warn(len(net.history))


def _flop_per_step(net: AutoencoderNet) -> float:
    """Return the cost of a step; that of a convolution is beyond all thresholds."""
    if any(isinstance(module, nn.modules.conv._ConvNd) for module in net.module_.modules()):
        return math.inf
    n_weights = sum(parameter.numel() for parameter in net.module_.parameters())
    return _TRAINING_FLOP_PER_WEIGHT * n_weights * net.batch_size


def _pass_on_or_warn(n_epochs: int) -> None:
    frame = sys._getframe()
    while frame := frame.f_back:
        if frame.f_globals.get("__name__", "").startswith("sklearn.model_selection"):
            raise KeyboardInterrupt
    warnings.warn(
        f"Training was interrupted in epoch {n_epochs}; the best weights so far are kept.",
        stacklevel=2,
    )
