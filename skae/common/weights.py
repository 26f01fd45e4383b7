"""Weights of rows and of classes, checked."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from skae.common.sklearn_private import check_sample_weight

# The share of the largest weight below which a weight is as good as none in single precision.
_SMALLEST = 1e-30


def check_weights(sample_weight: Any, n_rows: int) -> np.ndarray:
    """Return the weights of rows in units of the largest, so that their sum is finite, (n_rows,).

    Raises
    ------
    ValueError
        If a weight is negative, infinite or NaN, or none is above 0.
    """
    rows = np.empty((n_rows, 0))
    weights = check_sample_weight(sample_weight, rows, ensure_non_negative=True)
    weights = weights / weights.max()
    return np.where(weights < _SMALLEST, 0.0, weights)


def check_class_weight(class_weight: Any, classes: np.ndarray) -> None:
    """Raise ValueError if the weights of classes are not numbers from 0 on, some above 0."""
    if not isinstance(class_weight, Mapping):
        return
    for name, weight in class_weight.items():
        if not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
            raise ValueError(
                "The 'class_weight' parameter must hold finite numbers from 0 on. "
                f"Got {weight!r} for class {name!r}."
            )
    if not any(class_weight.get(name, 1) for name in classes.tolist()):
        raise ValueError(
            "The 'class_weight' parameter must be above 0 for at least one class of y. "
            f"Got {class_weight!r}."
        )
