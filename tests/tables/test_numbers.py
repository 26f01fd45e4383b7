"""Columns of numbers and times: levels, grids, ranges and signs, and exact round trips."""

import datetime as dt
from decimal import Decimal

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from column_helpers import LIBRARIES, encoded, one_column, read, there_and_back

from skae.tables.cells import MISSING, N_RESERVED, VALUE
from skae.tables.field import DRAWN, EXPECTED
from skae.tables.kinds import TableOptions
from skae.tables.raw_numbers import Grid, find_grid
from skae.tables.table import Table

N_ROWS = 200
RNG = np.random.default_rng(0)
SEEDS = range(25)


def decoded(field, numbers, decoding=DRAWN):
    numbers = np.asarray(numbers, dtype=float)
    return field.decode(numbers, np.full(len(numbers), VALUE), decoding).to_list()


INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_integers_of_any_type_and_range_come_back(seed, library):
    rng = np.random.default_rng(seed)
    dtype = np.dtype(INTEGERS[seed % len(INTEGERS)])
    info = np.iinfo(dtype)
    start = int(rng.integers(info.min, info.max, dtype=dtype))
    reach = min(2 ** int(rng.integers(2, 52)), info.max - start)
    step = int(rng.integers(1, 9))
    offsets = rng.integers(0, reach // step + 1, N_ROWS)
    cells = (offsets.astype(object) * step + start).astype(dtype)
    column = pd.Series(cells) if library == "pandas" else pl.Series(cells)
    back = there_and_back(column, library, column_kinds={"x": "number"})
    assert back == cells.tolist()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_floats_of_any_scale_come_back(seed, library):
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.integers(-12, 13)
    cells = rng.normal(rng.normal(), 1, N_ROWS) * scale
    if seed % 2:
        cells = np.round(cells / scale, int(rng.integers(0, 5)))
    cells = cells.astype(["float64", "float32"][seed % 3 == 0]).tolist()
    holes = rng.random(N_ROWS) < 0.2
    cells = [None if hole else cell for cell, hole in zip(cells, holes, strict=True)]
    assert there_and_back(cells, library) == cells


@pytest.mark.parametrize("seed", SEEDS)
def test_times_of_any_unit_come_back(seed):
    rng = np.random.default_rng(seed)
    unit = ["s", "ms", "us", "ns"][seed % 4]
    reach = {"s": 10**11, "ms": 10**14, "us": 10**17, "ns": 9 * 10**18}[unit] // 10 ** (seed % 6)
    raw = rng.integers(-reach, reach, N_ROWS) // 10**8 * 10**8
    for kind in (f"datetime64[{unit}]", f"timedelta64[{unit}]"):
        column = pd.Series(raw.astype(kind))
        column[::7] = pd.NaT
        frame = one_column(column)
        table = Table.learn(frame)
        back = table.decode(*table.encode(frame)).to_native()["x"]
        assert back.equals(column)
        assert back.dtype == column.dtype


@pytest.mark.parametrize("dtype", ["Int64", "Int8", "UInt16", "int64[pyarrow]"])
def test_integers_with_nulls_stay_integers(dtype):
    column = pd.Series(RNG.integers(0, 100, N_ROWS), dtype=dtype)
    column[::5] = None
    field = read(column)
    assert field.kind == "integer"
    assert field.about.missing == pytest.approx(0.2)
    numbers, states = encoded(field, column)
    np.testing.assert_array_equal(states == MISSING, column.isna())
    np.testing.assert_array_equal(np.isnan(numbers), column.isna())
    pd.testing.assert_series_equal(field.decode(numbers, states).to_native(), column.rename("x"))


@pytest.mark.parametrize("library", LIBRARIES)
def test_integers_beyond_those_with_a_sign_are_exact(library):
    cells = np.uint64(2**63) + RNG.integers(0, 10**9, N_ROWS).astype(np.uint64)
    cells[:3] = [2**63 - 1, 2**63, 2**63 + 1]
    column = pd.Series(cells) if library == "pandas" else pl.Series(cells)
    assert there_and_back(column, library, column_kinds={"x": "number"}) == cells.tolist()
    field = read(column, library)
    assert field.kind == "integer"
    assert decoded(field, [-9, 0, 1e12]) == [2**63 - 1, 2**63 - 1, max(cells.tolist())]


@pytest.mark.parametrize("offset", [2**60, -(2**61), 2**63 - 10_000, -(2**63)])
def test_large_integers_near_one_another_are_exact(offset):
    cells = [offset + int(i) for i in RNG.integers(0, 9000, N_ROWS)]
    assert there_and_back(cells) == cells


@pytest.mark.parametrize(
    "days",
    [
        pd.Series(pd.to_datetime(["1677-09-22", "2262-04-11", "2000-01-01", "1970-01-01"] * 20)),
        pd.Series(np.array(["0001-01-01", "9999-12-31", "2000-02-29"] * 20, "datetime64[us]")),
        pd.Series(np.array(["-5000-01-01", "9999-12-31", "2000-02-29"] * 20, "datetime64[s]")),
        pl.Series([dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(2000, 2, 29)] * 20),
        pl.Series(
            [dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23), dt.datetime(2000, 2, 29)] * 20
        ),
    ],
    ids=["nanoseconds", "microseconds", "seconds", "polars dates", "polars times"],
)
def test_far_times_are_exact(days):
    library = "pandas" if isinstance(days, pd.Series) else "polars"
    frame = one_column(days, library)
    table = Table.learn(frame)
    back = table.decode(*table.encode(frame)).to_native()["x"]
    assert (back == frame.to_native()["x"]).all()


