"""Kinds: what a column is taken for, what it may be said to be, and what is said of it."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from column_helpers import LIBRARIES, objects, one_column, read

from skae import AEOutlierDetector, AutoencoderTransformer
from skae.tables import describe
from skae.tables.kinds import TableOptions, is_name_of_key
from skae.tables.table import Table

N_ROWS = 300
RNG = np.random.default_rng(0)
SCATTERED = RNG.choice(10**6, N_ROWS, replace=False)
WORDS = ["".join(RNG.choice(list("abcdefghijkl"), 12)) for _ in range(N_ROWS)]
REAL = RNG.normal(size=N_ROWS)
LABELS = RNG.choice(["red", "green", "blue"], N_ROWS)
DAYS = pd.date_range("2024-01-01", periods=N_ROWS)


def again(cells, n_rows=2000):
    """Return cells that come again and again."""
    return [cells[i] for i in np.random.default_rng(1).integers(len(cells), size=n_rows)]


@pytest.mark.parametrize("library", LIBRARIES)
def test_text_that_is_unique_is_an_identifier(library):
    field = read(WORDS, library)
    assert (field.kind, field.about.reason) == ("identifier", "all different")
    assert not field.is_modelled


@pytest.mark.parametrize(("n_distinct", "kind"), [(290, "identifier"), (280, "text")])
def test_text_that_is_nearly_unique_is_an_identifier(n_distinct, kind):
    cells = [WORDS[i % n_distinct] for i in range(N_ROWS)]
    field = read(cells, min_frequency=2)
    assert field.kind == kind
    if kind == "identifier":
        assert field.about.reason == "290 different in 300 cells"


def test_text_whose_labels_are_mostly_rare_is_an_identifier():
    often = [WORDS[0]] * 20 + [WORDS[i % 200] for i in range(1, 281)]
    assert read(often, min_frequency=5).kind == "identifier"
    assert read(often, min_frequency=2).kind == "text"


def test_missing_cells_do_not_hide_identifiers():
    assert read([None if i % 2 else word for i, word in enumerate(WORDS)]).kind == "identifier"


@pytest.mark.parametrize(("n_rows", "kind"), [(9, "text"), (10, "identifier")])
def test_few_labels_are_no_identifiers(n_rows, kind):
    assert read(WORDS[:n_rows]).kind == kind


@pytest.mark.parametrize(
    "cells",
    [
        range(30),
        range(1000, 1300),
        RNG.permutation(200),
        -np.arange(40),
        [i * 3 // 2 for i in range(60)],
        pd.Series([*range(50), None], dtype="Int64"),
    ],
)
@pytest.mark.parametrize("name", ["x", 0])
def test_counters_are_identifiers_whatever_their_name(cells, name):
    field = read(cells, name=name)
    assert (field.kind, field.about.reason) == (
        "identifier",
        "a counter: all different, with few gaps",
    )


@pytest.mark.parametrize(
    "cells",
    [range(29), [*range(60), 59], np.arange(0, 300, 3), SCATTERED, np.arange(60) / 1.0],
    ids=["few", "one comes again", "gaps", "scattered", "floats"],
)
def test_other_integers_are_numbers(cells):
    assert read(cells).kind == "integer"


NAMES_OF_KEYS = [
    *("id", "ID", "CustomerId", "customer_id", "userID", "Patient ID", "row_number", "RowNumber"),
    *("Unnamed: 0", "uuid", "invoice_no", "order nr", "sessionKey", "idx", "phone_number"),
]
OTHER_NAMES = [
    *("x", 0, "video", "paid", "humid", "number", "room_number", "id_of_colour", "keyboard"),
    *("index fund", "number of rooms", "Ident", "", "no", "casino"),
]


@pytest.mark.parametrize("name", NAMES_OF_KEYS)
def test_names_of_keys(name):
    assert is_name_of_key(name)
    field = read(SCATTERED, name=name)
    assert (field.kind, field.about.reason) == (
        "identifier",
        "all different, with the name of a key",
    )


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_other_names(name):
    assert not is_name_of_key(name)
    assert read(SCATTERED, name=name).kind == "integer"


@pytest.mark.parametrize(("n_distinct", "kind"), [(1900, "identifier"), (200, "integer")])
def test_a_key_that_comes_again_needs_many_values(n_distinct, kind):
    cells = again(np.arange(n_distinct) * 7919, n_rows=4000)
    assert read(cells, name="user_id").kind == kind
    assert read(cells, name="size").kind == "integer"


def test_a_key_may_have_become_float_through_holes():
    cells = np.where(np.arange(N_ROWS) % 9 == 0, np.nan, SCATTERED)
    assert read(cells, name="user_id").kind == "identifier"
    assert read(cells + 0.5, name="user_id").kind == "number"
    assert read(cells, name="size").kind == "integer"


def test_a_key_of_text_may_come_again():
    cells = again(WORDS, n_rows=500)
    options = {"max_categories": 50, "min_frequency": 8}
    assert read(cells, name="user_id", **options).kind == "identifier"
    assert read(cells, name="colour", **options).kind == "text"


def test_few_integers_are_no_key():
    assert read(SCATTERED[:9], name="id").kind == "integer"


@pytest.mark.parametrize(
    "cells",
    [
        [f"{i:05d}" for i in SCATTERED[:50] % 100_000],
        ["00501", "01001", "90210", "10001"],
        [f"555-{i:04d}" for i in range(0, 9000, 180)],
        [f"+1 555 {i % 900 + 100} {i % 7000 + 1000}" for i in SCATTERED[:50]],
        [f"{i % 9}.{i % 7}.{i}" for i in range(40)],
        [f"v{i % 9}.{i}" for i in range(40)],
        [f"{i}-{i + 10}" for i in range(0, 500, 10)],
        ["0-18", "19-35", "36-60", "60+"],
        [f"10.0.{i % 7}.{i}" for i in range(40)],
        [f"AB-{i}" for i in range(40)],
    ],
    ids=[
        *("zips", "few zips", "phones", "international", "versions", "short versions", "ranges"),
        *("bins", "addresses", "codes"),
    ],
)
@pytest.mark.parametrize("library", LIBRARIES)
def test_text_that_only_looks_like_numbers_stays_labels(cells, library):
    cells = again(cells)
    field = read(cells, library)
    assert field.kind == "text"
    assert field.about.n_distinct == len(set(cells))


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (WORDS, "text"),
        (objects(WORDS), "text"),
        (range(N_ROWS), "integer"),
        (SCATTERED, "integer"),
        (pd.Series(WORDS, dtype="category"), "category"),
    ],
)
@pytest.mark.parametrize("name", [0, "id"])
def test_arrays_have_no_identifiers(cells, kind, name):
    assert read(cells, name=name, is_named=False).kind == kind
    assert read(WORDS, is_named=False, column_kinds={"x": "identifier"}).kind == "identifier"


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([True, False] * 30, "boolean"),
        ([1, 0] * 30, "binary"),
        ([0.5, 7.25] * 30, "binary"),
        (["yes", "no"] * 30, "text"),
        (["1", "2"] * 30, "text"),
        (pd.Categorical(["a", "b"] * 30, ordered=True), "ordered"),
        (["one"] * 30, "constant"),
        ([7] * 30, "constant"),
        ([7.5, None] * 30, "constant"),
        ([None] * 30, "missing"),
        (pd.to_datetime([None] * 30), "missing"),
        (DAYS, "datetime"),
        (DAYS - DAYS[0], "duration"),
        (LABELS, "text"),
    ],
)
@pytest.mark.parametrize("name", ["x", "id"])
def test_kinds_of_other_columns(cells, kind, name):
    assert read(cells, name=name).kind == kind


WISHES = {
    "labels of integers": (SCATTERED % 5, "category", "category"),
    "labels of reals": (REAL.round(1), "category", "category"),
    "labels of unique text": (WORDS, "category", "text"),
    "labels of dates": (DAYS, "category", "category"),
    "a counter as a number": (range(N_ROWS), "number", "integer"),
    "a key as a number": (SCATTERED, "number", "integer"),
    "binary as a number": ([0, 1] * 50, "number", "integer"),
    "booleans as a number": ([True, False] * 50, "number", "integer"),
    "reals as a number": (REAL, "number", "number"),
    "text as a number": ([f"${i:,}" for i in SCATTERED], "number", "integer"),
    "two texts as a number": (["1.5", "2.5"] * 50, "number", "number"),
    "a category as a number": (
        pd.Series(["1.5", "2", "3"] * 50, dtype="category"),
        "number",
        "number",
    ),
    "times": (DAYS, "time", "datetime"),
    "durations": (DAYS - DAYS[0], "time", "duration"),
    "text as times": (DAYS.strftime("%d.%m.%Y"), "time", "date"),
    "clocks as times": ([f"{i % 24:02d}:30" for i in range(N_ROWS)], "time", "time"),
    "integers as times": (DAYS.strftime("%Y%m%d").astype(int), "time", "date"),
    "an identifier": (REAL, "identifier", "identifier"),
    "labels as an identifier": (LABELS, "identifier", "identifier"),
    "no interest": (REAL, "ignore", "ignored"),
}


@pytest.mark.parametrize(("cells", "wished", "kind"), WISHES.values(), ids=WISHES)
def test_columns_are_what_they_are_said_to_be(cells, wished, kind):
    field = read(cells, column_kinds={"x": wished})
    assert (field.kind, field.about.reason) == (kind, "as asked for")
    assert field.is_modelled == (wished not in ("identifier", "ignore"))


@pytest.mark.parametrize("wished", ["category", "number", "time"])
@pytest.mark.parametrize(("cells", "kind"), [([7] * 30, "constant"), ([None] * 30, "missing")])
def test_columns_without_values_stay_what_they_are(cells, kind, wished):
    assert read(cells, column_kinds={"x": wished}).kind == kind


def test_what_is_said_of_a_column_wins_over_marks():
    field = read(SCATTERED, categorical_features=["x"], column_kinds={"x": "number"})
    assert field.kind == "integer"


@pytest.mark.parametrize(
    ("cells", "wished", "message"),
    [
        (LABELS, "number", r"column 'x' of X is of kind 'number', but its cells, such as '\w+'"),
        (LABELS, "time", "cannot be read as dates or times: one format for nearly all cells"),
        (DAYS, "number", "cannot be read as numbers: nearly all cells in one form"),
        (DAYS.strftime("%d.%m.%Y"), "number", "cannot be read as numbers"),
        ([f"${i:,}" for i in SCATTERED], "time", "cannot be read as dates or times"),
        (SCATTERED, "time", "or YYYYMMDD"),
        (REAL, "time", "or YYYYMMDD"),
        ([True, False], "time", "cannot be read as dates or times"),
        (DAYS.strftime("%Y%m%d").astype(int) + 40, "time", "such as 20240141, cannot be read"),
    ],
)
def test_cells_that_cannot_be_read_as_asked_are_refused(cells, wished, message):
    with pytest.raises(ValueError, match=message):
        read(cells, column_kinds={"x": wished})


@pytest.mark.parametrize(
    ("column_kinds", "message"),
    [
        ({"y": "number"}, "names column 'y', which X has not. X has 'x'."),
        ({"x": "numeric"}, "one of the kinds .*Got 'numeric' for column 'x'"),
        ({"x": None}, "one of the kinds .*Got None for column 'x'"),
    ],
)
def test_unknown_columns_and_kinds_are_refused(column_kinds, message):
    with pytest.raises(ValueError, match=message):
        read(LABELS, column_kinds=column_kinds)


def test_few_of_many_columns_are_named_when_one_is_unknown():
    frame = one_column(LABELS).with_columns(**{f"c{i}": one_column(REAL)["x"] for i in range(9)})
    with pytest.raises(ValueError, match=r"X has 'x', 'c0', .*'c6', [.]{4}$"):
        Table.learn(frame, TableOptions(column_kinds={"z": "number"}))


@pytest.mark.filterwarnings("ignore:Columns look like")
@pytest.mark.parametrize("estimator", [AutoencoderTransformer(2), AEOutlierDetector()])
def test_something_must_be_left_to_learn_from(estimator):
    frame = pd.DataFrame({"id": SCATTERED, "name": WORDS})
    described = "'id' .identifier, all different, with the name of a key.; 'name' .identifier"
    with pytest.raises(ValueError, match=f"All columns of X are left out: {described}"):
        estimator.fit(frame)


DESCRIBED = pd.DataFrame(
    {
        "name": WORDS,
        "colour": [*LABELS[:-3], "odd", "strange", None],
        "price": [f"{i:,.2f} €" for i in SCATTERED / 7],
        "day": DAYS.strftime("%d/%m/%Y"),
        "size": REAL,
    }
)
KINDS = ["identifier", "text", "number", "date", "number"]
COLUMNS = ["kind", "distinct", "rare", "missing", "format", "values", "reason"]


@pytest.mark.parametrize("make", [pd.DataFrame, lambda X: pl.from_pandas(X)], ids=LIBRARIES)
def test_frames_are_described_by_column(make):
    described = describe(make(DESCRIBED))
    assert described.columns.tolist() == COLUMNS
    assert described.index.tolist() == DESCRIBED.columns.tolist()
    assert described.index.name == "column"
    assert described["kind"].tolist() == KINDS
    assert described["distinct"].tolist() == [300, 5, 300, 300, 300]
    np.testing.assert_allclose(described["rare"], [0, 2 / 300, 0, 0, 0])
    np.testing.assert_allclose(described["missing"], [0, 1 / 300, 0, 0, 0])
    day_first = "%d/%m/%Y (day first, by all cells)"
    assert described["format"].tolist() == ["", "", "1,000.00 €", day_first, ""]
    assert described.loc["day", "values"] == "01/01/2024 to 26/10/2024"
    assert described.loc["colour", "values"].endswith(" and 2 others")
    assert described.loc["name", "reason"] == "all different"


def test_arrays_are_described_by_place():
    described = describe(np.column_stack([REAL, np.arange(N_ROWS)]))
    assert described.index.tolist() == [0, 1]
    assert described["kind"].tolist() == ["number", "integer"]
    assert describe(np.arange(90).reshape(45, 2))["kind"].tolist() == ["integer", "integer"]
    mixed = describe(np.array([[1.5, "a"], [2.5, "b"], [3.5, "a"]], dtype=object))
    assert mixed["kind"].tolist() == ["number", "text"]


def test_describe_takes_what_estimators_take():
    kinds = {"size": "ignore", "name": "category"}
    described = describe(
        DESCRIBED,
        column_kinds=kinds,
        max_categories=2,
        min_frequency=5,
        categorical_features=["day"],
    )
    assert described["kind"].tolist() == ["text", "text", "number", "text", "ignored"]
    assert described.loc["colour", "values"].endswith(" and 3 others")


@pytest.mark.filterwarnings("ignore:A column looks like")
def test_estimators_tell_what_they_read():
    schema = AutoencoderTransformer(2, max_epochs=2, random_state=0).fit(DESCRIBED).schema_
    pd.testing.assert_frame_equal(schema.describe(), describe(DESCRIBED))
    lines = str(schema).splitlines()
    assert lines[0].split() == ["column", *COLUMNS]
    assert [line.split()[:2] for line in lines[1:]] == [
        [name, kind] for name, kind in zip(DESCRIBED, KINDS, strict=True)
    ]
    assert "0.7%" in lines[2]
    assert "not modelled" in lines[1]
    html = schema._repr_html_()
    assert "<table" in html
    assert "0.3%" in html


def test_small_shares_are_not_shown_as_none():
    cells = ["a", "b"] * 1000 + [None]
    assert "<0.1%" in str(Table.learn(one_column(cells)))


def told(estimator, X):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        estimator.fit(X)
    return [str(each.message) for each in found if issubclass(each.category, UserWarning)]


ESTIMATORS = [
    AutoencoderTransformer(2, max_epochs=2, random_state=0),
    AEOutlierDetector(n_members=4, max_epochs=2, random_state=0),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: type(each).__name__)
def test_users_are_told_once_of_identifiers_that_are_left_out(estimator):
    frame = pd.DataFrame({"id": SCATTERED, "name": WORDS, "size": REAL, "colour": LABELS})
    (message,) = told(estimator, frame)
    assert message.startswith("Columns look like identifiers and are left out of the model: ")
    assert "'id' (all different, with the name of a key), 'name' (all different)." in message
    assert "column_kinds={'id': 'identifier'}" in message
    (message,) = told(estimator, frame.drop(columns="name"))
    assert message.startswith("A column looks like identifiers and is left out")


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: type(each).__name__)
def test_nothing_is_told_of_what_was_said(estimator):
    frame = pd.DataFrame({"id": SCATTERED, "name": WORDS, "size": REAL, "colour": LABELS})
    kinds = {"id": "identifier", "name": "ignore"}
    asked = type(estimator)(**{**estimator.get_params(), "column_kinds": kinds})
    assert told(asked, frame) == []
    assert told(estimator, frame[["size", "colour"]]) == []


def test_users_are_told_of_identifiers_among_numbers_alone():
    frame = pd.DataFrame({"user_id": SCATTERED, "size": REAL, "weight": REAL**2})
    (message,) = told(ESTIMATORS[0], frame)
    assert message.startswith("X holds numbers alone, and all of them are modelled, though these")
    assert "'user_id' (all different, with the name of a key)" in message
    assert "column_kinds={'user_id': 'identifier'}" in message
    assert told(ESTIMATORS[0], frame.rename(columns={"user_id": "height"})) == []
    assert told(ESTIMATORS[0], frame.to_numpy()) == []
    assert told(ESTIMATORS[0], frame.assign(user_id=SCATTERED.astype(object))) == []
