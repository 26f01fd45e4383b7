"""The device, and the number of threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any

import torch

# The floating-point operations of a layer in a step from which several threads are used. Below it,
# a second thread gains a fifth on an idle machine and triples the time on a busy one
# (docs/design.md, "The training step").
_FLOP_WORTH_THREADS = 1.2e7
# The number of threads outside of `on_one_thread`.
_THREADS_OUTSIDE: ContextVar[int | None] = ContextVar("threads outside", default=None)


def resolve_device(device: Any, X: Any = None) -> torch.device:
    """Return the device that a `device` parameter stands for, given rows `X`.

    ``"auto"`` is the device of a tensor, else a CUDA device if there is one, else the CPU.

    Raises
    ------
    ValueError
        If there is no such device.
    """
    if device == "auto":
        if isinstance(X, torch.Tensor):
            return X.device
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"The 'device' parameter must be 'auto' or a torch device such as 'cpu', 'cuda', "
            f"'cuda:1' or 'mps'. Got {device!r} instead."
        ) from error
    _check_available(resolved)
    return resolved


def has_room(device: torch.device, data: torch.Tensor) -> bool:
    """Return whether data fits into half of the free memory of a device."""
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return 2 * data.nbytes < free


def _check_available(device: torch.device) -> None:
    try:
        torch.empty(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"The 'device' parameter is {str(device)!r}, but torch finds no such device on this "
            f"machine. Use device='cpu', or device='auto' for the best that there is."
        ) from error


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Use one thread inside the block, so that results do not depend on their number.

    Blocks of `threads_for` inside use all that there were outside, where it is worth it.
    """
    if _THREADS_OUTSIDE.get() is not None:
        yield
        return
    n_threads = _BLOCKS.enter()
    token = _THREADS_OUTSIDE.set(n_threads)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
        _THREADS_OUTSIDE.reset(token)
        _BLOCKS.leave()


class _Blocks:
    """The number of threads outside of all blocks of `on_one_thread`, of all Python's threads.

    The number that torch gives is of the whole process: a block that begins while another one is
    open in another thread would find the one thread of that.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.n_open = 0
        self.n_threads = 1

    def enter(self) -> int:
        """Return the number of threads outside."""
        with self.lock:
            if self.n_open == 0:
                self.n_threads = torch.get_num_threads()
            self.n_open += 1
            return self.n_threads

    def leave(self) -> None:
        with self.lock:
            self.n_open -= 1


_BLOCKS = _Blocks()


@contextmanager
def threads_for(flop_per_layer: float, device: torch.device) -> Iterator[None]:
    """Use one thread inside the block where layers are small, else all."""
    n_threads = torch.get_num_threads()
    is_small = device.type == "cpu" and flop_per_layer < _FLOP_WORTH_THREADS
    torch.set_num_threads(1 if is_small else _THREADS_OUTSIDE.get() or n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
