"""Codec: sequences of any lengths as rows of a float32 matrix, and back."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from skae.nn.sequence_heads import PADDING


class Codec(ABC):
    """The way from sequences to rows, and back; what it needs is learned from training sequences.

    A row holds the steps of a sequence one after another, and zeros behind them.

    Attributes
    ----------
    noun : str
        What a sequence is called in messages.
    unit : str
        What a step is called in messages.
    width : int
        The number of cells of a step.
    n_closing : int
        The number of steps that a row has beyond those of its sequence.
    """

    noun: ClassVar[str]
    unit: ClassVar[str]
    width: ClassVar[int]
    n_closing: ClassVar[int] = 0

    @classmethod
    @abstractmethod
    def check(cls, X: Any, name: str = "X") -> list[Any]:
        """Return sequences as a list of checked ones; raise an error that names what is wrong."""

    @abstractmethod
    def steps(self, sequence: Any) -> np.ndarray:
        """Return a checked sequence as float32 of shape (n_steps, width), with its end."""

    @abstractmethod
    def begun(self, sequence: Any) -> np.ndarray:
        """Return the same of a sequence that goes on, without an end."""

    @abstractmethod
    def sequence(self, steps: np.ndarray) -> Any:
        """Return the sequence of steps (n_steps, width) that an end belongs to."""

    @abstractmethod
    def log_unit(self) -> float:
        """Return what a step adds to a log density in the units of X, beside that of its row."""

    def encode(self, sequences: Sequence[Any]) -> np.ndarray:
        """Return the rows of checked sequences, shape (n_sequences, n)."""
        return self._padded([self.steps(each) for each in sequences])

    def encode_begun(self, sequences: Sequence[Any]) -> np.ndarray:
        """Return the rows of checked sequences that go on, shape (n_sequences, n)."""
        return self._padded([self.begun(each) for each in sequences])

    def lengths(self, rows: np.ndarray) -> np.ndarray:
        """Return the number of steps of rows, shape (n_sequences,)."""
        return (rows.reshape(len(rows), -1, self.width)[:, :, -1] != PADDING).sum(1)

    def decode(self, rows: np.ndarray) -> list[Any]:
        """Return the sequences of rows (n_sequences, n)."""
        steps = rows.reshape(len(rows), -1, self.width)
        pairs = zip(steps, self.lengths(rows), strict=True)
        return [self.sequence(each[:length]) for each, length in pairs]

    def check_lengths(self, sequences: Sequence[Any], longest: int, remedy: str) -> None:
        """Raise ValueError if a sequence is longer than the longest that is allowed."""
        for place, each in enumerate(sequences):
            if len(each) > longest:
                raise ValueError(
                    f"{self.noun.capitalize()} {place} of X has {len(each)} {self.unit}, but "
                    f"max_length={longest}. {remedy}"
                )

    def _padded(self, steps: list[np.ndarray]) -> np.ndarray:
        longest = max(map(len, steps))
        rows = np.full((len(steps), longest, self.width), PADDING, dtype=np.float32)
        for row, each in zip(rows, steps, strict=True):
            row[: len(each)] = each
        return rows.reshape(len(steps), -1)

    @classmethod
    @abstractmethod
    def learn(cls, sequences: Sequence[Any], **options: Any) -> Self:
        """Learn from checked training sequences."""
