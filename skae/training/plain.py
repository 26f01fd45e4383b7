"""Plain values: those that checkpoints hold of attributes, and how they are put back."""

from typing import Any

import numpy as np
import torch
from torch import nn

_SINGLE = (type(None), bool, int, float, str, np.number, np.bool_)
# Numbers of as many steps are kept as one tensor.
_FEWEST_IN_STACK = 32


def is_plain(value: Any) -> bool:
    """Tell whether a value is a number, text, tensor or array, or a list, tuple or dict of them."""
    if type(value) in (list, tuple):
        return all(map(is_plain, value))
    if type(value) is dict:
        return all(map(is_plain, [*value, *value.values()]))
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuf"
    return isinstance(value, _SINGLE) or type(value) is torch.Tensor


def packed(attributes: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    """Return those of an object's attributes that can be kept, each with its kind.

    Generators are kept by their state, and long lists of single numbers as one tensor.
    """
    found = {name: _packed(value) for name, value in attributes.items()}
    return {name: pair for name, pair in found.items() if pair is not None}


def _packed(value: Any) -> tuple[str, Any] | None:
    if isinstance(value, np.random.Generator):
        return "generator", value.bit_generator.state
    if isinstance(value, np.random.RandomState):
        return "random_state", value.get_state(legacy=False)
    if isinstance(value, torch.Generator):
        return "torch_generator", value.get_state()
    if isinstance(value, nn.Parameter) or not is_plain(value):
        return None
    if type(value) is list and len(value) >= _FEWEST_IN_STACK and _are_single_tensors(value):
        return "stack", torch.stack(value)
    return "value", value


def _are_single_tensors(values: list) -> bool:
    types = {(type(value), getattr(value, "dtype", None), np.ndim(value)) for value in values}
    return len(types) == 1 and next(iter(types))[0] is torch.Tensor and types.pop()[2] == 0


def unpack(kept: dict[str, tuple[str, Any]], attributes: dict[str, Any]) -> None:
    """Put kept attributes back among those of an object; generators are set, not replaced."""
    for name, (kind, value) in kept.items():
        if kind == "generator":
            attributes[name].bit_generator.state = value
        elif kind in ("random_state", "torch_generator"):
            attributes[name].set_state(value)
        else:
            attributes[name] = list(value.unbind()) if kind == "stack" else copied(value)


def copied(value: Any) -> Any:
    """Return a plain value whose tensors are in memory of torch's own.

    Results of matrix products depend on where tensors begin, and those of a file begin anywhere.
    """
    if type(value) in (list, tuple):
        return type(value)(map(copied, value))
    if type(value) is dict:
        return {name: copied(each) for name, each in value.items()}
    return value.clone() if isinstance(value, torch.Tensor) else value
