"""Numbers that are text or objects: read as numbers, and written as they were."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from column_helpers import LIBRARIES, encoded, objects, read, there_and_back, values_of

from skae.tables.cells import VALUE
from skae.tables.number_forms import Form, decimal_point, value

N_ROWS = 300
RNG = np.random.default_rng(0)
AMOUNTS = RNG.lognormal(8, 2, N_ROWS).round(2)
SIGNED = np.where(np.arange(N_ROWS) % 3 == 0, -AMOUNTS, AMOUNTS)
WHOLE = RNG.integers(0, 3_000_000, N_ROWS)
SHARES = RNG.integers(0, 1001, N_ROWS) / 10
ROUND = 10 ** RNG.integers(0, 8, N_ROWS)
NARROW, HARD = "\u202f", "\u00a0"


def american(number, decimals=2):
    return f"{number:,.{decimals}f}"


def swapped(text):
    """Return a number with points for commas and the reverse."""
    return text.translate(str.maketrans(",.", ".,"))


def dollars(number, start="", end=""):
    """Return an amount with what stands around it if it is negative."""
    return f"{start}${american(abs(number))}{end}" if number < 0 else f"${american(number)}"


FORMATS = {
    "digits": (WHOLE, str),
    "floats": (AMOUNTS, lambda x: str(float(x))),
    "quarters": (WHOLE % 999 / 4, lambda x: str(float(x))),
    "all digits": (RNG.normal(size=N_ROWS), lambda x: f"{Decimal(str(float(x))):f}"),
    "as many decimals as needed": (WHOLE % 999 / 4, lambda x: f"{x:g}"),
    "decimals of shares": (
        RNG.integers(1, 999, N_ROWS) / 1000,
        lambda x: f"{x:.3f}".replace(".", ","),
    ),
    "points below a million": (WHOLE % 9_999, lambda x: swapped(f"{x:,}")),
    "two decimals": (SIGNED, lambda x: f"{x:.2f}"),
    "dollars": (AMOUNTS, dollars),
    "minus before dollars": (SIGNED, lambda x: dollars(x, "-")),
    "brackets": (SIGNED, lambda x: dollars(x, "(", ")")),
    "brackets alone": (SIGNED, lambda x: f"({-x:.2f})" if x < 0 else f"{x:.2f}"),
    "minus within": (SIGNED, lambda x: f"$-{american(-x)}" if x < 0 else f"${american(x)}"),
    "dollars behind a word": (AMOUNTS, lambda x: f"USD {american(x)}"),
    "euros": (AMOUNTS, lambda x: f"{swapped(american(x))} €"),
    "signed euros": (SIGNED, lambda x: f"{swapped(american(x))}{HARD}€"),
    "pounds": (WHOLE, lambda x: f"£{x:,}"),
    "percent": (SHARES, lambda x: f"{x:.1f}%"),
    "whole percent": (SHARES.round(), lambda x: f"{x:.0f}%"),
    "percent behind a space": (SHARES, lambda x: f"{x:.1f} %"),
    "signed percent": ((SHARES - 50).round(1), lambda x: f"{x:+.1f}%" if x else "0.0%"),
    "commas": (WHOLE, lambda x: f"{x:,}"),
    "points": (WHOLE, lambda x: swapped(f"{x:,}")),
    "decimal commas": (AMOUNTS, lambda x: f"{x:.2f}".replace(".", ",")),
    "european": (AMOUNTS, lambda x: swapped(american(x))),
    "swiss": (AMOUNTS, lambda x: american(x).replace(",", "'")),
    "swiss francs": (AMOUNTS, lambda x: f"CHF {american(x).replace(',', chr(39))}"),
    "spaces": (WHOLE, lambda x: f"{x:,}".replace(",", " ")),
    "hard spaces": (AMOUNTS, lambda x: american(x).replace(",", HARD).replace(".", ",")),
    "narrow spaces": (AMOUNTS, lambda x: american(x).replace(",", NARROW).replace(".", ",") + " €"),
    "at least": (ROUND, lambda x: f"{x:,}+"),
    "kilometres": (AMOUNTS.round(1), lambda x: f"{x:.1f} km"),
    "one suffix": (WHOLE % 900, lambda x: f"{x}k"),
    "degrees": ((SHARES - 50).round(1), lambda x: f"{x:.1f}°C"),
    "years": (WHOLE % 90, lambda x: f"{x} yrs"),
}


@pytest.mark.parametrize(("numbers", "write"), FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_text_is_read_as_numbers_and_written_word_for_word(numbers, write, library):
    cells = [write(number) for number in numbers]
    field = read(cells, library)
    assert field.kind == ("integer" if (numbers == np.rint(numbers)).all() else "number")
    assert field.about.reason == "text that is numbers"
    np.testing.assert_allclose(values_of(field, cells, library), numbers, rtol=1e-15)
    assert there_and_back(cells, library) == cells


def size(number):
    return f"{number / 1e6:.1f}M" if number >= 1e6 else f"{number / 1e3:.0f}k"


SIZES = np.where(np.arange(N_ROWS) % 4, RNG.integers(10, 999, N_ROWS) * 1e5, WHOLE % 900 * 1e3)


@pytest.mark.parametrize(
    ("write", "factor"),
    [
        (size, 1),
        (lambda x: size(x).upper(), 1),
        (lambda x: f"${size(x)}", 1),
        (lambda x: size(x).replace("M", " MB").replace("k", " KB"), 1),
        (
            lambda x: size(1000 * x).replace("M", "B").replace("k", "M") if x >= 1e6 else size(x),
            None,
        ),
    ],
    ids=["19M and 201k", "upper case", "dollars", "megabytes", "billions"],
)
@pytest.mark.parametrize("library", LIBRARIES)
def test_units_multiply_where_there_are_several(write, factor, library):
    cells = [write(number) for number in SIZES]
    field = read(cells, library)
    assert len(field.format.forms) == 2
    if factor:
        np.testing.assert_allclose(values_of(field, cells, library), SIZES)
    assert there_and_back(cells, library) == cells


def test_one_unit_alone_does_not_multiply():
    field = read([f"{i % 50}M" for i in range(N_ROWS)])
    assert values_of(field, ["7M"]) == [7]


def test_large_numbers_may_have_fewer_decimals_than_small_ones():
    cells = [f"{x:.0f}M" if x >= 10 else f"{x:.1f}M" for x in SHARES]
    assert there_and_back(cells) == cells
    field = read(cells)
    between = np.array([3.26, 47.3])
    assert field.decode(between, np.array([VALUE, VALUE])).to_list() == ["3.3M", "47M"]


OWN_FORM = {
    "dollars": ([dollars(x, "-") for x in SIGNED], 1234.567, "$1,234.57"),
    "negative dollars": ([dollars(x, "-") for x in SIGNED], -1234.567, "-$1,234.57"),
    "brackets": ([dollars(x, "(", ")") for x in SIGNED], -1234.567, "($1,234.57)"),
    "euros": ([f"{swapped(american(x))} €" for x in AMOUNTS], 1234.567, "1.234,57 €"),
    "swiss": ([american(x).replace(",", "'") for x in AMOUNTS], 12345.6, "12'345.60"),
    "percent": ([f"{x:.1f}%" for x in SHARES], 45.678, "45.7%"),
    "whole": ([f"{x:,}" for x in WHOLE], 123456.6, "123,457"),
    "plus": ([f"{x:+.1f}" for x in SHARES - 50.05], 3.25, "+3.2"),
    "at least": ([f"{x:,}+" for x in WHOLE], 500000.2, "500,000+"),
}


@pytest.mark.parametrize(("cells", "number", "text"), OWN_FORM.values(), ids=OWN_FORM)
@pytest.mark.parametrize("library", LIBRARIES)
def test_new_numbers_are_written_in_the_same_form(cells, number, text, library):
    field = read(cells, library)
    assert field.decode(np.array([number]), np.array([VALUE])).to_list() == [text]


def test_levels_are_the_only_numbers_that_come_back():
    cells = [f"{x:,}+" for x in (1, 10, 100, 1000, 10_000)] * 40
    field = read(cells)
    drawn = field.decode(np.linspace(-9, 20_000, 500), np.full(500, VALUE)).to_list()
    assert set(drawn) == set(cells)


@pytest.mark.parametrize("dtype", [object, "str", "string", "string[pyarrow]"])
def test_holes_stay_holes_in_any_type_of_text(dtype):
    cells = pd.Series([dollars(x, "-") for x in SIGNED], dtype=dtype)
    cells[::9] = None
    assert read(cells).kind == "number"
    assert there_and_back(cells) == [None if i % 9 == 0 else c for i, c in enumerate(cells)]


@pytest.mark.parametrize(
    ("words", "n_words"),
    [(["Varies with device"], 80), (["n/a", "-"], 30), (["?"], 1), (["nan"], 5)],
)
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_few_words_among_numbers_are_words_and_come_back(words, n_words, library):
    cells = [f"{x:.2f}" for x in AMOUNTS]
    for i in range(n_words):
        cells[3 * i] = words[i % len(words)]
    field = read(cells, library, min_count=1)
    assert field.kind == "number"
    assert set(field.words.labels) == set(words)
    assert field.about.missing == 0
    assert field.shares[-1 - len(words) : -1].sum() == pytest.approx(n_words / N_ROWS)
    assert there_and_back(cells, library, min_count=1) == cells


def test_rare_words_are_hidden():
    cells = [f"{x:.2f}" for x in AMOUNTS]
    cells[0] = "secret"
    field = read(cells)
    assert field.words.labels == ()
    assert field.words.rare.n_hidden_cells == 1
    assert "secret" not in field.decode(*encoded(field, cells)).to_list()


@pytest.mark.parametrize("n_words", [3, 4, 40])
def test_more_than_three_frequent_words_make_labels(n_words):
    cells = [f"{x:.2f}" for x in AMOUNTS]
    for i in range(n_words * 5):
        cells[i] = f"word {chr(ord('a') + i % n_words)}"
    assert read(cells, is_named=False).kind == ("number" if n_words < 4 else "text")


def test_cells_that_fit_did_not_see_are_words_or_refused():
    cells = [dollars(x) for x in AMOUNTS]
    later = ["$5.00", "5.00 €", "five", "", "$1,00.00", "$-5.00"]
    field = read(cells)
    numbers, states = encoded(field, later)
    other = field.n_states - 1
    assert states.tolist() == [VALUE, other, other, other, other, VALUE]
    np.testing.assert_array_equal(numbers, [5, np.nan, np.nan, np.nan, np.nan, -5])
    strict = read(cells, handle_unknown="error")
    with pytest.raises(ValueError, match=r"no numbers as \$1,000.00 is: '\$1,00.00', '', '5.00 €'"):
        encoded(strict, later)
    known = read([*cells, "five"], handle_unknown="error")
    assert encoded(known, ["five", "$5.00"])[1].tolist() == [known.n_states - 1, VALUE]


LABELS = {
    "leading zeros": [f"{i:03d}" for i in range(90)],
    "leading zeros and decimals": [f"{i:05.1f}" for i in range(90)],
    "minus zero": ["-0", "1", "2", "3"],
    "two": ["0", "1"],
    "grouped in twos": [f"{i % 9 + 1},{i:02d},000" for i in range(99)],
    "grouped wrongly": [f"1,{i}" for i in range(0, 4000, 50)],
    "versions": [f"{i % 3}.{i % 7}.{i}" for i in range(90)],
    "short versions": [f"{i % 9}.{i}" for i in range(60)],
    "scientific": [f"{i}e{i % 5}" for i in range(1, 80)],
    "phones": [f"555-{i:04d}" for i in range(90)],
    "phones in brackets": [f"(555) 555-{i:04d}" for i in range(90)],
    "ranges": [f"{i}-{i + 10}" for i in range(90)],
    "bins": ["0-10", "10-20", "20+", "30-40"],
    "codes": [f"AB-{i}" for i in range(90)],
    "codes without a dash": [f"A{i}" for i in range(90)],
    "rooms": [f"Room {i}" for i in range(25)],
    "currencies without decimals": [f"EUR {i}" for i in range(25)],
    "feet": [f"{i % 3 + 4}' {i % 12}\"" for i in range(60)],
    "hours": [f"{i % 9}h {i % 60}m" for i in range(90)],
    "more or less": [f"{i % 10}±1" for i in range(10)],
    "bounds": ["<5", "5", "10", "20"],
    "too large": [str(10**18 + 7 * i) for i in range(50)],
    "very large": [str(i * 10**17) for i in range(1, 60)],
    "codes with decimals": [f"AB-{i / 4:.2f}" for i in range(90)],
    "other digits": ["٣", "٤", "٥", "３"],
    "infinity": ["inf", "-inf", "nan", "1"],
    "list": ["1. male", "2. female", "3. other"],
    "booleans": ["True", "False", "true"],
    "blanks": ["", " ", "-", "1"],
    "four units": [
        f"{i} {unit}" for i in range(9) for unit in ("g", "ml", "pcs", "oz", "cm", "in")
    ],
}


@pytest.mark.parametrize("cells", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_labels_stay_labels(cells, library):
    cells = [cells[i % len(cells)] for i in range(N_ROWS)]
    assert read(cells, library).kind == "text"
    assert there_and_back(cells, library) == cells


@pytest.mark.parametrize(
    ("cells", "kind", "form"),
    [
        ([int(x) for x in WHOLE], "integer", "int objects"),
        ([float(x) for x in SIGNED], "number", "float objects"),
        ([float(x) if i % 2 else int(x) for i, x in enumerate(AMOUNTS)], "number", "float objects"),
        ([Decimal(f"{x:.2f}") for x in SIGNED], "number", "Decimal objects"),
        ([Decimal(int(x)) for x in WHOLE], "integer", "Decimal objects"),
        ([np.int64(x) for x in WHOLE], "integer", "int objects"),
    ],
    ids=["ints", "floats", "mixed", "Decimals", "whole Decimals", "numpy"],
)
@pytest.mark.parametrize("has_holes", [False, True])
def test_objects_come_back_as_they_were(cells, kind, form, has_holes):
    cells = [None if has_holes and i % 6 == 0 else cell for i, cell in enumerate(cells)]
    field = read(objects(cells))
    assert (field.kind, field.about.format) == (kind, form)
    back = there_and_back(objects(cells))
    assert back == cells
    if form == "Decimal objects":
        assert [str(cell) for cell in back] == [str(cell) for cell in cells]


def test_decimals_keep_to_their_number_of_decimals():
    field = read(objects(Decimal(f"{x:.2f}") for x in SIGNED))
    (made,) = field.decode(np.array([3.14159]), np.array([VALUE])).to_list()
    assert (type(made), str(made)) == (Decimal, "3.14")


def test_objects_come_back_in_polars_as_well():
    cells = [Decimal(i % 90) / 4 for i in range(N_ROWS)]
    column = pl.Series(cells, dtype=pl.Object)
    assert read(column, "polars").about.format == "Decimal objects"
    assert there_and_back(column, "polars") == cells


@pytest.mark.parametrize("kind", [float, int, Decimal])
def test_a_few_words_among_objects_come_back(kind):
    cells = [kind(int(x)) for x in WHOLE]
    cells[7] = cells[70] = "unknown"
    cells[100] = cells[110] = "?"
    field = read(objects(cells))
    assert field.kind == "integer"
    assert set(field.words.labels) == {"unknown", "?"}
    assert there_and_back(objects(cells)) == cells


@pytest.mark.parametrize(
    "cells",
    [
        [True, 2, 3],
        [1j, 2j, 3j],
        [10**20, 10**20 + 1, 3],
        ["5", 6, 7.5, "8"],
        [("a", 1), ("b", 2), 3],
        [1, 2, float("inf")],
    ],
    ids=["booleans", "complex", "large", "text", "tuples", "infinity"],
)
def test_other_objects_stay_labels(cells):
    cells = [cells[i % len(cells)] for i in range(60)]
    assert read(objects(cells)).kind == "text"
    assert there_and_back(objects(cells)) == cells


@pytest.mark.parametrize("seed", range(30))
def test_what_a_form_writes_is_read_back(seed):
    rng = np.random.default_rng(seed)
    # Three decimals behind a comma might be a group of digits.
    decimals, scale = int(rng.choice([0, 1, 2, 4])), float(10.0 ** rng.integers(1, 7))
    prefix = str(rng.choice(["", "$", "€ ", "£"]))
    suffix = str(rng.choice(["", "%", " km", " €"]))
    point, thousands = [(".", ","), (".", ""), (",", "."), (",", " "), (".", "'")][seed % 5]
    style = str(rng.choice(["outer", "inner", "brackets"])) if prefix else "outer"
    has_plus = style != "brackets" and bool(rng.integers(2))
    form = Form(
        prefix, suffix, 1, thousands, point, decimals=decimals, style=style, has_plus=has_plus
    )
    numbers = np.round(rng.normal(0, scale, 300), decimals)
    numbers = np.where(numbers == 0, 1, numbers)
    numbers[:30] = np.arange(1, 31)
    cells = [form.write(float(number)) for number in numbers]
    field = read(cells)
    np.testing.assert_allclose(values_of(field, cells), numbers, rtol=1e-12)
    assert there_and_back(cells) == cells


@pytest.mark.parametrize(
    ("digits", "point", "number"),
    [
        ("1,234", ".", 1234),
        ("1,234", ",", 1.234),
        ("1.234", ".", 1.234),
        ("1.234", ",", 1234),
        ("1.234,5", ",", 1234.5),
        ("1 234,5", ",", 1234.5),
        ("1'234.5", ".", 1234.5),
        ("12,34", ".", np.nan),
        ("1.2.3", ".", np.nan),
        ("1,23,456", ".", np.nan),
    ],
)
def test_values_of_digits(digits, point, number):
    np.testing.assert_equal(value(digits, point), float(number))


@pytest.mark.parametrize(
    ("digits", "point"),
    [
        (["1,234", "5,678"], "."),
        (["1.234", "5.678"], "."),
        (["1,234", "5,6"], ","),
        (["1.234", "1.234.567"], ","),
        (["1.234,5", "7"], ","),
        (["1 234,5", "7"], ","),
        (["1,234.5", "7"], "."),
        (["1.250", "980"], ","),
        (["1.250", "0.980", "3"], "."),
        (["1.250", "2.980", "0"], "."),
        (["1.255", "980"], "."),
        (["1.250", "9800"], "."),
        ([*["1.250"] * 300, "1"], "."),
        (["0,123", "0,532"], ","),
    ],
)
def test_all_cells_settle_the_decimal_point(digits, point):
    assert decimal_point(digits) == point
