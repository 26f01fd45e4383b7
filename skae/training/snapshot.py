"""Snapshots: all that training changes in a net, as plain values, and the way back."""

import hashlib
from typing import Any

import torch
from skorch.callbacks import EpochTimer
from torch import Tensor, nn

from skae.saving.writing import OF_MODULES
from skae.training.callbacks import DiscriminatorAccuracy
from skae.training.generators import generator_states
from skae.training.log import Log
from skae.training.net import AutoencoderNet
from skae.training.plain import copied, is_plain, packed, unpack
from skae.training.resumable import Resumable
from skae.training.rows import Rows
from skae.training.saved_net import by_column, by_row
from skae.training.sklearn_bridge import EpochTasks

# What training changes in the net itself, beside its parts.
_OF_NET = ("lr", "step_", "n_steps_", "smallest_", "stopping_")
# Callbacks whose state is that of an epoch, or nothing but what they print.
_OF_EPOCHS = (EpochTimer, Log, EpochTasks, DiscriminatorAccuracy)


def snapshot(net: AutoencoderNet, rows: Rows, *, is_over: bool = False) -> dict[str, Any]:
    """Return the state of a training; of one that is over, without the optimiser's moments.

    Raises
    ------
    ValueError
        If a callback has state that cannot be kept.
    """
    optimizer = net.optimizer_.state_dict()
    return {
        "net": {name: vars(net)[name] for name in _OF_NET if name in vars(net)},
        "history": by_column([_with_counts(epoch) for epoch in net.history]),
        "module": _state_of_module(net.chain),
        "criterion": _state_of_module(net.criterion_),
        "groups": optimizer["param_groups"],
        "moments": {} if is_over else optimizer["state"],
        "callbacks": _states_of_callbacks(net, rows, is_over),
    }


def go_on(net: AutoencoderNet, rows: Rows, state: dict[str, Any]) -> None:
    """Put a net back to where it was when a snapshot was taken."""
    net.__dict__.update(copied(state["net"]))
    net.history[:] = [_with_batches(epoch) for epoch in by_row(state["history"])]
    _restore_module(net.chain, state["module"])
    _restore_module(net.criterion_, state["criterion"])
    moments, groups = copied(state["moments"]), state["groups"]
    net.optimizer_.load_state_dict({"state": moments, "param_groups": groups})
    for callback, kept in zip(_kept_callbacks(net), state["callbacks"], strict=True):
        if isinstance(callback, Resumable):
            callback.go_on_with(copied(kept), rows)
        else:
            callback.__dict__.update(copied(kept))


def digest_of(net: AutoencoderNet) -> str:
    """Return the SHA-256 of what a training starts from: the weights and the generators."""
    state = generator_states(torch.device(net.device))
    tensors = {**_tensors(net.chain), **{n: each for n, each in state.items() if each is not None}}
    digest = hashlib.sha256()
    for name, tensor in tensors.items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _state_of_module(module: nn.Module) -> dict[str, Any]:
    """Return the weights, the buffers and the plain Python attributes of a module's parts."""
    attributes = {}
    for name, part in module.named_modules():
        own = {each: value for each, value in vars(part).items() if each not in OF_MODULES}
        attributes[name] = packed(own)
    tensors = {name: tensor.detach() for name, tensor in _tensors(module).items()}
    return {"tensors": tensors, "attributes": attributes}


@torch.no_grad()
def _restore_module(module: nn.Module, state: dict[str, Any]) -> None:
    tensors = _tensors(module)
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    if shapes != {name: tensor.shape for name, tensor in state["tensors"].items()}:
        raise ValueError("the parts of the model are others")
    for name, tensor in state["tensors"].items():
        tensors[name].copy_(tensor)
    parts = dict(module.named_modules())
    for name, kept in state["attributes"].items():
        unpack(kept, parts[name].__dict__)


def _kept_callbacks(net: AutoencoderNet) -> list[Any]:
    return [callback for _, callback in net.callbacks_ if not isinstance(callback, _OF_EPOCHS)]


def _states_of_callbacks(net: AutoencoderNet, rows: Rows, is_over: bool) -> list[dict[str, Any]]:
    return [
        callback.state_to_keep(rows, is_over=is_over)
        if isinstance(callback, Resumable)
        else _plain_state(callback)
        for callback in _kept_callbacks(net)
    ]


def _plain_state(callback: Any) -> dict[str, Any]:
    """Return the attributes of a callback of the user; what it was made with may be anything."""
    own = {name: value for name, value in vars(callback).items() if is_plain(value)}
    others = vars(callback).keys() - own.keys() - callback.get_params(deep=False).keys()
    for name in sorted(others):
        raise ValueError(
            f"A checkpoint cannot hold the attribute {name!r} of the callback "
            f"{type(callback).__name__} in net_params['callbacks']: it is neither a number, a text "
            f"or a tensor nor a list or dict of them. Leave the callback out, or set "
            f"checkpoint=None."
        )
    return own


def _with_counts(epoch: dict[str, Any]) -> dict[str, Any]:
    """Return an epoch of the history; batches of which nothing is recorded are counted."""
    batches = epoch["batches"]
    return {**epoch, "batches": batches if any(batches) else len(batches)}


def _with_batches(epoch: dict[str, Any]) -> dict[str, Any]:
    batches = epoch["batches"]
    return {**epoch, "batches": [{} for _ in range(batches)] if type(batches) is int else batches}
