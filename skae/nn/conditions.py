"""Networks that are told what rows are conditioned on."""

import torch
from torch import Tensor, nn

from skae.nn.texts import MeanOfWords


class Conditioned(nn.Module):
    """A network that is told conditions, which are set for a batch, and unknown where none are.

    Attributes
    ----------
    conditions : Tensor of shape (B, c) or None
        The conditions of the rows of a batch; zeros stand for unknown ones.
    """

    conditions: Tensor | None = None


class ConditionedNetwork(Conditioned):
    """A network beside conditions.

    Parameters
    ----------
    network : nn.Module
        The network.
    n_conditions : int
        The number of columns $c$ of the conditions, as the network has them.
    reading : MeanOfWords or None, default=None
        What makes one vector of conditions that hold texts; None for others.
    """

    def __init__(
        self, network: nn.Module, n_conditions: int, reading: MeanOfWords | None = None
    ) -> None:
        super().__init__()
        self.network = network
        self.n_conditions = n_conditions
        self.reading = nn.Identity() if reading is None else reading

    def conditions_for(self, x: Tensor) -> Tensor:
        """Return the conditions of rows, or of several sets of them one after the other."""
        if self.conditions is None:
            return x.new_zeros(len(x), self.n_conditions)
        return self.reading(self.conditions.to(x)).repeat(len(x) // len(self.conditions), 1)


class ConditionedEncoder(ConditionedNetwork):
    r"""An encoder of rows and conditions, $e(x + B c) + A c$, which begins as one of rows alone.

    Parameters
    ----------
    network : nn.Module
        The encoder $e$, of any kind, from $(B, n)$ to $(B, m)$.
    n_conditions, n_in, n_out : int
        The numbers of columns of conditions, $n$ and $m$.
    reading : MeanOfWords or None, default=None
        What makes one vector of conditions that hold texts; None for others.
    """

    def __init__(
        self,
        network: nn.Module,
        n_conditions: int,
        n_in: int,
        n_out: int,
        reading: MeanOfWords | None = None,
    ) -> None:
        super().__init__(network, n_conditions, reading)
        self.to_input = nn.Linear(n_conditions, n_in, bias=False)
        self.to_output = nn.Linear(n_conditions, n_out, bias=False)
        for layer in (self.to_input, self.to_output):
            nn.init.zeros_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map $(B, n)$ to $(B, m)$."""
        if self.conditions is None:
            return self.network(x)
        conditions = self.conditions_for(x)
        return self.network(x + self.to_input(conditions)) + self.to_output(conditions)


class ConditionedDecoder(ConditionedNetwork):
    """A decoder whose inputs are a code and the conditions side by side."""

    def forward(self, z: Tensor) -> Tensor:
        """Map $(B, k)$ to the outputs of the network."""
        return self.network(torch.cat([z, self.conditions_for(z)], dim=1))
