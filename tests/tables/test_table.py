"""Tables: whatever the type of a column, its cells come back as they were."""

import datetime as dt
from decimal import Decimal

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest

from skae.tables.cells import MISSING, OTHER, VALUE
from skae.tables.field import EXPECTED
from skae.tables.kinds import TableOptions
from skae.tables.table import Table

N_ROWS = 60
DAY = dt.datetime(2024, 2, 27, 23, 30)
RNG = np.random.default_rng(0)
WHOLE = RNG.integers(-5, 40, N_ROWS).tolist()
REAL = RNG.normal(3, 2, N_ROWS).tolist()
SMALL = RNG.integers(0, 100, N_ROWS).tolist()
TIMES = [DAY + dt.timedelta(hours=6 * i) for i in WHOLE]
DATES = [time.date() for time in TIMES]
DURATIONS = [dt.timedelta(minutes=15 * i) for i in WHOLE]
CLOCK = [dt.time(i % 24, 30) for i in WHOLE]
LABELS = RNG.choice(["a", "b b", "", "ü"], N_ROWS).tolist()
FLAGS = RNG.choice([True, False], N_ROWS).tolist()
MIXED = RNG.choice(np.array(["a", 1, 2.5, ("x", 1)], dtype=object), N_ROWS).tolist()

