"""Parameters of the bound that variational autoencoders maximise."""

from functools import partial
from numbers import Real
from typing import Annotated, Literal

from skae.common.annotations import NonNegativeFloat, PositiveInt
from skae.common.parameters import estimator
from skae.common.sklearn_private import Interval
from skae.nn.variational_chain import Variational
from skae.training.schedule import BETA_SCHEDULES

PositiveShare = Annotated[float, Interval(Real, 0, 1, closed="right")]


@estimator(fixes_model=False)
class DivergenceParameters:
    """Parameters of the divergence in the bound, and of the estimate of the bound."""

    beta: NonNegativeFloat = 1.0
    """The weight of the divergence in the loss. The loss of validation rows always has the full
    weight, whatever the schedule."""

    beta_schedule: Literal["constant", "linear", "sigmoid", "cyclical"] = "constant"
    """The warm-up of `beta`: none ("constant"), linear, a logistic function ("sigmoid"), or four
    linear ones in turn ("cyclical")."""

    beta_warm_up: PositiveShare = 0.2
    """The length of the warm-up, as a share of the training or of each of the four cycles. These
    epochs (with cycles, all up to the end of the last warm-up) do not count towards early stopping.
    """

    free_bits: NonNegativeFloat = 0.0
    """The divergence of a unit, in nats and averaged over a batch, below which it is not penalised,
    neither in training nor where epochs are compared; `score_samples` counts all of it."""

    n_draws: PositiveInt = 100
    """The number of draws of the code in `score_samples`."""

    def _prepare_bottleneck(self, bottleneck: Variational) -> None:
        """Set the weight of the divergence and its schedule for a training."""
        rise = BETA_SCHEDULES[self.beta_schedule]
        bottleneck.schedule = None if rise is None else partial(rise, rise=self.beta_warm_up)
        bottleneck.beta, bottleneck.free_bits = self.beta, self.free_bits
        bottleneck.warm_up = self._warm_up()

    def _warm_up(self) -> float:
        """Return the share of the training in which the weight of the divergence rises."""
        if self.beta_schedule == "constant":
            return 0.0
        is_cyclical = self.beta_schedule == "cyclical"
        return 0.75 + 0.25 * self.beta_warm_up if is_cyclical else self.beta_warm_up


@estimator(fixes_model=False)
class BoundParameters(DivergenceParameters):
    """Parameters of the bound and of its estimates."""

    n_importance: PositiveInt = 1
    """The number of draws of the code in training: from 2 on, the loss is the tighter
    importance-weighted bound, and a step takes that many times as long."""

    n_encoder_steps: PositiveInt = 1
    """The number of steps of the encoder for every batch, of which only the last one is also a step
    of the decoder: an epoch takes that many times as long, and the encoder keeps up with the
    decoder (He et al., 2019)."""