def test_decimals_of_polars_are_exact():
    cells = [Decimal(int(i)) / 100 for i in RNG.integers(-(10**9), 10**9, N_ROWS)]
    column = pl.Series(cells, dtype=pl.Decimal(20, 2))
    assert there_and_back(column, "polars") == cells


LEVELS = np.array([-7.5, 0, 0.25, 1, 3, 50])


@pytest.mark.parametrize(("n_rows", "has_levels"), [(60, True), (59, False)])
def test_few_values_that_come_again_are_levels(n_rows, has_levels):
    cells = np.resize(LEVELS, n_rows)
    field = read(cells)
    assert (field.levels is not None) == has_levels
    drawn = decoded(field, np.linspace(-99, 99, 999))
    assert (set(drawn) == set(LEVELS)) == has_levels


def test_numbers_come_back_as_the_nearest_level():
    field = read(np.resize(LEVELS, N_ROWS))
    for number in RNG.uniform(-20, 70, 200):
        (back,) = decoded(field, [number])
        assert abs(back - number) == np.abs(LEVELS - number).min()
        # What is expected of an extreme row may leave the range that numbers had.
        is_inside = LEVELS.min() <= number <= LEVELS.max()
        assert decoded(field, [number], EXPECTED) == [
            back if is_inside else pytest.approx(number, abs=0.13)
        ]
    assert field.values == "-7.5, 0.0, 0.25, 1.0, 3.0, 50.0"


@pytest.mark.parametrize("library", LIBRARIES)
def test_levels_of_times_are_times(library):
    days = [dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 5), dt.datetime(2024, 3, 1)]
    field = read(days * 20, library)
    assert set(decoded(field, np.linspace(-3, 999, 99))) == set(days)


def with_level_states(cells):
    return read(cells, has_level_states=True)


@pytest.mark.parametrize(("n_levels", "has_states"), [(3, True), (120, True), (121, False)])
def test_each_of_a_few_levels_may_have_a_state(n_levels, has_states):
    cells = np.resize(np.arange(n_levels) ** 2 / 4 + 0.5, 2000)
    field = with_level_states([*cells, None] if has_states else cells)
    assert field.has_level_states == has_states
    assert not read(np.resize(np.arange(50), 2000)).has_level_states
    if has_states:
        _, states = encoded(field, [*cells[:n_levels], None])
        assert states.tolist() == [*range(N_RESERVED, N_RESERVED + n_levels), MISSING]
        assert field.n_states == N_RESERVED + n_levels
        assert field.shares[VALUE] == 0
        assert field.shares.sum() == pytest.approx(1)
        nothing = np.full(n_levels + 1, np.nan)
        np.testing.assert_array_equal(
            field.decode(nothing, states).to_list()[:-1], cells[:n_levels]
        )


def test_a_number_that_is_no_level_is_a_number():
    field = with_level_states(np.resize(LEVELS, N_ROWS))
    numbers, states = encoded(field, [3.0, 2.0])
    assert states.tolist() == [N_RESERVED + 4, VALUE]
    assert field.decode(numbers, states).to_list() == [3.0, 1.0]


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_of_states_are_those_that_were_encoded(seed):
    rng = np.random.default_rng(seed)
    cells = np.where(rng.random(600) < 0.6, rng.integers(0, 3, 600), rng.normal(size=600))
    cells[rng.random(600) < 0.1] = np.nan
    field = read(cells)
    assert field.point_masses.tolist() == [0, 1, 2]
    numbers, states = encoded(field, cells)
    np.testing.assert_array_equal(states[cells == 1], N_RESERVED + 1)
    np.testing.assert_allclose(field.shares, np.bincount(states, minlength=5) / 600)
    np.testing.assert_array_equal(
        field.numbers_of(np.full(600, 9.0), states)[states > 1], cells[states > 1]
    )
    np.testing.assert_array_equal(field.numbers_of(numbers, states), cells)
    np.testing.assert_array_equal(field.states_of(numbers), states)
    assert field.share_without_number == pytest.approx(np.isnan(cells).mean())


