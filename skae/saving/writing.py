"""From the state of an estimator to a document and arrays."""

from collections.abc import Iterable
from functools import cached_property, partial
from typing import Any

import narwhals as nw
import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import nn

from skae.saving.columns import parts_of_frame, parts_of_series
from skae.saving.container import is_storable
from skae.saving.errors import CannotSaveError
from skae.saving.estimators import parts_of_estimator
from skae.saving.scalars import write_scalar
from skae.saving.stateful import Stateful
from skae.saving.vocabulary import name_of_class, name_of_function

# Lists of at least this many numbers or texts become arrays.
_FEWEST_IN_ARRAY = 32
_LARGEST_INT = 2**63 - 1
# What every module has; the other attributes are its own.
OF_MODULES = frozenset(vars(nn.Module()))


class Writer:
    """Writes values as nodes of a document.

    A node is a JSON value: numbers, texts, True, False and None stand for themselves, a list for a
    list, and an object with one key for anything else: ``{"tuple": [...]}``. Whatever may occur
    twice, an array or an object, is written once, among `objects`, and a node ``{"ref": 3}`` stands
    for it. An object refers only to earlier ones, so that none is nested in another.

    Attributes
    ----------
    objects : list
        The nodes of the objects.
    arrays : dict of str to ndarray
        The arrays, by the path of the attribute that holds them.
    """

    def __init__(self) -> None:
        self.objects: list[Any] = []
        self.arrays: dict[str, np.ndarray] = {}
        # The objects that were written, each with its number: None while it is being written.
        self._places: dict[int, tuple[Any, int | None]] = {}

    def write(self, value: Any, path: str) -> Any:
        """Return the node of a value.

        Parameters
        ----------
        value : object
            The value.
        path : str
            Where it was found: the name of the attribute.

        Raises
        ------
        CannotSaveError
            If a file cannot hold it.
        """
        node = write_scalar(value)
        if node is not NotImplemented:
            return node
        if type(value) is list:
            return self._list(value, path)
        if type(value) is tuple:
            return {"tuple": self._list(list(value), path)}
        if type(value) in (set, frozenset):
            kind = type(value).__name__
            return {kind: self._list(sorted(value, key=repr), path)}
        if isinstance(value, dict) and type(value).__name__ in ("dict", "OrderedDict"):
            return {type(value).__name__: self._pairs(value, path)}
        if function := name_of_function(value):
            return {"function": function}
        if type(value) is partial and name_of_function(value.func):
            parts = [self.write(value.args, path), self.write(value.keywords, path)]
            return {"partial": [name_of_function(value.func), *parts]}
        return {"ref": self._place_of(value, path)}

    def _list(self, values: list, path: str) -> Any:
        if len(values) >= _FEWEST_IN_ARRAY:
            types = set(map(type, values))
            if types == {str}:
                return {"texts": self._texts(values, path)}
            if types == {float}:
                return {"floats": self._add(np.array(values), path)}
            if types == {int} and max(map(abs, values)) <= _LARGEST_INT:
                return {"ints": self._add(np.array(values), path)}
        return [self.write(value, f"{path}[{i}]") for i, value in enumerate(values)]

    def _pairs(self, values: dict, path: str) -> list:
        keys = self._list(list(values), f"{path} keys")
        return [keys, self._list(list(values.values()), path)]

    def _texts(self, texts: list[str], path: str) -> list[str]:
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        ends = np.cumsum([len(each) for each in encoded])
        letters = np.frombuffer(b"".join(encoded), np.uint8)
        return [self._add(letters, f"{path} letters"), self._add(ends, f"{path} ends")]

    def _add(self, array: np.ndarray, path: str) -> str:
        """Add an array under the path, or, where that is taken, a number behind it."""
        name, number = path, 2
        while name in self.arrays:
            name, number = f"{path} ({number})", number + 1
        self.arrays[name] = np.asarray(array, order="C")
        return name

    def _place_of(self, value: Any, path: str) -> int:
        if id(value) in self._places:
            place = self._places[id(value)][1]
            if place is None:
                raise CannotSaveError(f"{path} refers to what holds it")
            return place
        self._places[id(value)] = (value, None)
        self.objects.append(self._object(value, path))
        place = len(self.objects) - 1
        self._places[id(value)] = (value, place)
        return place

    def _object(self, value: Any, path: str) -> dict[str, Any]:
        if isinstance(value, np.ndarray):
            return {"array": self._array(value, path)}
        if isinstance(value, torch.Tensor):
            return {"tensor": self._tensor(value, path)}
        if isinstance(value, nw.Series):
            return {"series": self.write(parts_of_series(value), path)}
        if isinstance(value, nw.DataFrame):
            return {"frame": self.write(parts_of_frame(value), path)}
        name = name_of_class(type(value))
        if name is None:
            kind = type(value)
            raise CannotSaveError(f"{path} is a {kind.__module__}.{kind.__qualname__}")
        if isinstance(value, nn.Module):
            return {"module": name, **self._module(value, path)}
        if isinstance(value, Stateful):
            return {"stateful": name, "state": self._state(value.state_to_save(), path)}
        return {"object": name, "state": self._state(state_of(value), path)}

    def _state(self, state: dict[str, Any], path: str) -> dict[str, Any]:
        return {name: self.write(value, f"{path}.{name}") for name, value in state.items()}

    def _array(self, array: np.ndarray, path: str) -> dict[str, Any]:
        if array.dtype == object or array.dtype.kind == "U":
            kind = "object" if array.dtype == object else array.dtype.str
            cells = self._list(array.ravel().tolist(), path)
            return {"cells": cells, "shape": list(array.shape), "type": kind}
        # A product with a transposed array is computed in another order, so it stays transposed.
        flags = array.flags
        is_transposed = array.ndim == 2 and flags.f_contiguous and not flags.c_contiguous
        stored = array.T if is_transposed else array
        node: dict[str, Any] = {"transposed": True} if is_transposed else {}
        if array.dtype.kind in "mM":
            return {**node, "name": self._add(stored.view(np.int64), path), "type": array.dtype.str}
        if not is_storable(array):
            raise CannotSaveError(f"{path} is an array of the type {array.dtype}")
        return {**node, "name": self._add(stored, path)}

    def _tensor(self, tensor: torch.Tensor, path: str) -> dict[str, Any]:
        values = tensor.detach().cpu()
        if values.layout is not torch.strided or values.is_complex():
            raise CannotSaveError(f"{path} is a tensor of the type {values.dtype}")
        node: dict[str, Any] = {}
        if values.dim() == 2 and values.T.is_contiguous() and not values.is_contiguous():
            values, node["transposed"] = values.T, True
        if values.dtype is torch.bfloat16:
            values, node["type"] = values.view(torch.int16), "bfloat16"
        if isinstance(tensor, nn.Parameter):
            node["parameter"] = tensor.requires_grad
        if tensor.device.type != "cpu":
            node["placed"] = True
        return {**node, "name": self._add(values.numpy(), path)}

    def _module(self, module: nn.Module, path: str) -> dict[str, Any]:
        """Return the node of a module: its attributes, its tensors and its parts."""
        _check_plain(module, path)
        own = {name: value for name, value in vars(module).items() if name not in OF_MODULES}
        own["training"] = module.training
        temporary = module._non_persistent_buffers_set
        return {
            "state": self._state(own, path),
            "parameters": self._state(module._parameters, path),
            "buffers": self._state(module._buffers, path),
            "parts": self._state(module._modules, path),
            "temporary": sorted(temporary),
        }


def _check_plain(module: nn.Module, path: str) -> None:
    """Raise CannotSaveError if a module has hooks, which are functions."""
    for name, value in vars(module).items():
        if "_hooks" in name and isinstance(value, dict) and value:
            raise CannotSaveError(f"{path} has hooks")


def state_of(value: Any) -> dict[str, Any]:
    """Return the attributes of an object, without those that it computes when they are read."""
    if isinstance(value, BaseEstimator):
        params, state = parts_of_estimator(value)
        return {**params, **state}
    state = value.__getstate__()
    if not isinstance(state, dict):
        state = vars(value)
    lazy = set(_cached_properties(type(value).__mro__))
    return {name: each for name, each in state.items() if name not in lazy}


def _cached_properties(classes: Iterable[type]) -> Iterable[str]:
    for cls in classes:
        for name, value in vars(cls).items():
            if isinstance(value, cached_property):
                yield name
