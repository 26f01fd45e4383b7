"""Corruptions of drawings in training: scale and left-out points."""

import torch
from torch import Tensor, nn

from skae.nn.sequence_heads import PADDING
from skae.nn.strokes import DOWN, Strokes


class ScaleAndDrop(nn.Module):
    """Scale each axis of a drawing at random, and leave out points within strokes.

    What is left out changes no other point: the next offset leads from the point before it. The
    first and the last point of a stroke stay.

    Parameters
    ----------
    scale_noise : float
        The largest relative change of the scale of an axis.
    drop_fraction : float
        The probability that a point is left out.

    References
    ----------
    Ha, D. and Eck, D. (2018). A neural representation of sketch drawings. ICLR.
    """

    def __init__(self, scale_noise: float, drop_fraction: float) -> None:
        super().__init__()
        self.scale_noise = scale_noise
        self.drop_fraction = drop_fraction

    def forward(self, x: Tensor) -> Tensor:
        """Corrupt rows $(B, 5T)$ in training."""
        if not self.training:
            return x
        steps = x.unflatten(1, (-1, Strokes.width))
        factors = 1 + self.scale_noise * (2 * torch.rand(len(x), 1, 2, device=x.device) - 1)
        offsets, places = steps[..., :2] * factors, steps[..., 2:4] * factors
        states = steps[..., 4]
        if self.drop_fraction:
            offsets, places, states = self._dropped(places, states)
        return torch.cat([offsets, places, states[..., None]], dim=2).flatten(1)

    def _dropped(self, places: Tensor, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        before = torch.nn.functional.pad(states, (1, 0))[:, :-1]
        is_within = (states == DOWN) & (before == DOWN)
        is_kept = (torch.rand_like(states) >= self.drop_fraction) | ~is_within
        order = (~is_kept).long().argsort(dim=1, stable=True)
        states = torch.where(is_kept, states, PADDING).gather(1, order)
        places = places.gather(1, order[..., None].expand_as(places))
        offsets = places.diff(dim=1, prepend=places.new_zeros(len(places), 1, 2))
        is_step = (states != PADDING)[..., None]
        return torch.where(is_step, offsets, 0.0), torch.where(is_step, places, 0.0), states
