"""Seeds, drawn without a touch of any global generator, and foreign code that knows no other."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from sklearn.utils import check_random_state

from skae.nn.seeding import seeded


def draw_seed(random_state) -> int:
    """Draw a seed from a `random_state` parameter; None draws from fresh entropy."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    return int(check_random_state(random_state).randint(2**31))


@contextmanager
def globally_seeded(seed: int) -> Iterator[None]:
    """Seed the global generators of numpy and torch inside the block, and undo it afterwards."""
    state = np.random.get_state()  # noqa: NPY002 - it is what foreign code draws from
    with seeded(seed, torch.device("cpu")):
        try:
            np.random.seed(seed)  # noqa: NPY002
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002
