"""Laws of codes: what the codes of all rows together are to be distributed as."""

import math
from abc import ABC, abstractmethod

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

# The normals of a mixture: their number, the radius of their circle, and their two spreads.
_N_NORMALS, _RADIUS, _ALONG, _ACROSS = 10, 1.5, 0.4, 0.1
# The turns of a spiral, and the width of its band.
_TURNS, _BAND = 1.5, 0.05
# The smallest share of a normal that a code is drawn from.
_SMALLEST = 1e-6
# The draws that the middle of a part is known by.
_N_DRAWS = 1000


class Law(nn.Module, ABC):
    """A distribution of codes that can be drawn from, whole or by parts.

    Parameters
    ----------
    n_components : int
        The number of units of a code.
    shares : Tensor of shape (c,) or None, default=None
        The shares of the classes that have a part each; None for a law without parts.

    Attributes
    ----------
    place : Tensor of int of shape (c,)
        The place of the part of every class among the parts, at first the same.
    """

    shares: Tensor | None
    place: Tensor

    def __init__(self, n_components: int, shares: Tensor | None = None) -> None:
        super().__init__()
        self.n_components = n_components
        self.register_buffer("shares", shares)
        self.register_buffer("place", torch.arange(self.n_parts))

    @torch.no_grad()
    def place_near(self, middles: Tensor) -> None:
        """Give every class the part near the middle of its codes, (c, k), in all the nearest."""
        of_parts = [
            self.draw_parts(middles.new_empty(_N_DRAWS, self.n_components), part).mean(0)
            for part in torch.arange(self.n_parts)[:, None].expand(-1, _N_DRAWS)
        ]
        distances = (middles[:, None] - torch.stack(of_parts)).square().sum(2)
        self.place = torch.from_numpy(linear_sum_assignment(distances.numpy())[1])

    @property
    def n_parts(self) -> int:
        """The number of parts, 0 for a law without parts."""
        return 0 if self.shares is None else len(self.shares)

    def draw(self, like: Tensor, parts: Tensor | None = None) -> Tensor:
        """Draw as many codes as a tensor (B, k) has rows, by torch's generator.

        Parameters
        ----------
        like : Tensor of shape (B, k)
            A tensor of the shape, type and device of the codes.
        parts : Tensor of int of shape (B,) or None, default=None
            The classes whose parts codes are drawn from; -1 and None for any, by their shares.
        """
        if self.shares is None:
            return self.draw_whole(like)
        drawn = torch.multinomial(self.shares.to(like.device), len(like), replacement=True)
        classes = drawn if parts is None else drawn.where(parts < 0, parts)
        return self.draw_parts(like, self.place.to(like.device)[classes])

    @abstractmethod
    def draw_whole(self, like: Tensor) -> Tensor:
        """Draw codes of a law without parts, shape (B, k)."""

    @abstractmethod
    def draw_parts(self, like: Tensor, parts: Tensor) -> Tensor:
        """Draw codes of the given parts, shape (B, k)."""

    def places(self, parts: Tensor, like: Tensor) -> Tensor:
        """Draw numbers in [0, 1), evenly in the stretch of each part, shape (B,)."""
        return (parts + torch.rand(len(parts), device=like.device)) / self.n_parts


class Normal(Law):
    """The standard normal; its parts are sectors of the first two units, or stretches of one."""

    def draw_whole(self, like: Tensor) -> Tensor:
        """Draw codes, shape (B, k)."""
        return torch.randn_like(like)

    def draw_parts(self, like: Tensor, parts: Tensor) -> Tensor:
        """Draw codes of sectors, shape (B, k)."""
        codes, places = torch.randn_like(like), self.places(parts, like).to(like)
        if self.n_components == 1:
            return torch.special.ndtri(places.clamp(_SMALLEST, 1 - _SMALLEST))[:, None]
        radius, angle = codes[:, :2].norm(dim=1), 2 * math.pi * places
        plane = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
        return torch.cat([plane, codes[:, 2:]], dim=1)


