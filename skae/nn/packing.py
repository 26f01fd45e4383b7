"""Packing: sequences of unequal lengths as one tensor without padding."""

from typing import NamedTuple, Self

import torch
from torch import Tensor


class Packing(NamedTuple):
    """The places of the steps of sequences in a tensor that holds them one time after another.

    At each time come the sequences that are still running, the longest first, so that a recurrent
    network steps through consecutive blocks, each no longer than the one before.

    Attributes
    ----------
    sizes : list of int
        The number of sequences that are running at each time.
    order : Tensor of int of shape (B,)
        The sequences, the longest first.
    rows : Tensor of int of shape (N,)
        The sequence of every step.
    times : Tensor of int of shape (N,)
        The time of every step.
    times_back : Tensor of int of shape (N,)
        The time of every step where each sequence is read from its end.
    """

    sizes: list[int]
    order: Tensor
    rows: Tensor
    times: Tensor
    times_back: Tensor

    @classmethod
    def of(cls, lengths: Tensor) -> Self:
        """Return the packing of sequences of given lengths, at least 1 each, $(B,)$."""
        order = lengths.argsort(descending=True, stable=True)
        times = torch.arange(int(lengths.max()), device=lengths.device)
        sizes = (lengths > times[:, None]).sum(1)
        repeated = times.repeat_interleave(sizes)
        starts = sizes.cumsum(0) - sizes
        ranks = torch.arange(len(repeated), device=lengths.device) - starts[repeated]
        rows = order[ranks]
        return cls(sizes.tolist(), order, rows, repeated, lengths[rows] - 1 - repeated)

    def pack(self, padded: Tensor) -> Tensor:
        """Return the steps $(N, w)$ of padded sequences $(B, T, w)$."""
        return padded[self.rows, self.times]

    def pack_backwards(self, padded: Tensor) -> Tensor:
        """Return the steps $(N, w)$ of padded sequences $(B, T, w)$, each from its end."""
        return padded[self.rows, self.times_back]

    def sums(self, values: Tensor) -> Tensor:
        """Return the sum over the steps of every sequence, $(B,)$, of values $(N,)$."""
        return values.new_zeros(len(self.order)).index_add(0, self.rows, values)

    def unsorted(self, ordered: Tensor) -> Tensor:
        """Return rows $(B, m)$ in the order of the sequences, given them the longest first."""
        return torch.empty_like(ordered).index_copy(0, self.order, ordered)
