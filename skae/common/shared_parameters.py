"""Parameters that estimators share, grouped by purpose."""

from typing import Annotated, Any, Literal

from skae.common.annotations import (
    Auto,
    ColumnKinds,
    ColumnMarks,
    Device,
    FolderName,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    RandomState,
    Verbosity,
)
from skae.common.parameters import estimator
from skae.common.sklearn_private import Interval, RealNotInt


@estimator()
class TableParameters:
    """Parameters of the columns of a table."""

    categorical_features: Literal["from_dtype"] | ColumnMarks = "from_dtype"
    """The columns of numbers that hold labels: their names, their indices or a mask. Booleans,
    strings, categories and objects in a dataframe are always labels; "from_dtype" adds no others.
    """

    max_categories: PositiveInt = 256
    """The largest number of labels of a column. The rarest labels beyond it are merged into one,
    "other"."""

    min_frequency: PositiveInt | Annotated[float, Interval(RealNotInt, 0, 1, closed="left")] = 0.001
    """The share of the rows or, as an int, the number of cells below which a label is merged into
    "other"."""

    handle_unknown: Literal["other", "error"] = "other"
    """The treatment of labels that `fit` did not see: "other" counts them as other labels, "error"
    raises an error."""

    column_kinds: ColumnKinds | None = None
    """What columns are, by name or, of an array, by index, where their cells would be read as
    something else: "category" for labels; "number" and "time", text in one format included;
    "identifier" for cells that tell rows apart and nothing else, which are left out of the model
    and made anew in samples; "ignore" for columns that are left out and empty in samples. A mapping
    such as ``{"zip": "category", "note": "ignore"}``; None reads all columns by their cells."""

    min_count: PositiveInt = 2
    """The number of rows that must share a label for the fitted estimator to hold it. Others count
    in scores, but are neither kept nor returned."""


@estimator(fixes_model=False)
class TrainingParameters:
    """Parameters of the training."""

    learning_rate: PositiveFloat = 0.003
    """The learning rate of the optimiser, AdamW, at its peak."""

    learning_rate_schedule: Literal["one_cycle", "constant"] = "one_cycle"
    """The schedule of the learning rate: "one_cycle" rises from zero in the first fifth of the
    training and falls to zero in the remaining epochs."""

    weight_decay: NonNegativeFloat = 0.0
    """The weight decay of the optimiser, in units of the learning rate."""

    batch_size: Auto | PositiveInt = "auto"
    """The number of rows of a training step; "auto" is 256, or all rows if they are fewer."""

    max_epochs: Auto | PositiveInt = "auto"
    """The largest number of epochs, that is, passes over the training rows. "auto" makes about 25
    steps times the root of their number: 250 for a hundred rows, 25,000 for a million."""

    early_stopping: bool = True
    """Whether to hold out validation rows, keep the weights with the smallest loss on them, and
    stop when it no longer improves. If False, the weights with the smallest loss on (a sample of)
    the training rows are kept."""

    n_iter_no_change: Auto | PositiveInt = "auto"
    """The patience of early stopping: the number of epochs without improvement that end the
    training. "auto" is a quarter of `max_epochs`, and at least 10. Warm-up epochs, in which the
    learning rate rises, do not count."""

    tol: NonNegativeFloat = 0.0001
    """The smallest improvement that early stopping counts, in nats per row."""

    net_params: dict[str, Any] | None = None
    """Parameters of `skae.training.AutoencoderNet`, and so of `skorch.NeuralNet`, that override
    those derived from the other parameters; for instance
    ``{"optimizer": torch.optim.SGD, "callbacks": [...]}``. A callback ends the training by raising
    KeyboardInterrupt, as skorch's own do. Ctrl-C is raised as usual and leaves the estimator
    unchanged."""

    checkpoint: FolderName | None = None
    """The folder to write the state of a fit into, so that it can go on if the process ends before
    it: `fit`, called again with the same parameters and rows in any process, goes on where the last
    checkpoint was, and ends with the same model, to the bit. Where `random_state` is no int, the
    seed is that of the checkpoint. A fit that differs raises an error that says how; one that ends
    removes its files. Inside the fit of another estimator with a checkpoint, that one counts;
    `partial_fit` writes none. Of `net_params`, callbacks must hold their state in attributes that
    are numbers, texts, tensors or lists or dicts of them, which is checked, and optimisers in their
    `state_dict`; what functions of your own remember is not held. None writes nothing."""

    checkpoint_every: PositiveFloat = 60.0
    """The fewest seconds between two checkpoints, so that no more work than that is lost."""

    random_state: RandomState = None
    """The seed; an int makes a fit reproducible, to the bit, on the same machine. No global
    generator is used or changed."""

    verbose: Verbosity = 0
    """The verbosity; above 0, a line is printed for every epoch."""


@estimator(fixes_model=False)
class DeviceParameters:
    """Parameters of the device."""

    device: Device = "auto"
    """The device to train and compute on: "auto" is that of a tensor that is passed to `fit`, else
    "cuda" if there is such a device, else "cpu"."""
