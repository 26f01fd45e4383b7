"""Dates and times that are text, objects or integers: read as times, and written as they were."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
from column_helpers import LIBRARIES, draws, encoded, objects, read, there_and_back, values_of

from skae.tables.cells import MISSING, VALUE

N_ROWS = 250
RNG = np.random.default_rng(0)
DAYS = pd.Series(pd.Timestamp("2015-03-01") + pd.to_timedelta(RNG.integers(0, 2000, N_ROWS), "D"))
TIMES = DAYS + pd.to_timedelta(RNG.integers(0, 86_400, N_ROWS), "s")
OF_DAYS = [
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m-%d-%Y"),
    *("%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%m-%y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y"),
    *("%d-%b-%y", "%d %b %y", "%B %d, %Y", "%b %d, %Y", "%A %d %B %Y", "%a, %d %b %Y", "%d%b%Y"),
]
OF_MONTHS = ["%b %Y", "%B %Y", "%Y-%m"]
OF_TIMES = [
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S UTC"),
    *("%Y-%m-%dT%H:%M:%S+02:00", "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S", "%Y%m%dT%H%M%S"),
    *("%Y%m%d%H%M%S", "%a, %d %b %Y %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f"),
]
OF_MINUTES = ["%Y-%m-%d %H:%M", "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H:%M"]
UNPADDED = {
    "month and day": lambda t: f"{t.month}/{t.day}/{t.year}",
    "day and month": lambda t: f"{t.day}.{t.month}.{t.year % 100:02d}",
    "day": lambda t: f"{t.day} {t:%b %Y}",
    "hour": lambda t: f"{t:%m/%d/%Y} {t.hour}:{t:%M:%S}",
    "all": lambda t: f"{t.month}/{t.day}/{t.year} {t.hour}:{t:%M:%S}",
}
CASES = (
    [(each, DAYS, "date") for each in OF_DAYS]
    + [(each, DAYS.dt.to_period("M").dt.to_timestamp(), "date") for each in OF_MONTHS]
    + [(each, TIMES, "datetime") for each in OF_TIMES]
    + [(each, TIMES.dt.floor("min"), "datetime") for each in OF_MINUTES]
)


@pytest.mark.parametrize(("pattern", "times", "kind"), CASES, ids=[case[0] for case in CASES])
@pytest.mark.parametrize("library", LIBRARIES)
def test_text_of_one_format_is_read_and_written_word_for_word(pattern, times, kind, library):
    cells = times.dt.strftime(pattern).tolist()
    field = read(cells, library)
    assert field.kind == kind
    assert field.format.text.startswith(pattern)
    assert field.about.reason == "text of one format"
    assert values_of(field, cells, library) == times.tolist()
    assert there_and_back(cells, library) == cells


@pytest.mark.parametrize("write", UNPADDED.values(), ids=UNPADDED)
@pytest.mark.parametrize("library", LIBRARIES)
def test_fields_may_lack_leading_zeros(write, library):
    cells = [write(time) for time in TIMES]
    assert read(cells, library).kind in ("date", "datetime")
    assert there_and_back(cells, library) == cells


@pytest.mark.parametrize("n_decimals", [1, 3, 6])
def test_parts_of_a_second_keep_their_number_of_decimals(n_decimals):
    times = TIMES + pd.to_timedelta(10 ** (6 - n_decimals) * np.arange(N_ROWS).clip(0, 9), "us")
    cells = [
        each[: len(each) - 6 + n_decimals] for each in times.dt.strftime("%Y-%m-%d %H:%M:%S.%f")
    ]
    assert values_of(read(cells), cells) == times.tolist()
    assert there_and_back(cells) == cells


@pytest.mark.parametrize("pattern", ["%H:%M", "%H:%M:%S"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_clocks_are_times(pattern, library):
    cells = TIMES.dt.strftime(pattern).tolist()
    field = read(cells, library)
    assert field.kind == "time"
    order = np.argsort(encoded(field, cells, library)[0], kind="stable")
    assert [cells[i] for i in order] == sorted(cells)
    assert there_and_back(cells, library) == cells


@pytest.mark.parametrize("dtype", [object, "str", "string", "string[pyarrow]"])
@pytest.mark.parametrize("pattern", ["%d.%m.%Y", "%Y-%m-%dT%H:%M:%SZ"])
def test_holes_stay_holes_in_any_type_of_text(dtype, pattern):
    cells = pd.Series(TIMES.dt.strftime(pattern).tolist(), dtype=dtype)
    cells[::7] = None
    assert read(cells).about.missing == pytest.approx(36 / N_ROWS)
    wanted = [None if i % 7 == 0 else c for i, c in enumerate(cells)]
    assert there_and_back(cells) == wanted
    if dtype is object:
        field = read(cells)
        assert field.decode(*encoded(field, cells)).to_list() == wanted


def test_formats_carry_over_to_rows_that_fit_did_not_see():
    field = read(DAYS.dt.strftime("%d/%m/%Y").tolist())
    numbers, states = encoded(field, ["01/02/1999", "01/03/1999", None, "1999-03-01"])
    assert numbers[1] - numbers[0] == 28
    assert states.tolist() == [VALUE, VALUE, MISSING, field.n_states - 1]
    later = field.decode(np.array([0.0, 10.4, 1e9]), np.zeros(3, dtype=int)).to_list()
    first = DAYS.min()
    wanted = [first, first + pd.Timedelta(10, "D"), DAYS.max()]
    assert later == [f"{each:%d/%m/%Y}" for each in wanted]


AMBIGUOUS = ["03/04/2020", "05/06/2021", "01/02/2019", "12/11/2018"] * 60


@pytest.mark.parametrize(
    ("last", "pattern", "note"),
    [
        ("03/04/2020", "%m/%d/%Y", "month first, which the cells leave open"),
        ("12/25/2020", "%m/%d/%Y", "month first, by all cells"),
        ("25/12/2020", "%d/%m/%Y", "day first, by all cells"),
    ],
)
@pytest.mark.parametrize("library", LIBRARIES)
def test_all_rows_settle_whether_the_day_comes_first(last, pattern, note, library):
    cells = [*AMBIGUOUS, *[last] * 20]
    field = read(cells, library)
    assert field.about.format == f"{pattern} ({note})"
    assert values_of(field, cells, library)[0] == dt.datetime.strptime(cells[0], pattern)
    assert there_and_back(cells, library) == cells


def test_one_late_row_settles_it_too():
    distinct = [
        f"{m:02d}/{d:02d}/{y}" for y in range(2000, 2008) for m in range(1, 13) for d in (1, 5)
    ]
    month_first = [*distinct, "01/31/2020", "01/30/2020"]
    assert read(month_first).about.format == "%m/%d/%Y (month first, by all cells)"
    day_first = [*distinct, "31/01/2020", "30/01/2020"]
    assert read(day_first).about.format == "%d/%m/%Y (day first, by all cells)"


def test_order_is_no_question_where_the_year_comes_first_or_months_have_names():
    for pattern in ("%Y-%m-%d", "%d %B %Y"):
        assert read(DAYS.dt.strftime(pattern).tolist()).about.format == pattern


@pytest.mark.parametrize("word", ["TBD", "2020-02-30", "0000-00-00", "31.12.2020"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_few_other_cells_are_words_and_come_back(word, library):
    cells = DAYS.dt.strftime("%Y-%m-%d").tolist() * 2
    cells[7] = cells[300] = word
    field = read(cells, library)
    assert field.kind == "date"
    assert field.words.labels == (word,)
    assert values_of(field, cells, library)[6:9:2] == [DAYS[6], DAYS[8]]
    assert np.isnan(encoded(field, cells, library)[0][7])
    assert there_and_back(cells, library) == cells
    assert draws(field, [field.n_states - 2]) == [word]


def test_many_other_cells_make_labels():
    cells = DAYS.dt.strftime("%Y-%m-%d").tolist()
    cells[::20] = ["TBD"] * len(cells[::20])
    assert read(cells, is_named=False).kind == "text"


OBJECTS = {
    "dates": [each.date() for each in DAYS],
    "times": [each.to_pydatetime() for each in TIMES],
    "times of a zone": [each.to_pydatetime().replace(tzinfo=dt.UTC) for each in TIMES],
    "far dates": [dt.date(1 + 30 * i, 2, 3) for i in range(200)],
}


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("has_holes", [False, True])
def test_objects_come_back_as_the_same_objects(name, has_holes):
    cells = [None if has_holes and i % 5 == 0 else cell for i, cell in enumerate(OBJECTS[name])]
    field = read(objects(cells))
    is_date = "date" in name
    assert field.kind == ("date" if is_date else "datetime")
    assert field.about.format == ("datetime.date" if is_date else "datetime.datetime")
    back = field.decode(*encoded(field, objects(cells))).to_list()
    assert back == cells
    assert set(map(type, back)) == set(map(type, cells))


def test_objects_come_back_in_polars_as_well():
    cells = pl.Series(OBJECTS["dates"], dtype=pl.Object)
    assert read(cells, "polars").about.format == "datetime.date"
    assert there_and_back(cells, "polars") == OBJECTS["dates"]


def test_times_of_several_zones_are_labels():
    zones = [dt.timezone(dt.timedelta(hours=i % 2)) for i in range(N_ROWS)]
    times = [time.replace(tzinfo=z) for time, z in zip(OBJECTS["times"], zones, strict=True)]
    half = [time if i % 2 else OBJECTS["times"][i] for i, time in enumerate(times)]
    for cells in (times, half):
        field = read(objects(cells), is_named=False, min_frequency=1, min_count=1)
        assert field.kind == "text"
        assert there_and_back(objects(cells * 2), min_count=1) == cells * 2


INTEGERS = DAYS.dt.strftime("%Y%m%d").astype(int).tolist()


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(INTEGERS),
        pd.Series(INTEGERS, dtype="int32"),
        pd.Series(INTEGERS, dtype=float),
        pd.Series([None, *INTEGERS[1:]], dtype=float),
        pd.Series([None, *INTEGERS[1:]], dtype="Int64"),
        pd.Series([None, *INTEGERS[1:]], dtype="int64[pyarrow]"),
        pl.Series(INTEGERS),
        pl.Series([None, *INTEGERS[1:]], dtype=pl.Int32),
        pl.Series([None, *INTEGERS[1:]], dtype=pl.Float64),
    ],
    ids=lambda column: f"{type(column).__module__.split('.')[0]} {column.dtype}",
)
def test_integers_may_be_dates(column):
    library = "pandas" if isinstance(column, pd.Series) else "polars"
    field = read(column, library)
    assert (field.kind, field.about.format) == ("date", "YYYYMMDD")
    assert values_of(field, column, library)[1:] == DAYS[1:].tolist()
    assert there_and_back(column, library)[1:] == INTEGERS[1:]
    jan_and_feb = [20200131, 20200201] * 20
    numbers, _ = encoded(read(jan_and_feb[:2] + INTEGERS), jan_and_feb[:2])
    assert numbers[1] - numbers[0] == 1


@pytest.mark.parametrize("odd", [20201301, 20200230, 18991231, 21010101, 0])
def test_integers_with_one_that_is_no_date_are_numbers(odd):
    assert read([*INTEGERS, odd]).kind == "integer"


def several(cells):
    return [cells[i % len(cells)] for i in range(N_ROWS)]


NO_DATES = {
    "versions": ([f"{i % 5}.{i % 7}.{i % 30}" for i in range(99)], "text"),
    "short versions": ([f"{i % 5}.{i}" for i in range(70)], "text"),
    "addresses": ([f"10.0.{i % 9}.{i}" for i in range(90)], "text"),
    "scores": ([f"{i % 9}-{i % 7}" for i in range(63)], "text"),
    "fractions": ([f"{i % 9}/{i % 7}" for i in range(63)], "text"),
    "ratios": ([f"{i % 9}:{i % 7}" for i in range(63)], "text"),
    "quarters": ([f"Q{i % 4 + 1} {2000 + i}" for i in range(20)], "text"),
    "weeks": ([f"{2000 + i}-W{i % 52:02d}" for i in range(60)], "text"),
    "months": (["January", "May", "June", "July"], "text"),
    "days of the week": (["Monday", "Tuesday", "Sunday"], "text"),
    "seasons": ([f"{i}/{i % 100 + 1:02d}" for i in range(2000, 2020)], "text"),
    "spans of years": ([f"{i}-{i + 9}" for i in range(1950, 2010)], "text"),
    "codes of four digits": ([f"{i % 24:02d}{i % 60:02d}" for i in range(120)], "text"),
    "post codes": ([str(i) for i in range(3000, 3090)], "integer"),
    "years": ([str(i) for i in range(1950, 2020)], "integer"),
    "six digits": ([str(i * 7919 + 100_000) for i in range(90)], "integer"),
    "eight digits": ([str(i * 791_993 + 10_000_000) for i in range(90)], "integer"),
    "decimals": ([f"{i / 7:.2f}" for i in range(90)], "number"),
    "phones": ([f"555-{i:04d}" for i in range(90)], "text"),
    "two formats": (
        [f"{t:%Y-%m-%d}" if i % 2 else f"{t:%d/%m/%Y}" for i, t in enumerate(DAYS[:90])],
        "text",
    ),
    "sentences": ([f"on day {i} of May 2020" for i in range(90)], "text"),
}


@pytest.mark.parametrize(("cells", "kind"), NO_DATES.values(), ids=NO_DATES)
@pytest.mark.parametrize("library", LIBRARIES)
def test_nothing_else_is_taken_for_a_date(cells, kind, library):
    cells = several(cells)
    assert read(cells, library).kind == kind
    assert there_and_back(cells, library) == cells


def test_two_dates_are_labels():
    assert read(["2020-01-01", "2021-01-01"] * 20).kind == "text"
    assert read(["2020-01-01", "2021-01-01"] * 20, column_kinds={"x": "time"}).kind == "date"


def test_draws_between_dates_are_dates():
    field = read(DAYS.dt.strftime("%d %b %Y").tolist())
    numbers = np.random.default_rng(1).uniform(-50, 2500, 300)
    drawn = field.decode(numbers, np.zeros(300, dtype=int)).to_list()
    times = pd.to_datetime(pd.Series(drawn), format="%d %b %Y")
    assert times.between(DAYS.min(), DAYS.max()).all()
    assert times.nunique() > 200
