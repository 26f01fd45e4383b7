"""Heads: networks from codes to predictions."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from skae.nn.networks import ACTIVATIONS, orthogonal

# The smallest standard deviation of codes that they are divided by.
_SMALLEST_SCALE = 1e-6


class Standardize(nn.Module):
    """Subtract the mean of codes, and divide by the root of the mean variance of their units.

    With one scale for all units, the large ones, which carry most of the information, stay large.

    Parameters
    ----------
    codes : Tensor of shape (n_rows, n_components)
        The codes whose means and variances are taken.
    """

    center: Tensor
    scale: Tensor

    def __init__(self, codes: Tensor) -> None:
        super().__init__()
        scale = codes.var(0, correction=0).mean().sqrt()
        self.register_buffer("center", codes.mean(0))
        self.register_buffer("scale", torch.where(scale > _SMALLEST_SCALE, scale, 1.0))

    def forward(self, z: Tensor) -> Tensor:
        """Standardise $(B, k)$."""
        return (z - self.center) / self.scale


def make_head(
    codes: Tensor, hidden_sizes: Sequence[int], n_out: int, activation: str, dropout: float
) -> nn.Sequential:
    """Build a dense network on standardised codes whose output starts at zero.

    Parameters
    ----------
    codes : Tensor of shape (n_rows, n_components)
        The codes of training rows.
    hidden_sizes : sequence of int
        The number of units of every hidden layer; none for a linear head.
    n_out : int
        The number of outputs.
    activation : str
        A key of `ACTIVATIONS`.
    dropout : float
        The share of the units of every layer that a training step leaves out.
    """
    sizes = (codes.shape[1], *hidden_sizes, n_out)
    modules: list[nn.Module] = [Standardize(codes)]
    for n_in, n_units in pairwise(sizes):
        modules += [ACTIVATIONS[activation]()] if len(modules) > 1 else []
        modules += [nn.Dropout(dropout)] if dropout else []
        layer = orthogonal(nn.Linear(n_in, n_units))
        modules.append(layer)
    nn.init.zeros_(layer.weight)
    return nn.Sequential(*modules)
