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
from skae.outliers.coordinates import VIEWS
from skae.outliers.model import PARTS

Contamination = Annotated[float, Interval(Real, 0, 0.5, closed="right")]
PartNames = Annotated[Sequence[str], "array-like", Named("array-like of str")]


@estimator(fixes_model=False)
class DetectorParameters:
    """Parameters of a detector that may change between two calls of `partial_fit`."""

    novelty: bool = False
    """Whether the training rows are known to be clean. If True, the detector learns from all rows,
    until the validation error no longer improves, and the threshold is conformal. If False,
    outliers may be among the rows: the farthest ones are trimmed beforehand, and the training is a
    third as long."""

    contamination: Auto | Contamination = "auto"
    """With `novelty`, the share of new normal rows that are flagged, in (0, 0.5]; "auto" is 0.01.
    Without, the share of the training rows that are flagged; "auto" flags the rows that
    a gap parts from the rest, and of the others one to two in a hundred: those with surprisals
    above the 99th percentile, extrapolated from the lower 90 %."""

    parts: PartNames = ("neighbors", "reconstruction", "center")
    """The parts of the score: some of "neighbors", "reconstruction", "center" and "latent"."""

    n_references: Auto | PositiveInt = "auto"
    """The number of training rows that others are compared with, and four times the number of codes
    of a member. "auto" is a thousand, of few columns as many as have 30,000 cells. More of them
    make a score a little better, and slower in proportion."""

    n_neighbors: Auto | PositiveInt = "auto"
    """The rank of the nearest neighbour whose distance is used; of fewer references it is the last.
    "auto" is the first of each of four groups of the references, whose logarithms are averaged."""

    trim_fraction: Auto | Half = "auto"
    """Without `novelty`, the share of the rows that are trimmed, in [0, 0.5], so that nothing is
    learned from them: those with the largest distances within which a twentieth and half of the
    other rows are. "auto" is a tenth, or `contamination` where it is more, or as many as are beyond
    a gap among the distances if that is "auto"."""

    max_samples: Annotated[int, Interval(Integral, 100, None, closed="left")] = 10_000
    """The largest number of rows to learn from, drawn at random. It bounds the time and memory of
    `fit`, and the number of rows that `partial_fit` keeps."""

    n_jobs: int | None = None
    """The number of threads that score the batches of many rows; -1 is one for each core. None is
    one, whose operations may still use several."""


@estimator()
class EnsembleParameters(TrainingParameters):
    """Parameters of the autoencoders, and of their training."""

    n_members: Annotated[int, Interval(Integral, 4, None, closed="left")] = 8
    """The number of autoencoders, even and at least 4. Half of them are for each view; the rows are
    split into as many folds as a view has autoencoders, and each of these leaves out one fold."""

    hidden_layer_sizes: Auto | Sizes = "auto"
    """The number of units of every hidden layer of an autoencoder; "auto" is (32, 32)."""

    activation: Activation = "silu"
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


def check_parameters(parts: Sequence[str], n_members: int) -> None:
    """Raise ValueError if parameters of a detector are of the right types and not allowed."""
    names = list(parts) if not isinstance(parts, str) else []
    if not names or sorted(map(str, names)) != sorted(set(map(str, names)) & set(PARTS)):
        raise ValueError(
            f"The 'parts' parameter must hold some of {PARTS}, each at most once. Got {parts!r}."
        )
    if n_members % len(VIEWS):
        raise ValueError(
            f"The 'n_members' parameter must be even, since half of the members see each view. "
            f"Got {n_members!r}."
        )
