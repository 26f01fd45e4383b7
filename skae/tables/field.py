"""The contract of fields: one column of a table, as numbers and states, and the way back."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import narwhals as nw
import numpy as np


@dataclass(frozen=True)
class About:
    """What the schema says of a column.

    Attributes
    ----------
    kind : str
        What the column is.
    reason : str
        Why, where that is not plain from its data type.
    n_distinct : int
        The number of distinct cells that are there.
    missing : float
        The share of missing cells.
    rare : float
        The share of cells with labels too rare for a state of their own.
    format : str
        How its cells are written, where they are not their values.
    """

    kind: str
    reason: str = ""
    n_distinct: int = 0
    missing: float = 0.0
    rare: float = 0.0
    format: str = ""


@dataclass(frozen=True)
class Decoding:
    """How rows come back.

    Attributes
    ----------
    extrapolates : bool
        Whether they are expected rows, whose numbers may leave the range that they had.
    rng : numpy.random.Generator or None
        What draws the label where a state stands for several; None takes the likeliest of them.
    source : narwhals.DataFrame or None
        The rows that the columns without a model come back from.
    is_brought : bool
        Whether numbers are already among those that their columns can hold; see `Table.bring`.
    """

    extrapolates: bool = False
    rng: np.random.Generator | None = None
    source: nw.DataFrame | None = None
    is_brought: bool = False


EXPECTED = Decoding(extrapolates=True)
DRAWN = Decoding()


@dataclass(frozen=True)
class Field(ABC):
    """One column of a table.

    Attributes
    ----------
    name : str
        Its name.
    about : About
        What the schema says of it.
    """

    name: str
    about: About
    is_modelled: ClassVar[bool] = True
    is_number: ClassVar[bool] = False

    @property
    def kind(self) -> str:
        """What the column is."""
        return self.about.kind

    @property
    @abstractmethod
    def values(self) -> str:
        """What the schema says of its values."""
