"""Where training starts: networks that are PCA until training bends them."""

import torch
from torch import Tensor, nn

from skae.nn.networks import SkipNetwork, Transposed
from skae.nn.pca import PrincipalComponents

_SMALLEST_SCALE = 1e-3
_SMALLEST_SHARE = 0.01


@torch.no_grad()
def start_at_pca(
    encoder: nn.Module,
    decoder: nn.Module,
    pca: PrincipalComponents,
    *,
    residual: Tensor | None = None,
    logits: bool | Tensor = False,
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
    residual : Tensor of shape (n_features,) or None, default=None
        The mean squared error of every feature that is left to the deep paths; None for what the
        projection leaves.
    logits : bool or Tensor of shape (n_features,), default=False
        Which of the decoder's outputs are logits of numbers in [0, 1]: they then start at
        $4 (x' - 1/2)$, whose logistic function is closest to $x'$ around the middle.
    """
    weight, mean = pca.components, pca.mean
    tied = isinstance(_linear(decoder), Transposed)
    logits = torch.as_tensor(logits, device=mean.device).expand(len(mean)).to(mean)
    gain, origin = (torch.ones_like(mean) if tied else 1 + 3 * logits), 0.5 * logits
    _set_linear(encoder, weight, -weight @ mean)
    _set_linear(decoder, gain[:, None] * weight.T, gain * (mean - origin))
    if isinstance(encoder, SkipNetwork) and isinstance(decoder, SkipNetwork):
        residual = pca.residual if residual is None else residual
        n_left_out = max(1, len(mean) - len(pca.variance))
        per_direction = (residual.sum() / n_left_out).sqrt().clamp_min(_SMALLEST_SCALE)
        residual = residual.sqrt()
        # A unit beyond all components has no spread yet, and takes that of a feature.
        typical = pca.feature_variance.mean().expand_as(pca.variance)
        spread = torch.where(pca.variance > 0, pca.variance, typical).sqrt()
        spread = spread.clamp_min(_SMALLEST_SCALE)
        encoder.output_scale = torch.minimum(spread, per_direction).float()
        decoder.input_scale = spread.float()
        decoder.output_scale = gain * (residual + 0.1 * residual.mean() + _SMALLEST_SCALE).float()
        _silence(encoder, decoder)


@torch.no_grad()
def start_at_mean(decoder: nn.Module, mean: Tensor, *, logits: Tensor) -> None:
    """Make the last bias of a decoder give the mean row.

    Parameters
    ----------
    decoder : nn.Module
        Dense or convolutional layers.
    mean : Tensor of shape (n_features,)
        The mean row.
    logits : Tensor of bool of shape (n_features,)
        Which of the decoder's outputs are logits of numbers in [0, 1].
    """
    bias = [module.bias for module in decoder.modules() if hasattr(module, "weight")][-1]
    mean = torch.where(logits, torch.logit(mean, eps=_SMALLEST_SHARE), mean)
    bias.copy_(mean.reshape(len(bias), -1).mean(1))


def _linear(network: nn.Module) -> nn.Module:
    return network.linear if isinstance(network, SkipNetwork) else network


def _set_linear(network: nn.Module, weight: Tensor, bias: Tensor) -> None:
    linear = _linear(network)
    linear.bias.copy_(bias)
    if not isinstance(linear, Transposed):
        linear.weight.copy_(weight)


def _silence(encoder: SkipNetwork, decoder: SkipNetwork) -> None:
    """Make the deep paths zero, by their last layers or, tied, by the layer at the code."""
    first, *_, last = _layers(encoder.deep)
    nn.init.zeros_(last.weight)
    back = _layers(decoder.deep)[-1]
    if back.weight is not first.weight:
        nn.init.zeros_(back.weight)
    constant = decoder.deep(torch.zeros(1, last.out_features, device=last.weight.device))
    back.bias -= constant.reshape(len(back.bias), -1).mean(1)


def _layers(deep: nn.Module) -> list[nn.Module]:
    return [module for module in deep.modules() if hasattr(module, "weight")]
