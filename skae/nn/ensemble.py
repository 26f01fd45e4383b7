"""Denoising autoencoders as one batched tensor program: a member for every view and fold."""

import copy
import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from skae.nn.seeding import seeded

# The largest share of the columns that is masked in a row.
_MOST_HIDDEN = 0.6
# The bound at which a member's inputs are clipped, in standard deviations.
FARTHEST = 10.0
# The largest linear path, in weights of one member; beyond it members have none.
_MOST_LINEAR_WEIGHTS = 2**18


class BatchedLinear(nn.Module):
    r"""A linear layer for each of $K$ members, $y_k = x_k W_k + b_k$.

    Parameters
    ----------
    n_members, n_inputs, n_outputs : int
        The sizes.
    gain : float, default=1.0
        The standard deviation of the weights, in units of the one that keeps the variance of the
        inputs.
    """

    def __init__(self, n_members: int, n_inputs: int, n_outputs: int, gain: float = 1.0) -> None:
        super().__init__()
        spread = gain / math.sqrt(n_inputs)
        self.weight = nn.Parameter(torch.randn(n_members, n_inputs, n_outputs) * spread)
        self.bias = nn.Parameter(torch.zeros(n_members, 1, n_outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map $(K, B, n)$ to $(K, B, m)$; inputs that are not given, the last ones, are zero."""
        return torch.baddbmm(self.bias, x, self.weight[:, : x.shape[2]])


class Ensemble(nn.Module):
    r"""Denoising autoencoders without a bottleneck, one for every view and fold.

    A row consists of its points in all views and, last, the number of its fold. Member $(v, f)$ is
    trained on the rows outside fold $f$ and validated on those in it, so that every row is held out
    from one member of every view:

    .. math:: \ell_i = \frac{1}{|M_i|} \sum_{(v, f) \in M_i} \frac1w
              \| r_{vf}(\tilde x_{iv}, h_i) - x_{iv} \|^2,

    where $\tilde x$ has normal noise and masked columns $h$; in half of the rows none are masked.
    Beside the hidden layers a member has a linear path, except for points of hundreds of
    coordinates, where it would cost more than all other layers.

    Parameters
    ----------
    column_of_coordinate : sequence of int
        The column of each of the $w$ coordinates of a point.
    n_views, n_folds : int
        The number of members is their product.
    hidden_layer_sizes : sequence of int
        The number of units of every hidden layer; a layer as wide as the one before it is residual.
    activation : class
        The activation between the layers.
    noise : sequence of float
        The standard deviations of the noise; one of them is drawn for each row.
    """

    column_of_coordinate: Tensor
    noise: Tensor
    folds: Tensor

    def __init__(
        self,
        column_of_coordinate: Sequence[int],
        n_views: int,
        n_folds: int,
        hidden_layer_sizes: Sequence[int],
        activation: type[nn.Module],
        noise: Sequence[float],
    ) -> None:
        super().__init__()
        self.n_views, self.n_folds, self.n_wide = n_views, n_folds, len(column_of_coordinate)
        self.register_buffer("column_of_coordinate", torch.tensor(column_of_coordinate))
        self.register_buffer("noise", torch.tensor(noise, dtype=torch.float32))
        self.register_buffer("folds", torch.arange(n_folds).repeat(n_views))
        self.n_columns = int(max(column_of_coordinate)) + 1
        n_members, n_inputs = n_views * n_folds, self.n_wide + self.n_columns
        sizes = [n_inputs, *hidden_layer_sizes]
        self.layers = nn.ModuleList(BatchedLinear(n_members, *each) for each in pairwise(sizes))
        self.activation = activation()
        self.output = BatchedLinear(n_members, sizes[-1], self.n_wide, gain=0.01)
        is_narrow = n_inputs * self.n_wide <= _MOST_LINEAR_WEIGHTS
        self.linear = BatchedLinear(n_members, n_inputs, self.n_wide, 0.01) if is_narrow else None

    def of_folds(self, folds: Sequence[int]) -> "Ensemble":
        """Return a copy that has only the members of some folds, in all views."""
        kept = [view * self.n_folds + fold for view in range(self.n_views) for fold in folds]
        part = copy.deepcopy(self)
        part.n_folds, part.folds = len(folds), self.folds[kept]
        for layer in part.modules():
            if isinstance(layer, BatchedLinear):
                layer.weight = nn.Parameter(layer.weight.detach()[kept])
                layer.bias = nn.Parameter(layer.bias.detach()[kept])
        return part

    def points(self, x: Tensor) -> Tensor:
        """Return the points of rows in the view of every member, $(K, B, w)$."""
        return self._for_folds(self._views(x))

    def _views(self, x: Tensor) -> Tensor:
        """Return the points of rows in every view, $(V, B, w)$."""
        views = x[:, : self.n_views * self.n_wide].reshape(x.shape[0], self.n_views, self.n_wide)
        return views.transpose(0, 1)

    def _for_folds(self, x: Tensor) -> Tensor:
        """Return what all members of a view share, $(V, ...)$, for each of them, $(K, ...)$."""
        return x.repeat_interleave(self.n_folds, dim=0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the reconstructions of corrupted rows, and the points, both $(K, B, w)$.

        The members of a view see the same corruption.
        """
        views = self._views(x)
        if self.training:
            seen = self._hide(*self._corrupt(views))
        else:
            with seeded(0, x.device):
                seen = self._hide(*self._corrupt(views))
        return self._reconstruct(self._for_folds(seen)), self._for_folds(views)

    def loss(self, output: Tensor, points: Tensor, x: Tensor, weights: None = None) -> Tensor:
        """Return the mean squared error of every row, $(B,)$, over the members that it counts for.

        These are the members that learn from the row in training, and the others in evaluation.
        """
        error = (output - points).square().mean(2)
        is_out = self.folds[:, None] == x[:, -1]
        counts = ~is_out if self.training else is_out
        return (error * counts).sum(0) / counts.sum(0)

    def reconstruct(self, points: Tensor, hidden: Tensor) -> Tensor:
        """Return the reconstructions of points $(K, B, w)$ with masked columns $(K, B, c)$."""
        return self._reconstruct(self._hide(points, hidden))

    def encode(self, points: Tensor) -> Tensor:
        """Return the units of the last hidden layer, $(K, B, h)$."""
        return self._deep(points.clamp(-FARTHEST, FARTHEST))

    def encode_and_reconstruct(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return the units of the last hidden layer and the reconstructions, nothing hidden."""
        # The mask of hidden columns is zero, and need not be there.
        seen = points.clamp(-FARTHEST, FARTHEST)
        codes = self._deep(seen)
        output = self.output(codes)
        return codes, output if self.linear is None else output + self.linear(seen)

    def _reconstruct(self, seen: Tensor) -> Tensor:
        output = self.output(self._deep(seen))
        return output if self.linear is None else output + self.linear(seen)

    def _hide(self, points: Tensor, hidden: Tensor) -> Tensor:
        # An extreme coordinate would distort the reconstruction of the other columns.
        points = points.clamp(-FARTHEST, FARTHEST)
        return torch.cat([points * (1 - hidden[:, :, self.column_of_coordinate]), hidden], dim=2)

    def _deep(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            y = self.activation(layer(x))
            x = x + y if x.shape == y.shape else y
        return x

    def _corrupt(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return noisy points and a mask of hidden columns, any share of them up to 60 %."""
        per_row = (*points.shape[:2], 1)
        choice = torch.randint(len(self.noise), per_row, device=points.device)
        # Contiguous, unlike the points, and so several times as quick.
        noise = torch.randn(points.shape, dtype=points.dtype, device=points.device)
        noisy = torch.addcmul(points, noise, self.noise[choice])
        share = _MOST_HIDDEN * torch.rand(per_row, device=points.device)
        share = share * (torch.rand(per_row, device=points.device) < 0.5)
        columns = torch.rand(*per_row[:2], self.n_columns, device=points.device)
        return noisy, (columns < share).to(points.dtype)
