"""Whitening: how much more of a residual there is than the residuals beside it let expect."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from sklearn.covariance import ledoit_wolf_shrinkage
from torch import Tensor

# The largest number of directions whose variances are kept.
_MOST_DIRECTIONS = 1024
# The smallest variance, relative to the mean of all.
_LEAST = 1e-6
# The smallest mean variance, of standardised cells.
_LEAST_VARIANCE = 1e-12
# The smallest share that is left of a row's influence on its own residual.
_LEAST_LEFT = 1e-3
# The degrees of freedom of a coordinate's residual, as if it were of Student's t.
_FREEDOM = 3.0


@dataclass(frozen=True)
class Whitening:
    r"""The residuals of a reconstruction given the others, in standard deviations.

    The labels of a column are one group of coordinates, whose squares are added and divided by its
    degrees of freedom, one less than it has labels: where all labels are rare, any of them is a
    surprise by itself, and the column is none.

    Of residuals $r$ with covariance $\Sigma$ and precision $P = \Sigma^{-1}$, coordinate $j$ given
    all others is $(P r)_j / \sqrt{P_{jj}}$, which is of the size of one. Of many coordinates the
    directions with the largest variances are kept, and the others have one variance in common.

    Attributes
    ----------
    directions : Tensor of shape (n_coordinates, n_directions)
        The directions with a variance of their own.
    gains : Tensor of shape (n_directions,)
        Their precisions, less that of the others.
    rest : float
        The precision of the others.
    scales : Tensor of shape (n_coordinates,)
        The roots of the diagonal of the precision.
    groups : Tensor of int of shape (n_coordinates,)
        The group of every coordinate, rising.
    influence : float
        The weight of one of the rows in the covariance.
    """

    directions: Tensor
    gains: Tensor
    rest: float
    scales: Tensor
    groups: Tensor
    influence: float

    @classmethod
    def learn(cls, residuals: np.ndarray, weights: np.ndarray, groups: np.ndarray) -> "Whitening":
        """Return the whitening of residuals of shape (n_rows, n_coordinates), given their weights.

        References
        ----------
        Ledoit, O. and Wolf, M. (2004). A well-conditioned estimator for large-dimensional
        covariance matrices. Journal of Multivariate Analysis 88.
        """
        width = residuals.shape[1]
        residuals = residuals * np.sqrt(weights / weights.mean())[:, None]
        variances, directions = _principal(residuals)
        total = max(float((residuals**2).mean(0).sum()), width * _LEAST_VARIANCE)
        left = max(total - variances.sum(), 0.0) / max(width - len(variances), 1)
        shrinkage = ledoit_wolf_shrinkage(residuals, assume_centered=True) if width > 1 else 0.0
        added = (shrinkage + _LEAST) * total / width
        rest = 1 / ((1 - shrinkage) * left + added) if len(variances) < width else 0.0
        gains = 1 / ((1 - shrinkage) * variances + added) - rest
        scales = np.sqrt(np.maximum(rest + directions**2 @ gains, np.finfo(float).tiny))
        directions, gains, scales = (np.ascontiguousarray(a) for a in (directions, gains, scales))
        tensors = [torch.from_numpy(each).float() for each in (directions, gains, scales)]
        influence = float(1 - shrinkage) / len(residuals)
        return cls(tensors[0], tensors[1], rest, tensors[2], torch.from_numpy(groups), influence)

    def __call__(self, residuals: Tensor) -> Tensor:
        """Return the squares of residuals given the others, shape (..., n_groups)."""
        return self._by_group(self.conditional(residuals).square_())

    def held_out(self, residuals: Tensor, weights: Tensor) -> Tensor:
        r"""Return the same of training rows, as if the covariance was that of the other rows.

        Without a row of influence $w$ in the covariance, its precision along the directions is
        $P + w\,P r r^T P / (1 - h)$ with $h = w\,r^T P r$ (Sherman and Morrison 1950), so that
        $P r$ becomes $P r / (1 - h)$.

        Parameters
        ----------
        residuals : Tensor of shape (n_rows, n_coordinates)
            The residuals.
        weights : Tensor of shape (n_rows,)
            The weights of the rows, one on average.
        """
        directions, own = self.directions.to(residuals), self.influence * weights[:, None]
        places = residuals @ directions
        scaled = places * (self.gains + self.rest).to(residuals)
        left = (1 - own * (places * scaled).sum(1, keepdim=True)).clamp_min(_LEAST_LEFT)
        along = scaled @ directions.T
        beside = self.rest * (residuals - places @ directions.T)
        precisions = self.scales.to(residuals).square() + own / left * along.square()
        return self._by_group((along / left + beside).square() / precisions)

    def _by_group(self, squared: Tensor) -> Tensor:
        sizes = self._sizes.to(squared)
        if len(sizes) == len(self.groups):
            return squared
        sums = squared.new_zeros(*squared.shape[:-1], len(sizes))
        return sums.index_add_(-1, self.groups.to(squared.device), squared) / sizes

    def conditional(self, residuals: Tensor) -> Tensor:
        """Return residuals given the others, both of shape (..., n_coordinates)."""
        if len(self.gains) == len(self.scales):
            return residuals @ self._matrix.to(residuals)
        directions = self.directions.to(residuals)
        along = (residuals @ directions) * self.gains.to(residuals)
        return (along @ directions.T + self.rest * residuals) / self.scales.to(residuals)

    @cached_property
    def _matrix(self) -> Tensor:
        """All of the above as one product, where no direction is left out."""
        return (self.directions * self.gains) @ self.directions.T / self.scales

    @cached_property
    def _sizes(self) -> Tensor:
        """The degrees of freedom of every group."""
        return freedom(self.groups)

    def __getstate__(self) -> dict:
        cached = ("_matrix", "_sizes")
        return {name: value for name, value in vars(self).items() if name not in cached}


def _principal(residuals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest variances of residuals, at most 1,024, and their directions."""
    n, width = residuals.shape
    if width <= n:
        variances, directions = np.linalg.eigh(residuals.T @ residuals / n)
        return variances[-_MOST_DIRECTIONS:].clip(0), directions[:, -_MOST_DIRECTIONS:]
    # The variances of fewer rows than coordinates are those of the rows' inner products.
    variances, rows = np.linalg.eigh(residuals @ residuals.T / n)
    kept = np.flatnonzero(variances > _LEAST * variances[-1])[-_MOST_DIRECTIONS:]
    variances, rows = variances[kept], rows[:, kept]
    return variances, residuals.T @ rows / np.sqrt(n * variances)


def freedom(groups: Tensor) -> Tensor:
    """Return the degrees of freedom of groups of coordinates: a number has one, k labels k - 1."""
    return (torch.bincount(groups) - 1).clamp(min=1)


def measures(squared: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return two measures of squared conditional residuals $c_g^2$ of shape (..., n_groups).

    The first, $\frac1w \sum_g \log(1 + c_g^2 / \nu)$, is of all groups: up to constants their
    surprisal by Student's t distribution. The second, $\max_g |c_g|$, is of one.
    """
    largest = squared.amax(-1).sqrt()
    return (squared / _FREEDOM).log1p_().mean(-1), largest