PANDAS = {
    "float64": pd.Series(REAL),
    "float32": pd.Series(REAL, dtype="float32"),
    "cents": pd.Series(REAL).round(2),
    "int64": pd.Series(WHOLE),
    "int8": pd.Series(SMALL, dtype="int8"),
    "uint8": pd.Series(SMALL, dtype="uint8"),
    "large ids": pd.Series(WHOLE) + 2**60,
    "smallest of all": pd.Series([*WHOLE[1:], -(2**63)]),
    "largest of all": pd.Series([*WHOLE[1:], 2**63 - 1024]),
    "uint64": pd.Series(SMALL, dtype="uint64"),
    "large uint64": pd.Series([*SMALL[1:], 2**64 - 2048], dtype="uint64"),
    "bool": pd.Series(FLAGS),
    "str": pd.Series(LABELS),
    "object": pd.Series(MIXED, dtype=object),
    "category": pd.Series(LABELS, dtype="category"),
    "category of integers": pd.Series(np.array(SMALL) // 20, dtype="category"),
    "unused and ordered": pd.Series(
        pd.Categorical(LABELS, ["z", "ü", "b b", "a", ""], ordered=True)
    ),
    "datetime64": pd.Series(TIMES),
    "datetime64[s]": pd.Series(TIMES).astype("datetime64[s]"),
    "datetime64[ns]": pd.Series(TIMES).astype("datetime64[ns]") + pd.Timedelta(1, "ns"),
    "time zone": pd.Series(TIMES).dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"),
    "timedelta": pd.Series(DURATIONS),
    "timedelta64[s]": pd.Series([*DURATIONS[1:], dt.timedelta(365 * 400)]).astype("timedelta64[s]"),
    "constant": pd.Series(["one"] * N_ROWS),
    "constant number": pd.Series([7] * N_ROWS, dtype="int16"),
    "all missing": pd.Series([np.nan] * N_ROWS),
    "all missing objects": pd.Series([None] * N_ROWS, dtype=object),
}
PANDAS_WITH_HOLES = {
    **{
        name: column
        for name, column in PANDAS.items()
        if column.dtype.kind in "fOMm" and "all" not in name
    },
    "integer turned float": pd.Series(WHOLE, dtype=float),
    "Int64": pd.Series(WHOLE, dtype="Int64"),
    "Float64": pd.Series(REAL, dtype="Float64"),
    "boolean": pd.Series(FLAGS, dtype="boolean"),
    "string": pd.Series(LABELS, dtype="string"),
    "str": PANDAS["str"],
    "category": PANDAS["category"],
    "unused and ordered": PANDAS["unused and ordered"],
    "time zone": PANDAS["time zone"],
    "int64[pyarrow]": pd.Series(WHOLE, dtype="int64[pyarrow]"),
    "string[pyarrow]": pd.Series(LABELS, dtype="string[pyarrow]"),
    "timestamp[pyarrow]": pd.Series(TIMES, dtype="timestamp[us][pyarrow]"),
    "date32[pyarrow]": pd.Series(DATES, dtype="date32[pyarrow]"),
}
POLARS = {
    "Float64": pl.Series(REAL),
    "Float32": pl.Series(REAL, dtype=pl.Float32),
    "Int64": pl.Series(WHOLE),
    "UInt8": pl.Series(SMALL, dtype=pl.UInt8),
    "Boolean": pl.Series(FLAGS),
    "String": pl.Series(LABELS),
    "Categorical": pl.Series(LABELS, dtype=pl.Categorical),
    "Enum": pl.Series(LABELS, dtype=pl.Enum(["z", "ü", "b b", "a", ""])),
    "Decimal": pl.Series([Decimal(i) / 4 for i in SMALL], dtype=pl.Decimal(10, 2)),
    "Datetime": pl.Series(TIMES),
    "Datetime[ms]": pl.Series(TIMES, dtype=pl.Datetime("ms")),
    "time zone": pl.Series(TIMES).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"),
    "Date": pl.Series(DATES),
    "Duration": pl.Series([*DURATIONS[1:], dt.timedelta(microseconds=123)]),
    "Duration[ms]": pl.Series([*DURATIONS[1:], dt.timedelta(365 * 400)], dtype=pl.Duration("ms")),
    "Time": pl.Series(CLOCK),
    "Null": pl.Series([None] * N_ROWS),
}


def with_holes(column):
    holes = np.arange(N_ROWS) % 7 == 3
    if isinstance(column, pd.Series):
        return column.mask(holes)
    return pl.select(pl.when(pl.Series(~holes)).then(column)).to_series()


def frame_of(column):
    make = pd.DataFrame if isinstance(column, pd.Series) else pl.DataFrame
    return make({"x": column, "y": column})


def round_trip(frame):
    frame = nw.from_native(frame)
    table = Table.learn(frame)
    return table.decode(*table.encode(frame)).to_native()


CASES = {
    **{f"pandas {name}": column for name, column in PANDAS.items()},
    **{f"pandas {name} with holes": with_holes(c) for name, c in PANDAS_WITH_HOLES.items()},
    **{f"polars {name}": column for name, column in POLARS.items()},
    **{f"polars {name} with holes": with_holes(column) for name, column in POLARS.items()},
}


@pytest.mark.parametrize("column", CASES.values(), ids=CASES)
def test_cells_come_back(column):
    frame = frame_of(column)
    back = round_trip(frame)
    if isinstance(column, pd.Series):
        pd.testing.assert_frame_equal(back, frame)
    else:
        assert back.schema == frame.schema
        assert back.equals(frame)


def learn(column, **options):
    frame = nw.from_native(frame_of(column)[["x"]])
    return Table.learn(frame, TableOptions(**options)).fields[0]


def encode(field, column):
    return field.encode(nw.from_native(column, series_only=True).alias("x"))


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pd.Series(REAL), "number"),
        (pd.Series(WHOLE), "integer"),
        (pd.Series(WHOLE, dtype=float), "integer"),
        (pd.Series(FLAGS), "boolean"),
        (pd.Series(FLAGS).astype(int), "binary"),
        (pd.Series(LABELS), "text"),
        (pd.Series(LABELS, dtype="category"), "category"),
        (PANDAS["unused and ordered"], "ordered"),
        (pl.Series(TIMES), "datetime"),
        (pl.Series(DATES), "date"),
        (pl.Series(CLOCK), "time"),
        (pl.Series(DURATIONS), "duration"),
        (pl.Series([5] * N_ROWS), "constant"),
        (pl.Series([None] * N_ROWS), "missing"),
    ],
)
def test_kinds(column, kind):
    assert learn(column).kind == kind


@pytest.mark.parametrize(("value", "expected"), [(-3.0, 0), (3.7, 4), (12.2, 12), (99.0, 20)])
def test_integers_come_back_whole_and_in_range(value, expected):
    field = learn(pd.Series(range(21)))
    assert field.decode(np.array([value]), np.array([VALUE])).to_list() == [expected]


def test_steps_and_decimals_are_kept():
    price = learn(pd.Series([1.25, 3.5, 9.99] * 3))
    assert price.decode(np.array([2.34567]), np.array([VALUE])).to_list() == [2.35]
    days = learn(pl.Series(DATES).cast(pl.Datetime("us")))
    noon = np.array([(days.low + days.high) / 2 + 0.3])
    assert days.decode(noon, np.array([VALUE])).to_list()[0].time() == dt.time(0)


