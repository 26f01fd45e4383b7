"""Principal components of rows that come in batches, from which training starts."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from numbers import Integral

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class PrincipalComponents:
    """The leading principal components of a set of rows, in double precision.

    Attributes
    ----------
    mean : Tensor of shape (n_features,)
        The mean row.
    components : Tensor of shape (n_components, n_features)
        Unit vectors by descending variance; the largest entry of each is positive.
    variance : Tensor of shape (n_components,)
        The variance along every component.
    feature_variance : Tensor of shape (n_features,)
        The variance of every feature.
    weight : Tensor of shape (n_components, n_inputs) or None, default=None
        The linear map from an encoder's inputs to its codes where those are not the rows
        themselves; None for the components.
    origin : Tensor of shape (n_inputs,) or None, default=None
        The mean input; None for the mean row.
    """

    mean: Tensor
    components: Tensor
    variance: Tensor
    feature_variance: Tensor
    weight: Tensor | None = None
    origin: Tensor | None = None

    @property
    def to_codes(self) -> Tensor:
        """The linear map from inputs to codes, shape (n_components, n_inputs)."""
        return self.components if self.weight is None else self.weight

    @property
    def input_mean(self) -> Tensor:
        """The mean input, shape (n_inputs,)."""
        return self.mean if self.origin is None else self.origin

    @property
    def residual(self) -> Tensor:
        """The mean squared error of every feature after projection, shape (n_features,)."""
        explained = self.components.square().T @ self.variance
        return (self.feature_variance - explained).clamp_min(0)

    def error(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the mean squared error of every feature between projected sources and targets.

        Parameters
        ----------
        source, target : Tensor of shape (n_rows, n_features)
            The rows that are projected, and the rows that they should be.
        """
        source, target = (x.cpu().to(self.mean) for x in (source, target))
        projected = (source - self.input_mean) @ self.to_codes.T @ self.components + self.mean
        return (projected - target).square().mean(0)

    def whitened(self, x: Tensor) -> Tensor:
        """Return the codes of inputs in units of their standard deviations, (B, n_components)."""
        codes = (x.cpu().to(self.mean) - self.input_mean) @ self.to_codes.T
        return codes / self.variance.sqrt().clamp_min(1e-12)

    @property
    def noise_unit(self) -> float:
        """The residual as one standard deviation, in whose units noise is given.

        It is the geometric mean of the root mean squared error per feature and per direction that
        is left out. Where few directions are left out, noise as large as the first is too small to
        smooth along them, and noise as large as the second drowns the features.
        """
        residual = self.residual.sum()
        n_features = len(self.mean)
        n_left_out = max(1, n_features - len(self.variance))
        return float((residual / n_features * residual / n_left_out) ** 0.25)

    def number_for(self, wanted: float) -> int:
        """Return a number of components: an int as it is, or the fewest that explain a share."""
        if isinstance(wanted, Integral):
            return int(wanted)
        explained = self.variance.cumsum(0) / self.feature_variance.sum().clamp_min(1e-300)
        return min(int((explained <= wanted).sum()) + 1, len(explained))

    def keep(self, n_components: int) -> "PrincipalComponents":
        """Keep the leading components; missing ones are zero."""
        n_zero = max(0, n_components - len(self.variance))
        components = nn.functional.pad(self.components[:n_components], (0, 0, 0, n_zero))
        variance = nn.functional.pad(self.variance[:n_components], (0, n_zero))
        weight = self.weight
        if weight is not None:
            weight = nn.functional.pad(weight[:n_components], (0, 0, 0, n_zero))
        return replace(self, components=components, variance=variance, weight=weight)


def principal_components(batches: Iterable[tuple[Tensor, Tensor | None]]) -> PrincipalComponents:
    """Return all principal components of weighted rows, from their covariance.

    Parameters
    ----------
    batches : iterable of (Tensor of shape (B, n_features), Tensor of shape (B,) or None)
        Rows and their weights; None for weights of one.
    """
    total, mean, moment = 0.0, torch.zeros(()), torch.zeros(())
    for x, weight in batches:
        x = x.to(precise(x))
        weighted = x if weight is None else x * weight.to(x)[:, None]
        total = total + (len(x) if weight is None else float(weight.sum()))
        mean = mean + weighted.sum(0)
        moment = moment + weighted.T @ x
    mean = mean / total
    covariance = moment / total - torch.outer(mean, mean)
    variance, vectors = torch.linalg.eigh(covariance)
    return _sorted(mean, vectors.T, variance, covariance.diagonal())


def principal_components_of_few(x: Tensor, weight: Tensor | None = None) -> PrincipalComponents:
    """Return the principal components of few but wide rows, from their singular values.

    Parameters
    ----------
    x : Tensor of shape (n_rows, n_features)
        The rows, for whose features a covariance matrix would be too large.
    weight : Tensor of shape (n_rows,) or None, default=None
        The weights of the rows; None for weights of one.
    """
    x = x.to(precise(x))
    weight = x.new_ones(len(x)) if weight is None else weight.to(x)
    share = (weight / weight.sum())[:, None]
    mean = (share * x).sum(0)
    x = share.sqrt() * (x - mean)
    _, values, vectors = torch.linalg.svd(x, full_matrices=False)
    return _sorted(mean, vectors, values.square(), x.square().sum(0))


def precise(x: Tensor) -> torch.dtype:
    """Return double precision, or single where a device has no other."""
    return torch.float32 if x.device.type == "mps" else torch.float64


def _sorted(
    mean: Tensor, components: Tensor, variance: Tensor, feature_variance: Tensor
) -> PrincipalComponents:
    order = torch.argsort(variance, descending=True)
    components, variance = components[order], variance[order].clamp_min(0)
    signs = components.gather(1, components.abs().argmax(1, keepdim=True)).sign()
    tensors = (mean, components * signs, variance, feature_variance)
    return PrincipalComponents(*(tensor.cpu() for tensor in tensors))
