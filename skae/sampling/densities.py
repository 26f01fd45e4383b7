"""A density of training codes, and seeded draws from any density."""

import copy
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skae.common.seeds import draw_seed
from skae.common.sklearn_private import take_rows
from skae.nn.seeding import seeded


class TrainingCodes(BaseEstimator):
    """The empirical distribution of codes."""

    def fit(self, codes: np.ndarray) -> "TrainingCodes":
        """Keep codes, shape (n_rows, n_components)."""
        self.codes_ = codes.astype(np.float32)
        return self

    def sample(self, n_samples: int, random_state: Any = None) -> np.ndarray:
        """Draw codes with replacement, shape (n_samples, n_components)."""
        rng = check_random_state(random_state)
        return self.codes_[rng.randint(len(self.codes_), size=n_samples)]


def draw_codes(density: Any, n_samples: int, random_state: Any) -> Any:
    """Draw from a density, seeded by its method, its parameter or the global generators.

    Draws are in random order: a mixture of scikit-learn gives them one component after another.
    """
    seed = draw_seed(random_state)
    draws = _draws(density, n_samples, seed)
    return take_rows(draws, np.random.default_rng(seed).permutation(n_samples))


def _draws(density: Any, n_samples: int, random_state: int) -> Any:
    if "random_state" in inspect.signature(density.sample).parameters:
        draws = density.sample(n_samples, random_state=random_state)
    elif "random_state" in parameters_of(density):
        density = copy.copy(density).set_params(random_state=check_random_state(random_state))
        draws = density.sample(n_samples)
    else:
        with globally_seeded(random_state):
            draws = density.sample(n_samples)
    return draws[0] if isinstance(draws, tuple) else draws


def parameters_of(density: Any) -> dict[str, Any]:
    """Return the parameters of a density, none if it is not a scikit-learn estimator."""
    return density.get_params(deep=False) if hasattr(density, "get_params") else {}


@contextmanager
def globally_seeded(seed: int) -> Iterator[None]:
    """Seed the global generators of numpy and torch inside the block, and undo it afterwards."""
    state = np.random.get_state()  # noqa: NPY002 - other libraries draw from it
    with seeded(seed, torch.device("cpu")):
        try:
            np.random.seed(seed)  # noqa: NPY002
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002
