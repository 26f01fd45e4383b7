"""Corruptions of what the encoder sees in training; no reading passes through them."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

_MISSING = 1


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

    Every row hides its own share of its cells, drawn between zero and twice the mean share, and
    every other row also all cells that are missing. A hidden cell has the code -1, and its number
    is NaN. Evaluation, which chooses the best weights, hides the same cells every time.

    Parameters
    ----------
    fraction : float
        The mean share of the cells, at most a half; with 0 nothing is hidden.
    owners : sequence of int
        For every number, the position of its code among the codes.
    """

    def __init__(self, fraction: float, owners: Sequence[int]) -> None:
        super().__init__()
        self.fraction = fraction
        self.register_buffer("owners", torch.tensor(tuple(owners), dtype=torch.long))

    def forward(self, x: Tensor) -> Tensor:
        """Hide cells of $(B, n + f)$."""
        if self.fraction == 0:
            return x
        return _hide(x, self._choose(x[:, len(self.owners) :]), self.owners)

    def _choose(self, codes: Tensor) -> Tensor:
        generator = None if self.training else torch.Generator(codes.device).manual_seed(0)
        draw = partial(torch.rand, device=codes.device, generator=generator)
        by_share = draw(codes.shape) < 2 * self.fraction * draw(len(codes), 1)
        return by_share | ((codes == _MISSING) & (draw(len(codes), 1) < 0.5))

    def extra_repr(self) -> str:
        """Show the share."""
        return f"fraction={self.fraction:.3g}"


def hide_missing(x: Tensor, owners: Sequence[int]) -> Tensor:
    """Hide the missing cells of rows of numbers and codes, $(B, n + f)$."""
    return _hide(x, x[:, len(owners) :] == _MISSING, owners)


def _hide(x: Tensor, hidden: Tensor, owners: Sequence[int]) -> Tensor:
    n_numbers = len(owners)
    numbers = torch.where(hidden[:, owners], torch.nan, x[:, :n_numbers])
    return torch.cat([numbers, torch.where(hidden, -1.0, x[:, n_numbers:])], dim=1)
