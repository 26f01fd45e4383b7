"""Where training starts: networks that are PCA until training bends them."""

import torch
from torch import Tensor, nn

from skae.nn.likelihoods import Likelihood
from skae.nn.networks import LAYERS, Layer, SkipNetwork, Transposed
from skae.nn.pca import PrincipalComponents
from skae.nn.posteriors import Posterior

_SMALLEST_SCALE = 1e-3
_SMALLEST_SHARE = 0.01
_SMALLEST_SIGNAL, _LARGEST_SIGNAL = 1e-3, 1 - 1e-6


@torch.no_grad()
def start_at_pca(
    encoder: nn.Module,
    decoder: nn.Module,
    pca: PrincipalComponents,
    likelihood: Likelihood,
    residual: Tensor | None = None,
) -> None:
    r"""Make an encoder and a decoder of linear and deep paths project on principal components.

    The linear paths become $z = W (x - m)$ and $x' = W^\top z + m$. The deep paths start at zero,
    in units of what they will have to add: what PCA leaves.

    Parameters
    ----------
    encoder, decoder : nn.Module
        Linear layers, or `SkipNetwork` of them.
    pca : PrincipalComponents
        As many components as the code has.
    likelihood : Likelihood
        The likelihood; outputs of the decoder that are logits of numbers in [0, 1] start at
        $4 (x' - 1/2)$, whose logistic function is closest to $x'$ around the middle.
    residual : Tensor of shape (n_features,) or None, default=None
        The mean squared error of every feature that is left to the deep paths; None for what the
        projection leaves.
    """
    weight, mean = pca.components, pca.mean
    tied = isinstance(_linear(decoder), Transposed)
    logits = likelihood.are_logits(len(mean)).to(mean)
    gain, origin = (torch.ones_like(mean) if tied else 1 + 3 * logits), 0.5 * logits
    _set_linear(encoder, weight, -weight @ mean)
    _set_linear(decoder, gain[:, None] * weight.T, gain * (mean - origin))
    if isinstance(encoder, SkipNetwork) and isinstance(decoder, SkipNetwork):
        residual = pca.residual if residual is None else residual
        spread = _spread(pca)
        encoder.output_scale = torch.minimum(spread, _per_direction(pca, residual)).float()
        decoder.input_scale = spread.float()
        decoder.output_scale = (gain * _left(residual)).float()
        _silence(encoder, decoder, len(weight))


@torch.no_grad()
def start_at_probabilistic_pca(
    encoder: nn.Module,
    decoder: nn.Module,
    pca: PrincipalComponents,
    likelihood: Likelihood,
    residual: Tensor | None = None,
    *,
    variance: float,
    posterior: Posterior,
) -> None:
    r"""Make networks of a variational autoencoder be probabilistic PCA.

    With the variance $\lambda_j$ along component $u_j$ and the noise's $\sigma^2$, the posterior of
    unit $j$ is normal around $\sqrt{\lambda_j - \sigma^2}\, u_j^\top (x - m) / \lambda_j$ with
    variance $\sigma^2 / \lambda_j$, and $x' = \sum_j \sqrt{\lambda_j - \sigma^2}\, u_j z_j + m$.

    Parameters
    ----------
    encoder, decoder : nn.Module
        Linear layers, or `SkipNetwork` of them.
    pca : PrincipalComponents
        As many components as the code has.
    likelihood : Likelihood
        The likelihood, which says what the decoder's outputs parametrise.
    residual : Tensor of shape (n_features,) or None, default=None
        The mean squared error of every feature that is left to the deep paths; None for what the
        projection leaves.
    variance : float
        The variance $\sigma^2$ of the noise.
    posterior : Posterior
        The distribution that the encoder's output parametrises; directions on a sphere get the
        same codes, shortened.

    References
    ----------
    Tipping, M. E. and Bishop, C. M. (1999). Probabilistic principal component analysis. Journal of
    the Royal Statistical Society B 61.
    """
    mean, spread = pca.mean, _spread(pca)
    share = (1 - variance / spread.square()).clamp(_SMALLEST_SIGNAL, _LARGEST_SIGNAL)
    share = torch.where(pca.variance > 0, share, 0.0)
    radius = posterior.radius
    logits = likelihood.are_logits(len(mean)).to(mean)
    residual = pca.residual if residual is None else residual
    gain, origin = 1 + 3 * logits, 0.5 * logits
    there = (radius * share.sqrt() / spread)[:, None] * pca.components
    back = gain[:, None] * pca.components.T * (spread * share.sqrt() / radius)
    rest = posterior.start(share)
    weight = torch.cat([there, there.new_zeros(len(rest), len(mean))])
    _set_linear(encoder, weight, torch.cat([-there @ mean, rest]))
    bias, left = gain * (mean - origin), gain * _left(residual)
    back, bias, left = likelihood.expand_to_parameters(back, bias, left)
    _set_linear(decoder, back, bias)
    if isinstance(encoder, SkipNetwork) and isinstance(decoder, SkipNetwork):
        step = radius * torch.clamp_max(_per_direction(pca, residual) / spread, 1)
        encoder.output_scale = torch.cat([step, torch.ones_like(rest)]).float()
        decoder.input_scale = torch.full_like(spread, radius).float()
        decoder.output_scale = left.float()
        _silence(encoder, decoder, len(there))


