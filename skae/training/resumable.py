"""Resumable: callbacks that a checkpoint can put back where they were."""

from abc import ABC, abstractmethod
from typing import Any

from skae.training.rows import Rows


class Resumable(ABC):
    """A callback that says what of it a checkpoint holds."""

    @abstractmethod
    def state_to_keep(self, rows: Rows, *, is_over: bool) -> dict[str, Any]:
        """Return what training changes in it: numbers, texts, tensors, and lists or dicts of them.

        Parameters
        ----------
        rows : Rows
            The rows of the training.
        is_over : bool
            Whether the training is over, so that only what it found is needed.
        """

    @abstractmethod
    def go_on_with(self, state: dict[str, Any], rows: Rows) -> None:
        """Put back what `state_to_keep` returned, of a training with the same rows."""
