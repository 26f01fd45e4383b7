"""Single values in a JSON document: numbers beyond JSON's, times, types."""

import datetime
import decimal
import math
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from skae.saving.errors import FileError

_PLAIN = (bool, int, str, type(None))
_TORCH_TYPES = {
    f"torch.{name}": getattr(torch, name)
    for name in ("float16", "bfloat16", "float32", "float64", "int32", "int64", "bool", "uint8")
}


def write_scalar(value: Any) -> Any:
    """Return what a document has for a value, or NotImplemented if it is no single value."""
    if type(value) in _PLAIN or (type(value) is float and math.isfinite(value)):
        return value
    for kind, (matches, write, _) in _KINDS.items():
        if matches(value):
            return {kind: write(value)}
    return NotImplemented


def is_scalar_kind(kind: str) -> bool:
    """Tell whether a key of a document stands for a single value."""
    return kind in _KINDS


def read_scalar(kind: str, text: Any) -> Any:
    """Return the value that a document has as a key and a text.

    Raises
    ------
    FileError
        If the text is none of that kind.
    """
    try:
        return _KINDS[kind][2](text)
    except (TypeError, ValueError, OverflowError, KeyError, AttributeError) as error:
        raise FileError(f"{kind} {str(text)[:80]!r} is none: {error}") from None
    except decimal.InvalidOperation:
        raise FileError(f"{kind} {str(text)[:80]!r} is none.") from None


def _is(*types: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in types


def _number(text: Any) -> float:
    if text not in ("nan", "inf", "-inf"):
        raise ValueError("it must be nan, inf or -inf")
    return float(text)


def _numpy_scalar(pair: Any) -> np.generic:
    dtype, number = pair
    return _number_type(dtype).type(float(number) if isinstance(number, str) else number)


def _number_type(text: Any) -> np.dtype:
    dtype = np.dtype(str(text))
    if dtype.kind not in "biufmM":
        raise ValueError("it must be a type of numbers or times")
    return dtype


def _write_numpy_scalar(value: np.generic) -> list:
    number = value.item()
    is_plain = not isinstance(number, float) or math.isfinite(number)
    return [value.dtype.name, number if is_plain else repr(number)]


def _timestamp(parts: Any) -> pd.Timestamp:
    number, unit, zone = parts
    made = pd.Timestamp(int(number), unit=unit, tz="UTC" if zone else None).as_unit(unit)
    return made.tz_convert(zone) if zone else made


def _write_timestamp(value: pd.Timestamp) -> list:
    return [value._value, value.unit, None if value.tz is None else str(value.tz)]


def _has_name(zone: Any) -> bool:
    return zone is None or zone is datetime.UTC or isinstance(zone, zoneinfo.ZoneInfo)


def _zone_of(value: datetime.datetime) -> str | None:
    return None if value.tzinfo is None else str(value.tzinfo)


def _no_text(value: Any) -> str:
    return ""


# By kind: how it is told, written and read.
_KINDS: dict[str, tuple[Callable, Callable, Callable]] = {
    "float": (_is(float), repr, _number),
    "NA": (lambda value: value is pd.NA, _no_text, lambda text: pd.NA),
    "NaT": (lambda value: value is pd.NaT, _no_text, lambda text: pd.NaT),
    "bool_": (_is(np.bool_), bool, lambda value: np.bool_(value is True)),
    "numpy": (
        lambda value: isinstance(value, np.number) and value.dtype.kind in "iuf",
        _write_numpy_scalar,
        _numpy_scalar,
    ),
    "dtype": (
        lambda value: isinstance(value, np.dtype) and value.kind in "biufmM",
        str,
        _number_type,
    ),
    "torch_dtype": (
        lambda value: isinstance(value, torch.dtype) and str(value) in _TORCH_TYPES,
        str,
        lambda text: _TORCH_TYPES[text],
    ),
    "device": (_is(torch.device), str, torch.device),
    "size": (_is(torch.Size), list, lambda sizes: torch.Size(sizes)),
    "timestamp": (_is(pd.Timestamp), _write_timestamp, _timestamp),
    "timedelta": (
        _is(pd.Timedelta),
        lambda value: [value._value, value.unit],
        lambda pair: pd.Timedelta(np.timedelta64(int(pair[0]), pair[1])),
    ),
    "period": (
        _is(pd.Period),
        lambda value: [value.ordinal, value.freqstr],
        lambda pair: pd.Period(ordinal=int(pair[0]), freq=pair[1]),
    ),
    "datetime": (
        lambda value: type(value) is datetime.datetime and _has_name(value.tzinfo),
        lambda value: [value.replace(tzinfo=None).isoformat(), value.fold, _zone_of(value)],
        lambda parts: datetime.datetime.fromisoformat(parts[0]).replace(
            tzinfo=None if parts[2] is None else zoneinfo.ZoneInfo(parts[2]), fold=int(parts[1])
        ),
    ),
    "date": (_is(datetime.date), lambda value: value.isoformat(), datetime.date.fromisoformat),
    "time": (_is(datetime.time), lambda value: value.isoformat(), datetime.time.fromisoformat),
    "duration": (
        _is(datetime.timedelta),
        lambda value: [value.days, value.seconds, value.microseconds],
        lambda parts: datetime.timedelta(*map(int, parts)),
    ),
    "datetime64": (
        _is(np.datetime64),
        lambda value: [np.datetime_data(value.dtype)[0], int(value.astype(np.int64))],
        lambda pair: np.datetime64(int(pair[1]), pair[0]),
    ),
    "timedelta64": (
        _is(np.timedelta64),
        lambda value: [np.datetime_data(value.dtype)[0], int(value.astype(np.int64))],
        lambda pair: np.timedelta64(int(pair[1]), pair[0]),
    ),
    "decimal": (_is(decimal.Decimal), str, lambda text: decimal.Decimal(str(text))),
    "path": (lambda value: isinstance(value, Path), str, lambda text: Path(str(text))),
    "bytes": (_is(bytes), bytes.hex, bytes.fromhex),
    "range": (
        _is(range),
        lambda value: [value.start, value.stop, value.step],
        lambda parts: range(*map(int, parts)),
    ),
}
