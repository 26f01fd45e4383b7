"""Sizes of layers and of images, checked."""

from collections.abc import Sequence
from math import prod
from numbers import Integral

import numpy as np


def check_image_shape(image_shape: Sequence[int] | None, n_in: int) -> tuple[int, int, int] | None:
    """Return an image shape as (channels, height, width); raise ValueError if it does not fit."""
    if image_shape is None:
        return None
    shape = tuple(image_shape) if np.iterable(image_shape) else (image_shape,)
    shape = (1, *shape) if len(shape) == 2 else shape
    if len(shape) != 3 or not are_sizes(shape) or prod(shape) != n_in:
        raise ValueError(
            f"The 'image_shape' parameter must be (height, width) or (channels, height, width) "
            f"with a product of {n_in}, the number of features of X. Got {image_shape!r}."
        )
    channels, height, width = map(int, shape)
    return channels, height, width


def are_sizes(numbers: tuple) -> bool:
    """Tell whether all are ints of at least 1."""
    return all(
        isinstance(number, Integral) and not isinstance(number, bool) and int(number) >= 1
        for number in numbers
    )
