"""Parameters of autoencoders of sequences."""

from dataclasses import field
from numbers import Integral
from typing import Annotated, Literal

from skae.autoencoders.parameters import FitParameters
from skae.autoencoders.variational_parameters import DivergenceParameters, PositiveShare
from skae.common.annotations import (
    Auto,
    Dropout,
    NonNegativeFloat,
    Number,
    PositiveFloat,
    PositiveInt,
)
from skae.common.parameters import estimator
from skae.common.shared_parameters import DeviceParameters, TrainingParameters

NonNegativeInt = Annotated[int, Number(Integral, 0, None, closed="left")]


@estimator()
class SequenceParameters:
    """Parameters of the chain."""

    n_components: NonNegativeInt = field(default=64, kw_only=False)
    """The number of units of the code; units that are not needed stay at the prior. 0 is a model
    without a code, an unconditional decoder: it draws, completes and scores, `prior` has no effect,
    and there is nothing to transform to."""

    rnn: Literal["lstm", "gru"] = "lstm"
    """The cell of the recurrent networks, with layer normalisation: long short-term memory or gated
    recurrent units."""

    hidden_size: PositiveInt = 256
    """The number of hidden units of the decoder; the encoder has half of them for each direction.
    """

    max_length: Auto | PositiveInt = "auto"
    """The largest number of steps of a training sequence, and of what is drawn; "auto" is that of
    the longest training sequence."""

    dropout: Dropout = 0.05
    """The share of the hidden units' new values that every training step leaves out, in [0, 1);
    what they remember stays."""

    input_dropout: Dropout = 0.1
    """The share of the previous steps that are masked from the decoder in training, in [0, 1), so
    that it needs the code."""


@estimator(fixes_model=False)
class SequenceTraining(DivergenceParameters, FitParameters, TrainingParameters, DeviceParameters):
    """Parameters of the training, and of estimates."""

    beta: NonNegativeFloat = 0.1

    beta_schedule: Literal["constant", "linear", "sigmoid", "cyclical"] = "linear"

    beta_warm_up: PositiveShare = 0.3

    n_draws: PositiveInt = 10

    max_gradient_norm: PositiveFloat | None = 100.0
    """The norm that larger gradients of a step are reduced to; None for no such bound."""

    learning_rate: PositiveFloat = 0.004

    batch_size: Auto | PositiveInt = "auto"
    """The number of rows of a training step; "auto" is 50, or all rows if they are fewer."""

    max_epochs: Auto | PositiveInt = "auto"
    """The largest number of epochs, that is, passes over the training rows. "auto" makes about 40
    steps times the root of their number: 400 for a hundred rows, 40,000 for a million."""
