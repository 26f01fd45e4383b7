"""Writing a fitted estimator to a file."""

import json
import os
import platform
from collections.abc import Sequence
from inspect import signature
from typing import Any, BinaryIO

import numpy as np
import sklearn
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skae.saving.container import write_file
from skae.saving.errors import CannotSaveError
from skae.saving.estimators import parts_of_estimator
from skae.saving.summary import about
from skae.saving.vocabulary import own_version, public_class
from skae.saving.writing import Writer

FORMAT = 1


def write_estimator(
    estimator: BaseEstimator, path: str | os.PathLike | BinaryIO, drop: Sequence[str] = ()
) -> None:
    """Write a fitted estimator to a file; see `skae.saving.saves.Saves.save`."""
    cls = type(estimator)
    if public_class(cls.__name__) is not cls:
        raise CannotSaveError(
            f"{cls.__name__} is not one of skae's own classes, so that no file could name it. "
            f"Pickle it, and keep the code of the class."
        )
    check_is_fitted(estimator)
    params, state = _without(drop, cls, *parts_of_estimator(estimator))
    writer = Writer()
    document = {
        "format": FORMAT,
        "class": cls.__name__,
        "versions": versions(),
        "about": about(estimator),
        "params": _params(writer, params, cls.__name__),
        "state": _state(writer, state, cls.__name__),
        "objects": writer.objects,
    }
    write_file(path, json.dumps(document, separators=(",", ":"), allow_nan=False), writer.arrays)


def versions() -> dict[str, str]:
    """Return the versions of this package and of those that its readings depend on."""
    return {
        "skae": own_version(),
        "scikit-learn": sklearn.__version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _without(
    drop: Sequence[str], cls: type, params: dict[str, Any], state: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return parameters, and what is remembered of them, with some at their defaults."""
    if isinstance(drop, str) or not set(drop) <= set(params):
        raise ValueError(
            f"The 'drop' parameter must be a list of names of parameters. Got {drop!r} instead; "
            f"{cls.__name__} has {', '.join(sorted(params))}."
        )
    defaults = {name: signature(cls).parameters[name].default for name in drop}
    made_with = state.get("_made_with_")
    if made_with is not None:
        made_with = {name: defaults.get(name, value) for name, value in made_with.items()}
        state = {**state, "_made_with_": made_with}
    return {**params, **defaults}, state


def _params(writer: Writer, params: dict[str, Any], owner: str) -> dict[str, Any]:
    found = {}
    for name, value in params.items():
        try:
            found[name] = writer.write(value, name)
        except CannotSaveError as error:
            raise CannotSaveError(
                f"A file cannot hold the parameter {name!r} of {owner}: {error}. Leave it out by "
                f"drop=[{name!r}], which saves its default, or pickle the estimator."
            ) from None
    return found


def _state(writer: Writer, state: dict[str, Any], owner: str) -> dict[str, Any]:
    found = {}
    for name, value in state.items():
        try:
            found[name] = writer.write(value, name)
        except CannotSaveError as error:
            raise CannotSaveError(
                f"A file cannot hold what this {owner} was fitted with: {error}. Pickle it."
            ) from None
    return found
