r"""Densities on the unit sphere in $k$ dimensions that depend on one direction.

Each is given by the density of the cosine between a point and the direction; orthogonal to the
direction, points are uniform. Concentrations $\kappa$ have a last axis of length one.
"""

import math
from typing import Any

import numpy as np
import torch
from scipy import special
from torch import Tensor
from torch.nn import functional

# The smallest number that is divided by, or whose root is taken.
_SMALLEST = 1e-12
# The bound of drawn cosines; at 1 the gradient of the sine is infinite.
_LARGEST_COSINE = 1 - 1e-6


def log_area(k: int) -> float:
    """Return the logarithm of the area of the unit sphere in $k$ dimensions."""
    return math.log(2) + 0.5 * k * math.log(math.pi) - math.lgamma(0.5 * k)


def on_sphere(cosine: Tensor, normal: Tensor) -> Tensor:
    """Return points with a cosine to the first axis, $(..., k)$, from normals $(..., k - 1)$."""
    sine = (1 - cosine.square()).clamp_min(_SMALLEST).sqrt()
    orthogonal = functional.normalize(normal, dim=-1) * sine
    return torch.cat([cosine.expand(*orthogonal.shape[:-1], 1), orthogonal], dim=-1)


def householder(z: Tensor, direction: Tensor) -> Tensor:
    """Reflect points $(..., k)$ so that the first axis becomes a direction $(..., k)$."""
    axis = torch.zeros_like(direction)
    axis[..., 0] = 1
    normal = functional.normalize(axis - direction, dim=-1, eps=_SMALLEST)
    return z - 2 * (z * normal).sum(-1, keepdim=True) * normal


def von_mises_fisher_cosine(concentration: Tensor, k: int) -> Tensor:
    """Draw the cosines of von Mises-Fisher densities, with a gradient, by rejection.

    References
    ----------
    Wood, A. T. A. (1994). Simulation of the von Mises Fisher distribution. Communications in
    Statistics - Simulation and Computation 23.
    """
    n = k - 1
    root = torch.sqrt(4 * concentration.square() + n**2)
    b = n / (2 * concentration + root)
    a = (n + 2 * concentration + root) / 4
    d = 4 * a * b / (1 + b) - n * math.log(n)
    half = torch.full_like(concentration, 0.5 * n)
    beta = torch.distributions.Beta(half, half)
    cosine, is_drawn = (
        torch.zeros_like(concentration),
        torch.zeros_like(concentration, dtype=torch.bool),
    )
    while not is_drawn.all():
        epsilon = beta.sample()
        t = 2 * a * b / (1 - (1 - b) * epsilon)
        accepted = n * t.log() - t + d >= torch.rand_like(t).log()
        proposal = (1 - (1 + b) * epsilon) / (1 - (1 - b) * epsilon)
        cosine = torch.where(accepted & ~is_drawn, proposal, cosine)
        is_drawn |= accepted
    return cosine.clamp(-_LARGEST_COSINE, _LARGEST_COSINE)


def von_mises_fisher_log_normaliser(concentration: Tensor, k: int) -> Tensor:
    r"""Return the log normaliser $\log C_k(\kappa)$ of $C_k(\kappa) e^{\kappa \cos}$."""
    return _LogNormaliser.apply(concentration, k)


def von_mises_fisher_divergence(concentration: Tensor, k: int) -> Tensor:
    """Return the divergence from the uniform density in nats."""
    exact = concentration.double()
    normaliser = von_mises_fisher_log_normaliser(exact, k)
    divergence = exact * _MeanCosine.apply(exact, k) + normaliser + log_area(k)
    return divergence.to(concentration)


def power_spherical_cosine(concentration: Tensor, k: int) -> Tensor:
    """Draw the cosines of power spherical densities, with a gradient."""
    half = torch.full_like(concentration, 0.5 * (k - 1))
    cosine = 2 * torch.distributions.Beta(half + concentration, half).rsample() - 1
    return cosine.clamp(-_LARGEST_COSINE, _LARGEST_COSINE)


def power_spherical_cosine_of(uniform: Tensor, concentration: Tensor, k: int) -> Tensor:
    """Return the quantiles of the cosines of power spherical densities, without a gradient."""
    half = 0.5 * (k - 1)
    share = special.betaincinv(
        half + concentration.double().cpu().numpy(), half, uniform.double().cpu().numpy()
    )
    cosine = torch.from_numpy(2 * share - 1).to(concentration)
    return cosine.clamp(-_LARGEST_COSINE, _LARGEST_COSINE)


def power_spherical_log_normaliser(concentration: Tensor, k: int) -> Tensor:
    r"""Return the log normaliser $\log N$ of $N (1 + \cos)^\kappa$."""
    half, exact = 0.5 * (k - 1), concentration.double()
    ratio = torch.lgamma(half + exact) - torch.lgamma(2 * half + exact)
    normaliser = -((2 * half + exact) * math.log(2) + half * math.log(math.pi) + ratio)
    return normaliser.to(concentration)


def power_spherical_divergence(concentration: Tensor, k: int) -> Tensor:
    """Return the divergence from the uniform density in nats."""
    half, exact = 0.5 * (k - 1), concentration.double()
    digamma = torch.digamma(half + exact) - torch.digamma(2 * half + exact)
    normaliser = power_spherical_log_normaliser(exact, k)
    return (normaliser + exact * (math.log(2) + digamma) + log_area(k)).to(concentration)


class _LogNormaliser(torch.autograd.Function):
    """The log normaliser of a von Mises-Fisher density; its derivative is minus the mean cosine."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor, k: int) -> Tensor:
        kappa = concentration.detach().double().cpu().numpy()
        order = 0.5 * k - 1
        ctx.mean = _mean_cosine(concentration, k)
        log_power = order * torch.from_numpy(kappa).log() - 0.5 * k * math.log(2 * math.pi)
        return (log_power - torch.from_numpy(_log_bessel(order, kappa))).to(concentration)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -gradient * ctx.mean, None


class _MeanCosine(torch.autograd.Function):
    """The mean cosine of a von Mises-Fisher density, and its derivative."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor, k: int) -> Tensor:
        mean = _mean_cosine(concentration, k)
        ctx.slope = 1 - mean.square() - (k - 1) / concentration * mean
        return mean

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * ctx.slope, None


def _mean_cosine(concentration: Tensor, k: int) -> Tensor:
    kappa = concentration.detach().double().cpu().numpy()
    ratio = _log_bessel(0.5 * k, kappa) - _log_bessel(0.5 * k - 1, kappa)
    return torch.from_numpy(ratio).exp().to(concentration)


def _log_bessel(order: float, kappa: np.ndarray) -> np.ndarray:
    r"""Return $\log I_v(\kappa)$, by its leading terms where the scaled function underflows."""
    scaled = special.ive(order, kappa)
    ratio = kappa**2 / (4 * (order + 1))
    small = order * np.log(kappa / 2) - special.gammaln(order + 1) + np.log1p(ratio)
    with np.errstate(divide="ignore"):
        return np.where(scaled > 0, np.log(scaled) + kappa, small)
