"""Discriminators: networks that tell rows from generated ones, dense or convolutional."""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import nn

# The slope of the leaky units below zero.
_SLOPE = 0.2
# The units of the layer between the convolutions and the logit.
_UNITS_AFTER_CONVOLUTIONS = 128


def dense_discriminator(n_in: int, hidden: Sequence[int]) -> nn.Sequential:
    """Return a dense discriminator, a module from $(B, n)$ to $(B, 1)$.

    Parameters
    ----------
    n_in : int
        The number of columns $n$.
    hidden : sequence of int
        The number of units of every hidden layer.
    """
    layers: list[nn.Module] = []
    for before, after in pairwise((n_in, *hidden)):
        layers += [nn.Linear(before, after), nn.LeakyReLU(_SLOPE)]
    return _started(layers, nn.Linear(hidden[-1] if hidden else n_in, 1))


def convolutional_discriminator(
    image_shape: Sequence[int], channels: Sequence[int]
) -> nn.Sequential:
    """Return a discriminator of images, whose convolutions halve the sides.

    Parameters
    ----------
    image_shape : sequence of int
        The number of channels, the height and the width.
    channels : sequence of int
        The number of channels of every hidden layer.
    """
    n_channels, height, width = image_shape
    layers: list[nn.Module] = [nn.Unflatten(1, (n_channels, height, width))]
    for before, after in pairwise((n_channels, *channels)):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.LeakyReLU(_SLOPE)]
        height, width = math.ceil(height / 2), math.ceil(width / 2)
        n_channels = after
    n_units = n_channels * height * width
    layers += [nn.Flatten(), nn.Linear(n_units, _UNITS_AFTER_CONVOLUTIONS), nn.LeakyReLU(_SLOPE)]
    return _started(layers, nn.Linear(_UNITS_AFTER_CONVOLUTIONS, 1))


def _started(hidden: list[nn.Module], last: nn.Linear) -> nn.Sequential:
    """Return layers as a network that keeps the size of its signals, and begins at zero."""
    for layer in hidden:
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            nn.init.kaiming_normal_(layer.weight, _SLOPE, nonlinearity="leaky_relu")
            nn.init.constant_(layer.get_parameter("bias"), 0)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*hidden, last)
