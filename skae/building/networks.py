"""Encoders and decoders, built from an architecture or given as modules."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from skae.common.sizes import are_sizes, check_image_shape
from skae.nn.attention import AttentiveDecoder
from skae.nn.networks import (
    CodeToEveryLayer,
    SkipNetwork,
    convolutional_pair,
    dense_pair,
    linear_pair,
    with_outputs,
)
from skae.nn.texts import TextSizes

# The hidden layers that "auto" stands for: units of dense ones, channels of convolutional ones.
_AUTO_DENSE = (128, 128)
_AUTO_CHANNELS = (16, 32)


@dataclass(frozen=True)
class Architecture:
    """The architecture of encoder and decoder; `AutoencoderTransformer` describes the parameters.

    Attributes
    ----------
    hidden_layer_sizes : "auto" or sequence of int
        The number of units, or of channels, of every hidden layer of the encoder.
    activation : str
        The activation of the hidden layers.
    dropout : float
        The share of the hidden units that every training step leaves out.
    image_shape : sequence of int or None
        The shape of an image; None for dense networks.
    encoder, decoder : nn.Module or None
        The user's modules; None for built ones.
    has_linear_paths : bool
        Whether built networks have a linear path beside the deep one.
    tied_weights : bool, default=False
        Whether the weights of the decoder are those of the encoder, transposed.
    skip_connections : bool, default=False
        Whether every layer of the decoder has a skip connection from the code.
    attends_to : TextSizes or None, default=None
        The texts whose words places of images attend to; None for none.
    deep_pair : callable or None, default=None
        The function that builds the deep encoder and decoder, given the number of units of the
        code, where they are neither dense nor convolutions of images.
    """

    hidden_layer_sizes: str | Sequence[int]
    activation: str
    dropout: float
    image_shape: Sequence[int] | None
    encoder: nn.Module | None
    decoder: nn.Module | None
    has_linear_paths: bool
    tied_weights: bool = False
    skip_connections: bool = False
    attends_to: TextSizes | None = None
    deep_pair: Callable[[int], tuple[nn.Module, nn.Module]] | None = None

    @property
    def is_built(self) -> bool:
        """Whether both networks are built, none given by the user."""
        return self.encoder is None and self.decoder is None


@dataclass(frozen=True)
class Sizes:
    """The numbers of inputs and outputs of the networks.

    Attributes
    ----------
    n_in : int
        The number of columns of a one-hot row.
    n_components : int
        The number of units of the code.
    n_encoded : int
        The number of outputs of the encoder: that of the units, or more for a posterior.
    n_out : int
        The number of outputs of the decoder: the parameters of the likelihood of a row.
    n_conditions : int, default=0
        The number of columns of what rows are conditioned on, which the decoder has beside the
        code.
    """

    n_in: int
    n_components: int
    n_encoded: int
    n_out: int
    n_conditions: int = 0

    @property
    def n_decoded(self) -> int:
        """The number of inputs of the decoder."""
        return self.n_components + self.n_conditions


def make_networks(architecture: Architecture, sizes: Sizes) -> tuple[nn.Module, nn.Module]:
    """Return an encoder and a decoder.

    Raises
    ------
    ValueError
        If a size is invalid, or a user's module does not fit; the message names the parameter.
    """
    shape = check_image_shape(architecture.image_shape, sizes.n_in)
    encoder, decoder = architecture.encoder, architecture.decoder
    if encoder is None or decoder is None:
        built_encoder, built_decoder = _built_networks(architecture, shape, sizes)
    if encoder is None:
        encoder = built_encoder
    else:
        encoder = copy.deepcopy(encoder).cpu()
        encoder = encoder if shape is None else nn.Sequential(nn.Unflatten(1, shape), encoder)
    if decoder is None:
        decoder = built_decoder
    else:
        decoder = copy.deepcopy(decoder).cpu()
        decoder = decoder if shape is None else nn.Sequential(decoder, nn.Flatten())
    encoder, decoder = encoder.float(), decoder.float()
    _check_output("encoder", encoder, sizes.n_in, sizes.n_encoded)
    _check_output("decoder", decoder, sizes.n_decoded, sizes.n_out)
    return encoder.train(), decoder.train()


def hidden_sizes(hidden_layer_sizes: str | Sequence[int], auto: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sizes of the hidden layers; raise ValueError if they are invalid."""
    if isinstance(hidden_layer_sizes, str):
        return auto
    sizes = tuple(hidden_layer_sizes)
    if not are_sizes(sizes):
        raise ValueError(
            f"The 'hidden_layer_sizes' parameter must be 'auto' or hold ints in the range "
            f"[1, inf). Got {hidden_layer_sizes!r}."
        )
    return tuple(int(size) for size in sizes)


def _built_networks(
    architecture: Architecture, shape: tuple[int, int, int] | None, sizes: Sizes
) -> tuple[nn.Module, nn.Module]:
    n_in, n_components = sizes.n_in, sizes.n_decoded
    auto = _AUTO_DENSE if shape is None else _AUTO_CHANNELS
    hidden = hidden_sizes(architecture.hidden_layer_sizes, auto)
    tied = architecture.tied_weights
    style = (architecture.activation, architecture.dropout)
    if not hidden:
        return _sized(*linear_pair(n_in, n_components, tied=tied), sizes)
    if architecture.deep_pair is not None:
        encoder, decoder = architecture.deep_pair(n_components)
    elif shape is None:
        encoder, decoder = dense_pair((n_in, *hidden, n_components), *style, tied=tied)
    else:
        encoder, decoder = convolutional_pair(shape, hidden, n_components, *style, tied=tied)
    encoder, decoder = _sized(encoder, decoder, sizes)
    if architecture.skip_connections:
        decoder = CodeToEveryLayer(decoder, n_components)
    if architecture.attends_to is not None:
        words = architecture.attends_to, architecture.activation
        decoder = AttentiveDecoder(decoder, n_components, *words)
    if not (architecture.has_linear_paths and architecture.is_built):
        return encoder, decoder
    linear_encoder, linear_decoder = _sized(*linear_pair(n_in, n_components, tied=tied), sizes)
    return SkipNetwork(linear_encoder, encoder), SkipNetwork(linear_decoder, decoder)


def _sized(encoder: nn.Module, decoder: nn.Module, sizes: Sizes) -> tuple[nn.Module, nn.Module]:
    if sizes.n_encoded != sizes.n_decoded:
        encoder = with_outputs(encoder, sizes.n_encoded)
    if sizes.n_out != sizes.n_in:
        decoder = with_outputs(decoder, sizes.n_out)
    return encoder, decoder


@torch.no_grad()
def _check_output(name: str, module: nn.Module, n_in: int, n_out: int) -> None:
    try:
        output = module.eval()(torch.zeros(2, n_in, dtype=torch.float32))
    except (RuntimeError, ValueError, TypeError) as error:
        raise ValueError(
            f"The module given as '{name}' cannot take rows of shape (2, {n_in}): {error}"
        ) from error
    got = tuple(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__
    if got != (2, n_out):
        raise ValueError(
            f"The module given as '{name}' must return shape (2, {n_out}) for rows of shape "
            f"(2, {n_in}). Got {got}."
        )
