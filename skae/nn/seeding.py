"""Seeding torch inside a block."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

# The lock of the thread that is inside a seeded block.
_TURN = threading.RLock()


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside the block, on the host and on one device, and undo it afterwards.

    Threads take turns in such blocks, since they share torch's generator.
    """
    is_cuda = device.type == "cuda"
    with _TURN, torch.random.fork_rng(devices=[device] if is_cuda else []):
        torch.default_generator.manual_seed(seed)
        if is_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
