"""Columns and frames without rows, of pandas, polars and pyarrow, as types and cells.

A file holds the name of the type and the cells one by one, so that it needs no package that the
reader does not have, and no state of pandas that changes with its version.
"""

import re
from typing import Any

import narwhals as nw
import pandas as pd

from skae.saving.errors import CannotSaveError, FileError


def parts_of_series(series: nw.Series) -> dict[str, Any]:
    """Return what a file holds of a column.

    Raises
    ------
    CannotSaveError
        If its type has no name from which it could be made again.
    """
    native = series.to_native()
    parts: dict[str, Any] = {"backend": _backend_of(series), "name": series.name}
    if parts["backend"] == "pandas":
        parts["name"] = native.name
        return {**parts, **_pandas_parts(native)}
    if parts["backend"] == "polars":
        parts |= _polars_type(native.dtype, series.name)
    else:
        parts |= {"type": _arrow_type(native.type, series.name)}
    return {**parts, "cells": list(series.to_list())}


def series_of_parts(parts: dict[str, Any]) -> nw.Series:
    """Return a column again.

    Raises
    ------
    FileError
        If the parts are not those of a column.
    """
    try:
        return nw.from_native(_MAKERS[parts["backend"]](parts), series_only=True)
    except ImportError as error:
        raise ImportError(f"The file holds columns of {parts['backend']}. {error}") from error
    except Exception as error:
        raise FileError(f"column {str(parts.get('name'))[:80]!r} cannot be made: {error}") from None


def parts_of_frame(frame: nw.DataFrame) -> dict[str, Any]:
    """Return what a file holds of a frame without rows."""
    columns = [parts_of_series(column) for column in frame.iter_columns()]
    parts: dict[str, Any] = {"backend": _backend_of(frame), "columns": columns}
    if parts["backend"] == "pandas":
        labels = frame.to_native().columns
        parts |= {"labels": list(labels), "labels_type": str(labels.dtype)}
    return parts


def frame_of_parts(parts: dict[str, Any]) -> nw.DataFrame:
    """Return a frame again.

    Raises
    ------
    FileError
        If the parts are not those of a frame.
    """
    columns = [series_of_parts(column) for column in parts.get("columns") or []]
    try:
        if parts["backend"] == "pandas":
            frame = pd.DataFrame({i: each.to_native() for i, each in enumerate(columns)})
            frame.columns = pd.Index(parts["labels"], dtype=_pandas_type(parts["labels_type"]))
            return nw.from_native(frame, eager_only=True)
        named = {column.name: column for column in columns}
        return nw.from_dict(named, backend=parts["backend"])
    except Exception as error:
        raise FileError(f"the frame cannot be made: {error}") from None


def _backend_of(data: nw.Series | nw.DataFrame) -> str:
    implementation = data.implementation
    if implementation.is_pandas():
        return "pandas"
    if implementation.is_polars():
        return "polars"
    if implementation.is_pyarrow():
        return "pyarrow"
    raise CannotSaveError(
        f"frames of {implementation.name.lower()} cannot be saved; fit with one of pandas, polars "
        f"or pyarrow"
    )


def _pandas_parts(native: pd.Series) -> dict[str, Any]:
    dtype = native.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories = nw.from_native(pd.Series(dtype.categories), series_only=True)
        return {
            "type": "category",
            "categories": parts_of_series(categories),
            "ordered": bool(dtype.ordered),
            "cells": native.cat.codes.tolist(),
        }
    name = str(dtype)
    if isinstance(dtype, pd.StringDtype) and name == "string":
        name = f"string[{dtype.storage}]"
    if _pandas_type_or_none(name) != dtype:
        raise CannotSaveError(f"column {native.name!r} of the type {name} cannot be saved")
    return {"type": name, "cells": native.astype(object).tolist()}


def _pandas_type(name: Any) -> Any:
    return pd.api.types.pandas_dtype(str(name))


def _pandas_type_or_none(name: str) -> Any:
    try:
        return _pandas_type(name)
    except (TypeError, ValueError):
        return None


def _pandas_series(parts: dict[str, Any]) -> pd.Series:
    if parts["type"] == "category":
        categories = series_of_parts(parts["categories"]).to_native()
        dtype = pd.CategoricalDtype(pd.Index(categories), ordered=parts["ordered"] is True)
        cells = pd.Categorical.from_codes(parts["cells"], dtype=dtype)
        return pd.Series(cells, name=parts["name"])
    dtype = _pandas_type(parts["type"])
    return pd.Series(parts["cells"], name=parts["name"], dtype=object).astype(dtype)


_PLAIN_POLARS = (
    "Binary",
    "Boolean",
    "Categorical",
    "Date",
    "Float32",
    "Float64",
    "Int128",
    "Int16",
    "Int32",
    "Int64",
    "Int8",
    "Null",
    "String",
    "Time",
    "UInt16",
    "UInt32",
    "UInt64",
    "UInt8",
)


def _polars_type(dtype: Any, column: str) -> dict[str, Any]:
    name = type(dtype).__name__ if not isinstance(dtype, type) else dtype.__name__
    if name in _PLAIN_POLARS:
        return {"type": name}
    if name == "Datetime":
        return {"type": name, "arguments": [dtype.time_unit, dtype.time_zone]}
    if name == "Duration":
        return {"type": name, "arguments": [dtype.time_unit]}
    if name == "Decimal":
        return {"type": name, "arguments": [dtype.precision, dtype.scale]}
    if name == "Enum":
        return {"type": name, "arguments": [dtype.categories.to_list()]}
    raise CannotSaveError(f"column {column!r} of the type {dtype} cannot be saved")


def _polars_series(parts: dict[str, Any]) -> Any:
    import polars as pl

    if parts["type"] not in (*_PLAIN_POLARS, "Datetime", "Duration", "Decimal", "Enum"):
        raise ValueError(f"type {parts['type']!r} is not known")
    dtype = getattr(pl, parts["type"])
    if "arguments" in parts:
        dtype = dtype(*parts["arguments"])
    return pl.Series(parts["name"], parts["cells"], dtype=dtype)


_ARROW_TIME = re.compile(r"timestamp\[(s|ms|us|ns)(?:, tz=([\w/+:\-]+))?\]")
_ARROW_LABELS = re.compile(r"dictionary<values=(\w+), indices=(\w+), ordered=([01])>")


def _arrow_type(dtype: Any, column: str) -> str:
    try:
        if _made_arrow_type(str(dtype)) == dtype:
            return str(dtype)
    except ValueError:
        pass
    raise CannotSaveError(f"column {column!r} of the type {dtype} cannot be saved")


def _made_arrow_type(name: str) -> Any:
    import pyarrow as pa

    if match := _ARROW_TIME.fullmatch(name):
        return pa.timestamp(match[1], tz=match[2])
    if match := _ARROW_LABELS.fullmatch(name):
        index, value = pa.type_for_alias(match[2]), pa.type_for_alias(match[1])
        return pa.dictionary(index, value, ordered=match[3] == "1")
    return pa.type_for_alias(name)


def _arrow_series(parts: dict[str, Any]) -> Any:
    import pyarrow as pa

    dtype = _made_arrow_type(str(parts["type"]))
    if pa.types.is_dictionary(dtype):
        array = pa.array(parts["cells"], dtype.value_type).dictionary_encode().cast(dtype)
    else:
        array = pa.array(parts["cells"], dtype)
    made = nw.from_native(pa.table({parts["name"]: array}), eager_only=True)
    return made[parts["name"]].to_native()


_MAKERS = {"pandas": _pandas_series, "polars": _polars_series, "pyarrow": _arrow_series}
