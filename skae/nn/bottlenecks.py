"""Bottlenecks: modules from the encoder's output to a `Code`."""

from abc import ABC, abstractmethod
from math import ceil, inf
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from skae.nn.networks import ACTIVATIONS

# The weight of a new batch in the moving average of the thresholds of `Lifetime`.
_MOMENTUM = 0.1
# The boost of units that are hardly ever active in `TopK`, and the weight of a new batch in their
# activity; chosen on 20,000 images of MNIST.
_BOOST, _ACTIVITY_MOMENTUM = 2.0, 0.3
# The ranges of the activations that are bounded on a side.
_RANGES = {"logistic": (0.0, 1.0), "relu": (0.0, inf), "tanh": (-1.0, 1.0)}


class Code(NamedTuple):
    """The output of a bottleneck: the code and its cost.

    Attributes
    ----------
    z : Tensor of shape (B, n_components)
        The code.
    penalty : Tensor of shape (B,) or None
        The term that the code of every row adds to the loss, in nats; None for nothing.
    target : Tensor of shape (B, n) or None
        The target of the decoder where it is not the whole row; None for the row.
    """

    z: Tensor
    penalty: Tensor | None = None
    target: Tensor | None = None


class Bottleneck(nn.Module, ABC):
    """A map from the encoder's output to the code of a row and the cost of the code.

    Attributes
    ----------
    n_inputs : int or None
        The number of units that it takes; None for as many as the code has.
    warm_up : float
        The share of the training in which it changes so much that losses cannot be compared.
    """

    n_inputs: int | None = None
    warm_up: float = 0.0

    @abstractmethod
    def forward(self, h: Tensor) -> Code:
        """Return the codes of $(B, n)$."""

    @abstractmethod
    def constrain(self, z: Tensor) -> Tensor:
        """Project numbers $(B, k)$ onto the nearest valid codes."""

    def encode_mean(self, h: Tensor) -> Tensor:
        """Return the codes of $(B, n)$ in inference, without sampling."""
        return self(h).z

    def set_progress(self, progress: float) -> None:
        """Set the share of the training that is done, in [0, 1]."""

    def deterministic(self) -> "Bottleneck":
        """Return a bottleneck without sampling and without cost, for the training of predictors."""
        return self


class Identity(Bottleneck):
    """The plain bottleneck: the code is the encoder's output."""

    def forward(self, h: Tensor) -> Code:
        """Pass $(B, n)$ through."""
        return Code(h)

    def constrain(self, z: Tensor) -> Tensor:
        """Return $(B, n)$ as it is."""
        return z


class Activated(Bottleneck):
    """A code whose units have an activation.

    Parameters
    ----------
    activation : str
        A key of `ACTIVATIONS`.
    shift : float, default=0.0
        A constant that is added before the activation, so that training starts there.
    """

    def __init__(self, activation: str, shift: float = 0.0) -> None:
        super().__init__()
        self.shift = shift
        self.activation = ACTIVATIONS[activation]()
        self.low, self.high = _RANGES.get(activation, (-inf, inf))

    def forward(self, h: Tensor) -> Code:
        """Activate $(B, n)$."""
        shifted = h + self.shift if self.shift else h
        if self.training or h.device.type == "mps":
            return Code(self.activation(shifted))
        # In float32 the last digit depends on the position of a row in its batch.
        return Code(self.activation(shifted.double()).to(h.dtype))

    def constrain(self, z: Tensor) -> Tensor:
        """Clip $(B, n)$ to the range of the activation."""
        return z.clamp(self.low, self.high)


