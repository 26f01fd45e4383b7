"""Helpers of displays: axes, and rows as arrays and images."""

from typing import Any

import numpy as np
from scipy import sparse

from skae.common.sizes import check_image_shape
from skae.tables.unwrapping import unwrap

_DRAWABLE_CHANNELS = (1, 3, 4)


def make_axes(ax: Any, **options: Any) -> tuple[Any, Any]:
    """Return the given axes, or new ones, and their figure."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(**options)[1] if ax is None else ax
    return ax, ax.figure


def as_array(rows: Any, otherwise: str) -> np.ndarray:
    """Return rows as a dense array of numbers; otherwise raise ValueError with a message."""
    rows = unwrap(rows)
    rows = rows.toarray() if sparse.issparse(rows) else np.asarray(rows)
    if rows.dtype.kind not in "buif":
        raise ValueError(otherwise)
    return rows


def as_images(rows: Any, image_shape: Any) -> np.ndarray:
    """Return rows as images of shape (height, width) or (height, width, channels)."""
    check_image_shape(image_shape, rows.shape[1])
    if len(image_shape) == 2:
        return rows.reshape(-1, *image_shape)
    if image_shape[0] not in _DRAWABLE_CHANNELS:
        raise ValueError(
            f"Images of {image_shape[0]} channels cannot be drawn: 'image_shape' must have 1, 3 "
            f"or 4. Got {image_shape!r}."
        )
    images = rows.reshape(-1, *image_shape).transpose(0, 2, 3, 1)
    return images[..., 0] if images.shape[-1] == 1 else images
