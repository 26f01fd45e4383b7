"""The classes and functions that a file may name, by their places in skae: a closed list."""

import inspect
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from skae.saving.errors import FileError

_PACKAGE = Path(__file__).parents[1]
# The folders whose classes fitted estimators are made of.
_FOLDERS = (
    "autoencoders",
    "building",
    "dependencies",
    "gans",
    "nn",
    "outliers",
    "predictors",
    "sampling",
    "series",
    "sequences",
    "tables",
    "training",
)
# Classes of other packages, by the module that they are imported from.
_FOREIGN = {
    "torch.nn": (
        "AvgPool2d",
        "BatchNorm1d",
        "BatchNorm2d",
        "Conv1d",
        "Conv2d",
        "ConvTranspose1d",
        "ConvTranspose2d",
        "Dropout",
        "ELU",
        "Flatten",
        "GELU",
        "Identity",
        "LayerNorm",
        "LeakyReLU",
        "Linear",
        "MaxPool2d",
        "ModuleDict",
        "ModuleList",
        "ParameterList",
        "ReLU",
        "Sequential",
        "SiLU",
        "Sigmoid",
        "Softplus",
        "Tanh",
        "Unflatten",
        "Upsample",
    ),
    "sklearn.decomposition": ("PCA",),
    "sklearn.frozen": ("FrozenEstimator",),
    "sklearn.linear_model": ("Ridge",),
    "sklearn.mixture": ("GaussianMixture",),
}
_FUNCTIONS = {
    "training.schedule.one_cycle",
    "training.schedule.steady",
    "training.schedule.linear",
    "training.schedule.sigmoid",
    "training.schedule.cyclical",
    "outliers.training.out_of_fold",
}


@cache
def _modules() -> frozenset[str]:
    """Return the modules of the folders, as far as they are files of this package."""
    paths = (path for folder in _FOLDERS for path in (_PACKAGE / folder).glob("*.py"))
    return frozenset(f"{path.parent.name}.{path.stem}" for path in paths)


def public_class(name: Any) -> type | None:
    """Return the class of a public name of skae, or None if there is none."""
    package = import_module("skae")
    found = getattr(package, name) if name in package.__all__ else None
    return found if isinstance(found, type) else None


def own_version() -> str:
    """Return the version of skae."""
    return import_module("skae").__version__


@cache
def _foreign() -> dict[str, str]:
    return {f"{module}.{name}": module for module, names in _FOREIGN.items() for name in names}


def name_of_class(cls: type) -> str | None:
    """Return the name that files have for a class, or None if they must not name it."""
    module, name = cls.__module__, cls.__qualname__
    if module.startswith("skae.") and module.removeprefix("skae.") in _modules():
        return f"{module.removeprefix('skae.')}.{name}" if "." not in name else None
    for full, home in _foreign().items():
        if full.endswith(f".{name}") and getattr(import_module(home), name) is cls:
            return full
    return None


def class_named(name: Any) -> type:
    """Return the class that a file names.

    Raises
    ------
    FileError
        If it is not one of the list.
    """
    if isinstance(name, str):
        if name in _foreign():
            return getattr(import_module(_foreign()[name]), name.rpartition(".")[2])
        module, _, short = name.rpartition(".")
        if module in _modules():
            found = vars(import_module(f"skae.{module}")).get(short)
            if isinstance(found, type) and found.__module__ == f"skae.{module}":
                return found
    raise FileError(f"class {str(name)[:80]!r} is none that a file may name.")


def name_of_function(function: Any) -> str | None:
    """Return the name that files have for a function, or None if they must not name it."""
    if not inspect.isfunction(function):
        return None
    name = f"{function.__module__.removeprefix('skae.')}.{function.__qualname__}"
    return name if name in _FUNCTIONS else None


def function_named(name: Any) -> Any:
    """Return the function that a file names.

    Raises
    ------
    FileError
        If it is not one of the list.
    """
    if isinstance(name, str) and name in _FUNCTIONS:
        module, _, short = name.rpartition(".")
        return getattr(import_module(f"skae.{module}"), short)
    raise FileError(f"function {str(name)[:80]!r} is none that a file may name.")
