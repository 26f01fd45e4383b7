"""Laws of codes: what the codes of all rows together are to be distributed as."""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

# The normals of a mixture: their number, the radius of their circle, and their two spreads.
_N_NORMALS, _RADIUS, _ALONG, _ACROSS = 10, 1.5, 0.4, 0.1
# The turns of a spiral, and the width of its band.
_TURNS, _BAND = 1.5, 0.05


class Law(nn.Module, ABC):
    """A distribution of codes that can be drawn from.

    Parameters
    ----------
    n_components : int
        The number of units of a code.
    """

    def __init__(self, n_components: int) -> None:
        super().__init__()
        self.n_components = n_components

    @abstractmethod
    def draw(self, like: Tensor) -> Tensor:
        """Draw as many codes as a tensor (B, k) has rows, by torch's generator."""


class Normal(Law):
    """The standard normal."""

    def draw(self, like: Tensor) -> Tensor:
        """Draw codes, shape (B, k)."""
        return torch.randn_like(like)


class Uniform(Law):
    """The uniform distribution of variance one."""

    def draw(self, like: Tensor) -> Tensor:
        """Draw codes, shape (B, k)."""
        return (2 * torch.rand_like(like) - 1) * math.sqrt(3)


class Planar(Law):
    """A distribution of the first two units; the others are standard normal."""

    def draw(self, like: Tensor) -> Tensor:
        """Draw codes, shape (B, k)."""
        codes = torch.randn_like(like)
        codes[:, :2] = self.draw_plane(len(like), like.device).to(like)
        return codes

    @abstractmethod
    def draw_plane(self, n: int, device: torch.device) -> Tensor:
        """Draw the first two units, shape (n, 2)."""


class Petals(Planar):
    """Ten normals on a circle, each long towards its middle, as in Makhzani et al. (2015)."""

    def draw_plane(self, n: int, device: torch.device) -> Tensor:
        """Draw the first two units, shape (n, 2)."""
        which = torch.randint(_N_NORMALS, (n,), device=device)
        angle = 2 * math.pi * which / _N_NORMALS
        along = _RADIUS + _ALONG * torch.randn(n, device=device)
        across = _ACROSS * torch.randn(n, device=device)
        cosine, sine = angle.cos(), angle.sin()
        return torch.stack([along * cosine - across * sine, along * sine + across * cosine], dim=1)


class SwissRoll(Planar):
    """A spiral, evenly along its length."""

    def draw_plane(self, n: int, device: torch.device) -> Tensor:
        """Draw the first two units, shape (n, 2)."""
        share = torch.rand(n, device=device).sqrt()
        angle = 2 * math.pi * _TURNS * share
        spiral = 2 * share[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
        return spiral + _BAND * torch.randn(n, 2, device=device)


class Sampled(Law):
    """A sample of any other law.

    Parameters
    ----------
    codes : Tensor of shape (n, k)
        The sample.
    """

    codes: Tensor

    def __init__(self, codes: Tensor) -> None:
        super().__init__(codes.shape[1])
        self.register_buffer("codes", codes)

    def draw(self, like: Tensor) -> Tensor:
        """Draw codes of the sample with replacement, shape (B, k)."""
        return self.codes[torch.randint(len(self.codes), (len(like),), device=like.device)].to(like)


LAWS: dict[str, type[Law]] = {
    "normal": Normal,
    "uniform": Uniform,
    "mixture": Petals,
    "swiss_roll": SwissRoll,
}
