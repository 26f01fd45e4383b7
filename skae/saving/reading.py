"""From a document and arrays to the state of an estimator."""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache, partial
from typing import Any, ClassVar, cast, get_type_hints

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import nn

from skae.saving.columns import frame_of_parts, series_of_parts
from skae.saving.errors import FileError
from skae.saving.estimators import made_estimator
from skae.saving.scalars import is_scalar_kind, read_scalar
from skae.saving.stateful import Stateful
from skae.saving.vocabulary import class_named, function_named

_DEEPEST = 32


class Rebuilder:
    """Makes values of the nodes of a document; see `skae.saving.writing.Writer`.

    No constructor of an estimator's part is called: attributes are set. So reading a file runs no
    code that the file could choose.

    Parameters
    ----------
    objects : list
        The nodes of the objects.
    arrays : dict of str to ndarray
        The arrays of the file.
    device : torch.device
        Where tensors go that were not on a CPU.
    """

    def __init__(
        self, objects: list[Any], arrays: dict[str, np.ndarray], device: torch.device
    ) -> None:
        self._arrays = arrays
        self._device = device
        # What parts of a network there may be, each of which has a weight.
        self._n_bytes = sum(array.nbytes for array in arrays.values())
        self._used: set[str] = set()
        self._made: list[Any] = []
        for place, node in enumerate(objects):
            self._made.append(self._object(node, f"objects[{place}]"))

    def check_all_used(self) -> None:
        """Raise FileError if the file holds tensors that nothing refers to."""
        unused = self._arrays.keys() - self._used
        if unused:
            raise FileError(f"Tensor {min(unused)!r} belongs to nothing.")

    def read(self, node: Any, path: str, depth: int = 0) -> Any:
        """Return the value of a node.

        Parameters
        ----------
        node : object
            The node.
        path : str
            Where it stands, for messages.
        depth : int, default=0
            In how many others it stands.

        Raises
        ------
        FileError
            If it is no node.
        """
        if depth > _DEEPEST:
            raise FileError(f"{path} is nested too deeply.")
        if isinstance(node, float) and not math.isfinite(node):
            raise FileError(f"{path} is a number beyond those of JSON.")
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, list):
            return [self.read(each, f"{path}[{i}]", depth + 1) for i, each in enumerate(node)]
        if not isinstance(node, dict) or len(node) != 1:
            raise FileError(f"{path} is no node: {str(node)[:80]}.")
        ((kind, content),) = node.items()
        if is_scalar_kind(kind):
            return _named(path, read_scalar, kind, content)
        if kind not in self._READERS:
            raise FileError(f"{path} is of the kind {kind[:80]!r}, which is not known.")
        return self._READERS[kind](self, content, path, depth + 1)

    def _items(self, content: Any, path: str, depth: int) -> list:
        found = self.read(content, path, depth)
        return _expect(found, list, path)

    def _set(self, content: Any, path: str, depth: int) -> set:
        try:
            return set(self._items(content, path, depth))
        except TypeError as error:
            raise FileError(f"{path}: {error}.") from None

    def _dict(self, content: Any, path: str, depth: int) -> dict:
        pair = _expect(content, list, path)
        if len(pair) != 2:
            raise FileError(f"{path} does not state keys and values.")
        keys, values = (self._items(each, path, depth) for each in pair)
        try:
            found = dict(zip(keys, values, strict=True))
        except (TypeError, ValueError) as error:
            raise FileError(f"{path}: {error}.") from None
        if len(found) < len(keys):
            raise FileError(f"{path} has a key twice.")
        return found

    def _texts(self, content: Any, path: str, depth: int) -> list[str]:
        names = _expect(content, list, path)
        if len(names) != 2:
            raise FileError(f"{path} does not state letters and ends.")
        letters, ends = (self._array_named(name, path) for name in names)
        if letters.dtype != np.uint8 or ends.dtype != np.int64 or {1} != {letters.ndim, ends.ndim}:
            raise FileError(f"{path}: letters and ends of texts are of other types.")
        starts = np.concatenate([[0], ends])
        if (np.diff(starts) < 0).any() or starts[-1] != len(letters):
            raise FileError(f"{path}: the ends of texts do not fit its letters.")
        raw = letters.tobytes()
        try:
            return [
                raw[first:last].decode("utf-8", "surrogatepass")
                for first, last in zip(starts[:-1].tolist(), ends.tolist(), strict=True)
            ]
        except UnicodeDecodeError as error:
            raise FileError(f"{path} holds what is no text: {error}.") from None

    def _numbers(self, content: Any, path: str, depth: int) -> list:
        return self._array_named(content, path).ravel().tolist()

    def _reference(self, content: Any, path: str, depth: int) -> Any:
        if type(content) is not int or not 0 <= content < len(self._made):
            raise FileError(f"{path} refers to object {content!r}, which is no earlier one.")
        return self._made[content]

    def _partial(self, content: Any, path: str, depth: int) -> partial:
        if len(_expect(content, list, path)) != 3:
            raise FileError(f"{path} does not state a function and its arguments.")
        function = _named(path, function_named, content[0])
        args = _expect(self.read(content[1], path, depth), tuple, path)
        keywords = _expect(self.read(content[2], path, depth), dict, path)
        return _named(path, partial, function, *args, **keywords)

    _READERS: ClassVar[dict[str, Callable[..., Any]]] = {
        "tuple": lambda self, *rest: tuple(self._items(*rest)),
        "set": _set,
        "frozenset": lambda self, *rest: frozenset(self._set(*rest)),
        "dict": _dict,
        "OrderedDict": lambda self, *rest: OrderedDict(self._dict(*rest)),
        "texts": _texts,
        "floats": _numbers,
        "ints": _numbers,
        "function": lambda self, content, path, depth: _named(path, function_named, content),
        "partial": _partial,
        "ref": _reference,
    }

    def _object(self, node: Any, path: str) -> Any:
        kinds = ("array", "tensor", "series", "frame", "module", "stateful", "object")
        kind = next((kind for kind in kinds if kind in _expect(node, dict, path)), None)
        if kind is None:
            raise FileError(f"{path} is of no kind that is known.")
        return getattr(self, f"_make_{kind}")(node, path)

    def _array_named(self, name: Any, path: str) -> np.ndarray:
        if not isinstance(name, str) or name not in self._arrays:
            raise FileError(f"{path} refers to tensor {str(name)[:80]!r}, which is none.")
        if name in self._used:
            raise FileError(f"{path} refers to tensor {name!r}, as another does.")
        self._used.add(name)
        return self._arrays[name]

    def _make_array(self, node: dict, path: str) -> np.ndarray:
        content = _expect(node["array"], dict, path)
        if "cells" in content:
            return self._cells(content, path)
        array = self._array_named(content.get("name"), path)
        if "type" in content:
            array = _as_times(array, content["type"], path)
        return array.T if content.get("transposed") is True else array

    def _cells(self, content: dict, path: str) -> np.ndarray:
        cells, shape = self._items(content["cells"], path, 1), content.get("shape")
        is_shape = isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
        if shape is None or not is_shape or math.prod(shape) != len(cells):
            raise FileError(f"{path}: shape {str(shape)[:80]} does not fit {len(cells)} cells.")
        array = np.empty(len(cells), dtype=object)
        array[:] = cells
        if content.get("type") != "object":
            if not all(isinstance(cell, str) for cell in cells):
                raise FileError(f"{path} is an array of texts with cells that are none.")
            array = array.astype(str)
        return array.reshape(shape)

    def _make_tensor(self, node: dict, path: str) -> torch.Tensor:
        content = _expect(node["tensor"], dict, path)
        tensor = torch.from_numpy(self._array_named(content.get("name"), path))
        if content.get("type") == "bfloat16":
            if tensor.dtype is not torch.int16:
                raise FileError(f"{path} is bfloat16 and not stored as such.")
            tensor = tensor.view(torch.bfloat16)
        if content.get("transposed") is True:
            tensor = tensor.T
        if content.get("placed") is True:
            tensor = tensor.to(self._device)
        if "parameter" in content:
            if not tensor.is_floating_point():
                raise FileError(f"{path} is a parameter of the type {tensor.dtype}.")
            if not torch.isfinite(tensor).all():
                raise FileError(f"{path} is a parameter that is not finite.")
            tensor = nn.Parameter(tensor, requires_grad=content["parameter"] is True)
        return tensor

    def _make_series(self, node: dict, path: str) -> Any:
        parts = _expect(self.read(node["series"], path), dict, path)
        return _named(path, series_of_parts, parts)

    def _make_frame(self, node: dict, path: str) -> Any:
        parts = _expect(self.read(node["frame"], path), dict, path)
        return _named(path, frame_of_parts, parts)

    def _make_module(self, node: dict, path: str) -> nn.Module:
        cls = _named(path, class_named, node["module"])
        if not issubclass(cls, nn.Module):
            raise FileError(f"{path}: {node['module']} is no module.")
        module = cls.__new__(cls)
        nn.Module.__init__(module)
        for name, value in self._state(node, "state", path).items():
            if name in vars(module) and name != "training":
                raise FileError(f"{path} sets {name!r}, which no file may.")
            self._check_size(value, f"{path}.{name}")
            vars(module)[name] = value
        tensors = {
            kind: self._typed(node, kind, torch.Tensor, path) for kind in ("parameters", "buffers")
        }
        temporary = set(self._items(node.get("temporary"), path, 1))
        for name, tensor in tensors["parameters"].items():
            if not isinstance(tensor, nn.Parameter | None):
                raise FileError(f"{path}.{name} is no parameter.")
            _named(path, module.register_parameter, name, tensor)
        for name, tensor in tensors["buffers"].items():
            _named(path, module.register_buffer, name, tensor, persistent=name not in temporary)
        for name, part in self._typed(node, "parts", nn.Module, path).items():
            _named(path, module.add_module, name, part)
        return module

    def _check_size(self, value: Any, path: str) -> None:
        """Raise FileError if a whole number of a module, which is a size, is beyond the file's."""
        if isinstance(value, (list, tuple, torch.Size)):
            for each in value:
                self._check_size(each, path)
        elif isinstance(value, range):
            self._check_size([value.start, value.stop, value.step], path)
        elif isinstance(value, int) and abs(value) > self._n_bytes:
            raise FileError(f"{path} is {value}, more than the file has bytes.")

    def _typed(self, node: dict, key: str, kind: type, path: str) -> dict[str, Any]:
        found = self._state(node, key, path)
        for name, value in found.items():
            if not isinstance(value, kind | None):
                raise FileError(f"{path}.{name} is no {kind.__name__}.")
        return found

    def _make_stateful(self, node: dict, path: str) -> Any:
        cls = _named(path, class_named, node["stateful"])
        if not issubclass(cls, Stateful):
            raise FileError(f"{path}: {node['stateful']} does not say what of it is saved.")
        return _named(path, cls.from_saved, self._state(node, "state", path))

    def _make_object(self, node: dict, path: str) -> Any:
        cls = _named(path, class_named, node["object"])
        if issubclass(cls, (nn.Module, Stateful)):
            raise FileError(f"{path}: {node['object']} is no plain object.")
        state = self._state(node, "state", path)
        if issubclass(cls, BaseEstimator):
            return made_estimator(cls, state, path)
        if is_dataclass(cls):
            _check_fields(cast(type, cls), state, path)
        made = cls.__new__(cls)
        set_state = getattr(made, "__setstate__", vars(made).update)
        _named(path, set_state, state)
        return made

    def _state(self, node: dict, key: str, path: str) -> dict[str, Any]:
        state = _expect(node.get(key), dict, f"{path} {key}")
        return {name: self.read(each, f"{path}.{name}") for name, each in state.items()}


