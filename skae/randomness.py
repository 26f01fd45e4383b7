"""Repeatable randomness that leaves every global generator as it was."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from sklearn.utils import check_random_state

_TURN = threading.RLock()


def draw_seed(random_state) -> int:
    """Draw a seed from a `random_state` parameter; None draws from fresh entropy."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    return int(check_random_state(random_state).randint(2**31))


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside the block, on the host and on one device, and undo it afterwards.

    Threads take turns in such blocks, since torch's generator is one for all of them.
    """
    is_cuda = device.type == "cuda"
    with _TURN, torch.random.fork_rng(devices=[device] if is_cuda else []):
        torch.default_generator.manual_seed(seed)
        if is_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