@pytest.mark.parametrize(
    ("cells", "grid"),
    [
        ([1, 2, 3.0], Grid(0)),
        ([1.5, 2.25, 3.75], Grid(2, 75, 0)),
        ([0.05, 0.1, 0.2], Grid(2, 5, 0)),
        ([10, 30, 70.0], Grid(0, 20, 10)),
        ([1.25, 1.5, 2.375], Grid(3, 125, 0)),
        ([1e-6, 5e-6, 7e-6], Grid(6, 2, 1)),
        ([1 / 3, 2 / 3, 0.1], None),
        ([1e300, 2e300, 5e300], Grid(0)),
    ],
)
def test_grids(cells, grid):
    assert find_grid(np.array(cells), is_single=False) == grid


@pytest.mark.parametrize("seed", SEEDS)
def test_cells_are_on_their_grid_and_draws_are_brought_to_it(seed):
    rng = np.random.default_rng(seed)
    decimals, step = int(rng.integers(0, 5)), int(rng.integers(1, 60))
    origin = int(rng.integers(0, step))
    whole = origin + step * rng.integers(-500, 500, 400)
    cells = np.round(whole / 10**decimals, decimals)
    field = read(cells, is_named=False)
    np.testing.assert_array_equal(field.scale.grid.round(cells), cells)
    drawn = np.array(decoded(field, rng.uniform(cells.min() - 5, cells.max() + 5, 500)))
    assert drawn.min() >= cells.min()
    assert drawn.max() <= cells.max()
    steps = (np.rint(drawn * 10**decimals) - origin) / step
    np.testing.assert_allclose(drawn, np.round(drawn, decimals), rtol=0, atol=0)
    np.testing.assert_array_equal(steps, np.rint(steps))


def test_single_precision_has_the_grid_of_its_decimals():
    cells = pd.Series([0.1, 0.2, 0.35, 1.45] * 30, dtype="float32")
    assert read(cells).scale.grid == Grid(2, 5, 0)
    assert there_and_back(cells) == cells.tolist()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("decoding", [DRAWN, EXPECTED])
def test_numbers_keep_to_their_range_or_to_their_side_of_zero(seed, decoding):
    rng = np.random.default_rng(seed)
    low, high = [(0, 9), (2, 9), (-9, 0), (-9, -2), (-9, 9)][seed % 5]
    cells = rng.uniform(low, high, N_ROWS)
    cells[:2] = low, high
    back = np.array(decoded(read(cells), rng.normal(0, 50, 500), decoding))
    ends = (0 if low >= 0 else -np.inf), (0 if high <= 0 else np.inf)
    low, high = (low, high) if decoding is DRAWN else ends
    assert low <= back.min() <= back.max() <= high
    if decoding is EXPECTED:
        assert (back.max() > 9) == (high > 0)
        assert (back.min() < -9) == (low < 0)


def test_integers_and_times_never_leave_their_range():
    days = pd.date_range("2024-01-01", periods=N_ROWS).to_series()
    for cells in (RNG.integers(5, 500, N_ROWS), days):
        field = read(cells)
        for decoding in (DRAWN, EXPECTED):
            assert decoded(field, [-1e9, 1e9, np.nan], decoding) == [
                min(cells),
                max(cells),
                min(cells),
            ]


def test_missing_numbers_come_back_only_where_some_were():
    cells = RNG.normal(size=N_ROWS)
    field = read(cells)
    assert field.decode(np.array([np.nan]), np.array([MISSING])).to_list() == [min(cells)]
    field = read([*cells, None])
    assert field.decode(np.array([np.nan]), np.array([MISSING])).is_nan().all()


@pytest.mark.parametrize("later", ["float32", "Int64", "bool", "uint8", "Float64"])
def test_any_numbers_may_come_later(later):
    field = read(RNG.normal(size=N_ROWS))
    numbers, states = encoded(field, pd.Series([0, 1, 1], dtype=later))
    assert numbers.tolist() == [0, 1, 1]
    assert states.tolist() == [VALUE] * 3


def test_numbers_and_states_of_a_table_stand_by_column():
    frame = one_column(np.resize(LEVELS, 90)).with_columns(
        y=one_column(RNG.normal(size=90))["x"], z=one_column(["a", "b", "c"] * 30)["x"]
    )
    for has_level_states in (False, True):
        table = Table.learn(frame, TableOptions(has_level_states=has_level_states))
        numbers, states = table.encode(frame)
        np.testing.assert_array_equal(numbers, frame[["x", "y"]].to_numpy())
        assert (states[:, 0] >= N_RESERVED).all() == has_level_states
        assert table.decode(numbers, states).to_native().equals(frame.to_native())


def test_expected_numbers_may_leave_the_levels_at_their_ends():
    frame = nw.from_native(pd.DataFrame({"area": np.repeat(np.arange(1, 31) / 2, 20)}))
    (field,) = Table.learn(frame).fields
    numbers = np.array([0.2, 3.3, 90.0])
    states = np.zeros(3, dtype=int)
    assert field.levels is not None
    assert field.decode(numbers, states, EXPECTED).to_list() == [0.0, 3.5, 90.0]
    assert field.decode(numbers, states).to_list() == [0.5, 3.5, 15.0]
