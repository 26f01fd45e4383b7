"""Matching: penalties that pull the codes of a batch together to a law."""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from skae.nn.laws import Law
from skae.nn.penalties import Chain, Penalty
from skae.nn.seeding import seeded

# The number of directions that codes are projected to.
_N_DIRECTIONS = 64
# The scales of the kernels, in units of twice the number of units of a code.
_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
# The hidden units of a discriminator, and the strength of the penalty on its gradients.
_HIDDEN, _GRADIENT = 128, 0.1


class Matching(Penalty):
    """A distance of the codes of a batch from a law, times a strength, the same for all rows.

    In evaluation, where the epochs are compared, it is the sliced distance for all kinds, by the
    same draws every time. Where the law has parts, rows are tied to one, or to any, and the pair of
    code and part is matched.

    Parameters
    ----------
    strength : float
        The strength, in nats.
    law : Law
        The law.
    """

    parts: Tensor | None = None

    def __init__(self, strength: float, law: Law) -> None:
        super().__init__(strength)
        self.law = law

    def forward(self, chain: Chain, x: Tensor, z: Tensor) -> Tensor:
        """Return the cost of codes $(B, k)$."""
        if chain.training:
            cost = self.cost(z, self.law.draw(z, self.parts), self.parts)
        else:
            with seeded(0, z.device):
                cost = sliced_distance(z, self.law.draw(z, self.parts), self.parts)
        return (self.strength * cost).expand(len(z))

    @contextmanager
    def tied(self, parts: Tensor) -> Iterator[None]:
        """Set the parts that the rows of a batch are tied to inside the block, -1 for any."""
        try:
            self.parts = parts
            yield
        finally:
            self.parts = None

    @abstractmethod
    def cost(self, z: Tensor, y: Tensor, parts: Tensor | None = None) -> Tensor:
        """Return the distance of codes and draws of the law, both $(B, k)$, of shape ().

        The parts that both are tied to, $(B,)$, are -1 for any; None for all.
        """


class Sliced(Matching):
    """The sliced Wasserstein distance: of sorted projections to random directions.

    References
    ----------
    Kolouri, S., Pope, P. E., Martin, C. E. and Rohde, G. K. (2019). Sliced Wasserstein
    auto-encoders. International Conference on Learning Representations.
    """

    def cost(self, z: Tensor, y: Tensor, parts: Tensor | None = None) -> Tensor:
        """Return the distance of codes and draws."""
        return sliced_distance(z, y, parts)


class Kernels(Matching):
    r"""The maximum mean discrepancy by inverse multiquadrics $C / (C + \lVert z - y \rVert^2)$.

    References
    ----------
    Tolstikhin, I., Bousquet, O., Gelly, S. and Schoelkopf, B. (2018). Wasserstein auto-encoders.
    International Conference on Learning Representations.
    """

    def cost(self, z: Tensor, y: Tensor, parts: Tensor | None = None) -> Tensor:
        """Return the discrepancy of codes and draws, without bias."""
        scales = [2 * z.shape[1] * scale for scale in _SCALES]
        return discrepancy(z, y, lambda d: sum(c / (c + d) for c in scales), parts)


class CramerWold(Matching):
    r"""The Cramer-Wold distance: kernels $(\gamma + \lVert z - y \rVert^2 / (2 k - 3))^{-1/2}$.

    References
    ----------
    Knop, S., Spurek, P., Tabor, J., Podolak, I., Mazur, M. and Jastrzebski, S. (2020). Cramer-Wold
    auto-encoder. Journal of Machine Learning Research 21.
    """

    def cost(self, z: Tensor, y: Tensor, parts: Tensor | None = None) -> Tensor:
        """Return the distance of codes and draws, without bias."""
        gamma = (4 / (3 * len(z))) ** 0.4
        width = max(2 * z.shape[1] - 3, 1)
        return discrepancy(z, y, lambda d: (gamma + d / width).rsqrt(), parts)


