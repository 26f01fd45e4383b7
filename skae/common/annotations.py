"""Types of parameters, with scikit-learn's constraints and the names that docstrings show."""

import os
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from skae.common.sklearn_private import HasMethods, Interval, RealNotInt, StrOptions


@dataclass(frozen=True)
class Named:
    """The name of a type in docstrings.

    Attributes
    ----------
    name : str
        The name.
    """

    name: str


_LARGEST = float(np.finfo(np.float32).max)


class Number(Interval):
    """An interval of numbers that training can hold, in single precision; no booleans."""

    def is_satisfied_by(self, value: Any) -> bool:
        """Tell whether a value is a number of the interval."""
        if isinstance(value, (bool, np.bool_)) or not super().is_satisfied_by(value):
            return False
        return abs(value) <= _LARGEST

    def __str__(self) -> str:
        text = super().__str__()
        return text.replace("inf)", "3.4e+38)") if text.startswith("a float") else text


Auto = Literal["auto"]
PositiveInt = Annotated[int, Number(Integral, 1, None, closed="left")]
PositiveFloat = Annotated[float, Number(Real, 0, None, closed="neither")]
NonNegativeFloat = Annotated[float, Number(Real, 0, None, closed="left")]
Share = Annotated[float, Interval(RealNotInt, 0, 1, closed="neither")]
Half = Annotated[float, Interval(Real, 0, 0.5, closed="both")]
Dropout = Annotated[float, Interval(Real, 0, 1, closed="left")]
Activation = Literal["elu", "gelu", "identity", "leaky_relu", "logistic", "relu", "silu", "tanh"]
Bounds = Annotated[ArrayLike, "array-like", Named("pair of float or array-like")]
Sizes = Annotated[Sequence[int], "array-like", Named("array-like of int")]
Shape = Annotated[Sequence[int], "array-like", Named("tuple of int")]
Module = Annotated[nn.Module, Named("torch.nn.Module")]
ColumnMarks = Annotated[ArrayLike, "array-like", Named("array-like of str, int or bool")]
ColumnKinds = Annotated[Mapping[Any, str], dict, Named("dict")]
Density = Annotated[Any, HasMethods(["fit", "sample"]), Named("density estimator")]
FolderName = Annotated[str | os.PathLike, Named("str or path-like")]
Device = Annotated[str | torch.device, Named("str or torch.device")]
RandomState = Annotated[
    int | np.random.RandomState | None, "random_state", Named("int, RandomState instance or None")
]
Verbosity = Annotated[int, "verbose"]


def constraints_of(hint: Any) -> list:
    """Return scikit-learn's constraints of a parameter of a type."""
    if get_origin(hint) is Annotated:
        plain, *marks = get_args(hint)
        return [mark for mark in marks if not isinstance(mark, Named)] or constraints_of(plain)
    if get_origin(hint) in (Union, types.UnionType):
        return [each for part in get_args(hint) for each in constraints_of(part)]
    if get_origin(hint) is Literal:
        return [StrOptions(set(get_args(hint)))]
    plain = get_origin(hint) or hint
    return [{bool: "boolean", types.NoneType: None, Callable: callable}.get(plain, plain)]


def name_of(hint: Any) -> str:
    """Return the name of a type in docstrings."""
    if get_origin(hint) is Annotated:
        plain, *marks = get_args(hint)
        return next((mark.name for mark in marks if isinstance(mark, Named)), None) or name_of(
            plain
        )
    if get_origin(hint) in (Union, types.UnionType):
        *first, last = map(name_of, get_args(hint))
        return f"{', '.join(first)} or {last}"
    if get_origin(hint) is Literal:
        values = ", ".join(f'"{value}"' for value in get_args(hint))
        return f"{{{values}}}" if len(get_args(hint)) > 1 else values
    plain = get_origin(hint) or hint
    return "None" if plain is types.NoneType else plain.__name__
