"""The contract of relations: what holds between the cells of a row."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from skae.dependencies.cells import Column, Draws


class Relation(ABC):
    """Something that held between columns in every row."""

    def derive(self, draws: Draws) -> None:  # noqa: B027 - not all relations fix cells
        """Set the cells that settled cells of the same row fix."""

    def settle(self, draws: Draws) -> None:  # noqa: B027
        """Set the cells that other cells of the same row fix, settled or not."""

    @abstractmethod
    def is_broken(self, values: np.ndarray) -> np.ndarray:
        """Tell in which rows it does not hold, shape (n_rows,)."""

    def repair(self, draws: Draws) -> None:  # noqa: B027
        """Make it hold, as far as cells are not settled, where nothing else helped."""

    @abstractmethod
    def text(self, columns: Sequence[Column]) -> str:
        """Return it in words."""


def one_of(columns: Sequence[Column]) -> str:
    """Return the names of columns as part of a sentence."""
    titles = [column.title for column in columns]
    return " and ".join([", ".join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)
