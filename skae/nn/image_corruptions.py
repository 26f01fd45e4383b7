"""Corruptions of images; undoing them is super-resolution, colourisation or inpainting."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class InUnits(nn.Module):
    r"""Corrupt rows in their original units: $\tilde x = (g(s x + c) - c) / s$.

    Parameters
    ----------
    corruption : callable
        The map $g$ from $(B, n)$ to $(B, n)$.
    center : Tensor of shape (n,)
        The constants $c$ that encoding subtracts.
    scale : float
        The number $s$ that encoding divides by.
    """

    center: Tensor

    def __init__(self, corruption: nn.Module, center: Tensor, scale: float) -> None:
        super().__init__()
        self.corruption = corruption
        self.scale = scale
        self.register_buffer("center", center)

    def forward(self, x: Tensor) -> Tensor:
        """Corrupt encoded rows $(B, n)$."""
        rows = torch.addcmul(self.center, x, torch.full_like(self.center, self.scale))
        return (self.corruption(rows) - self.center) / self.scale


class Blur(nn.Module):
    """Average blocks of pixels, and enlarge the result to the original size.

    Parameters
    ----------
    factor : int
        The height and width of a block.
    image_shape : sequence of three int
        The channels, height and width of an image.
    """

    def __init__(self, factor: int, image_shape: Sequence[int]) -> None:
        super().__init__()
        self.factor = factor
        self.image_shape = tuple(image_shape)

    def forward(self, x: Tensor) -> Tensor:
        """Blur $(B, n)$ in training."""
        if not self.training:
            return x
        images = x.unflatten(1, self.image_shape)
        small = functional.avg_pool2d(images, self.factor, ceil_mode=True)
        enlarged = small.repeat_interleave(self.factor, 2).repeat_interleave(self.factor, 3)
        _, height, width = self.image_shape
        return enlarged[:, :, :height, :width].flatten(1)


class Grey(nn.Module):
    """Set all channels of a pixel to their mean.

    Parameters
    ----------
    image_shape : sequence of three int
        The channels, height and width of an image.
    """

    def __init__(self, image_shape: Sequence[int]) -> None:
        super().__init__()
        self.image_shape = tuple(image_shape)

    def forward(self, x: Tensor) -> Tensor:
        """Grey $(B, n)$ in training."""
        if not self.training:
            return x
        images = x.unflatten(1, self.image_shape)
        return images.mean(1, keepdim=True).expand_as(images).flatten(1)


class Patch(nn.Module):
    """Set a square of every image, at a random place, to zero.

    Parameters
    ----------
    size : int
        The height and width of the square, in pixels.
    image_shape : sequence of three int
        The channels, height and width of an image.
    """

    def __init__(self, size: int, image_shape: Sequence[int]) -> None:
        super().__init__()
        self.size = size
        self.image_shape = tuple(image_shape)

    def forward(self, x: Tensor) -> Tensor:
        """Cut a patch out of $(B, n)$ in training."""
        if not self.training:
            return x
        _, height, width = self.image_shape
        rows, columns = self._inside(height, x), self._inside(width, x)
        inside = rows[:, None, :, None] & columns[:, None, None, :]
        return x.unflatten(1, self.image_shape).masked_fill(inside, 0.0).flatten(1)

    def _inside(self, length: int, x: Tensor) -> Tensor:
        """Return a mask of the places along one side in the patch of each image, $(B, length)$."""
        start = torch.randint(max(1, length - self.size + 1), (len(x), 1), device=x.device)
        places = torch.arange(length, device=x.device)
        return (places >= start) & (places < start + self.size)
