"""From an estimator's parameters to its networks."""

import copy
from dataclasses import dataclass
from math import prod
from numbers import Integral

import torch
from torch import nn

from skae.nn.networks import (
    CodeToEveryLayer,
    SkipNetwork,
    convolutional_pair,
    dense_pair,
    linear_pair,
    with_outputs,
)

_AUTO_DENSE = (128, 128)
_AUTO_CHANNELS = (16, 32)


@dataclass(frozen=True)
class Sizes:
    """What goes into the networks and what comes out.

    Attributes
    ----------
    n_in : int
        The number of encoded columns.
    n_components : int
        The number of units of the code.
    n_encoded : int
        The number of outputs of the encoder: as many, or more where a posterior needs them.
    n_out : int
        The number of outputs of the decoder: a row, or what a likelihood needs for one.
    """

    n_in: int
    n_components: int
    n_encoded: int
    n_out: int


def make_networks(estimator, sizes: Sizes) -> tuple[nn.Module, nn.Module]:
    """Return the encoder and the decoder that an estimator's parameters describe.

    Parameters
    ----------
    estimator : BaseAutoencoder
        Its parameters of the networks are read.
    sizes : Sizes
        What they take and give.
    """
    n_in, n_components = sizes.n_in, sizes.n_components
    shape = check_image_shape(estimator.image_shape, n_in)
    if estimator.encoder is None or estimator.decoder is None:
        encoder, decoder = _built_networks(estimator, shape, sizes)
    if estimator.encoder is not None:
        encoder = copy.deepcopy(estimator.encoder).cpu()
        encoder = encoder if shape is None else nn.Sequential(nn.Unflatten(1, shape), encoder)
    if estimator.decoder is not None:
        decoder = copy.deepcopy(estimator.decoder).cpu()
        decoder = decoder if shape is None else nn.Sequential(decoder, nn.Flatten())
    encoder, decoder = encoder.float(), decoder.float()
    _check_output("encoder", encoder, n_in, sizes.n_encoded)
    _check_output("decoder", decoder, n_components, sizes.n_out)
    return encoder.train(), decoder.train()


def check_image_shape(image_shape, n_in: int) -> tuple[int, int, int] | None:
    """Return an image shape as (channels, height, width), or say what is wrong with it."""
    if image_shape is None:
        return None
    shape = tuple(image_shape)
    shape = (1, *shape) if len(shape) == 2 else shape
    if len(shape) != 3 or not _are_sizes(shape) or prod(shape) != n_in:
        raise ValueError(
            f"The 'image_shape' parameter must be (height, width) or (channels, height, width) "
            f"with a product of {n_in}, the number of features of X. Got {image_shape!r}."
        )
    return tuple(int(size) for size in shape)


def hidden_sizes(hidden_layer_sizes, auto: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sizes of the hidden layers, or say what is wrong with them."""
    if isinstance(hidden_layer_sizes, str):
        return auto
    sizes = tuple(hidden_layer_sizes)
    if not _are_sizes(sizes):
        raise ValueError(
            f"The 'hidden_layer_sizes' parameter must be 'auto' or hold ints in the range "
            f"[1, inf). Got {hidden_layer_sizes!r}."
        )
    return tuple(int(size) for size in sizes)


def _are_sizes(numbers: tuple) -> bool:
    return all(
        isinstance(number, Integral) and not isinstance(number, bool) and number >= 1
        for number in numbers
    )


def _built_networks(estimator, shape, sizes: Sizes):
    n_in, n_components = sizes.n_in, sizes.n_components
    hidden = hidden_sizes(
        estimator.hidden_layer_sizes, _AUTO_DENSE if shape is None else _AUTO_CHANNELS
    )
    tied = {"tied": estimator.tied_weights}
    style = (estimator.activation, estimator.dropout)
    if not hidden:
        return _sized(*linear_pair(n_in, n_components, **tied), sizes)
    if shape is None:
        encoder, decoder = dense_pair((n_in, *hidden, n_components), *style, **tied)
    else:
        encoder, decoder = convolutional_pair(shape, hidden, n_components, *style, **tied)
    encoder, decoder = _sized(encoder, decoder, sizes)
    if getattr(estimator, "skip_connections", False):
        decoder = CodeToEveryLayer(decoder, n_components)
    if not starts_at_pca(estimator):
        return encoder, decoder
    linear_encoder, linear_decoder = _sized(*linear_pair(n_in, n_components, **tied), sizes)
    return SkipNetwork(linear_encoder, encoder), SkipNetwork(linear_decoder, decoder)


def _sized(encoder: nn.Module, decoder: nn.Module, sizes: Sizes):
    if sizes.n_encoded != sizes.n_components:
        encoder = with_outputs(encoder, sizes.n_encoded)
    if sizes.n_out != sizes.n_in:
        decoder = with_outputs(decoder, sizes.n_out)
    return encoder, decoder


def starts_at_pca(estimator) -> bool:
    """Tell whether an estimator's networks start at PCA: not if a user's module is among them."""
    return estimator.init == "pca" and estimator.encoder is None and estimator.decoder is None


@torch.no_grad()
def _check_output(name: str, module: nn.Module, n_in: int, n_out: int) -> None:
    try:
        output = module.eval()(torch.zeros(2, n_in, dtype=torch.float32))
    except (RuntimeError, ValueError, TypeError) as error:
        raise ValueError(
            f"The module given as '{name}' cannot take rows of shape (2, {n_in}): {error}"
        ) from error
    if getattr(output, "shape", None) != (2, n_out):
        got = tuple(output.shape) if hasattr(output, "shape") else type(output).__name__
        raise ValueError(
            f"The module given as '{name}' must return shape (2, {n_out}) for rows of shape "
            f"(2, {n_in}). Got {got}."
        )