def _check_fields(cls: type, state: dict[str, Any], path: str) -> None:
    """Raise FileError if an attribute is missing, or one too many."""
    wanted = {field.name for field in fields(cls)}
    if wanted != set(state):
        different = min(wanted ^ set(state))
        raise FileError(
            f"{path}: the attributes of {cls.__name__} are not those of this version: "
            f"{different!r} is {'missing' if different in wanted else 'one too many'}."
        )
    # A class with a way of its own to be saved has other attributes there.
    for name in () if hasattr(cls, "__setstate__") else _arrays_of(cls):
        if not isinstance(state[name], np.ndarray | None):
            raise FileError(f"{path}.{name} is no array.")


@cache
def _arrays_of(cls: type) -> tuple[str, ...]:
    """Return the names of the fields of a class that are arrays, or None."""
    kinds = (np.ndarray, np.ndarray | None)
    return tuple(name for name, hint in get_type_hints(cls).items() if hint in kinds)


def _as_times(array: np.ndarray, kind: Any, path: str) -> np.ndarray:
    dtype = _named(path, np.dtype, str(kind))
    if array.dtype != np.int64 or dtype.kind not in "mM":
        raise FileError(f"{path}: {str(kind)[:80]!r} is no type of times.")
    return array.view(dtype)


def _expect(value: Any, kind: type, path: str) -> Any:
    if not isinstance(value, kind):
        raise FileError(f"{path} is {str(value)[:80]!r}, where a {kind.__name__} was expected.")
    return value


def _named(path: str, function: Callable, *args: Any, **kwargs: Any) -> Any:
    """Call a function; its error names the place in the file."""
    try:
        return function(*args, **kwargs)
    except ImportError:
        raise
    except Exception as error:
        raise FileError(f"{path}: {error}") from None
