"""Quantisation: codes of a few bits per unit."""

import math

import torch
from torch import Tensor, nn


class Unquantized(nn.Identity):
    """Codes as they are."""

    def forget(self) -> None:
        """Do nothing: there is no calibration."""


class Quantizer(nn.Module):
    r"""Round the units of a code to $2^b$ evenly spaced values each.

    Codes are not rounded in training; the values are set afterwards, by `calibrate`.

    Parameters
    ----------
    n_bits : int
        The number of bits $b$ per unit.
    n_components : int
        The number of units.
    """

    low: Tensor
    step: Tensor

    def __init__(self, n_bits: int, n_components: int) -> None:
        super().__init__()
        self.n_bits = n_bits
        self.register_buffer("low", torch.zeros(n_components))
        self.register_buffer("step", torch.zeros(n_components))

    def forget(self) -> None:
        """Do not round codes until the next calibration."""
        self.step.zero_()

    def calibrate(self, codes: Tensor) -> None:
        """Spread the values over the range of codes, $(B, k)$."""
        self.low.copy_(codes.amin(0))
        self.step.copy_((codes.amax(0) - self.low) / (2**self.n_bits - 1))

    def forward(self, z: Tensor) -> Tensor:
        """Round $(B, k)$ to the nearest values; before calibration, return it as it is."""
        return self.values(self.levels(z)) if self.step.any() else z

    def levels(self, z: Tensor) -> Tensor:
        """Return the indices, from zero, of the values nearest to $(B, k)$."""
        step = torch.where(self.step > 0, self.step, 1.0)
        return ((z - self.low) / step).round().clamp(0, 2**self.n_bits - 1)

    def values(self, levels: Tensor) -> Tensor:
        """Return the values of indices $(B, k)$."""
        return self.low + levels * self.step

    def rate(self, codes: Tensor) -> float:
        """Return the mean number of bits of codes $(B, k)$ whose units are coded separately.

        It is the sum of the units' entropies, which a good entropy coder attains.
        """
        levels = self.levels(codes).long()
        bits = 0.0
        for unit in levels.T:
            shares = torch.bincount(unit).double() / len(unit)
            bits -= float(torch.special.xlogy(shares, shares).sum()) / math.log(2)
        return bits

    def extra_repr(self) -> str:
        """Show the number of bits."""
        return f"n_bits={self.n_bits}"
