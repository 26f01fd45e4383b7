"""Corruptions of the input, active in training only, as dropout is."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class GaussianNoise(nn.Module):
    r"""Add normal noise of one standard deviation: $\tilde x = x + \sigma \epsilon$.

    Parameters
    ----------
    scale : float
        The standard deviation $\sigma$, in the units of the encoded rows.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Corrupt $(B, n)$ in training; pass it through in evaluation."""
        if not self.training or self.scale == 0:
            return x
        return torch.add(x, torch.randn_like(x), alpha=self.scale)

    def extra_repr(self) -> str:
        """Show the scale."""
        return f"scale={self.scale:.3g}"


class HideCells(nn.Module):
    r"""Hide cells of rows of numbers and codes from the encoder, which learns to fill them.

    Every row hides its own share of its cells, drawn between zero and twice the mean share. A
    hidden cell has the code -1, and its number is NaN.

    Parameters
    ----------
    fraction : float
        The mean share of the cells, at most a half.
    owners : sequence of int
        For every number, the position of its code among the codes.
    """

    def __init__(self, fraction: float, owners: Sequence[int]) -> None:
        super().__init__()
        self.fraction = fraction
        self.register_buffer("owners", torch.tensor(tuple(owners), dtype=torch.long))

    def forward(self, x: Tensor) -> Tensor:
        """Hide cells of $(B, n + f)$ in training; pass rows through in evaluation."""
        if not self.training or self.fraction == 0:
            return x
        n_numbers = len(self.owners)
        codes = x[:, n_numbers:]
        share = 2 * self.fraction * torch.rand(len(x), 1, device=x.device)
        hidden = torch.rand_like(codes) < share
        numbers = torch.where(hidden[:, self.owners], torch.nan, x[:, :n_numbers])
        return torch.cat([numbers, torch.where(hidden, -1.0, codes)], dim=1)

    def extra_repr(self) -> str:
        """Show the share."""
        return f"fraction={self.fraction:.3g}"
