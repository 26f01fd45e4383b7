"""Likelihoods: the distribution of a row, parametrised by the decoder's output.

Log-probabilities are returned by column, in nats, so that cells of all kinds add up; the loss of a
row takes fewer passes. The likelihoods of tables are in `skae.nn.table_likelihoods`.
"""

import math
from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn import functional

from skae.nn.predictions import Prediction

# The mean squared error of an exact fit, by rounding in float32.
_SMALLEST_VARIANCE = 1e-10
# The weight of a new batch in the moving average of the variance.
_MOMENTUM = 0.05


class _StraightThroughClamp(torch.autograd.Function):
    """Clip the value but not the gradient, so that training can move a clipped output back."""

    @staticmethod
    def forward(ctx: object, x: Tensor, low: Tensor, high: Tensor) -> Tensor:
        return torch.clamp(x, low, high)

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient, None, None


class Likelihood(Prediction):
    """The distribution of a row given the decoder's output.

    Attributes
    ----------
    n_numbers : int
        The number of columns of numbers, which come first; each is one cell together with a later
        column, its state.
    learns_variance : bool
        Whether training is to call `update_variance`.
    """

    n_numbers: int = 0
    learns_variance: bool = False

    @abstractmethod
    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the log-probability of every column of a row, shape $(B, n)$."""

    @abstractmethod
    def sample(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw rows, shape $(B, n)$."""

    def are_logits(self, n_columns: int) -> Tensor:
        """Return a mask of the columns in [0, 1] that the decoder gives the logits of."""
        return torch.zeros(n_columns, dtype=torch.bool)

    def expand_to_parameters(
        self, weight: Tensor, bias: Tensor, spread: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Turn a linear map to expected rows into one to the likelihood's parameters.

        Where the parameters are the expected rows, it is the same map.

        Parameters
        ----------
        weight : Tensor of shape (w, k)
            The weights.
        bias : Tensor of shape (w,)
            The biases.
        spread : Tensor of shape (w,)
            The standard deviations of cells around their expectations.

        Returns
        -------
        weight, bias, spread : Tensor of shape (m, k), (m,) and (m,)
            The same for the decoder's outputs; `spread` is then how far training may have to move
            them.
        """
        return weight, bias, spread

    def update_variance(self, output: Tensor, x: Tensor, shares: Tensor | None = None) -> None:
        """Move the variance towards the squared errors of a batch, where it is learned.

        Parameters
        ----------
        output, x : Tensor of shape (B, n)
            The decoder's output and its target.
        shares : Tensor of shape (B,) or None, default=None
            The weight of every row; None for equal weights.
        """


class NumberLikelihood(Likelihood):
    """The distribution of a row that consists of numbers only."""

    @abstractmethod
    def curvature(self, output: Tensor) -> Tensor:
        """Return the second derivative of -log p with respect to the output, $(B, n)$."""


class VarianceLikelihood(Likelihood):
    """A distribution with a variance of its numbers, which is measured after training.

    Attributes
    ----------
    variance : Tensor
        The variance, one for all numbers or one for each.
    """

    variance: Tensor

    @abstractmethod
    def calibrate(self, variance: Tensor) -> None:
        """Set the variance, given that of every number."""

    @abstractmethod
    def squared_error(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the squared error of every number, NaN where there is no number, $(B, n)$."""


class Gaussian(VarianceLikelihood, NumberLikelihood):
    r"""Independent Gaussians with a shared variance or one each: $x_j \sim N(\mu_j, \sigma_j^2)$.

    Parameters
    ----------
    low, high : Tensor of shape (n_columns,)
        The range of the mean, infinite where there is none. The mean is clipped to it by a
        straight-through estimator: the gradient passes as if it were not.
    variance : float or Tensor of shape (n_columns,)
        The variance $\sigma^2$; a shared one is constant until `calibrate` sets it.
    smallest : float or Tensor of shape (n_columns,), default=1e-10
        The smallest variance, by default the rounding error of an exact fit in float32.
    learns_variance : bool, default=False
        Whether training is to call `update_variance`: the likelihood is largest where the variance
        is the mean squared error.

    References
    ----------
    Rybkin, O., Daniilidis, K. and Levine, S. (2021). Simple and effective VAE training with
    calibrated decoders. International Conference on Machine Learning.
    """

    low: Tensor
    high: Tensor
    smallest: Tensor
    half_precision: Tensor
    log_normaliser: Tensor

    def __init__(
        self,
        low: Tensor,
        high: Tensor,
        variance: float | Tensor,
        smallest: float | Tensor = _SMALLEST_VARIANCE,
        *,
        learns_variance: bool = False,
    ) -> None:
        super().__init__()
        self.bounded = bool(torch.isfinite(low).any() or torch.isfinite(high).any())
        self.learns_variance = learns_variance
        variance = torch.as_tensor(variance, dtype=low.dtype)
        self.register_buffer("low", low)
        self.register_buffer("high", high)
        self.register_buffer("variance", torch.empty_like(variance))
        self.register_buffer("smallest", torch.as_tensor(smallest, dtype=low.dtype))
        self.register_buffer("half_precision", torch.empty_like(low))
        self.register_buffer("log_normaliser", torch.empty(()))
        self.calibrate(variance)

    def calibrate(self, variance: float | Tensor) -> None:
        """Set the variance; a shared one becomes the mean of variances that are given by column."""
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
        """Return the negative log density of every row, shape $(B,)$, in fewer passes."""
        return torch.addmv(self.log_normaliser, self._squared_error(output, x), self.half_precision)

    def loss_and_gradient(
        self, output: Tensor, x: Tensor, shares: Tensor | float
    ) -> tuple[Tensor, Tensor]:
        """Return the weighted mean of `negative_log_prob`, and its gradient, by the formula."""
        error = self.mean(output) - x
        if isinstance(shares, Tensor):
            gradient = error * (2 * self.half_precision) * shares[:, None]
        else:
            gradient = error * (2 * shares * self.half_precision)
        half_square = torch.dot(error.flatten(), gradient.flatten())
        return torch.add(self.log_normaliser, half_square, alpha=0.5), gradient

    @torch.no_grad()
    def update_variance(self, output: Tensor, x: Tensor, shares: Tensor | None = None) -> None:
        """Move the variance towards the squared errors of a batch."""
        squared = self._squared_error(output, x)
        error = squared.mean(0) if shares is None else shares @ squared / shares.sum()
        error = error if self.variance.dim() else error.mean()
        self.calibrate(self.variance.lerp(error, _MOMENTUM))

    def squared_error(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the squared error of every cell, infinite instead of NaN, shape $(B, n)$."""
        return self._squared_error(output, x).nan_to_num(nan=math.inf)

    def mean(self, output: Tensor) -> Tensor:
        """Return the expected cells, shape $(B, n)$."""
        if not self.bounded:
            return output
        return _StraightThroughClamp.apply(output, self.low, self.high)

    def curvature(self, output: Tensor) -> Tensor:
        """Return the second derivative of -log p with respect to the output, $(B, n)$."""
        return (2 * self.half_precision).expand_as(output)

    def sample(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw cells, clipped to the range of the mean, shape $(B, n)$."""
        noise = torch.randn(output.shape, generator=generator).to(output)
        draw = self.mean(output) + self.variance.sqrt() * noise
        return torch.clamp(draw, self.low, self.high)

    def _squared_error(self, output: Tensor, x: Tensor) -> Tensor:
        return functional.mse_loss(self.mean(output), x, reduction="none")
