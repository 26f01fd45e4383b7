"""One-hot encoding: from the numbers and states of a table to the input of dense layers."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class OneHot(nn.Module):
    r"""Encode every state as a one-hot vector, and absent numbers as zero.

    A row has $n$ numbers, NaN where there is none, and $f$ states, -1 where they are hidden; the
    vector of a hidden state is zero.

    Parameters
    ----------
    n_numbers : int
        The number $n$ of columns of numbers.
    n_states : sequence of int
        The number of values of each of the $f$ states.
    """

    offsets: Tensor

    def __init__(self, n_numbers: int, n_states: Sequence[int]) -> None:
        super().__init__()
        self.n_numbers = n_numbers
        self.n_states = tuple(n_states)
        sizes = torch.tensor(self.n_states, dtype=torch.long)
        self.register_buffer("offsets", n_numbers + sizes.cumsum(0) - sizes)

    @property
    def n_wide(self) -> int:
        """The number of columns of a one-hot row."""
        return self.n_numbers + sum(self.n_states)

    def forward(self, x: Tensor) -> Tensor:
        """Return the one-hot rows $(B, w)$ of rows $(B, n + f)$."""
        states = x[:, self.n_numbers :].long()
        wide = x.new_zeros(x.shape[0], self.n_wide + 1)
        wide.scatter_(1, torch.where(states < 0, self.n_wide, self.offsets + states), 1.0)
        wide[:, : self.n_numbers] = torch.nan_to_num(x[:, : self.n_numbers], nan=0.0)
        return wide[:, : self.n_wide]

    def extra_repr(self) -> str:
        """Show the sizes."""
        return f"n_numbers={self.n_numbers}, n_states={self.n_states}"


def split_at_one_hot(encoder: nn.Module) -> tuple[nn.Sequential, nn.Module]:
    """Return the layers before the network of a table's encoder, one-hot first, and the network.

    Without one-hot encoding there are no such layers.
    """
    if isinstance(encoder, nn.Sequential) and len(encoder) and isinstance(encoder[0], OneHot):
        *before, network = encoder
        return nn.Sequential(*before), network
    return nn.Sequential(), encoder
