"""Parameters of the bound that variational autoencoders maximise."""

from numbers import Real
from typing import Annotated, Literal

from skae.common.annotations import NonNegativeFloat, PositiveInt
from skae.common.parameters import estimator
from skae.common.sklearn_private import Interval

PositiveShare = Annotated[float, Interval(Real, 0, 1, closed="right")]


@estimator(fixes_model=False)
class BoundParameters:
    """The bound, and how it is estimated."""

    beta: NonNegativeFloat = 1.0
    """The weight of the divergence in the loss. Validation rows are always judged with the whole of
    it."""

    beta_schedule: Literal["constant", "linear", "sigmoid", "cyclical"] = "constant"
    """The warm-up of the weight: none; linear; like a logistic function; or four linear ones in
    turn."""

    beta_warm_up: PositiveShare = 0.2
    """The length of the warm-up, as a share of the training or of each of the four cycles. These
    epochs, of cycles all up to the last warm-up, do not count towards early stopping."""

    free_bits: NonNegativeFloat = 0.0
    """The divergence of a unit, in nats and on the mean of a batch, below which training does not
    press it."""

    n_importance: PositiveInt = 1
    """The number of draws of the code in training: from 2 on, the loss is the tighter
    importance-weighted bound, and a step takes so many times as long."""

    n_draws: PositiveInt = 100
    """The number of draws of the code in `score_samples`."""

    n_encoder_steps: PositiveInt = 1
    """The number of steps of the encoder for each of the decoder: the others leave the decoder
    alone."""
