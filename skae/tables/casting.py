"""From arrays to columns of the data type that they had."""

import narwhals as nw
import numpy as np
from narwhals.typing import TimeUnit


def as_column(raw: np.ndarray, missing: np.ndarray, template: nw.Series) -> nw.Series:
    """Return raw numbers as a column like another, null where cells are missing."""
    column = nw.new_series(template.name, raw, backend=template.implementation)
    dtype = template.dtype
    if isinstance(dtype, nw.Duration):
        column = column.cast(nw.Duration(time_unit(dtype)))
    elif isinstance(dtype, nw.Datetime):
        column = column.cast(nw.Datetime(time_unit(dtype), dtype.time_zone))
    elif dtype == nw.Date:
        column = column.cast(nw.Datetime("ms"))
    if template.implementation.is_pandas_like():
        native = column.to_native().astype(template.to_native().dtype)
        return nw.from_native(native.mask(missing) if missing.any() else native, series_only=True)
    column = column.cast(dtype)
    there = nw.new_series("there", ~missing, backend=template.implementation)
    frame = nw.DataFrame.from_dict({"cell": column, "there": there})
    kept = nw.when(nw.col("there")).then(nw.col("cell"))
    return frame.select(kept.alias("cell"))["cell"].alias(template.name)


def round_to_type(numbers: np.ndarray, dtype: nw.dtypes.DType) -> np.ndarray:
    """Return numbers as a type can hold them: booleans from a half on, integers in range."""
    if dtype == nw.Boolean:
        return numbers >= 0.5
    if not dtype.is_integer():
        return numbers
    info = np.iinfo(str(dtype).lower())
    return np.clip(np.rint(numbers), info.min, np.nextafter(info.max, 0)).astype(info.dtype)


def time_unit(dtype: nw.Datetime | nw.Duration) -> TimeUnit:
    """Return the unit that times of a type are read in."""
    return "ms" if dtype.time_unit == "s" else dtype.time_unit
