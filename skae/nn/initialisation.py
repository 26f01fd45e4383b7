"""Initialisation of the networks: encoder and decoder start as PCA."""

import math

import torch
from torch import Tensor, nn

from skae.nn.likelihoods import Likelihood
from skae.nn.networks import LAYERS, Layer, SkipNetwork, Transposed
from skae.nn.pca import PrincipalComponents
from skae.nn.posteriors import Posterior

# The smallest standard deviation of a unit or column, so that no scale is zero.
_SMALLEST_SCALE = 1e-3
# The smallest learning rate of a linear path, as a share of the others', and total variance.
_SMALLEST_RATE, _SMALLEST_TOTAL = 0.01, 1e-12
# The bound, from 0 and from 1, of means that are turned into logits.
_SMALLEST_SHARE = 0.01
# The bounds of the share of a unit's variance that is signal; noise makes up the remainder.
_SMALLEST_SIGNAL, _LARGEST_SIGNAL = 1e-3, 1 - 1e-6


@torch.no_grad()
def start_at_pca(
    encoder: nn.Module,
    decoder: nn.Module,
    pca: PrincipalComponents,
    likelihood: Likelihood,
    residual: Tensor | None = None,
) -> None:
    r"""Initialise an encoder and a decoder of linear and deep paths as PCA.

    The linear paths become $z = W (x - m)$ and $x' = W^\top z + m$. The deep paths start at zero,
    scaled by the residual of PCA, which they have to explain.

    Parameters
    ----------
    encoder, decoder : nn.Module
        Linear layers, or `SkipNetwork` of them.
    pca : PrincipalComponents
        The principal components, as many as the code has units.
    likelihood : Likelihood
        The likelihood; outputs of the decoder that are logits of numbers in [0, 1] start at
        $4 (x' - 1/2)$, the linearisation of the logit at $1/2$.
    residual : Tensor of shape (n_features,) or None, default=None
        The mean squared error of every feature that the deep paths have to explain; None for that
        of the projection.
    """
    weight, mean = pca.to_codes, pca.mean
    tied = isinstance(_linear(decoder), Transposed)
    logits = likelihood.are_logits(len(mean)).to(mean)
    gain, origin = (torch.ones_like(mean) if tied else 1 + 3 * logits), 0.5 * logits
    _set_linear(encoder, weight, -weight @ pca.input_mean)
    _set_linear(decoder, gain[:, None] * pca.components.T, gain * (mean - origin))
    if isinstance(encoder, SkipNetwork) and isinstance(decoder, SkipNetwork):
        residual = pca.residual if residual is None else residual
        spread = _spread(pca)
        encoder.output_scale = torch.minimum(spread, _per_direction(pca, residual)).float()
        decoder.input_scale = spread.float()
        decoder.output_scale = (gain * _left(residual)).float()
        encoder.linear_rate = decoder.linear_rate = _share_left(pca, residual)
        _silence(encoder, decoder, len(weight))


