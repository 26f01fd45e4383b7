"""Options of skorch's net that an estimator is given, checked."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from skorch.callbacks import Callback


def check_net_params(given: dict[str, Any] | None) -> None:
    """Raise ValueError if an option is nothing that training can do.

    skorch checks the names of options, and of most the values only where they are used.
    """
    for name, value in (given or {}).items():
        allowed, is_allowed = _RULES.get(name, ("", lambda _: True))
        if not is_allowed(value):
            raise ValueError(
                f"The 'net_params' parameter must have {allowed} as {name!r}. Got {value!r}."
            )


def _is_count(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1


def _is_rate(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) < np.inf


def _is_callback(value: Any) -> bool:
    callback = value[1] if isinstance(value, tuple) and len(value) == 2 else value
    return isinstance(callback, Callback) or (
        isinstance(callback, type) and issubclass(callback, Callback)
    )


def _are_callbacks(value: Any) -> bool:
    return value in (None, "disable") or (
        isinstance(value, (list, tuple)) and all(map(_is_callback, value))
    )


_MAKER = "a class or a function", callable
_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "max_epochs": ("an int of at least 1", _is_count),
    "batch_size": ("an int of at least 1, or -1 for all rows", lambda v: _is_count(v) or v == -1),
    "lr": ("a number above 0", _is_rate),
    "train_split": ("None or a function", lambda value: value is None or callable(value)),
    "callbacks": ("None or a list of skorch callbacks, perhaps with names", _are_callbacks),
    "optimizer": _MAKER,
    "criterion": _MAKER,
    "iterator_train": _MAKER,
    "iterator_valid": _MAKER,
}
