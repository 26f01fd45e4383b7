"""The most probable code of a row whose cells are partly hidden."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from skae.nn.likelihoods import NumberLikelihood

# The steps and the learning rate of Adam, which optimises the whitened code u.
_N_STEPS = 100
_LEARNING_RATE = 0.2
# The smallest variance along a direction, as a share of the largest.
_SMALLEST_VARIANCE = 1e-8
# The steps of Newton's method; the damping of its first one, relative to the precision of the
# prior, and the factor that a good or a bad step changes it by.
_N_NEWTON, _DAMPING, _FACTOR = 30, 1e-2, 10.0
# The number of random codes of which the best one is a start.
_N_DRAWS = 256
# The improvement in nats below which a row is done.
_ENOUGH = 1e-3
# The step of the finite differences of a decoder.
_STEP = 1e-3
# The size of a block in memory, in slopes.
_SLOPES_AT_A_TIME = 2**23


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

    def most_probable_of_numbers(
        self, decoder: nn.Module, likelihood: NumberLikelihood, x: Tensor
    ) -> Tensor:
        r"""Return $\arg\max_z \log p(x \mid z) + \log N(z; m, L L^\top)$ for rows of numbers.

        Parameters
        ----------
        decoder : nn.Module
            The decoder.
        likelihood : NumberLikelihood
            The distribution of a row given the decoder's output.
        x : Tensor of shape (B, n)
            The rows; hidden cells are NaN.

        References
        ----------
        Levenberg, K. (1944). A method for the solution of certain non-linear problems in least
        squares. Quarterly of Applied Mathematics 2.

        Marquardt, D. W. (1963). An algorithm for least-squares estimation of nonlinear parameters.
        Journal of the Society for Industrial and Applied Mathematics 11.
        """
        size = max(1, _SLOPES_AT_A_TIME // max(1, len(self.mean) * x.shape[1]))
        parts = [self._best(decoder, likelihood, part) for part in x.split(size)]
        return torch.cat(parts)

    def precision(
        self, decoder: nn.Module, likelihood: NumberLikelihood, x: Tensor, z: Tensor
    ) -> Tensor:
        """Return the curvature of -log p at codes of rows, in units of u, shape (B, k, k).

        The decoder is linearised there.
        """
        k = len(self.mean)
        output = decoder(z)
        steps = (z[:, None] + _STEP * self.factor.T).flatten(0, 1)
        slopes = (decoder(steps).view(len(z), k, output.shape[1]) - output[:, None]) / _STEP
        curvature = likelihood.curvature(output) * ~torch.isnan(x)
        return torch.eye(k).to(z) + (slopes * curvature[:, None]) @ slopes.transpose(1, 2)

    @torch.inference_mode(False)
    def _best(self, decoder: nn.Module, likelihood: NumberLikelihood, x: Tensor) -> Tensor:
        """Return the better of the codes that are found from the mean and from the best draw."""
        x, codes = x.clone(), NormalCodes(self.mean.clone(), self.factor.clone())
        starts = x.new_zeros(len(x), len(self.mean)), codes._best_draws(decoder, likelihood, x)
        found = [codes._newton(decoder, likelihood, x, start) for start in starts]
        (first, loss), (second, other) = found
        return codes._codes(torch.where((other < loss)[:, None], second, first))

    @torch.no_grad()
    def _best_draws(self, decoder: nn.Module, likelihood: NumberLikelihood, x: Tensor) -> Tensor:
        """Return the draw, of a few, by which each row is most probable, in units of u."""
        generator = torch.Generator().manual_seed(0)
        draws = torch.randn(_N_DRAWS, len(self.mean), generator=generator).to(x)
        outputs = decoder(self._codes(draws))
        best, least = draws[:1].expand(len(x), -1), x.new_full((len(x),), torch.inf)
        seen, filled = ~torch.isnan(x), torch.nan_to_num(x)
        for draw, output in zip(draws, outputs, strict=True):
            cells = likelihood.log_prob(output.expand(len(x), -1), filled)
            loss = 0.5 * draw.square().sum() - (cells * seen).sum(1)
            best = torch.where((loss < least)[:, None], draw, best)
            least = torch.minimum(loss, least)
        return best

    def _newton(
        self, decoder: nn.Module, likelihood: NumberLikelihood, x: Tensor, u: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return codes in units of u, and -log p, by damped steps that are taken if better."""
        loss, slope = self._loss(decoder, likelihood, x, u)
        damping = torch.full_like(loss, _DAMPING)
        for _ in range(_N_NEWTON):
            with torch.no_grad():
                normal = self.precision(decoder, likelihood, x, self._codes(u)).double()
            normal.diagonal(dim1=1, dim2=2).add_(damping[:, None])
            trial = u - torch.linalg.solve(normal, slope.double()).to(u)
            new_loss, new_slope = self._loss(decoder, likelihood, x, trial)
            better = new_loss < loss
            gain = torch.where(better, loss - new_loss, 0)
            u = torch.where(better[:, None], trial, u)
            slope = torch.where(better[:, None], new_slope, slope)
            loss = torch.where(better, new_loss, loss)
            damping = torch.where(better, damping / _FACTOR, damping * _FACTOR)
            if (gain < _ENOUGH).all() and (better | (damping > 1)).all():
                break
        return u, loss

    @torch.enable_grad()
    def _loss(
        self, decoder: nn.Module, likelihood: NumberLikelihood, x: Tensor, u: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return -log p of rows and whitened codes, $(B,)$, and its gradient, $(B, k)$."""
        u = u.detach().requires_grad_()
        cells = likelihood.log_prob(decoder(self._codes(u)), torch.nan_to_num(x))
        loss = 0.5 * u.square().sum(1) - (cells * ~torch.isnan(x)).sum(1)
        (slope,) = torch.autograd.grad(loss.sum(), u)
        return loss.detach(), slope

    def _codes(self, u: Tensor) -> Tensor:
        return torch.addmm(self.mean, u, self.factor.T)
