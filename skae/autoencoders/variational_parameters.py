"""Parameters of the bound that variational autoencoders maximise."""

from numbers import Real
from typing import Annotated, Literal

from skae.common.annotations import NonNegativeFloat, PositiveInt
from skae.common.parameters import estimator
from skae.common.sklearn_private import Interval

PositiveShare = Annotated[float, Interval(Real, 0, 1, closed="right")]


@estimator(fixes_model=False)
class BoundParameters:
    """Parameters of the bound and of its estimates."""

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

    n_importance: PositiveInt = 1
    """The number of draws of the code in training: from 2 on, the loss is the tighter
    importance-weighted bound, and a step takes that many times as long."""

    n_draws: PositiveInt = 100
    """The number of draws of the code in `score_samples`."""

    n_encoder_steps: PositiveInt = 1
    """The number of steps of the encoder for every batch, of which only the last one is also a step
    of the decoder: an epoch takes that many times as long, and the encoder keeps up with the
    decoder (He et al., 2019)."""