@torch.no_grad()
def start_at_whitened_pca(
    encoder: nn.Module,
    decoder: nn.Module,
    pca: PrincipalComponents,
    likelihood: Likelihood,
    residual: Tensor | None = None,
) -> None:
    r"""Initialise an encoder and a decoder as PCA whose units have variance one.

    The parameters are those of `start_at_pca`. With the standard deviation $s_j$ along component
    $u_j$, unit $j$ is $u_j^\top (x - m) / s_j$, and $x' = \sum_j s_j u_j z_j + m$.
    """
    start_at_pca(encoder, decoder, pca, likelihood, residual)
    spread = _spread(pca)
    to_codes, to_rows = _linear(encoder), _linear(decoder)
    to_codes.get_parameter("weight").div_(spread[:, None])
    to_codes.get_parameter("bias").div_(spread)
    to_rows.get_parameter("weight").mul_(spread)
    if isinstance(encoder, SkipNetwork) and isinstance(decoder, SkipNetwork):
        encoder.output_scale = (encoder.output_scale / spread).float()
        decoder.input_scale = torch.ones_like(spread).float()
        encoder.linear_rate = decoder.linear_rate = 1.0


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
    n_conditions: int = 0,
) -> None:
    r"""Initialise the networks of a variational autoencoder as probabilistic PCA.

    With the variance $\lambda_j$ along component $u_j$ and the noise's $\sigma^2$, the posterior of
    unit $j$ is normal around $\sqrt{\lambda_j - \sigma^2}\, u_j^\top (x - m) / \lambda_j$ with
    variance $\sigma^2 / \lambda_j$, and $x' = \sum_j \sqrt{\lambda_j - \sigma^2}\, u_j z_j + m$.

    Parameters
    ----------
    encoder, decoder : nn.Module
        Linear layers, or `SkipNetwork` of them.
    pca : PrincipalComponents
        The principal components, as many as the code has units.
    likelihood : Likelihood
        The likelihood, whose parameters are the decoder's outputs.
    residual : Tensor of shape (n_features,) or None, default=None
        The mean squared error of every feature that the deep paths have to explain; None for that
        of the projection.
    variance : float
        The variance $\sigma^2$ of the noise.
    posterior : Posterior
        The distribution that the encoder's output parametrises; on a sphere, directions start at
        the same means, multiplied by its `radius`.
    n_conditions : int, default=0
        The number of inputs that the decoder has beside the code, which count for nothing yet.

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
    to_means = (radius * share.sqrt() / spread)[:, None] * pca.components
    to_rows = gain[:, None] * pca.components.T * (spread * share.sqrt() / radius)
    scales = posterior.start(share)
    weight = torch.cat([to_means, to_means.new_zeros(len(scales), len(mean))])
    _set_linear(encoder, weight, torch.cat([-to_means @ mean, scales]))
    bias, deep_scale = gain * (mean - origin), gain * _left(residual)
    to_rows, bias, deep_scale = likelihood.expand_to_parameters(to_rows, bias, deep_scale)
    _set_linear(decoder, nn.functional.pad(to_rows, (0, n_conditions)), bias)
    if isinstance(encoder, SkipNetwork) and isinstance(decoder, SkipNetwork):
        step = radius * torch.clamp_max(_per_direction(pca, residual) / spread, 1)
        encoder.output_scale = torch.cat([step, torch.ones_like(scales)]).float()
        code_scale = torch.full_like(spread, radius).float()
        decoder.input_scale = nn.functional.pad(code_scale, (0, n_conditions), value=1.0)
        decoder.output_scale = deep_scale.float()
        _silence(encoder, decoder, len(to_means) + n_conditions)


@torch.no_grad()
def start_at_mean(decoder: nn.Module, mean: Tensor, likelihood: Likelihood) -> None:
    """Set the last bias of a decoder so that it gives the mean row.

    Parameters
    ----------
    decoder : nn.Module
        Dense or convolutional layers.
    mean : Tensor of shape (n_features,)
        The mean row.
    likelihood : Likelihood
        The likelihood, whose parameters are the decoder's outputs.
    """
    bias = _layers(decoder)[-1].get_parameter("bias")
    logits = likelihood.are_logits(len(mean))
    mean = torch.where(logits, torch.logit(mean, eps=_SMALLEST_SHARE), mean)
    _, mean, _ = likelihood.expand_to_parameters(mean[:, None], mean, torch.ones_like(mean))
    bias.copy_(mean.reshape(len(bias), -1).mean(1))


def _share_left(pca: PrincipalComponents, residual: Tensor) -> float:
    """Return the root of the share of the variance that is not explained.

    A step of the linear path that moves rows by the size of what is left is this much smaller than
    one that moves them by their own size.
    """
    total = max(float(pca.feature_variance.sum()), float(residual.sum()), _SMALLEST_TOTAL)
    return max(_SMALLEST_RATE, math.sqrt(float(residual.sum()) / total))


def _spread(pca: PrincipalComponents) -> Tensor:
    """Return the standard deviation of every unit; of units without a component, a feature's."""
    typical = pca.feature_variance.mean().expand_as(pca.variance)
    spread = torch.where(pca.variance > 0, pca.variance, typical).sqrt()
    return spread.clamp_min(_SMALLEST_SCALE)


def _per_direction(pca: PrincipalComponents, residual: Tensor) -> Tensor:
    """Return the residual as a standard deviation along a direction that is left out."""
    n_left_out = max(1, len(pca.mean) - len(pca.variance))
    return (residual.sum() / n_left_out).sqrt().clamp_min(_SMALLEST_SCALE)


def _left(residual: Tensor) -> Tensor:
    """Return the residual of every feature as a standard deviation, which is never quite zero."""
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
    """Set the deep paths to zero by their last layers, or by the layer at the code if tied."""
    first, *_, last = _layers(encoder.deep)
    nn.init.zeros_(last.weight)
    last_of_decoder = _layers(decoder.deep)[-1]
    if last_of_decoder.weight is not first.weight:
        nn.init.zeros_(last_of_decoder.weight)
    constant = decoder.deep(torch.zeros(1, n_components, device=last.weight.device))
    bias = last_of_decoder.get_parameter("bias")
    bias.sub_(constant.reshape(len(bias), -1).mean(1))


def _layers(deep: nn.Module) -> list[Layer]:
    return [module for module in deep.modules() if isinstance(module, LAYERS)]
