"""The fingerprint of a fit: what must be the same for a checkpoint to go on."""

import hashlib
import re
from collections.abc import Callable
from importlib import import_module
from numbers import Integral, Real
from typing import Any

import narwhals as nw
import numpy as np
import torch
from scipy import sparse
from sklearn.base import BaseEstimator
from skorch.callbacks import Callback

from skae.common.sklearn_private import n_samples_of, take_rows
from skae.tables.containers import eager_frame
from skae.tables.streams import as_stream
from skae.tables.unwrapping import unwrap

# The parameters that change neither the model nor the way to it.
_FREE = {"checkpoint", "checkpoint_every", "verbose", "n_jobs"}
# The number of rows that are compared, evenly spread.
_MOST_ROWS = 1000
_LONGEST = 80
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
Fingerprint = dict[str, Any]


def fingerprint_of(
    estimator: BaseEstimator, X: Any, y: Any, sample_weight: Any, call: str
) -> Fingerprint:
    """Return what a fit is told by, as texts and numbers.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.
    X, y, sample_weight : object
        What its `fit` was given.
    call : str
        The kind of fit.
    """
    n_rows, n_columns, rows = _told_by(X)
    params = estimator.get_params(deep=True)
    return {
        "class": type(estimator).__name__,
        "version of skae": import_module("skae").__version__,
        "fit": call,
        "parameters": {
            name: described(value)
            for name, value in sorted(params.items())
            if name.rpartition("__")[2] not in _FREE
        },
        "number of rows": n_rows,
        "number of columns": n_columns,
        "rows": rows,
        "labels": None if y is None else _told_by(y)[2],
        "weights": None if sample_weight is None else described(np.asarray(sample_weight)),
    }


def difference(before: Fingerprint, now: Fingerprint) -> str | None:
    """Return in words how a fit differs from an earlier one, or None if it does not."""
    if before.keys() != now.keys():
        return "it was written by another version of skae"
    for name, was in before.items():
        if name == "parameters" and was != now[name]:
            return _different_parameter(was, now[name])
        if was != now[name]:
            is_digest = name in ("rows", "labels", "weights")
            return f"the {name} {'are others' if is_digest else _was_and_is(was, now[name])}"
    return None


def _different_parameter(before: dict[str, str], now: dict[str, str]) -> str:
    missing = "not there"
    # A part before its own parameters, which are others where the part is another.
    names = sorted(before.keys() | now.keys(), key=lambda name: (name.count("__"), name))
    both = ((name, before.get(name, missing), now.get(name, missing)) for name in names)
    name, was, value = next(each for each in both if each[1] != each[2])
    return f"{name} {_was_and_is(was, value)}"


def _was_and_is(was: Any, value: Any) -> str:
    short = [str(each)[:_LONGEST] for each in (was, value)]
    return f"was {short[0]} and is {short[1]}"


def described(value: Any) -> str:
    """Return a text that is the same for equal parameters in any process."""
    for kind, describe in _DESCRIPTIONS:
        if isinstance(value, kind):
            return describe(value)
    return _ADDRESS.sub("", repr(value))


def _described_module(module: torch.nn.Module) -> str:
    weights = {name: tensor.detach().cpu() for name, tensor in module.state_dict().items()}
    return f"{_ADDRESS.sub('', repr(module))} {described(weights)}"


def _described_array(array: np.ndarray) -> str:
    if array.dtype == object:
        return described(array.tolist())
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return f"array of {array.dtype} {array.shape} {digest[:16]}"


def _described_dict(values: dict) -> str:
    return "{" + ", ".join(f"{name!r}: {described(each)}" for name, each in values.items()) + "}"


def _named(value: Any) -> str:
    return f"{value.__module__}.{value.__qualname__}"


_DESCRIPTIONS: list[tuple[Any, Callable[[Any], str]]] = [
    ((bool, str), repr),
    (Integral, lambda value: repr(int(value))),
    (Real, lambda value: repr(float(value))),
    (np.random.RandomState, lambda value: "RandomState"),
    (np.ndarray, _described_array),
    (torch.Tensor, lambda value: _described_array(value.detach().cpu().numpy())),
    (torch.nn.Module, _described_module),
    (Callback, lambda value: f"{_named(type(value))}({described(value.get_params(deep=False))})"),
    (BaseEstimator, lambda value: type(value).__name__),
    ((list, tuple), lambda value: f"[{', '.join(map(described, value))}]"),
    (dict, _described_dict),
    ((type, type(described)), _named),
]


def _told_by(X: Any) -> tuple[int, int, str]:
    """Return the numbers of rows and columns, and a digest of up to 1,000 rows."""
    stream = as_stream(X)
    if stream is not None:
        # All rows of a stream are read only once the fit has begun.
        return 0, *_told_by(next(iter(stream)))[1:]
    X = unwrap(eager_frame(X))
    n_rows = n_samples_of(X)
    positions = np.linspace(0, n_rows - 1, min(n_rows, _MOST_ROWS)).astype(int)
    if isinstance(X, nw.DataFrame):
        part = X[positions.tolist()]
        cells = [[each.name, str(each.dtype), *each.to_list()] for each in part.iter_columns()]
        return n_rows, X.shape[1], _digest(described(cells))
    if sparse.issparse(X):
        part = X.tocsr()[positions]
        return n_rows, X.shape[1], _digest(described([part.data, part.indices, part.indptr]))
    array = np.asarray(take_rows(X, positions))
    return n_rows, int(np.prod(array.shape[1:])), _digest(described(array))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
