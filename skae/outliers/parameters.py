"""Parameters of the outlier detector."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Annotated

from skae.common.annotations import (
    Activation,
    Auto,
    Half,
    Named,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Sizes,
)
from skae.common.parameters import estimator
from skae.common.shared_parameters import TrainingParameters
from skae.common.sklearn_private import Interval

Contamination = Annotated[float, Interval(Real, 0, 0.5, closed="right")]
PartNames = Annotated[Sequence[str], "array-like", Named("array-like of str")]


@estimator(fixes_model=False)
class DetectorParameters:
    """Parameters of a detector that may change between two calls of `partial_fit`."""

    novelty: bool = False
    """Whether the training rows are known to be clean. If True, the detector learns from all rows,
    until the validation error no longer improves, the distance to the nearest neighbour is used,
    and the threshold is conformal. If False, outliers may be among the rows: the farthest ones are
    trimmed beforehand, the training is a third as long, and the distance to the fifth neighbour is
    used, so that a few outliers close to each other do not mask each other."""

    contamination: Auto | Contamination = "auto"
    """With `novelty`, the share of new normal rows that are flagged, in (0, 0.5]; "auto" is 0.01.
    Without, the share of the training rows that are flagged; "auto" flags surprisals above the 99th
    percentile, extrapolated from the lower 90 % of surprisals, and at least one row in a hundred.
    """

    parts: PartNames = ("latent", "neighbors", "center")
    """The parts of the score: some of "latent", "neighbors", "center" and "reconstruction". The
    last is a weaker detector than the first, by the same autoencoders, and left out by default; it
    is used in explanations in any case."""

    n_neighbors: Auto | PositiveInt = "auto"
    """The rank of the nearest neighbour whose distance is used; "auto" is the first with `novelty`,
    else the fifth."""

    trim_fraction: Auto | Half = "auto"
    """Without `novelty`, the share of the rows that are trimmed, in [0, 0.5], so that nothing is
    learned from them: those with the largest distances within which a twentieth and half of the
    other rows are. "auto" is a tenth, or `contamination` where it is more."""

    max_samples: Annotated[int, Interval(Integral, 100, None, closed="left")] = 10_000
    """The largest number of rows to learn from, drawn at random. It bounds the time and memory of
    `fit`, and the number of rows that `partial_fit` keeps."""


@estimator()
class EnsembleParameters(TrainingParameters):
    """Parameters of the autoencoders, and of their training."""

    n_members: Annotated[int, Interval(Integral, 4, None, closed="left")] = 8
    """The number of autoencoders, even and at least 4. Half of them are for each view; the rows are
    split into as many folds as a view has autoencoders, and each of these leaves out one fold."""

    hidden_layer_sizes: Auto | Sizes = "auto"
    """The number of units of every hidden layer of an autoencoder; "auto" is (64, 64)."""

    activation: Activation = "gelu"
    """The activation of the hidden layers."""

    learning_rate: PositiveFloat = 0.002

    weight_decay: NonNegativeFloat = 0.01

    max_epochs: Auto | PositiveInt = "auto"
    """The largest number of epochs, that is, passes over the rows. "auto" makes about 25 steps
    times the root of their number with `novelty`, else 8."""

    early_stopping: bool = True
    """Whether to keep the weights with the smallest error on validation rows, and stop when it no
    longer improves. No rows are lost to it: each is held out from some members."""

    tol: NonNegativeFloat = 0.0001
    """The smallest improvement that early stopping counts, a mean squared error of standardised
    cells."""
