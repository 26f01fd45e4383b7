"""Corruptions of images: what a model learns to undo is super-resolution, colour or inpainting."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class InUnits(nn.Module):
    r"""Corrupt rows in their own units: $\tilde x = (g(s x + c) - c) / s$.

    Parameters
    ----------
    corruption : callable
        $g$, from $(B, n)$ to $(B, n)$.
    center : Tensor of shape (n,)
        What encoding subtracts.
    scale : float
        What encoding divides by.
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
    """Average blocks of pixels, and enlarge what is left to the size it had.

    Parameters
    ----------
    factor : int
        Height and width of a block.
    image_shape : sequence of three int
        Channels, height and width.
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
        few = functional.avg_pool2d(images, self.factor, ceil_mode=True)
        many = few.repeat_interleave(self.factor, 2).repeat_interleave(self.factor, 3)
        _, height, width = self.image_shape
        return many[:, :, :height, :width].flatten(1)


class Grey(nn.Module):
    """Set all channels of a pixel to their mean.

    Parameters
    ----------
    image_shape : sequence of three int
        Channels, height and width.
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
    """Set a square of every image, somewhere, to zero.

    Parameters
    ----------
    size : int
        Height and width of the square, in pixels.
    image_shape : sequence of three int
        Channels, height and width.
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
        """Tell which places along one side are in the patch of every image, $(B, length)$."""
        start = torch.randint(max(1, length - self.size + 1), (len(x), 1), device=x.device)
        places = torch.arange(length, device=x.device)
        return (places >= start) & (places < start + self.size)
