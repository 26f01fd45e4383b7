"""Inference with a trained net: losses, codes, and calibration by squared errors."""

import copy
import math
from collections.abc import Callable
from typing import TypeVar, cast
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from skae.training.net import AutoencoderNet
from skae.training.rows import Rows

_Module = TypeVar("_Module", bound=nn.Module)


@torch.no_grad()
def losses(net: AutoencoderNet, rows: Rows) -> tuple[Tensor, Tensor]:
    """Return the loss and the weight of every row, shapes (n_rows,)."""
    module = net.module_.eval()
    parts, weights = [], []
    for x, weight in net.batches(rows):
        parts.append(module.loss(*module(x), x).cpu())
        weights.append(parts[-1].new_ones(len(x)) if weight is None else weight.cpu())
    return torch.cat(parts), torch.cat(weights)


def mean_loss(net: AutoencoderNet, rows: Rows) -> float:
    """Return the weighted mean loss of rows."""
    loss, weights = losses(net, rows)
    return float(loss @ weights / weights.sum())


def check_loss(net: AutoencoderNet, rows: Rows) -> None:
    """Raise FloatingPointError if the mean loss of rows is not finite."""
    net.check_finite(mean_loss(net, rows), "loss after training")


@torch.no_grad()
def calibrate(net: AutoencoderNet, rows: Rows) -> np.ndarray:
    """Set the likelihood's variances to the mean squared errors, and return these by column."""
    module = net.module_
    total, count = torch.zeros(()), torch.zeros(())
    for x, weights in net.batches(rows):
        squared = module.squared_error(*module.input_and_target(x)).cpu().double()
        weights = torch.ones(len(x)) if weights is None else weights.cpu()
        total = total + weights.double() @ squared.nan_to_num(nan=0.0, posinf=math.inf)
        count = count + weights.double() @ (~squared.isnan()).double()
    net.check_finite(float(total.sum()), "squared error after training")
    mean = total / count.clamp_min(1)
    module.likelihood.calibrate(mean)
    return mean.numpy()


@torch.inference_mode()
def read(net: AutoencoderNet, rows: Rows, function: Callable[[Tensor], Tensor]) -> np.ndarray:
    """Return the values of a function of the encoder's inputs, one line per row."""
    sources = (net.module_.input_and_target(x)[0] for x, _ in net.batches(rows))
    values = torch.cat([function(x) for x in sources])
    net.check_finite(float(values.abs().max()), "largest code after training")
    return values.cpu().numpy()


def encode(net: AutoencoderNet, rows: Rows) -> np.ndarray:
    """Return the codes of rows, shape (n_rows, n_components)."""
    return read(net, rows, net.module_.encode)


# Copies of modules in double precision, and what their weights were copied from.
_DOUBLES: WeakKeyDictionary[nn.Module, tuple[list, nn.Module]] = WeakKeyDictionary()


def _state_of(tensor: Tensor) -> tuple:
    """Return what tells whether a tensor has changed; torch counts no changes in inference mode."""
    version = None if tensor.is_inference() else tensor._version
    return id(tensor), tensor.device, version


def in_double(module: _Module, device: str | torch.device) -> tuple[_Module, torch.dtype]:
    """Return a copy of a module in the highest precision of its device, and the precision.

    In float32 the last digits of a row's output depend on the other rows of its batch. The copy is
    made once, until the weights change.
    """
    dtype = torch.float32 if torch.device(device).type == "mps" else torch.float64
    state = [*map(_state_of, (*module.parameters(), *module.buffers()))]
    known = _DOUBLES.get(module)
    if known is None or known[0] != state:
        known = state, copy.deepcopy(module).to(dtype).eval()
        _DOUBLES[module] = known
    return cast(_Module, known[1]), dtype
