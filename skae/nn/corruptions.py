"""Corruptions of the input, active in training only, as dropout is."""

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
