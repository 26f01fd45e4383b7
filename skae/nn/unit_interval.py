"""Likelihoods of numbers in [0, 1], parametrised by logits."""

import torch
from torch import Tensor
from torch.nn import functional

from skae.nn.likelihoods import NumberLikelihood

# The smallest logit that is divided by.
_SMALLEST_RATE = 1e-6
# The argument below which a series is used, because the closed form loses digits.
_NEAR_ZERO = 0.3


class UnitInterval(NumberLikelihood):
    """Columns in [0, 1], parametrised by the decoder's logits."""

    def negative_log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the negative log-probability of every row, shape $(B,)$."""
        return -self.log_prob(output, x).sum(1)

    def are_logits(self, n_columns: int) -> Tensor:
        """Return a mask of all columns."""
        return torch.ones(n_columns, dtype=torch.bool)


class Bernoulli(UnitInterval):
    r"""Independent Bernoulli distributions, parametrised by logits $o$: $p(x_j = 1) = \sigma(o_j)$.

    For grey values the log-probability is minus the cross-entropy, which is no log density: its
    largest value is minus the entropy of the grey value.
    """

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the log-probability of every cell, shape $(B, n)$."""
        return -functional.binary_cross_entropy_with_logits(output, x, reduction="none")

    def mean(self, output: Tensor) -> Tensor:
        """Return the expected cells, shape $(B, n)$."""
        return torch.sigmoid(output)

    def curvature(self, output: Tensor) -> Tensor:
        """Return the second derivative of -log p with respect to the output, $(B, n)$."""
        mean = self.mean(output)
        return mean * (1 - mean)

    def sample(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw cells, each 0 or 1, shape $(B, n)$."""
        uniform = torch.rand(output.shape, generator=generator).to(output)
        return (uniform < self.mean(output)).to(output)


class ContinuousBernoulli(UnitInterval):
    r"""A density of grey values: $p(x_j) = C(\lambda_j) \lambda_j^{x_j} (1 - \lambda_j)^{1 - x_j}$.

    The decoder gives the logits of $\lambda$; the mean of a column is not $\lambda$.

    References
    ----------
    Loaiza-Ganem, G. and Cunningham, J. P. (2019). The continuous Bernoulli: fixing a pervasive
    error in variational autoencoders. Advances in Neural Information Processing Systems 32.
    """

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the log density of every cell, shape $(B, n)$."""
        return output * (x - 0.5) - _log_sinh_ratio(output / 2)

    def mean(self, output: Tensor) -> Tensor:
        """Return the expected cells, shape $(B, n)$."""
        return 0.5 + 0.5 * _langevin(output / 2)

    def curvature(self, output: Tensor) -> Tensor:
        """Return the second derivative of -log p with respect to the output, $(B, n)$."""
        half = 0.5 * output
        safe = torch.where(half.abs() < _NEAR_ZERO, 1.0, half)
        far = 0.25 * (1 / safe.square() - 1 / torch.sinh(safe.clamp(-40, 40)).square())
        return torch.where(half.abs() < _NEAR_ZERO, 1 / 12 - half.square() / 60, far)

    def sample(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw cells by inverting the distribution function, shape $(B, n)$."""
        uniform = torch.rand(output.shape, generator=generator).to(output)
        falling = torch.where(output > 0, 1 - uniform, uniform)
        rate = -output.abs().clamp_min(_SMALLEST_RATE)
        draw = (torch.log1p(falling * torch.expm1(rate)) / rate).clamp(0, 1)
        return torch.where(output > 0, 1 - draw, draw)


def _log_sinh_ratio(a: Tensor) -> Tensor:
    r"""Return $\log(\sinh(a) / a)$, by its series near 0, where the closed form is inaccurate."""
    square = a.square()
    near = square / 6 - square.square() / 180 + square**3 / 2835
    size = torch.where(a.abs() < _NEAR_ZERO, 1.0, a.abs())
    far = size + torch.log1p(-torch.exp(-2 * size)) - torch.log(2 * size)
    return torch.where(a.abs() < _NEAR_ZERO, near, far)


def _langevin(a: Tensor) -> Tensor:
    r"""Return $\coth(a) - 1 / a$, by its series near 0, where the closed form is inaccurate."""
    near = a / 3 - a**3 / 45 + 2 * a**5 / 945
    safe = torch.where(a.abs() < _NEAR_ZERO, 1.0, a)
    return torch.where(a.abs() < _NEAR_ZERO, near, 1 / torch.tanh(safe) - 1 / safe)
