r"""Penalties: what the code costs, beside what it loses.

Each is a module from the chain, what the encoder saw $(B, n)$ and the code $(B, k)$ to the cost of
every row, $(B,)$ in nats.
"""

import torch
from torch import Tensor, nn

from skae.nn.bottlenecks import Activated, Identity
from skae.nn.networks import Transposed
from skae.nn.one_hot import split_at_widening
from skae.nn.seeding import seeded

_SMALLEST_SHARE = 1e-6


class L1(nn.Module):
    r"""The sum of the units' sizes: $\lambda \sum_j |z_j| \lVert d_j \rVert$.

    The norm of what a unit does to the decoder's first layer, $d_j$, makes the cost independent of
    the unit's scale: a small code with a large decoder is not cheaper. Where that layer is not
    linear the norm counts as one.

    Parameters
    ----------
    strength : float
        $\lambda$, in nats.
    """

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.strength = strength

    def forward(self, chain: nn.Module, x: Tensor, z: Tensor) -> Tensor:
        """Return the cost of codes $(B, k)$."""
        return self.strength * (z.abs() @ _column_norms(chain.decoder, z))

    def extra_repr(self) -> str:
        """Show the strength."""
        return f"strength={self.strength:.3g}"


class ActivityDivergence(nn.Module):
    r"""How far units in (0, 1) are from a mean activity: $\lambda \sum_j KL(\rho \| \bar z_j)$.

    The mean is that of the batch, and the cost the same for each of its rows.

    Parameters
    ----------
    strength : float
        $\lambda$, in nats.
    activity : float
        $\rho$, the mean that units should have.
    """

    def __init__(self, strength: float, activity: float) -> None:
        super().__init__()
        self.strength = strength
        self.activity = activity

    def forward(self, chain: nn.Module, x: Tensor, z: Tensor) -> Tensor:
        """Return the cost of codes $(B, k)$."""
        mean = z.mean(0).clamp(_SMALLEST_SHARE, 1 - _SMALLEST_SHARE)
        wanted = torch.full_like(mean, self.activity)
        divergence = torch.special.xlogy(wanted, wanted / mean) + torch.special.xlogy(
            1 - wanted, (1 - wanted) / (1 - mean)
        )
        return (self.strength * divergence.sum()).expand(len(z))

    def extra_repr(self) -> str:
        """Show strength and activity."""
        return f"strength={self.strength:.3g}, activity={self.activity:.3g}"


class Contraction(nn.Module):
    r"""How much the code moves with the row: $\lambda \lVert \partial z / \partial x \rVert_F^2$.

    For one linear layer and an activation this is known: $\sum_j s'(h_j)^2 \lVert w_j \rVert^2$.
    For deeper encoders it is estimated without bias, as the squared length of $v^\top J$ for random
    signs $v$.

    Parameters
    ----------
    strength : float
        $\lambda$, in nats.
    n_probes : int, default=1
        The number of random $v$ of an estimate.

    References
    ----------
    Rifai, S., Vincent, P., Muller, X., Glorot, X. and Bengio, Y. (2011). Contractive auto-encoders:
    explicit invariance during feature extraction. International Conference on Machine Learning.

    Hutchinson, M. F. (1990). A stochastic estimator of the trace of the influence matrix for
    Laplacian smoothing splines. Communications in Statistics 19.
    """

    def __init__(self, strength: float, n_probes: int = 1) -> None:
        super().__init__()
        self.strength = strength
        self.n_probes = n_probes

    def forward(self, chain: nn.Module, x: Tensor, z: Tensor) -> Tensor:
        """Return the cost of rows $(B, n)$."""
        before, encoder = split_at_widening(chain.encoder)
        x = before(x.detach())
        with torch.enable_grad():
            if isinstance(encoder, nn.Linear) and isinstance(
                chain.bottleneck, (Activated, Identity)
            ):
                norm = _squared_norm(encoder, chain.bottleneck, x)
            elif chain.training:
                norm = self._estimate(encoder, chain.bottleneck, x)
            else:
                with seeded(0, x.device):
                    norm = self._estimate(encoder, chain.bottleneck, x)
        return self.strength * (norm if torch.is_grad_enabled() else norm.detach())

    def _estimate(self, encoder: nn.Module, bottleneck: nn.Module, x: Tensor) -> Tensor:
        x = x.requires_grad_()
        z = bottleneck(encoder(x)).z
        total = x.new_zeros(len(x))
        for _ in range(self.n_probes):
            signs = torch.randint(2, z.shape, device=z.device).to(z) * 2 - 1
            (product,) = torch.autograd.grad(z, x, signs, create_graph=True)
            total = total + product.square().sum(1)
        return total / self.n_probes

    def extra_repr(self) -> str:
        """Show the strength."""
        return f"strength={self.strength:.3g}"


def _squared_norm(layer: nn.Linear, bottleneck: nn.Module, x: Tensor) -> Tensor:
    """Return the squared norm of the Jacobian of a linear layer and an activation."""
    h = layer(x)
    (slope,) = torch.autograd.grad(bottleneck(h).z.sum(), h, create_graph=True)
    return slope.square() @ layer.weight.square().sum(1)


def _column_norms(decoder: nn.Module, z: Tensor) -> Tensor:
    """Return the norm of every unit's weights in the decoder's first layer, shape $(k,)$."""
    first = next((m for m in decoder.modules() if getattr(m, "weight", None) is not None), None)
    if isinstance(first, Transposed):
        return first.weight.norm(dim=1)
    return first.weight.norm(dim=0) if isinstance(first, nn.Linear) else z.new_ones(z.shape[1])
