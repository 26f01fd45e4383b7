r"""Posteriors: the distribution of the code of a row, $q(z \mid x)$, and its prior $p(z)$.

Each turns the encoder's output into a distribution of codes with reparametrised samples.
"""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from skae.nn.spheres import (
    householder,
    log_area,
    on_sphere,
    power_spherical_cosine,
    power_spherical_cosine_of,
    power_spherical_divergence,
    power_spherical_log_normaliser,
    von_mises_fisher_cosine,
    von_mises_fisher_divergence,
    von_mises_fisher_log_normaliser,
)

# The bounds of the posteriors' parameters.
_LARGEST_LOG_SCALE = 10.0
_SMALLEST_CONCENTRATION = 1.0
_LARGEST_CONCENTRATION = 1e5
# The distance that uniforms keep from 0 and 1, and cosines from -1.
_NEAR = 1e-6


class Posterior(nn.Module, ABC):
    r"""A distribution of codes $q(z \mid x)$ for every row, and the prior $p(z)$.

    Parameters
    ----------
    n_components : int
        The number of units $k$ of the code.
    n_outputs : int
        The number of outputs $m$ that the encoder needs.

    Attributes
    ----------
    is_normal : bool
        Whether the prior is a standard normal.
    radius : float
        The root mean square of a unit of the code under the prior.
    """

    is_normal: bool
    radius: float

    def __init__(self, n_components: int, n_outputs: int) -> None:
        super().__init__()
        self.n_components = n_components
        self.n_outputs = n_outputs

    @abstractmethod
    def start(self, share: Tensor) -> Tensor:
        """Return the encoder's outputs beside means at the start.

        Parameters
        ----------
        share : Tensor of shape (k,)
            The share of the variance of every unit that is signal; the remainder is noise.
        """

    @abstractmethod
    def moments(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the means $(B, k)$ and the scales or concentrations of outputs $(B, m)$."""

    @abstractmethod
    def draw(self, h: Tensor) -> Tensor:
        """Draw a code of every row, $(B, k)$, with a gradient."""

    @abstractmethod
    def quantile(self, h: Tensor, uniform: Tensor) -> Tensor:
        """Return the codes of every row at quantiles given by uniforms, both $(K, B, k)$."""

    @abstractmethod
    def log_prob_quantile(self, h: Tensor, z: Tensor) -> Tensor:
        """Return the log density by which `quantile` draws, at codes $(..., B, k)$, $(..., B)$."""

    @abstractmethod
    def divergence(self, h: Tensor) -> Tensor:
        r"""Return $KL(q \parallel p)$ of every row in nats, by unit $(B, k)$ or in sum $(B, 1)$."""

    @abstractmethod
    def log_prob(self, h: Tensor, z: Tensor) -> Tensor:
        r"""Return $\log q(z \mid x)$ of codes $(..., B, k)$, $(..., B)$."""

    @abstractmethod
    def log_prior(self, z: Tensor) -> Tensor:
        r"""Return $\log p(z)$ of codes $(..., k)$, $(...)$."""

    @abstractmethod
    def draw_prior(self, n_draws: int, generator: torch.Generator) -> Tensor:
        """Draw codes from the prior, $(K, k)$."""

    @abstractmethod
    def constrain(self, z: Tensor) -> Tensor:
        """Project numbers $(B, k)$ onto the support of the prior."""

    def sobol_points(self, n_draws: int, seed: int = 0) -> Tensor:
        """Return scrambled Sobol points of the unit cube, the same ones for a seed, $(K, k)$."""
        engine = torch.quasirandom.SobolEngine(self.n_components, scramble=True, seed=seed)
        return engine.draw(n_draws, dtype=torch.float64).clamp(_NEAR, 1 - _NEAR)


class NormalPosterior(Posterior):
    r"""Independent Gaussians, and a standard normal prior: $q(z_j \mid x) = N(\mu_j, s_j^2)$.

    The encoder gives the means and then the logarithms of the scales, side by side.

    Parameters
    ----------
    n_components : int
        The number of units $k$ of the code.
    """

    is_normal = True
    radius = 1.0

    def __init__(self, n_components: int) -> None:
        super().__init__(n_components, 2 * n_components)

    def start(self, share: Tensor) -> Tensor:
        """Return the log scales, $(k,)$, where a share $(k,)$ of the units' variance is signal."""
        return 0.5 * torch.log1p(-share)

    def moments(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the means and the scales of the codes of $(B, 2k)$, both $(B, k)$."""
        mean, log_scale = h.chunk(2, dim=1)
        return mean, log_scale.clamp(-_LARGEST_LOG_SCALE, _LARGEST_LOG_SCALE).exp()

    def draw(self, h: Tensor) -> Tensor:
        """Draw a code of every row, $(B, k)$."""
        mean, scale = self.moments(h)
        return torch.addcmul(mean, scale, torch.randn_like(mean))

    def quantile(self, h: Tensor, uniform: Tensor) -> Tensor:
        """Return the codes of every row at quantiles given by uniforms, both $(K, B, k)$."""
        mean, scale = self.moments(h)
        return mean + scale * torch.special.ndtri(uniform.to(mean))

    def log_prob_quantile(self, h: Tensor, z: Tensor) -> Tensor:
        """Return the log density by which `quantile` draws, at codes $(..., B, k)$, $(..., B)$."""
        return self.log_prob(h, z)

    def divergence(self, h: Tensor) -> Tensor:
        r"""Return $KL(q \parallel p)$ of every unit of every row in nats, $(B, k)$."""
        mean, scale = self.moments(h)
        return 0.5 * (mean.square() + scale.square() - 1) - scale.log()

    def log_prob(self, h: Tensor, z: Tensor) -> Tensor:
        r"""Return $\log q(z \mid x)$ of codes $(..., B, k)$, $(..., B)$."""
        mean, scale = self.moments(h)
        squared = ((z - mean) / scale).square()
        return -(0.5 * squared + scale.log() + 0.5 * math.log(2 * math.pi)).sum(-1)

    def log_prior(self, z: Tensor) -> Tensor:
        r"""Return $\log p(z)$ of codes $(..., k)$, $(...)$."""
        return -0.5 * (z.square() + math.log(2 * math.pi)).sum(-1)

    def draw_prior(self, n_draws: int, generator: torch.Generator) -> Tensor:
        """Draw codes from the prior, $(K, k)$."""
        return torch.randn(n_draws, self.n_components, generator=generator)

    def constrain(self, z: Tensor) -> Tensor:
        """Return $(B, k)$ as it is."""
        return z


class SphericalPosterior(Posterior):
    r"""A unimodal density on the unit sphere in $k$ dimensions, and a uniform prior.

    The encoder gives a direction $\mu$, of any length, and a number that softplus turns into the
    concentration $\kappa$, which is above one. A von Mises-Fisher density is
    $\propto e^{\kappa \mu^\top z}$, a power spherical one $\propto (1 + \mu^\top z)^\kappa$.

    Parameters
    ----------
    n_components : int
        The number of units $k$ of the code, at least 2.
    kind : {"von_mises_fisher", "power_spherical"}
        The density.

    References
    ----------
    Davidson, T. R., Falorsi, L., De Cao, N., Kipf, T. and Tomczak, J. M. (2018). Hyperspherical
    variational auto-encoders. Uncertainty in Artificial Intelligence.

    De Cao, N. and Aziz, W. (2020). The power spherical distribution. ICML workshop on invertible
    neural networks, normalizing flows, and explicit likelihood models.
    """

    is_normal = False

    def __init__(self, n_components: int, kind: str) -> None:
        super().__init__(n_components, n_components + 1)
        self.is_power = kind == "power_spherical"
        self.radius = 1 / math.sqrt(n_components)

    def start(self, share: Tensor) -> Tensor:
        """Return the start of the concentration, $(1,)$, where a share $(k,)$ is signal."""
        return (self.n_components / (1 - share.mean()).clamp_min(_NEAR)).reshape(1)

    def moments(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the directions $(B, k)$ and the concentrations $(B, 1)$ of $(B, k + 1)$."""
        direction = functional.normalize(h[:, :-1], dim=1)
        concentration = functional.softplus(h[:, -1:]) + _SMALLEST_CONCENTRATION
        return direction, concentration.clamp_max(_LARGEST_CONCENTRATION)

    def draw(self, h: Tensor) -> Tensor:
        """Draw a code of every row, $(B, k)$."""
        direction, concentration = self.moments(h)
        draw_cosine = power_spherical_cosine if self.is_power else von_mises_fisher_cosine
        cosine = draw_cosine(concentration, self.n_components)
        return householder(on_sphere(cosine, torch.randn_like(direction[:, 1:])), direction)

    def quantile(self, h: Tensor, uniform: Tensor) -> Tensor:
        """Return the codes of every row at quantiles given by uniforms, both $(K, B, k)$.

        For a von Mises-Fisher density they are those of the power spherical one with the same
        peak, whose quantiles have a closed form.
        """
        direction, concentration = self._quantile_parameters(h)
        first, rest = uniform[..., :1].to(h), uniform[..., 1:].to(h)
        cosine = power_spherical_cosine_of(first, concentration, self.n_components)
        return householder(on_sphere(cosine, torch.special.ndtri(rest)), direction)

    def log_prob_quantile(self, h: Tensor, z: Tensor) -> Tensor:
        """Return the log density by which `quantile` draws, at codes $(..., B, k)$, $(..., B)$."""
        return self._log_power(*self._quantile_parameters(h), z)

    def divergence(self, h: Tensor) -> Tensor:
        r"""Return $KL(q \parallel p)$ of every row in nats, $(B, 1)$."""
        _, concentration = self.moments(h)
        of_kind = power_spherical_divergence if self.is_power else von_mises_fisher_divergence
        return of_kind(concentration, self.n_components)

    def log_prob(self, h: Tensor, z: Tensor) -> Tensor:
        r"""Return $\log q(z \mid x)$ of codes $(..., B, k)$, $(..., B)$."""
        direction, concentration = self.moments(h)
        if self.is_power:
            return self._log_power(direction, concentration, z)
        cosine = (z * direction).sum(-1, keepdim=True)
        normaliser = von_mises_fisher_log_normaliser(concentration, self.n_components)
        return (normaliser + concentration * cosine)[..., 0]

    def log_prior(self, z: Tensor) -> Tensor:
        r"""Return $\log p(z)$ of codes $(..., k)$, $(...)$."""
        return z.new_full(z.shape[:-1], -log_area(self.n_components))

    def draw_prior(self, n_draws: int, generator: torch.Generator) -> Tensor:
        """Draw codes from the prior, $(K, k)$."""
        return self.constrain(torch.randn(n_draws, self.n_components, generator=generator))

    def constrain(self, z: Tensor) -> Tensor:
        """Return the points of the sphere that are nearest to $(B, k)$."""
        return functional.normalize(z, dim=1)

    def _quantile_parameters(self, h: Tensor) -> tuple[Tensor, Tensor]:
        direction, concentration = self.moments(h)
        return direction, concentration if self.is_power else 2 * concentration

    def _log_power(self, direction: Tensor, concentration: Tensor, z: Tensor) -> Tensor:
        cosine = (z * direction).sum(-1, keepdim=True).clamp(-1 + _NEAR, 1)
        normaliser = power_spherical_log_normaliser(concentration, self.n_components)
        return (normaliser + concentration * torch.log1p(cosine))[..., 0]
