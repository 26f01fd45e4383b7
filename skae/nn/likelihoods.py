"""Likelihoods: what the decoder's output says of a row, as log-probability, mean and draw.

Every likelihood answers column by column, in nats, so that numbers of all kinds add up, and gives
the loss of a row by a shorter way. `skae.nn.table_likelihoods` has that of tables.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

_SMALLEST_VARIANCE = 1e-10
_SMALLEST_RATE = 1e-6
_NEAR_ZERO = 0.3
_MOMENTUM = 0.05


class _StraightThroughClamp(torch.autograd.Function):
    """Clip the value and pass the gradient, so that a clipped output can still come back."""

    @staticmethod
    def forward(ctx: object, x: Tensor, low: Tensor, high: Tensor) -> Tensor:
        return torch.clamp(x, low, high)

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient, None, None


class Gaussian(nn.Module):
    r"""Independent normals, with one variance or one for each: $x_j \sim N(\mu_j, \sigma_j^2)$.

    Parameters
    ----------
    low, high : Tensor of shape (n_columns,)
        The range of the mean, infinite where there is none. The mean is clipped to it and the
        gradient passes as if it were not.
    variance : float or Tensor of shape (n_columns,)
        $\sigma^2$; one for all is a constant until `calibrate` sets it.
    smallest : float or Tensor of shape (n_columns,), default=1e-10
        What the variance stays above, by default what rounding of float32 makes of an exact fit.
    follows : bool, default=False
        Whether training should call `follow`: the likelihood is largest where the variance is the
        mean squared error.

    References
    ----------
    Rybkin, O., Daniilidis, K. and Levine, S. (2021). Simple and effective VAE training with
    calibrated decoders. International Conference on Machine Learning.
    """

    def __init__(
        self,
        low: Tensor,
        high: Tensor,
        variance: float | Tensor,
        smallest: float | Tensor = _SMALLEST_VARIANCE,
        *,
        follows: bool = False,
    ) -> None:
        super().__init__()
        self.bounded = bool(torch.isfinite(low).any() or torch.isfinite(high).any())
        self.follows = follows
        variance = torch.as_tensor(variance, dtype=low.dtype)
        self.register_buffer("low", low)
        self.register_buffer("high", high)
        self.register_buffer("variance", torch.empty_like(variance))
        self.register_buffer("smallest", torch.as_tensor(smallest, dtype=low.dtype))
        self.register_buffer("half_precision", torch.empty_like(low))
        self.register_buffer("log_normaliser", torch.empty(()))
        self.calibrate(variance)

    def calibrate(self, variance: float | Tensor) -> None:
        """Set the variance, to a mean over columns where it is given by column but one for all."""
        variance = torch.as_tensor(variance).to(self.variance)
        variance = variance if self.variance.dim() else variance.mean()
        # New tensors: a loss that is still to be differentiated may hold the old ones.
        self.variance = variance.maximum(self.smallest)
        self.half_precision = (0.5 / self.variance).expand_as(self.low).contiguous()
        log_variance = torch.log(2 * math.pi * self.variance)
        self.log_normaliser = 0.5 * log_variance.expand_as(self.low).sum()

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the log density of every cell, shape $(B, n)$."""
        squared = self._squared_error(output, x)
        constant = -0.5 * torch.log(2 * math.pi * self.variance)
        return torch.addcmul(constant, squared, self.half_precision, value=-1)

    def negative_log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return minus the log density of every row, shape $(B,)$, in fewer passes."""
        return torch.addmv(self.log_normaliser, self._squared_error(output, x), self.half_precision)

    @torch.no_grad()
    def follow(self, output: Tensor, x: Tensor, shares: Tensor | None = None) -> None:
        """Move the variance on towards the squared errors of training.

        Parameters
        ----------
        output, x : Tensor of shape (B, n)
            The decoder's output, and what it should have been.
        shares : Tensor of shape (B,) or None, default=None
            How much every row counts; None for all alike.
        """
        squared = self._squared_error(output, x)
        error = squared.mean(0) if shares is None else shares @ squared / shares.sum()
        error = error if self.variance.dim() else error.mean()
        self.calibrate(self.variance.lerp(error, _MOMENTUM))

    def squared_error(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the squared error of every cell, infinite where it is none, shape $(B, n)$."""
        return self._squared_error(output, x).nan_to_num(nan=math.inf)

    def mean(self, output: Tensor) -> Tensor:
        """Return the expected cells, shape $(B, n)$."""
        if not self.bounded:
            return output
        return _StraightThroughClamp.apply(output, self.low, self.high)

    def curvature(self, output: Tensor) -> Tensor:
        """Return the second derivative of minus the log density in the output, $(B, n)$."""
        return (2 * self.half_precision).expand_as(output)

    def sample(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw cells, clipped to the range of the mean, shape $(B, n)$."""
        noise = torch.randn(output.shape, generator=generator).to(output)
        draw = self.mean(output) + self.variance.sqrt() * noise
        return torch.clamp(draw, self.low, self.high)

    def _squared_error(self, output: Tensor, x: Tensor) -> Tensor:
        return functional.mse_loss(self.mean(output), x, reduction="none")


class Bernoulli(nn.Module):
    r"""Independent coins for columns in [0, 1]: $p(x_j = 1) = \sigma(o_j)$, $o$ the logits.

    On grey values the log-probability is the cross-entropy, which is no density: its largest
    value is below 0 by the entropy of the grey.
    """

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the log-probability of every cell, shape $(B, n)$."""
        return -functional.binary_cross_entropy_with_logits(output, x, reduction="none")

    def negative_log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return minus the log-probability of every row, shape $(B,)$."""
        return -self.log_prob(output, x).sum(1)

    def mean(self, output: Tensor) -> Tensor:
        """Return the expected cells, shape $(B, n)$."""
        return torch.sigmoid(output)

    def curvature(self, output: Tensor) -> Tensor:
        """Return the second derivative of minus the log-probability in the output, $(B, n)$."""
        mean = self.mean(output)
        return mean * (1 - mean)

    def sample(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw cells, each 0 or 1, shape $(B, n)$."""
        uniform = torch.rand(output.shape, generator=generator).to(output)
        return (uniform < self.mean(output)).to(output)


class ContinuousBernoulli(nn.Module):
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

    def negative_log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return minus the log density of every row, shape $(B,)$."""
        return -self.log_prob(output, x).sum(1)

    def mean(self, output: Tensor) -> Tensor:
        """Return the expected cells, shape $(B, n)$."""
        return 0.5 + 0.5 * _langevin(output / 2)

    def curvature(self, output: Tensor) -> Tensor:
        """Return the second derivative of minus the log density in the output, $(B, n)$."""
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


class Labels(nn.Module):
    """One of some classes: the head gives their logits, and a row is the number of its class.

    Parameters
    ----------
    n_classes : int
        How many.
    """

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.n_outputs = n_classes

    def negative_log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the cross-entropy of every row of $(B, 1)$, shape $(B,)$."""
        return functional.cross_entropy(output, x[:, 0].long(), reduction="none")

    def mean(self, output: Tensor) -> Tensor:
        """Return the probabilities of the classes, shape $(B, C)$."""
        return torch.softmax(output, dim=1)


class Targets(nn.Module):
    """Standardised numbers around what the head gives: half the squared error.

    Parameters
    ----------
    n_targets : int
        How many numbers.
    """

    def __init__(self, n_targets: int) -> None:
        super().__init__()
        self.n_outputs = n_targets

    def negative_log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return half the squared error of every row of $(B, m)$, shape $(B,)$."""
        return 0.5 * (output - x).square().sum(1)

    def mean(self, output: Tensor) -> Tensor:
        """Return the expected numbers, shape $(B, m)$."""
        return output


def _log_sinh_ratio(a: Tensor) -> Tensor:
    r"""Return $\log(\sinh(a) / a)$, by its series near 0, where the closed form loses digits."""
    square = a.square()
    near = square / 6 - square.square() / 180 + square**3 / 2835
    size = torch.where(a.abs() < _NEAR_ZERO, 1.0, a.abs())
    far = size + torch.log1p(-torch.exp(-2 * size)) - torch.log(2 * size)
    return torch.where(a.abs() < _NEAR_ZERO, near, far)


def _langevin(a: Tensor) -> Tensor:
    r"""Return $\coth(a) - 1 / a$, by its series near 0, where the closed form loses digits."""
    near = a / 3 - a**3 / 45 + 2 * a**5 / 945
    safe = torch.where(a.abs() < _NEAR_ZERO, 1.0, a)
    return torch.where(a.abs() < _NEAR_ZERO, near, 1 / torch.tanh(safe) - 1 / safe)
