"""Reading: what every reading of an estimator is, as a module of torch."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from skae.onnx.inputs import Input


@dataclass(frozen=True)
class Output:
    """One output of a model.

    Attributes
    ----------
    name : str
        Its name.
    labels : ndarray or None
        The labels that its numbers are the indices of.
    """

    name: str
    labels: np.ndarray | None = None


class Reading(nn.Module, ABC):
    """One reading of an estimator.

    Attributes
    ----------
    inputs : list of Input
        What goes in.
    output : Output
        What comes out.
    """

    inputs: list[Input]
    output: Output

    @abstractmethod
    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the output."""
