"""The chain whose codes are matched to parts of a law, as the labels of rows say."""

from contextlib import AbstractContextManager

from torch import Tensor

from skae.nn.accompanied import Accompanied
from skae.nn.matching import Matching


class LabelledAutoencoder(Accompanied):
    """A chain whose training rows stand behind the part of the law that they are tied to.

    The part is a number, -1 for any; see `Matching`.
    """

    def told(self, beside: Tensor) -> AbstractContextManager:
        """Return the context in which the rows of a batch are tied to their parts."""
        assert isinstance(self.penalty, Matching)
        return self.penalty.tied(self.parts_of(beside))

    @staticmethod
    def parts_of(beside: Tensor) -> Tensor:
        """Return parts as integers, $(B,)$, given what stands beside rows."""
        return beside[:, 0].long()

    def input_and_target(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return training rows without their parts, which only the loss depends on."""
        rows = x[:, -self.n_columns :]
        return rows, rows
