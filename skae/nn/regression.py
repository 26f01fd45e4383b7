"""Reduced-rank regression: the best linear code of rows that are to be found from other rows."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from skae.nn.pca import PrincipalComponents, precise

# The strengths of the ridge penalty that are tried, in units of the mean variance of an input.
_RIDGES = (1e-6, 1e-4, 1e-3, 1e-2, 0.1, 1.0)


@dataclass(frozen=True)
class Moments:
    """Sums of products of inputs and targets, of weighted rows.

    Attributes
    ----------
    products : Tensor of shape (1 + n_inputs + n_targets,) squared
        The sum of the outer products of rows (1, input, target).
    n_inputs : int
        The number of columns of an input.
    """

    products: Tensor
    n_inputs: int

    @classmethod
    def of(cls, pairs: Iterable[tuple[Tensor, Tensor, Tensor | None]]) -> "Moments":
        """Return the moments of batches of inputs, targets and weights; None for weights of one."""
        total, n_inputs = torch.zeros(()), 0
        for x, target, weight in pairs:
            n_inputs = x.shape[1]
            rows = torch.cat([x.new_ones(len(x), 1), x, target], dim=1).to(precise(x))
            weighted = rows if weight is None else rows * weight.to(rows)[:, None]
            total = total + weighted.T @ rows
        return cls(total.cpu(), n_inputs)

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.products + other.products, self.n_inputs)

    @property
    def means(self) -> tuple[Tensor, Tensor]:
        """The mean input and the mean target."""
        means = self.products[0, 1:] / self.products[0, 0]
        return means[: self.n_inputs], means[self.n_inputs :]

    def covariances(self, about: "Moments | None" = None) -> tuple[Tensor, Tensor, Tensor]:
        """Return the covariances of inputs, of both, and of targets, about these means or others'.

        Their shapes are (n_inputs, n_inputs), (n_inputs, n_targets) and (n_targets, n_targets).
        """
        own = self.products[0, 1:] / self.products[0, 0]
        centre = own if about is None else about.products[0, 1:] / about.products[0, 0]
        both = self.products[1:, 1:] / self.products[0, 0]
        cross = torch.outer(own, centre)
        both = both - cross - cross.T + torch.outer(centre, centre)
        n = self.n_inputs
        return both[:n, :n], both[:n, n:], both[n:, n:]


def reduced_rank_regression(
    learned: Moments, held_out: Moments, pca: PrincipalComponents
) -> PrincipalComponents:
    r"""Return the components of the linear code from which targets are found best.

    With the ridge regression :math:`\hat t = B x` of targets on inputs, the components are the
    principal ones :math:`V` of its values, and the code is :math:`V B x`. Where this is no better
    on held-out rows than the projection of the inputs to the principal components of the targets,
    those are returned as they are.

    Parameters
    ----------
    learned, held_out : Moments
        The moments of rows to learn from and of others.
    pca : PrincipalComponents
        The principal components of the targets, as many as the code has units.

    References
    ----------
    Izenman, A. J. (1975). Reduced-rank regression for the multivariate linear model. Journal of
    Multivariate Analysis 5.
    """
    n_components = len(pca.components)
    best, least = None, _error(pca, learned, held_out)
    for ridge in _RIDGES:
        error = _error(_regression(learned, ridge, n_components), learned, held_out)
        if error < least:
            best, least = ridge, error
    if best is None:
        return pca
    found = _regression(learned + held_out, best, n_components)
    return replace(found, feature_variance=pca.feature_variance)


def _regression(moments: Moments, ridge: float, n_components: int) -> PrincipalComponents:
    inputs, both, targets = moments.covariances()
    typical = float(inputs.diagonal().mean()) or 1.0
    shrunk = inputs + ridge * typical * torch.eye(len(inputs)).to(inputs)
    slopes = torch.linalg.solve(shrunk, both).T
    variance, vectors = torch.linalg.eigh(slopes @ inputs @ slopes.T)
    components = vectors.T.flip(0)[:n_components]
    components = components * components.gather(1, components.abs().argmax(1, keepdim=True)).sign()
    origin, mean = moments.means
    found = PrincipalComponents(
        mean=mean,
        components=components,
        variance=variance.flip(0)[:n_components].clamp_min(0),
        feature_variance=targets.diagonal(),
        weight=components @ slopes,
        origin=origin,
    )
    return found.keep(n_components)


def _error(pca: PrincipalComponents, learned: Moments, held_out: Moments) -> float:
    """Return the mean squared error of held-out targets, about the means of the other rows."""
    inputs, both, targets = held_out.covariances(about=learned)
    slopes = pca.components.T @ pca.to_codes
    fitted = slopes @ inputs @ slopes.T
    return float((targets - 2 * slopes @ both + fitted).diagonal().sum())
