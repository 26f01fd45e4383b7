"""The length and the schedule of a training: epochs, batch sizes and learning rates by rule."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from skae.common.shared_parameters import TrainingParameters
from skae.training.net_params import check_net_params

# The share of the epochs in which the one-cycle learning rate rises; chosen on the development sets
# (docs/design.md, "What keeps small sets safe").
_WARM_UP = 0.2
# The batch size, and the number of steps per root of the number of rows.
LARGEST_BATCH = 256
STEPS_PER_ROOT_ROW = 25
_FEWEST_EPOCHS = 5
# The patience as a share of the epochs, and its smallest value.
_PATIENCE = 0.25
_LEAST_PATIENCE = 10
# The range of the logistic function's argument in a sigmoid schedule.
_STEEPNESS = 10.0
_N_CYCLES = 4
_Parameter = TypeVar("_Parameter")


def one_cycle(progress: float) -> float:
    """Return the factor of a one-cycle learning rate: up from 0 to 1, then down to 0.

    Both parts follow half a cosine; the rise takes a fifth of the training.

    References
    ----------
    Smith, L. N. and Topin, N. (2019). Super-convergence: very fast training of neural networks
    using large learning rates. Artificial Intelligence and Machine Learning for Multi-Domain
    Operations Applications, SPIE 11006.
    """
    if progress < _WARM_UP:
        return 0.5 - 0.5 * math.cos(math.pi * progress / _WARM_UP)
    return 0.5 + 0.5 * math.cos(math.pi * (progress - _WARM_UP) / (1 - _WARM_UP))


def steady(progress: float) -> float:
    """Return the factor of a constant learning rate."""
    return 1.0


SCHEDULES: dict[str, Callable[[float], float] | None] = {"one_cycle": one_cycle, "constant": None}


def linear(progress: float, rise: float) -> float:
    """Return a factor that rises linearly to 1 in the first part of the training."""
    return min(1.0, progress / rise)


def sigmoid(progress: float, rise: float) -> float:
    """Return a factor that rises to 1 as a logistic function in the first part of the training."""
    return 1.0 if progress >= rise else 1 / (1 + math.exp(_STEEPNESS * (0.5 - progress / rise)))


def cyclical(progress: float, rise: float) -> float:
    """Return a factor that rises linearly to 1 in the first part of each of four cycles.

    References
    ----------
    Fu, H., Li, C., Liu, X., Gao, J., Celikyilmaz, A. and Carin, L. (2019). Cyclical annealing
    schedule: a simple approach to mitigating KL vanishing. NAACL.
    """
    return 1.0 if progress >= 1 else linear(_N_CYCLES * progress % 1, rise)


BETA_SCHEDULES: dict[str, Callable[..., float] | None] = {
    "constant": None,
    "linear": linear,
    "sigmoid": sigmoid,
    "cyclical": cyclical,
}


def noise_level(noise: str | float, n_rows: int) -> float:
    """Return the noise of the encoder's input, in units of the residual of PCA.

    By rule it is 0.7 for up to 500 rows, and falls with the root of their number beyond: more
    rows need less smoothing.
    """
    return unless_auto(noise, 0.7 * min(1.0, math.sqrt(500 / n_rows)))


@dataclass(frozen=True)
class Plan:
    """The length of a training, by rule where a parameter is ``"auto"``.

    Attributes
    ----------
    batch_size : int
        The number of rows of a step, by default 256 or the estimator's own number, but at most all.
    max_epochs : int
        The number of epochs. By rule, the number of steps is 25 times the root of the number of
        rows: hundreds for a hundred rows, tens of thousands for a million. An estimator may have
        another factor.
    patience : int or None
        The number of epochs without improvement that end the training: a quarter of all, and at
        least ten; None where training does not stop early.
    warm_up : int
        The number of warm-up epochs, which do not count towards early stopping.
    one_pass : bool
        Whether this is one pass of `partial_fit`.
    """

    batch_size: int
    max_epochs: int
    patience: int | None
    warm_up: int
    one_pass: bool

    @classmethod
    def of(
        cls,
        parameters: TrainingParameters,
        n_rows: int,
        *,
        one_pass: bool = False,
        largest_batch: int = LARGEST_BATCH,
        steps_per_root_row: int = STEPS_PER_ROOT_ROW,
    ) -> "Plan":
        """Return the plan for a number of rows.

        Parameters
        ----------
        parameters : TrainingParameters
            The estimator, whose parameters are used.
        n_rows : int
            The number of rows.
        one_pass : bool, default=False
            Whether this is one pass of `partial_fit`.
        largest_batch, steps_per_root_row : int
            The batch size and the steps per root of the number of rows where parameters are
            "auto".
        """
        check_net_params(parameters.net_params)
        given = parameters.net_params or {}
        batch_size = given.get("batch_size", unless_auto(parameters.batch_size, largest_batch))
        batch_size = min(batch_size, n_rows) if batch_size > 0 else n_rows
        n_steps = math.sqrt(n_rows) * steps_per_root_row
        n_epochs = max(_FEWEST_EPOCHS, round(n_steps / math.ceil(n_rows / batch_size)))
        max_epochs = given.get("max_epochs", unless_auto(parameters.max_epochs, n_epochs))
        max_epochs = 1 if one_pass else max_epochs
        patience = max(_LEAST_PATIENCE, math.ceil(_PATIENCE * max_epochs))
        patience = unless_auto(parameters.n_iter_no_change, patience)
        warms_up = SCHEDULES[parameters.learning_rate_schedule] is one_cycle
        return cls(
            batch_size,
            max_epochs,
            patience=patience if parameters.early_stopping else None,
            warm_up=math.ceil(_WARM_UP * max_epochs) if warms_up else 0,
            one_pass=one_pass,
        )

    def shortened(self, max_epochs: int) -> "Plan":
        """Return the plan of a training with fewer epochs and without early stopping."""
        return replace(self, max_epochs=max_epochs, patience=None)


def unless_auto(parameter: str | _Parameter, rule: _Parameter) -> _Parameter:
    """Return a parameter, or the value by rule where it is ``"auto"``."""
    return rule if isinstance(parameter, str) else parameter