class Uniform(Law):
    """The uniform distribution of variance one; its parts are stretches of the first unit."""

    def draw_whole(self, like: Tensor) -> Tensor:
        """Draw codes, shape (B, k)."""
        return (2 * torch.rand_like(like) - 1) * math.sqrt(3)

    def draw_parts(self, like: Tensor, parts: Tensor) -> Tensor:
        """Draw codes of stretches, shape (B, k)."""
        codes = self.draw_whole(like)
        codes[:, 0] = (2 * self.places(parts, like) - 1) * math.sqrt(3)
        return codes


class Planar(Law):
    """A distribution of the first two units; the others are standard normal."""

    def draw_whole(self, like: Tensor) -> Tensor:
        """Draw codes, shape (B, k)."""
        return self._beside(like, None)

    def draw_parts(self, like: Tensor, parts: Tensor) -> Tensor:
        """Draw codes of parts, shape (B, k)."""
        return self._beside(like, parts)

    def _beside(self, like: Tensor, parts: Tensor | None) -> Tensor:
        codes = torch.randn_like(like)
        codes[:, :2] = self.draw_plane(len(like), like.device, parts).to(like)
        return codes

    @abstractmethod
    def draw_plane(self, n: int, device: torch.device, parts: Tensor | None) -> Tensor:
        """Draw the first two units, shape (n, 2), of parts or of the whole."""


class Petals(Planar):
    """Normals on a circle, each long towards its middle, as in Makhzani et al. (2015).

    There are ten, or as many as parts.
    """

    def draw_plane(self, n: int, device: torch.device, parts: Tensor | None) -> Tensor:
        """Draw the first two units, shape (n, 2)."""
        which = torch.randint(_N_NORMALS, (n,), device=device) if parts is None else parts
        angle = 2 * math.pi * which / (self.n_parts or _N_NORMALS)
        along = _RADIUS + _ALONG * torch.randn(n, device=device)
        across = _ACROSS * torch.randn(n, device=device)
        cosine, sine = angle.cos(), angle.sin()
        return torch.stack([along * cosine - across * sine, along * sine + across * cosine], dim=1)


class SwissRoll(Planar):
    """A spiral, evenly along its length; its parts are stretches of it."""

    def draw_plane(self, n: int, device: torch.device, parts: Tensor | None) -> Tensor:
        """Draw the first two units, shape (n, 2)."""
        places = torch.rand(n, device=device)
        if parts is not None:
            places = (parts + places) / self.n_parts
        share = places.sqrt()
        angle = 2 * math.pi * _TURNS * share
        spiral = 2 * share[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
        return spiral + _BAND * torch.randn(n, 2, device=device)


class Sampled(Law):
    """A sample of any other law; its parts are groups of the sample.

    Parameters
    ----------
    codes : Tensor of shape (n, k)
        The sample.
    shares : Tensor of shape (c,) or None, default=None
        The shares of the parts; None for a law without parts.
    groups : Tensor of int of shape (n,) or None, default=None
        The part of every code.
    """

    codes: Tensor
    sizes: Tensor | None

    def __init__(
        self, codes: Tensor, shares: Tensor | None = None, groups: Tensor | None = None
    ) -> None:
        super().__init__(codes.shape[1], shares)
        order = slice(None) if groups is None else groups.argsort(stable=True)
        self.register_buffer("codes", codes[order])
        sizes = None if groups is None else torch.bincount(groups, minlength=self.n_parts)
        self.register_buffer("sizes", sizes)

    def draw_whole(self, like: Tensor) -> Tensor:
        """Draw codes of the sample with replacement, shape (B, k)."""
        return self.codes[torch.randint(len(self.codes), (len(like),), device=like.device)].to(like)

    def draw_parts(self, like: Tensor, parts: Tensor) -> Tensor:
        """Draw codes of groups of the sample with replacement, shape (B, k)."""
        assert self.sizes is not None
        sizes = self.sizes.to(like.device)
        first = (sizes.cumsum(0) - sizes)[parts]
        place = (torch.rand(len(parts), device=like.device) * sizes[parts]).long()
        return self.codes[first + place.minimum(sizes[parts] - 1)].to(like)


LAWS: dict[str, type[Law]] = {
    "normal": Normal,
    "uniform": Uniform,
    "mixture": Petals,
    "swiss_roll": SwissRoll,
}
