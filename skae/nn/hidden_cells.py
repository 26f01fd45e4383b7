"""The most probable code of a row whose cells are partly hidden."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

# The steps and the learning rate of Adam, which optimises the whitened code u.
_N_STEPS = 100
_LEARNING_RATE = 0.2
# The smallest variance along a direction, as a share of the largest.
_SMALLEST_VARIANCE = 1e-8


@dataclass(frozen=True)
class NormalCodes:
    r"""A normal distribution of codes: $z = m + L u$, $u$ standard normal.

    Attributes
    ----------
    mean : Tensor of shape (k,)
        The mean $m$.
    factor : Tensor of shape (k, k)
        A root $L$ of the covariance.
    """

    mean: Tensor
    factor: Tensor

    @classmethod
    def of(cls, codes: Tensor) -> "NormalCodes":
        """Return the normal distribution with the moments of codes of shape $(B, k)$."""
        exact = codes.cpu().double()
        covariance = torch.cov(exact.T, correction=0).reshape(codes.shape[1], -1)
        variance, directions = torch.linalg.eigh(covariance)
        least = _SMALLEST_VARIANCE * max(float(variance[-1]), _SMALLEST_VARIANCE)
        factor = directions * variance.clamp_min(least).sqrt()
        return cls(exact.mean(0).to(codes), factor.to(codes))

    def to(self, device: torch.device) -> "NormalCodes":
        """Return the same distribution on a device."""
        return NormalCodes(self.mean.to(device), self.factor.to(device))

    @torch.inference_mode(False)
    @torch.enable_grad()
    def most_probable(
        self, losses: Callable[[Tensor, Tensor], Tensor], x: Tensor, start: Tensor
    ) -> Tensor:
        r"""Return $\arg\max_z \log p(x \mid z) + \log N(z; m, L L^\top)$ for rows, by Adam.

        Parameters
        ----------
        losses : callable
            A map from codes $(B, k)$ and rows to $-\log p(x \mid z)$ of the cells that are not
            hidden.
        x : Tensor of shape (B, n)
            The rows.
        start : Tensor of shape (B, k)
            The codes to start from.
        """
        # Copies made here take part in automatic differentiation, wherever the originals were made.
        x, start = x.clone(), start.clone()
        codes = NormalCodes(self.mean.clone(), self.factor.clone())
        u = torch.linalg.solve(codes.factor, (start - codes.mean).T).T.requires_grad_()
        optimizer = torch.optim.Adam([u], lr=_LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _N_STEPS)
        for _ in range(_N_STEPS):
            total = losses(codes._codes(u), x).sum() + 0.5 * u.square().sum()
            (u.grad,) = torch.autograd.grad(total, u)
            optimizer.step()
            schedule.step()
        return codes._codes(u.detach())

    def _codes(self, u: Tensor) -> Tensor:
        return torch.addmm(self.mean, u, self.factor.T)
