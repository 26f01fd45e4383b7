"""Bottlenecks: what becomes of the encoder's output before it is the code."""

from typing import NamedTuple

from torch import Tensor, nn


class Code(NamedTuple):
    """What leaves the bottleneck: the code and what it costs.

    Attributes
    ----------
    z : Tensor of shape (B, n_components)
        The code.
    penalty : Tensor of shape (B,) or None
        What every row's code adds to the loss, in nats; None for nothing.
    """

    z: Tensor
    penalty: Tensor | None = None


class Identity(nn.Module):
    """The plain bottleneck: the code is the encoder's output."""

    def forward(self, h: Tensor) -> Code:
        """Pass $(B, n)$ through."""
        return Code(h)
