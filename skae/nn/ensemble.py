"""Denoising autoencoders in one batched tensor program: members over views of rows and folds."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from skae.nn.seeding import seeded

_MOST_HIDDEN = 0.6
FARTHEST = 10.0
_MOST_LINEAR_WEIGHTS = 2**18


class BatchedLinear(nn.Module):
    r"""A linear layer for each of $K$ members, $y_k = x_k W_k + b_k$.

    Parameters
    ----------
    n_members, n_inputs, n_outputs : int
        The sizes.
    gain : float, default=1.0
        How large the weights are, in units of what keeps the variance of the inputs.
    """

    def __init__(self, n_members: int, n_inputs: int, n_outputs: int, gain: float = 1.0) -> None:
        super().__init__()
        spread = gain / math.sqrt(n_inputs)
        self.weight = nn.Parameter(torch.randn(n_members, n_inputs, n_outputs) * spread)
        self.bias = nn.Parameter(torch.zeros(n_members, 1, n_outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map $(K, B, n)$ to $(K, B, m)$."""
        return torch.baddbmm(self.bias, x, self.weight)


class Ensemble(nn.Module):
    r"""Denoising autoencoders without a bottleneck, one for every view and fold.

    A row is its points in all views and, last, the number of its fold. Member $(v, f)$ learns from
    the rows outside fold $f$, and is judged by those in it, so that every row is held out from one
    member of every view:

    .. math:: \ell_i = \frac{1}{|M_i|} \sum_{(v, f) \in M_i} \frac1w
              \| r_{vf}(\tilde x_{iv}, h_i) - x_{iv} \|^2,

    where $\tilde x$ has normal noise and hidden columns $h$; in half of the rows none are hidden.
    Beside the hidden layers a member has a linear path, but for points of hundreds of coordinates,
    where it would cost more than all else.

    Parameters
    ----------
    column_of_coordinate : sequence of int
        The column of each of the $w$ coordinates of a point.
    n_views, n_folds : int
        The number of members is their product.
    hidden_layer_sizes : sequence of int
        The number of units of every hidden layer; from the second of one size on, layers add to the
        one before.
    activation : class
        Between the layers.
    noise : sequence of float
        The standard deviations of the noise, one of which a row gets.
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

    def points(self, x: Tensor) -> Tensor:
        """Return what every member sees of rows, $(K, B, w)$."""
        views = x[:, : self.n_views * self.n_wide].reshape(len(x), self.n_views, self.n_wide)
        return views.transpose(0, 1).repeat_interleave(self.n_folds, dim=0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the reconstructions of corrupted rows, and the points, both $(K, B, w)$."""
        points = self.points(x)
        if self.training:
            return self.reconstruct(*self._corrupt(points)), points
        with seeded(0, x.device):
            corrupted = self._corrupt(points)
        return self.reconstruct(*corrupted), points

    def loss(self, output: Tensor, points: Tensor, x: Tensor, weights: None = None) -> Tensor:
        """Return the mean squared error of every row, $(B,)$, over the members that it is for."""
        error = (output - points).square().mean(2)
        is_out = self.folds[:, None] == x[:, -1]
        counts = ~is_out if self.training else is_out
        return (error * counts).sum(0) / counts.sum(0)

    def reconstruct(self, points: Tensor, hidden: Tensor) -> Tensor:
        """Return what members make of points $(K, B, w)$ with hidden columns $(K, B, c)$."""
        seen = self._hide(points, hidden)
        output = self.output(self._deep(seen))
        return output if self.linear is None else output + self.linear(seen)

    def encode(self, points: Tensor) -> Tensor:
        """Return the units of the last hidden layer, $(K, B, h)$."""
        return self._deep(self._hide(points, points.new_zeros(*points.shape[:2], self.n_columns)))

    def _hide(self, points: Tensor, hidden: Tensor) -> Tensor:
        # What is far from all rows would drag the other columns along.
        points = points.clamp(-FARTHEST, FARTHEST)
        return torch.cat([points * (1 - hidden[:, :, self.column_of_coordinate]), hidden], dim=2)

    def _deep(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            y = self.activation(layer(x))
            x = x + y if x.shape == y.shape else y
        return x

    def _corrupt(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return noisy points, and which columns are hidden: any share of them, up to 60 %."""
        lines = (*points.shape[:2], 1)
        choice = torch.randint(len(self.noise), lines, device=points.device)
        noisy = torch.addcmul(points, torch.randn_like(points), self.noise[choice])
        share = _MOST_HIDDEN * torch.rand(lines, device=points.device)
        share = share * (torch.rand(lines, device=points.device) < 0.5)
        columns = torch.rand(*lines[:2], self.n_columns, device=points.device)
        return noisy, (columns < share).to(points.dtype)