class TopK(Bottleneck):
    r"""A code of the $k$ largest units of every row, if positive; all others are zero.

    Training begins with all units and decreases their number to $k$ in its first half, so that
    every unit is trained before only a few stay active. Which ones are kept is decided by
    $h_j \exp(\beta (1 - a_j / \alpha))$, with $a_j$ the activity of the unit in the last batches
    and $\alpha$ that of all units; so units that are hardly ever among the largest are trained
    too, rather than dying. The boost $\beta$ falls to zero in the second half.

    Parameters
    ----------
    n_active : int
        The number of units $k$.
    n_components : int
        The number of units of the code.

    References
    ----------
    Makhzani, A. and Frey, B. (2014). k-sparse autoencoders. International Conference on Learning
    Representations.

    Ahmad, S. and Scheinkman, L. (2019). How can we be so dense? The benefits of using highly sparse
    representations. arXiv:1903.11257.
    """

    activity: Tensor

    def __init__(self, n_active: int, n_components: int) -> None:
        super().__init__()
        self.n_active = n_active
        self.n_components = n_components
        self.register_buffer("activity", torch.full((n_components,), n_active / n_components))
        self.set_progress(1.0)

    def set_progress(self, progress: float) -> None:
        """Set the share of the training that is done, in [0, 1]."""
        surplus = (self.n_components - self.n_active) * max(0.0, 1 - 2 * progress)
        self.n_kept = self.n_active + ceil(surplus)
        self.boost = _BOOST * min(1.0, 2 - 2 * progress)

    def forward(self, h: Tensor) -> Code:
        """Keep the largest units of $(B, n)$."""
        h = functional.relu(h)
        if not self.training:
            return Code(_largest(h, self.n_active))
        if self.n_kept >= self.n_components:
            return Code(h)
        rarity = 1 - self.activity * (self.n_components / self.n_kept)
        _, where = (h.detach() * torch.exp(self.boost * rarity.clamp_min(-1))).topk(self.n_kept)
        kept = torch.zeros_like(h).scatter(1, where, h.gather(1, where))
        self.activity.lerp_((kept > 0).float().mean(0), _ACTIVITY_MOMENTUM)
        return Code(kept)

    def constrain(self, z: Tensor) -> Tensor:
        """Keep the largest units of $(B, n)$."""
        return _largest(functional.relu(z), self.n_active)

    def extra_repr(self) -> str:
        """Show the number of active units."""
        return f"n_active={self.n_active}"


class Lifetime(Bottleneck):
    r"""A code whose units are each active for the same share of the rows: lifetime sparsity.

    In training a unit keeps its largest values in a batch. A moving average of the smallest of
    them is its threshold in inference, where rows are encoded one by one; it starts at `calibrate`.

    Parameters
    ----------
    share : float
        The share of the rows for which a unit is active.
    n_components : int
        The number of units.

    References
    ----------
    Makhzani, A. and Frey, B. (2015). Winner-take-all autoencoders. Advances in Neural Information
    Processing Systems 28.
    """

    threshold: Tensor

    def __init__(self, share: float, n_components: int) -> None:
        super().__init__()
        self.share = share
        self.register_buffer("threshold", torch.zeros(n_components))

    def forward(self, h: Tensor) -> Code:
        """Keep the largest values of every unit of $(B, n)$ along the rows."""
        h = functional.relu(h)
        if not self.training:
            return Code(self.constrain(h))
        largest, rows = h.topk(ceil(self.share * len(h)), dim=0)
        self.threshold.lerp_(largest[-1].detach(), _MOMENTUM)
        return Code(torch.zeros_like(h).scatter(0, rows, largest))

    @torch.no_grad()
    def calibrate(self, h: Tensor) -> None:
        """Set the thresholds to those of $(B, n)$."""
        largest, _ = functional.relu(h).topk(ceil(self.share * len(h)), dim=0)
        self.threshold.copy_(largest[-1])

    def constrain(self, z: Tensor) -> Tensor:
        """Set the values of $(B, n)$ below the threshold of their unit to zero."""
        return torch.where(z >= self.threshold, functional.relu(z), 0.0)

    def extra_repr(self) -> str:
        """Show the share."""
        return f"share={self.share:.3g}"


def _largest(h: Tensor, n_kept: int) -> Tensor:
    if n_kept >= h.shape[1]:
        return h
    largest, where = h.topk(n_kept)
    return torch.zeros_like(h).scatter(1, where, largest)
