"""Likelihoods of tables: numbers that may be absent, and codes."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

_SMALLEST_VARIANCE = 1e-6


class PartialGaussian(nn.Module):
    r"""Independent normals of numbers, NaN where there is none: $x_j \sim N(\mu_j, \sigma_j^2)$.

    An absent number has the log density 0.

    Parameters
    ----------
    n_numbers : int
        The number of columns.
    variance : float
        The variance of all in training; `calibrate` sets each afterwards.
    """

    def __init__(self, n_numbers: int, variance: float) -> None:
        super().__init__()
        self.register_buffer(
            "variance", torch.full((n_numbers,), max(variance, _SMALLEST_VARIANCE))
        )

    def calibrate(self, variance: Tensor) -> None:
        """Set the variance of every number, shape $(n,)$."""
        self.variance.copy_(variance.clamp_min(_SMALLEST_VARIANCE))

    def squared_error(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the squared error of every number, NaN where there is none, $(B, n)$."""
        return (output - x).square()

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the log density of every number, shape $(B, n)$."""
        squared = torch.nan_to_num(output - x).square()
        log_prob = -0.5 * (squared / self.variance + torch.log(2 * math.pi * self.variance))
        return log_prob * ~torch.isnan(x)

    def negative_log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return minus the log density of every row, shape $(B,)$."""
        return -self.log_prob(output, x).sum(1)

    def mean(self, output: Tensor) -> Tensor:
        """Return the expected numbers, shape $(B, n)$."""
        return output

    def sample(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw numbers, shape $(B, n)$."""
        noise = torch.randn(output.shape, generator=generator).to(output)
        return output + self.variance.sqrt() * noise


class Categorical(nn.Module):
    r"""Independent codes, whose logits the decoder gives side by side.

    All columns go through one softmax, padded to the longest of them.

    Parameters
    ----------
    n_codes : sequence of int
        How many values each code takes.
    """

    def __init__(self, n_codes: Sequence[int]) -> None:
        super().__init__()
        sizes = torch.tensor(tuple(n_codes), dtype=torch.long)
        places = torch.arange(int(sizes.max()))
        starts = sizes.cumsum(0) - sizes
        inside = places < sizes[:, None]
        places = torch.where(inside, starts[:, None] + places, sizes.sum())
        self.register_buffer("places", places)

    def logits(self, output: Tensor) -> Tensor:
        """Return the logits of every code, minus infinity beyond its size, $(B, f, k)$."""
        padded = torch.cat([output, output.new_full((len(output), 1), -math.inf)], dim=1)
        return padded[:, self.places]

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the log-probability of every code, shape $(B, f)$."""
        log_probs = torch.log_softmax(self.logits(output), dim=2)
        return log_probs.gather(2, x.long()[:, :, None]).squeeze(2)

    def negative_log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return minus the log-probability of every row, shape $(B,)$."""
        return -self.log_prob(output, x).sum(1)

    def mean(self, output: Tensor) -> Tensor:
        """Return the likeliest codes, shape $(B, f)$."""
        return self.logits(output).argmax(2).to(output)

    def sample(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw codes, shape $(B, f)$."""
        logits = self.logits(output)
        uniform = torch.rand(logits.shape, generator=generator).clamp_min(1e-20)
        gumbel = -torch.log(-torch.log(uniform)).to(output)
        return (logits + gumbel).argmax(2).to(output)