class Adversarial(Matching):
    r"""A discriminator that tells codes from draws of the law, and an encoder that fools it.

    The gradient of the discriminator's loss reaches the encoder with its sign reversed. Its own
    gradients are penalised at codes and draws, :math:`\frac\gamma2 \lVert \nabla D \rVert^2`.

    Parameters
    ----------
    strength : float
        The strength, in nats.
    law : Law
        The law.

    References
    ----------
    Makhzani, A., Shlens, J., Jaitly, N., Goodfellow, I. and Frey, B. (2016). Adversarial
    autoencoders. ICLR workshop.

    Ganin, Y. and Lempitsky, V. (2015). Unsupervised domain adaptation by backpropagation.
    International Conference on Machine Learning.

    Mescheder, L., Geiger, A. and Nowozin, S. (2018). Which training methods for GANs do actually
    converge? International Conference on Machine Learning.
    """

    def __init__(self, strength: float, law: Law) -> None:
        super().__init__(strength, law)
        self.discriminator = nn.Sequential(
            nn.Linear(law.n_components + law.n_parts, _HIDDEN),
            nn.LeakyReLU(0.2),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.LeakyReLU(0.2),
            nn.Linear(_HIDDEN, 1),
        )
        self._told_apart: list[Tensor] = []

    def cost(self, z: Tensor, y: Tensor, parts: Tensor | None = None) -> Tensor:
        """Return the loss of the discriminator, which the encoder maximises."""
        z, y = self._beside_parts(z, parts), self._beside_parts(y, parts)
        of_draws, of_codes = self.discriminator(y), self.discriminator(_Reversed.apply(z))
        self._told_apart.append(_share_right(of_draws, of_codes))
        loss = functional.softplus(-of_draws).mean() + functional.softplus(of_codes).mean()
        slopes = [_squared_slope(self.discriminator, each) for each in (y, z.detach())]
        return loss + _GRADIENT / 2 * torch.stack(slopes).sum()

    def accuracy(self, z: Tensor, parts: Tensor | None = None) -> float:
        """Return the share of codes and draws that are told apart, a half if none are."""
        with torch.no_grad(), seeded(0, z.device):
            both = (self._beside_parts(x, parts) for x in (self.law.draw(z, parts), z))
            return float(_share_right(*map(self.discriminator, both)))

    def pop_accuracy(self) -> float:
        """Return the mean accuracy over the training steps since the last call."""
        shares, self._told_apart = self._told_apart, []
        return float(torch.stack(shares).mean()) if shares else float("nan")

    def _beside_parts(self, z: Tensor, parts: Tensor | None) -> Tensor:
        """Return codes beside the indicators of their parts."""
        if not self.law.n_parts:
            return z
        parts = torch.full((len(z),), -1, device=z.device) if parts is None else parts
        return torch.cat([z, functional.one_hot(parts + 1, self.law.n_parts + 1)[:, 1:].to(z)], 1)


def _share_right(of_draws: Tensor, of_codes: Tensor) -> Tensor:
    """Return the share of logits that have the right sign."""
    return torch.cat([of_draws.detach() > 0, of_codes.detach() < 0]).float().mean()


class _Reversed(torch.autograd.Function):
    """The identity, whose gradient has the other sign."""

    @staticmethod
    def forward(context: Any, z: Tensor) -> Tensor:
        return z.view_as(z)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        return -gradient


def sliced_distance(z: Tensor, y: Tensor, parts: Tensor | None = None) -> Tensor:
    """Return the mean squared distance of sorted projections of codes and draws, both (B, k).

    Codes and draws of the same part, $(B,)$, are compared with each other; None for a single one.
    """
    directions = torch.randn(z.shape[1], _N_DIRECTIONS, device=z.device, dtype=z.dtype)
    directions = functional.normalize(directions, dim=0)
    first, second = (each.matmul(directions) for each in (z, y))
    if parts is not None:
        # Parts that are far apart are sorted by part, and their distances cancel.
        width = 2 * torch.stack([first.detach().abs().max(), second.abs().max()]).max() + 1
        first, second = (each + width * parts[:, None] for each in (first, second))
    return (first.sort(dim=0).values - second.sort(dim=0).values).square().mean()


def discrepancy(z: Tensor, y: Tensor, kernel: Any, parts: Tensor | None = None) -> Tensor:
    """Return the unbiased mean discrepancy of codes and draws by a kernel of squared distances.

    It is the mean over rows of that within their part, (B,); None for a single part.
    """
    parts = torch.zeros(len(z), device=z.device) if parts is None else parts
    alike = parts[:, None] == parts
    n_alike = alike.sum(1)
    within = sum(kernel(_squared_distances(each, each)) for each in (z, y))
    off_diagonal = (alike * within).sum(1) - within.diagonal()
    between = (alike * kernel(_squared_distances(z, y))).sum(1)
    return (off_diagonal / (n_alike - 1).clamp_min(1) - 2 * between / n_alike).mean()


def _squared_distances(z: Tensor, y: Tensor) -> Tensor:
    products = z.square().sum(1)[:, None] + y.square().sum(1) - 2 * z @ y.T
    return products.clamp_min(0)


def _squared_slope(network: nn.Module, x: Tensor) -> Tensor:
    """Return the mean squared gradient of a network's output at some points."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        (slope,) = torch.autograd.grad(network(x).sum(), x, create_graph=True)
    return slope.square().sum(1).mean()


MATCHINGS: dict[str, type[Matching]] = {
    "sliced": Sliced,
    "mmd": Kernels,
    "cramer_wold": CramerWold,
    "discriminator": Adversarial,
}
