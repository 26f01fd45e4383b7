"""Likelihoods: the distribution of a row that the decoder's output parametrises.

A likelihood answers column by column, in nats, so that cells of all kinds add up, and gives the
loss of a row in fewer passes. `skae.nn.table_likelihoods` has those of tables.
"""

import math
from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn import functional

from skae.nn.predictions import Prediction

_SMALLEST_VARIANCE = 1e-10
_MOMENTUM = 0.05


class _StraightThroughClamp(torch.autograd.Function):
    """Clip the value and pass the gradient, so that a clipped output can still come back."""

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
        The number of first columns that are one cell with a later column, its state.
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
        """Tell which expected columns are numbers in [0, 1] whose logits the decoder gives."""
        return torch.zeros(n_columns, dtype=torch.bool)

    def expand_to_parameters(
        self, weight: Tensor, bias: Tensor, spread: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Turn a linear map to expected rows into one to the decoder's outputs: mostly the same.

        Parameters
        ----------
        weight : Tensor of shape (w, k)
            The weights.
        bias : Tensor of shape (w,)
            The biases.
        spread : Tensor of shape (w,)
            The standard deviations of cells around what is expected.

        Returns
        -------
        weight, bias, spread : Tensor of shape (m, k), (m,) and (m,)
            The same for the decoder's outputs; the last says how far training may have to move
            them.
        """
        return weight, bias, spread

    def update_variance(self, output: Tensor, x: Tensor, shares: Tensor | None = None) -> None:
        """Move the variance on towards the squared errors of a batch, where it is learned.

        Parameters
        ----------
        output, x : Tensor of shape (B, n)
            The decoder's output, and what it should have been.
        shares : Tensor of shape (B,) or None, default=None
            How much every row counts; None for all alike.
        """


class NumberLikelihood(Likelihood):
    """The distribution of a row of numbers alone."""

    @abstractmethod
    def curvature(self, output: Tensor) -> Tensor:
        """Return the second derivative of minus the log-probability in the output, $(B, n)$."""


class VarianceLikelihood(Likelihood):
    """A distribution whose numbers have a variance, which is measured after training.

    Attributes
    ----------
    variance : Tensor
        The variance of all numbers, or of each.
    """

    variance: Tensor

    @abstractmethod
    def calibrate(self, variance: Tensor) -> None:
        """Set the variance, given that of every number."""

    @abstractmethod
    def squared_error(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the squared error of every number, NaN where there is none, $(B, n)$."""


class Gaussian(VarianceLikelihood, NumberLikelihood):
    r"""Independent normals, with one variance or one for each: $x_j \sim N(\mu_j, \sigma_j^2)$.

    Parameters
    ----------
    low, high : Tensor of shape (n_columns,)
        The range of the mean, infinite where there is none. The mean is clipped to it by a
        straight-through estimator: the gradient passes as if it were not.
    variance : float or Tensor of shape (n_columns,)
        $\sigma^2$; one for all is a constant until `calibrate` sets it.
    smallest : float or Tensor of shape (n_columns,), default=1e-10
        The smallest variance, by default what rounding in float32 makes of an exact fit.
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
    def update_variance(self, output: Tensor, x: Tensor, shares: Tensor | None = None) -> None:
        """Move the variance on towards the squared errors of a batch."""
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