@pytest.mark.parametrize("far", [-(2**63), -(2**62), -(2**61), 2**62, 2**63 - 1])
def test_integers_are_told_apart_beside_one_that_is_far(far):
    column = pd.Series([*WHOLE[1:], far])
    field = learn(column)
    numbers, _ = encode(field, column)
    near = np.array(WHOLE[1:])
    np.testing.assert_array_equal(np.diff(numbers[:-1]), np.diff(near))
    assert numbers[-1] - numbers[0] == pytest.approx(float(far))
    later, _ = encode(field, pd.Series([near[0] + 1, far // 2]))
    assert later[0] - numbers[0] == 1
    assert later[1] - numbers[0] == pytest.approx(float(far) / 2)
    assert field.low == min(numbers)
    assert field.high == max(numbers)


def test_integers_may_be_all_over_the_range():
    ids = pd.Series(np.random.default_rng(0).integers(-(2**63), 2**63 - 1, 200))
    field = learn(ids)
    numbers, states = encode(field, ids)
    np.testing.assert_allclose(numbers * field.scale.step, ids.astype(float) - field.scale.origin)
    back = np.array(field.decode(numbers, states).to_list(), dtype=float)
    np.testing.assert_allclose(back, ids, rtol=1e-12, atol=1e4)


def test_days_stay_days_beside_one_that_is_far():
    days = pd.Series(pd.date_range("2024-01-01", periods=90)).astype("datetime64[ns]")
    days[5] = pd.Timestamp("1677-09-22")
    field = learn(days)
    numbers, states = encode(field, days)
    assert field.scale.step == 86_400 * 10**9
    assert (field.decode(numbers, states).to_native() == days).all()


def test_durations_are_read_in_the_unit_that_they_had():
    field = learn(PANDAS["timedelta"].astype("timedelta64[ms]"))
    again, _ = encode(field, PANDAS["timedelta"].astype("timedelta64[us]"))
    np.testing.assert_array_equal(again, encode(field, PANDAS["timedelta"])[0])


def test_numbers_extrapolate_on_their_side_of_zero_if_asked():
    states, far = np.array([VALUE, VALUE]), np.array([-50.0, 50.0])
    price = learn(pd.Series([1.25, 3.5, 9.99] * 3))
    assert price.decode(far, states).to_list() == [1.25, 9.99]
    assert price.decode(far, states, EXPECTED).to_list() == [0, 50]
    change = learn(pd.Series([-1.25, 3.5, 9.99] * 3))
    assert change.decode(far, states, EXPECTED).to_list() == [-50, 50]
    count = learn(pd.Series(WHOLE))
    assert count.decode(far, states, EXPECTED).to_list() == [min(WHOLE), max(WHOLE)]


def test_frequent_values_have_codes_of_their_own():
    gain = pd.Series([0.0] * 900 + RNG.lognormal(5, 1, 100).tolist())
    field = learn(gain)
    numbers, states = encode(field, gain)
    np.testing.assert_array_equal(states == 2, gain == 0)
    np.testing.assert_array_equal(numbers, gain)
    np.testing.assert_allclose(field.shares, [0.1, 0, 0.9])


def test_no_missing_cell_comes_back_where_there_was_none():
    field = learn(pd.Series(WHOLE))
    assert field.decode(np.array([3.0]), np.array([MISSING])).to_list() == [field.scale.origin + 3]


def test_holes_at_transform_are_missing_whatever_their_type():
    for column in (pd.Series(WHOLE), pd.Series(LABELS), pd.Series(TIMES)):
        field = learn(column)
        for holes in (pd.Series([None, None]), pd.Series([np.nan, np.nan])):
            assert (encode(field, holes)[1] == MISSING).all()


def test_unseen_and_rare_labels_are_other():
    labels = pd.Series(["a"] * 500 + ["b"] * 300 + [f"rare {i % 7}" for i in range(200)])
    field = learn(labels, max_categories=2)
    assert encode(field, pd.Series(["a", "rare 3", "new"]))[1].tolist() == [2, OTHER, OTHER]
    assert field.decode(None, np.array([OTHER])).to_list()[0].startswith("rare")
    np.testing.assert_allclose(field.shares, [0.2, 0, 0.5, 0.3])
    assert learn(labels, min_frequency=0.1).n_states == 4
    assert learn(labels, min_frequency=400).n_states == 3


def test_a_constant_column_that_changes_is_other():
    states = encode(learn(pd.Series([3] * 9)), pd.Series([3, 4, None]))[1]
    assert states.tolist() == [2, OTHER, MISSING]


@pytest.mark.parametrize("features", [["x"], [0], [True, False]])
def test_marked_numbers_are_labels(features):
    frame = nw.from_native(pd.DataFrame({"x": WHOLE, "y": WHOLE}))
    kinds = [field.kind for field in Table.learn(frame, TableOptions(features)).fields]
    assert kinds == ["category", "integer"]


@pytest.mark.parametrize("features", [["z"], [2], [True], "x", 0, [0.5]])
def test_wrong_marks_are_refused(features):
    frame = nw.from_native(pd.DataFrame({"x": WHOLE, "y": WHOLE}))
    with pytest.raises(ValueError, match="'categorical_features' parameter must be"):
        Table.learn(frame, TableOptions(features))


@pytest.mark.parametrize(
    ("column", "later", "message"),
    [
        (pd.Series(WHOLE), pd.Series(["a"]), "held integer values of type Int64 in fit"),
        (pd.Series(TIMES), pd.Series([1]), "held datetime values"),
        (pd.Series(TIMES), pd.Series(TIMES).dt.tz_localize("UTC"), "held datetime values"),
        (pd.Series(REAL), pd.Series([1.0, np.inf]), "contains infinity"),
    ],
)
def test_other_types_later_are_refused_by_name(column, later, message):
    with pytest.raises(ValueError, match=f"Column 'x' of X {message}"):
        encode(learn(column), later)


@pytest.mark.parametrize(
    ("column", "error", "message"),
    [
        (pd.Series([1.0, 2.0, -np.inf]), ValueError, "Column 'x' of X contains infinity"),
        (pl.Series([[1], [2]]), TypeError, "Column 'x' of X is of type List"),
        (pd.Series([["a"], ["b"]]), ValueError, "Column 'x' of X holds values that are no labels"),
    ],
)
def test_columns_that_are_no_data_are_refused_by_name(column, error, message):
    with pytest.raises(error, match=message):
        learn(column)


def test_rows_and_columns_keep_their_places():
    frame = nw.from_native(pd.DataFrame({"a": LABELS, "b": REAL, "c": FLAGS, "d": WHOLE}))
    table = Table.learn(frame)
    numbers, states = table.encode(frame)
    np.testing.assert_array_equal(numbers[:, 0], REAL)
    assert states.shape == (N_ROWS, 4)
    assert states.dtype == np.int32
    part = table.encode(frame[[5, 3]])
    np.testing.assert_array_equal(part[0], numbers[[5, 3]])
    np.testing.assert_array_equal(part[1], states[[5, 3]])
    assert [array.shape for array in table.encode(frame[:0])] == [(0, 2), (0, 4)]
    assert len(table.decode(numbers[:0], states[:0])) == 0


def test_prints_as_a_table():
    frame = pd.DataFrame(
        {"job": ["cook", "clerk", None, "cook"], "age": [20, 41, 33, 58], "id": [4, 2, 7, 9]}
    )
    table = Table.learn(nw.from_native(frame), TableOptions(column_kinds={"id": "identifier"}))
    assert str(table).splitlines() == [
        "column  kind        distinct  rare   missing  format  values            reason",
        "job     text        2         25.0%  25.0%            cook and 1 other",
        "age     integer     4                                 20 to 58",
        "id      identifier  4                                 not modelled      as asked for",
    ]


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_times_mean_the_same_in_any_unit(unit, zone):
    times = (
        pd.Series(TIMES)
        .dt.tz_localize(zone)
        .astype("datetime64[ns]" if zone is None else f"datetime64[ns, {zone}]")
    )
    table = Table.learn(nw.from_native(times.to_frame("t")))
    numbers, _ = table.encode(nw.from_native(times.to_frame("t")))
    others, _ = table.encode(nw.from_native(times.dt.as_unit(unit).to_frame("t")))
    np.testing.assert_array_equal(others, numbers)
