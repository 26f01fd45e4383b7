"""Penalties: the cost of the code of a row, in nats."""

from abc import ABC, abstractmethod
from typing import Protocol

import torch
from torch import Tensor, nn

from skae.nn.bottlenecks import Activated, Bottleneck, Identity
from skae.nn.networks import Transposed
from skae.nn.one_hot import split_at_one_hot
from skae.nn.seeding import seeded

# The bound, from 0 and from 1, of a unit's mean activity.
_SMALLEST_SHARE = 1e-6


class Chain(Protocol):
    """The part of an `Autoencoder` that penalties use."""

    encoder: nn.Module
    bottleneck: Bottleneck
    decoder: nn.Module
    training: bool


class Penalty(nn.Module, ABC):
    r"""The cost of a code, times a strength.

    Parameters
    ----------
    strength : float
        The strength $\lambda$, in nats.
    """

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.strength = strength

    @abstractmethod
    def forward(self, chain: Chain, x: Tensor, z: Tensor) -> Tensor:
        """Return the cost of every row, $(B,)$.

        Parameters
        ----------
        chain : Autoencoder
            The chain.
        x : Tensor of shape (B, n)
            The rows that were encoded.
        z : Tensor of shape (B, k)
            The codes of the rows.
        """

    def set_progress(self, progress: float) -> None:
        """Set the share of the training that is done, in [0, 1]."""

    def extra_repr(self) -> str:
        """Show the strength."""
        return f"strength={self.strength:.3g}"


class L1(Penalty):
    r"""The L1 norm of the code, scaled by the decoder: $\lambda \sum_j |z_j| \lVert d_j \rVert$.

    The norm of a unit's weights in the decoder's first layer, $d_j$, makes the cost independent of
    the unit's scale: a small code with a large decoder is not cheaper. Where that layer is not
    linear the norm is taken as one.

    Parameters
    ----------
    strength : float
        The strength $\lambda$, in nats.
    """

    def forward(self, chain: Chain, x: Tensor, z: Tensor) -> Tensor:
        """Return the cost of codes $(B, k)$."""
        return self.strength * (z.abs() @ _column_norms(chain.decoder, z))


class ActivityDivergence(Penalty):
    r"""The divergence of the units' mean activity: $\lambda \sum_j KL(\rho \| \bar z_j)$.

    Units are in (0, 1). The mean is that of the batch, and the cost is the same for all its rows.

    Parameters
    ----------
    strength : float
        The strength $\lambda$, in nats.
    activity : float
        The target $\rho$ of the mean activity of a unit.
    """

    def __init__(self, strength: float, activity: float) -> None:
        super().__init__(strength)
        self.activity = activity

    def forward(self, chain: Chain, x: Tensor, z: Tensor) -> Tensor:
        """Return the cost of codes $(B, k)$."""
        mean = z.mean(0).clamp(_SMALLEST_SHARE, 1 - _SMALLEST_SHARE)
        wanted = torch.full_like(mean, self.activity)
        divergence = torch.special.xlogy(wanted, wanted / mean) + torch.special.xlogy(
            1 - wanted, (1 - wanted) / (1 - mean)
        )
        return (self.strength * divergence.sum()).expand(len(z))

    def extra_repr(self) -> str:
        """Show the strength and the activity."""
        return f"{super().extra_repr()}, activity={self.activity:.3g}"


class Contraction(Penalty):
    r"""The squared norm of the Jacobian: $\lambda \lVert \partial z / \partial x \rVert_F^2$.

    For one linear layer and an activation it is $\sum_j s'(h_j)^2 \lVert w_j \rVert^2$. For deeper
    encoders it is estimated without bias, as the squared length of $v^\top J$ for random signs $v$.

    Parameters
    ----------
    strength : float
        The strength $\lambda$, in nats.

    References
    ----------
    Rifai, S., Vincent, P., Muller, X., Glorot, X. and Bengio, Y. (2011). Contractive auto-encoders:
    explicit invariance during feature extraction. International Conference on Machine Learning.

    Hutchinson, M. F. (1990). A stochastic estimator of the trace of the influence matrix for
    Laplacian smoothing splines. Communications in Statistics 19.
    """

    def forward(self, chain: Chain, x: Tensor, z: Tensor) -> Tensor:
        """Return the cost of rows $(B, n)$."""
        before, encoder = split_at_one_hot(chain.encoder)
        x = before(x.detach())
        with torch.enable_grad():
            if isinstance(encoder, nn.Linear) and isinstance(
                chain.bottleneck, (Activated, Identity)
            ):
                norm = _squared_norm(encoder, chain.bottleneck, x)
            elif chain.training:
                norm = _estimated_squared_norm(encoder, chain.bottleneck, x)
            else:
                with seeded(0, x.device):
                    norm = _estimated_squared_norm(encoder, chain.bottleneck, x)
        return self.strength * (norm if torch.is_grad_enabled() else norm.detach())


def _squared_norm(layer: nn.Linear, bottleneck: nn.Module, x: Tensor) -> Tensor:
    """Return the squared norm of the Jacobian of a linear layer and an activation."""
    h = layer(x)
    (slope,) = torch.autograd.grad(bottleneck(h).z.sum(), h, create_graph=True)
    return slope.square() @ layer.weight.square().sum(1)


def _estimated_squared_norm(encoder: nn.Module, bottleneck: nn.Module, x: Tensor) -> Tensor:
    """Return an unbiased estimate of the squared norm of the Jacobian of any encoder."""
    x = x.requires_grad_()
    z = bottleneck(encoder(x)).z
    signs = torch.randint(2, z.shape, device=z.device).to(z) * 2 - 1
    (product,) = torch.autograd.grad(z, x, signs, create_graph=True)
    return product.square().sum(1)


def _column_norms(decoder: nn.Module, z: Tensor) -> Tensor:
    """Return the norm of every unit's weights in the decoder's first layer, shape $(k,)$."""
    first = next((module for module in decoder.modules() if _has_weight(module)), None)
    if isinstance(first, Transposed):
        return first.weight.norm(dim=1)
    return first.weight.norm(dim=0) if isinstance(first, nn.Linear) else z.new_ones(z.shape[1])


def _has_weight(module: nn.Module) -> bool:
    return any(name == "weight" for name, _ in module.named_parameters(recurse=False))