@torch.no_grad()
def start_at_mean(decoder: nn.Module, mean: Tensor, likelihood: Likelihood) -> None:
    """Make the last bias of a decoder give the mean row.

    Parameters
    ----------
    decoder : nn.Module
        Dense or convolutional layers.
    mean : Tensor of shape (n_features,)
        The mean row.
    likelihood : Likelihood
        The likelihood, which says what the decoder's outputs parametrise.
    """
    bias = _layers(decoder)[-1].get_parameter("bias")
    logits = likelihood.are_logits(len(mean))
    mean = torch.where(logits, torch.logit(mean, eps=_SMALLEST_SHARE), mean)
    _, mean, _ = likelihood.expand_to_parameters(mean[:, None], mean, torch.ones_like(mean))
    bias.copy_(mean.reshape(len(bias), -1).mean(1))


def _spread(pca: PrincipalComponents) -> Tensor:
    """Return the spread of every unit of a code; beyond all components, that of a feature."""
    typical = pca.feature_variance.mean().expand_as(pca.variance)
    spread = torch.where(pca.variance > 0, pca.variance, typical).sqrt()
    return spread.clamp_min(_SMALLEST_SCALE)


def _per_direction(pca: PrincipalComponents, residual: Tensor) -> Tensor:
    """Return what is left, as a standard deviation along a direction that is left out."""
    n_left_out = max(1, len(pca.mean) - len(pca.variance))
    return (residual.sum() / n_left_out).sqrt().clamp_min(_SMALLEST_SCALE)


def _left(residual: Tensor) -> Tensor:
    """Return what is left of every feature, as standard deviations; not quite zero for any."""
    residual = residual.sqrt()
    return residual + 0.1 * residual.mean() + _SMALLEST_SCALE


def _linear(network: nn.Module) -> nn.Module:
    return network.linear if isinstance(network, SkipNetwork) else network


def _set_linear(network: nn.Module, weight: Tensor, bias: Tensor) -> None:
    linear = _linear(network)
    linear.get_parameter("bias").copy_(bias)
    if not isinstance(linear, Transposed):
        linear.get_parameter("weight").copy_(weight)


def _silence(encoder: SkipNetwork, decoder: SkipNetwork, n_components: int) -> None:
    """Make the deep paths zero, by their last layers or, tied, by the layer at the code."""
    first, *_, last = _layers(encoder.deep)
    nn.init.zeros_(last.weight)
    back = _layers(decoder.deep)[-1]
    if back.weight is not first.weight:
        nn.init.zeros_(back.weight)
    constant = decoder.deep(torch.zeros(1, n_components, device=last.weight.device))
    bias = back.get_parameter("bias")
    bias.sub_(constant.reshape(len(bias), -1).mean(1))


def _layers(deep: nn.Module) -> list[Layer]:
    return [module for module in deep.modules() if isinstance(module, LAYERS)]
