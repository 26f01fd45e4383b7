"""Encoders and decoders: a linear path beside a deep one, dense or convolutional."""

import math
from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "identity": nn.Identity,
    "leaky_relu": nn.LeakyReLU,
    "logistic": nn.Sigmoid,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class Transposed(nn.Module):
    """A linear layer with its own bias whose weight is the transpose of another layer's.

    Parameters
    ----------
    layer : nn.Linear
        The layer from $(B, n)$ to $(B, m)$ whose weight is shared.
    """

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.weight = layer.weight
        self.bias = nn.Parameter(torch.zeros(layer.in_features))

    def forward(self, x: Tensor) -> Tensor:
        """Map $(B, m)$ to $(B, n)$."""
        return functional.linear(x, self.weight.T, self.bias)


LAYERS = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    Transposed,
)
Layer = nn.Linear | nn.Conv1d | nn.Conv2d | nn.ConvTranspose1d | nn.ConvTranspose2d | Transposed
_Layer = TypeVar("_Layer", bound=Layer)
# The number of units of a hidden layer up to which the next layer has the full learning rate.
_FULL_RATE_WIDTH = 128


class SkipNetwork(nn.Module):
    r"""A linear path beside a deep one: $y = A x + a + s \odot f(x / u)$.

    Parameters
    ----------
    linear : nn.Module
        The linear path $A x + a$, from $(B, n)$ to $(B, m)$.
    deep : nn.Module
        The deep path $f$ of the same shapes.

    Attributes
    ----------
    linear_rate : float
        The learning rate of the linear path, as a share of that of the others.

    Notes
    -----
    The scales $u$, of shape $(n,)$, and $s$, of shape $(m,)$, are buffers and 1 until set. With
    them the inputs and outputs of $f$ are of the order of one, whatever the units of $x$ and $y$.
    """

    input_scale: Tensor
    output_scale: Tensor

    def __init__(self, linear: nn.Module, deep: nn.Module) -> None:
        super().__init__()
        self.linear = linear
        self.deep = deep
        self.linear_rate = 1.0
        self.register_buffer("input_scale", torch.ones(()))
        self.register_buffer("output_scale", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """Map $(B, n)$ to $(B, m)$."""
        return torch.addcmul(self.linear(x), self.deep(x / self.input_scale), self.output_scale)

    def rates(self) -> dict[str, float]:
        """Return the learning rates of parts as shares of that of the others, by name or pattern.

        Behind a hidden layer of more than 128 units, the rate of a dense layer is divided by its
        width over 128: Adam's steps are of one size, and the outputs move by the sum of them. With
        one rate for all widths, wide networks would diverge where narrow ones learn.

        References
        ----------
        Yang, G., Hu, E. J., Babuschkin, I., Sidor, S., Liu, X., Farhi, D., Ryder, N., Pachocki, J.,
        Chen, W. and Gao, J. (2021). Tensor programs V: tuning large neural networks via zero-shot
        hyperparameter transfer. Advances in Neural Information Processing Systems 34.
        """
        layers = [(n, each) for n, each in self.deep.named_modules() if isinstance(each, nn.Linear)]
        widths = {f"deep.{n}.weight": layer.in_features for n, layer in layers[1:]}
        shares = {n: min(1.0, _FULL_RATE_WIDTH / width) for n, width in widths.items()}
        return {"linear.*": self.linear_rate, **shares}


class CodeToEveryLayer(nn.Module):
    r"""A decoder with skip connections from the code: $h_{l+1} = a(W_l h_l + b_l + V_l z)$.

    Parameters
    ----------
    network : nn.Module
        A decoder of `dense_pair` or `convolutional_pair`; of convolutional layers, the connections
        add to the channels.
    n_components : int
        The number of units of the code.

    References
    ----------
    Dieng, A. B., Kim, Y., Rush, A. M. and Blei, D. M. (2019). Avoiding latent variable collapse
    with generative skip models. Artificial Intelligence and Statistics.
    """

    def __init__(self, network: nn.Module, n_components: int) -> None:
        super().__init__()
        first, *rest = stages(network)
        paths = [nn.Linear(n_components, _n_channels(stage), bias=False) for stage in rest]
        for path in paths:
            nn.init.zeros_(path.weight)
        # Other code takes the last module of a network for its last layer: paths come before it.
        self.paths = nn.ModuleList(paths)
        self.first, self.rest = first, nn.ModuleList(rest)

    def forward(self, z: Tensor) -> Tensor:
        """Map $(B, k)$ to $(B, m)$."""
        x = self.first(z)
        for stage, path in zip(self.rest, self.paths, strict=True):
            for module in stage.children():
                x = module(x)
                if isinstance(module, LAYERS):
                    x = x + path(z).view(*x.shape[:2], *[1] * (x.dim() - 2))
        return x


def _n_channels(stage: nn.Sequential) -> int:
    layer = next(module for module in stage if isinstance(module, LAYERS))
    return len(layer.get_parameter("bias"))


def linear_pair(n_in: int, n_out: int, *, tied: bool) -> tuple[nn.Module, nn.Module]:
    """Build a linear encoder and decoder; the decoder's weight is the encoder's when tied."""
    encoder = orthogonal(nn.Linear(n_in, n_out))
    return encoder, Transposed(encoder) if tied else orthogonal(nn.Linear(n_out, n_in))


def dense_pair(
    sizes: Sequence[int], activation: str, dropout: float, *, tied: bool
) -> tuple[nn.Module, nn.Module]:
    """Build a dense encoder and the decoder that mirrors it.

    Parameters
    ----------
    sizes : sequence of int
        The number of units of the encoder's layers, from the input's to the code's.
    activation : str
        A key of `ACTIVATIONS`.
    dropout : float
        The share of the hidden units that a training step leaves out.
    tied : bool
        Whether the decoder's weights are the encoder's, transposed.
    """
    pairs = [linear_pair(n_in, n_out, tied=tied) for n_in, n_out in pairwise(sizes)]
    for encoder, _ in pairs[:-1]:
        _keep_scale(encoder)
    for _, decoder in pairs[1:]:
        _keep_scale(decoder)
    return stack_pairs(pairs, activation, dropout)


@torch.no_grad()
def _keep_scale(layer: nn.Module) -> None:
    """Scale the weights of a wide hidden layer, so that its units are as large as those of few.

    Orthogonal weights keep the length of a row, which many units share: each would be so small that
    its activation was linear, and the network as well.
    """
    if isinstance(layer, nn.Linear):
        fewer = max(layer.in_features, _FULL_RATE_WIDTH)
        layer.weight.mul_(max(1.0, math.sqrt(layer.out_features / fewer)))


def convolutional_pair(
    image_shape: Sequence[int],
    channels: Sequence[int],
    n_components: int,
    activation: str,
    dropout: float,
    *,
    tied: bool,
) -> tuple[nn.Module, nn.Module]:
    """Build a convolutional encoder of flattened images and the decoder that mirrors it.

    Each convolution halves height and width, rounded up; the decoder's transposed convolutions
    restore the shapes exactly. A linear layer connects the last image and the code.

    Parameters
    ----------
    image_shape : sequence of three int
        The channels, height and width of an image.
    channels : sequence of int
        The number of channels of every convolution.
    n_components : int
        The number of units of the code.
    activation, dropout, tied
        As in `dense_pair`.
    """
    shape = tuple(image_shape)
    pairs: list[tuple[nn.Module, nn.Module]] = []
    for n_out in channels:
        pairs.append(_convolution_pair(shape, n_out, tied=tied))
        shape = (n_out, -(-shape[1] // 2), -(-shape[2] // 2))
    to_code, to_image = linear_pair(prod(shape), n_components, tied=tied)
    to_image = nn.Sequential(to_image, nn.Unflatten(1, shape))
    pairs.append((nn.Sequential(nn.Flatten(), to_code), to_image))
    encoder, decoder = stack_pairs(pairs, activation, dropout)
    return (
        nn.Sequential(nn.Unflatten(1, tuple(image_shape)), encoder),
        nn.Sequential(decoder, nn.Flatten()),
    )


def _convolution_pair(
    shape: Sequence[int], n_out: int, *, tied: bool
) -> tuple[nn.Module, nn.Module]:
    n_in, height, width = shape
    convolution = orthogonal(nn.Conv2d(n_in, n_out, 3, stride=2, padding=1))
    padding = (1 - height % 2, 1 - width % 2)
    transposed = orthogonal(
        nn.ConvTranspose2d(n_out, n_in, 3, stride=2, padding=1, output_padding=padding)
    )
    if tied:
        transposed.weight = convolution.weight
    return convolution, transposed


def stack_pairs(
    pairs: Sequence[tuple[nn.Module, nn.Module]], activation: str, dropout: float
) -> tuple[nn.Module, nn.Module]:
    """Return an encoder of pairs of layers, and the decoder of the same in reverse."""
    encoder = [layer for layer, _ in pairs]
    decoder = [layer for _, layer in reversed(pairs)]
    return _stack(encoder, activation, dropout), _stack(decoder, activation, dropout)


def _stack(layers: Sequence[nn.Module], activation: str, dropout: float) -> nn.Sequential:
    modules: list[nn.Module] = [layers[0]]
    for layer in layers[1:]:
        modules += [ACTIVATIONS[activation](), *([nn.Dropout(dropout)] if dropout else []), layer]
    return nn.Sequential(*modules)


def with_outputs(network: nn.Module, n_out: int) -> nn.Module:
    """Return a network whose last layer has another number of outputs, newly initialised.

    Parameters
    ----------
    network : nn.Module
        A network of `linear_pair` or `dense_pair`, or the encoder of `convolutional_pair`.
    n_out : int
        The number of outputs.
    """
    if isinstance(network, nn.Linear):
        return orthogonal(nn.Linear(network.in_features, n_out))
    if isinstance(network, nn.Sequential) and len(network):
        network[-1] = with_outputs(network[-1], n_out)
    return network


def stages(network: nn.Module) -> list[nn.Sequential]:
    """Return the layers of a network one by one, each with the activation that follows it.

    Parameters
    ----------
    network : nn.Module
        A network of `linear_pair`, `dense_pair` or `convolutional_pair`.
    """
    modules_of: list[list[nn.Module]] = [[]]
    reshaping: list[nn.Module] = []
    for module in _leaves(network):
        if isinstance(module, LAYERS):
            has_layer = any(isinstance(earlier, LAYERS) for earlier in modules_of[-1])
            modules_of += [[]] if has_layer else []
            modules_of[-1] += [*reshaping, module]
            reshaping = []
        elif isinstance(module, nn.Flatten | nn.Unflatten) and not _ends_in_layer(modules_of[-1]):
            reshaping.append(module)
        else:
            modules_of[-1].append(module)
    modules_of[-1] += reshaping
    return [nn.Sequential(*modules) for modules in modules_of]


def _ends_in_layer(stage: list[nn.Module]) -> bool:
    return bool(stage) and isinstance(stage[-1], LAYERS)


def _leaves(network: nn.Module) -> list[nn.Module]:
    if not isinstance(network, nn.Sequential):
        return [network]
    return [leaf for part in network for leaf in _leaves(part)]


def orthogonal(layer: _Layer) -> _Layer:
    """Initialise a layer with an orthogonal weight, which trains at any depth, and no bias."""
    nn.init.orthogonal_(layer.weight)
    nn.init.zeros_(layer.get_parameter("bias"))
    return layer
