"""Family: the fixed rules of a family of autoencoders."""

from dataclasses import dataclass

from skae.sampling.imputer import DecoderImputer, Imputer
from skae.tables.mixed import MixedColumns
from skae.training.schedule import LARGEST_BATCH, STEPS_PER_ROOT_ROW


@dataclass(frozen=True)
class Family:
    """Rules of a family of autoencoders that no parameter changes.

    Attributes
    ----------
    columns : type of MixedColumns
        The class of the columns of a table.
    table_likelihood : str
        The name of the likelihood of a table.
    imputer : type of Imputer
        The class that imputes missing cells.
    largest_batch : int
        The number of rows of a training step where `batch_size` is "auto".
    steps_per_root_row : int
        The number of training steps per root of the number of rows where `max_epochs` is "auto".
    """

    columns: type[MixedColumns] = MixedColumns
    table_likelihood: str = "gaussian"
    imputer: type[Imputer] = DecoderImputer
    largest_batch: int = LARGEST_BATCH
    steps_per_root_row: int = STEPS_PER_ROOT_ROW

    @property
    def rules_of_plans(self) -> dict[str, int]:
        """What `skae.training.schedule.Plan.of` takes of it."""
        return {
            "largest_batch": self.largest_batch,
            "steps_per_root_row": self.steps_per_root_row,
        }
