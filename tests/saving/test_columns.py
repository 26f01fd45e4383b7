"""Columns of every type come back as they were."""

import datetime
import decimal

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skae.dependencies.fixes import Fixes
from skae.saving.columns import frame_of_parts, parts_of_frame, parts_of_series, series_of_parts
from skae.saving.errors import CannotSaveError
from skae.saving.reading import Rebuilder
from skae.saving.writing import Writer

TIMES = pd.to_datetime(["2024-05-01 10:00", None, "2025-01-31 00:00"])
PANDAS = [
    pd.Series([1.5, np.nan, -0.0], name="x"),
    pd.Series([1, 2, 3], dtype="int16", name=3),
    pd.Series([1, None, 3], dtype="Int64"),
    pd.Series([True, None, False], dtype="boolean"),
    pd.Series(["a", None, "ä\ud800"], dtype=object),
    pd.Series(["a", None, "b"], dtype="string[python]"),
    pd.Series(["a", None, "b"], dtype="str"),
    pd.Series(["a", None, "b"], dtype="category"),
    pd.Series(pd.Categorical([3, 1, None], categories=[3, 2, 1], ordered=True)),
    pd.Series(pd.Categorical(TIMES)),
    pd.Series(TIMES),
    pd.Series(TIMES.tz_localize("Europe/Rome")),
    pd.Series(TIMES.as_unit("s")),
    pd.Series(TIMES - TIMES[0]),
    pd.Series(TIMES.to_period("M")).astype("period[M]"),
    pd.Series([datetime.date(2024, 5, 1), None, decimal.Decimal("1.10")], dtype=object),
    pd.Series([pd.Timestamp("2024-05-01", tz="UTC"), b"\x00", 10**30, 1.5, True], dtype=object),
    pd.Series([1, None], dtype="int64[pyarrow]"),
    pd.Series(["a", None], dtype="string[pyarrow]"),
    pd.Series([], dtype="float32"),
]
ROME = datetime.datetime(2024, 5, 1)
POLARS = [
    pl.Series("x", [1.5, None, float("nan")]),
    pl.Series("x", [1, None], dtype=pl.UInt8),
    pl.Series("x", ["a", None, "ä"]),
    pl.Series("x", [True, None]),
    pl.Series("x", ["a", None, "b"], dtype=pl.Categorical),
    pl.Series("x", ["a", None, "b"], dtype=pl.Enum(["b", "a"])),
    pl.Series("x", [datetime.date(2024, 5, 1), None]),
    pl.Series("x", [ROME, None]),
    pl.Series("x", [ROME, None], dtype=pl.Datetime("ms")),
    pl.Series("x", [ROME, None]).dt.replace_time_zone("Europe/Rome"),
    pl.Series("x", [datetime.timedelta(1), None]),
    pl.Series("x", [datetime.time(1, 2), None]),
    pl.Series("x", [decimal.Decimal("1.10"), None]),
    pl.Series("x", [None, None]),
]
ARROW = [
    pa.chunked_array([[1, None]]),
    pa.chunked_array([["a", None]]),
    pa.chunked_array([[1.5, None]]),
    pa.chunked_array([[True, None]]),
    pa.chunked_array([[ROME, None]], pa.timestamp("us", tz="Europe/Rome")),
    pa.chunked_array([[ROME, None]], pa.timestamp("ms")),
    pa.chunked_array([pa.array(["b", "a", "b"]).dictionary_encode()]),
]


def through_a_document(value):
    writer = Writer()
    node = writer.write(value, "column")
    rebuilder = Rebuilder(writer.objects, writer.arrays, "cpu")
    return rebuilder.read(node, "column")


@pytest.mark.parametrize("series", PANDAS, ids=lambda each: str(each.dtype))
def test_pandas(series):
    found = through_a_document(nw.from_native(series, series_only=True)).to_native()
    pd.testing.assert_series_equal(found, series)
    assert [type(cell) for cell in found] == [type(cell) for cell in series]
    assert found.dtype == series.dtype


@pytest.mark.parametrize("series", POLARS, ids=lambda each: str(each.dtype))
def test_polars(series):
    found = through_a_document(nw.from_native(series, series_only=True)).to_native()
    assert found.equals(series, check_dtypes=True, check_names=True)


@pytest.mark.parametrize("array", ARROW, ids=lambda each: str(each.type))
def test_pyarrow(array):
    frame = nw.from_native(pa.table({"x": array}))
    found = through_a_document(frame["x"])
    assert found.to_native().type == array.type
    assert found.to_list() == frame["x"].to_list()


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [1], "b": ["x"]})[:0],
        pd.DataFrame({1: [1], 2: [1.5]})[:0],
        pd.DataFrame(np.ones((1, 3)))[:0],
        pl.DataFrame({"a": [1], "b": ["x"]})[:0],
    ],
    ids=["pandas", "numbered", "range", "polars"],
)
def test_frames(frame):
    found = through_a_document(nw.from_native(frame, eager_only=True)).to_native()
    assert type(found) is type(frame)
    assert found.shape == frame.shape
    assert list(found.columns) == list(frame.columns)
    assert list(found.dtypes) == list(frame.dtypes)


def test_a_type_without_a_name_is_refused():
    lists = nw.from_native(pl.Series("tags", [["a"], ["b"]]), series_only=True)
    with pytest.raises(CannotSaveError, match=r"column 'tags' of the type List\(String\)"):
        parts_of_series(lists)


@pytest.mark.parametrize(
    "parts",
    [
        {"backend": "pandas", "name": "x", "type": "os.system", "cells": []},
        {"backend": "pandas", "name": "x", "type": "int8", "cells": ["a"]},
        {"backend": "polars", "name": "x", "type": "read_csv", "cells": []},
        {"backend": "cudf", "name": "x", "type": "int8", "cells": []},
        {"name": "x"},
    ],
)
def test_parts_that_are_no_column(parts):
    with pytest.raises(ValueError, match=r"column 'x' cannot be made"):
        series_of_parts(parts)


def test_parts_that_are_no_frame():
    with pytest.raises(ValueError, match="the frame cannot be made"):
        frame_of_parts({"backend": "pandas", "columns": []})
    assert parts_of_frame(nw.from_native(pd.DataFrame()))["columns"] == []


ARRAYS = [
    np.arange(6.0).reshape(2, 3),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(12.0)[::2],
    np.float32(np.arange(3)),
    np.array(3.5),
    np.zeros((0, 4), dtype=np.int8),
    np.array([True, False]),
    np.array([1, 2], dtype=">i4"),
    np.array(["2024-05-01", "NaT"], dtype="datetime64[s]"),
    np.array(["a", "longer", "ä"]),
    np.array([["a", None], [1, 2.5]], dtype=object),
    np.array([2**64 - 1], dtype=np.uint64),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda each: f"{each.dtype}{each.shape}")
def test_arrays(array):
    found = through_a_document(array)
    assert found.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")
    assert found.shape == array.shape
    assert np.array_equal(found, array, equal_nan=array.dtype.kind in "fmM")
    if array.ndim == 2 and array.size:
        # Products with transposed arrays differ in the last digits.
        assert found.flags.f_contiguous == array.flags.f_contiguous


def test_shared_values_stay_shared():
    array = np.arange(3.0)
    first, second = through_a_document([array, array])
    assert first is second


def test_a_value_that_holds_itself_is_refused():
    writer = Writer()
    relation = Fixes.__new__(Fixes)
    relation.__dict__["own"] = relation
    with pytest.raises(CannotSaveError, match="refers to what holds it"):
        writer.write(relation, "relation")
