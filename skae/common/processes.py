"""The processes of a data-parallel fit, as torch.distributed knows them."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

_Result = TypeVar("_Result")


def n_processes() -> int:
    """Return the number of processes that train together; 1 where there is no group of them."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_world_size()
    return 1


def own_rank() -> int:
    """Return the place of this process among them."""
    return distributed.get_rank() if n_processes() > 1 else 0


def gather(value: Any) -> list[Any]:
    """Return the values of all processes, in the order of their ranks."""
    found: list[Any] = [None] * n_processes()
    _together(lambda: distributed.all_gather_object(found, value))
    return found


def of_first(value: Any) -> Any:
    """Return the value of the first process."""
    return gather(value)[0] if n_processes() > 1 else value


def check_one_process(what: str) -> None:
    """Raise RuntimeError if torch.distributed has a group of processes."""
    if n_processes() > 1:
        raise RuntimeError(
            f"{what} is for one process, and torch.distributed has a group of {n_processes()}. "
            f"Only autoencoders are fitted by several together."
        )


def add_up(values: Tensor) -> Tensor:
    """Return the sum of the tensors of all processes, the same to the bit in each."""
    _together(lambda: distributed.all_reduce(values))
    return values


def from_first(tensors: list[Tensor]) -> None:
    """Give tensors the values that they have in the first process."""
    for tensor in tensors:
        _together(partial(distributed.broadcast, tensor, src=0))


def _together(function: Callable[[], _Result]) -> _Result:
    """Call what all processes call; say what it means if another one has ended."""
    try:
        return function()
    except (RuntimeError, ValueError) as error:
        raise RuntimeError(
            f"Process {own_rank()} of {n_processes()} lost touch with another one, which has ended "
            f"or does something else; the fit cannot go on. {error}"
        ) from error


def flat(tensors: list[Tensor]) -> Tensor:
    """Return tensors as one vector."""
    return torch.cat([each.reshape(-1) for each in tensors])
