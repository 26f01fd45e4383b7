"""Fresh identifiers: of the form of the real ones, and none of them."""

import re
import uuid
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from column_helpers import LIBRARIES, one_column, read

from skae import VAETransformer
from skae.tables.field import DRAWN, Decoding
from skae.tables.fresh import fresh_integers, fresh_texts

N_ROWS = 200
RNG = np.random.default_rng(0)
HEX = list("0123456789abcdef")


def drawn(alphabet, n):
    return "".join(RNG.choice(list(alphabet), n))


FORMS = {
    "UUIDs": (
        [str(uuid.UUID(bytes=RNG.bytes(16))) for _ in range(N_ROWS)],
        "[0-9a-z]{8}(-[0-9a-z]{4}){3}-[0-9a-z]{12}",
    ),
    "hashes": ([drawn(HEX, 32) for _ in range(N_ROWS)], "[0-9a-f]{32}"),
    "codes": (
        [f"{drawn('ABCDEF', 3)}-{drawn('0123456789', 10)}" for _ in range(N_ROWS)],
        "[A-F]{3}-[0-9]{10}",
    ),
    "a shared start": (
        [f"cus_{drawn('abcdefghi', 14)}" for _ in range(N_ROWS)],
        "cus_[a-i]{14}",
    ),
    "a shared end": (
        [f"{drawn('abcdefgh', 14)}@example.org" for _ in range(N_ROWS)],
        "[a-h]{14}@example[.]org",
    ),
    "plates": (
        [f"{drawn('ABC', 2)} {drawn('0123456789', 4)} {drawn('xyz', 20)}" for _ in range(N_ROWS)],
        "[A-C]{2} [0-9]{4} [x-z]{20}",
    ),
}


@pytest.mark.parametrize(("cells", "form"), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_fresh_texts_have_the_form_of_real_ones_and_are_none_of_them(cells, form, library):
    field = read(cells, library)
    assert field.kind == "identifier"
    made = field.decode(150, None, Decoding(rng=np.random.default_rng(0))).to_list()
    assert all(re.fullmatch(form, each) for each in made)
    assert len(set(made)) == 150
    assert not set(made) & set(cells)
    later = field.decode(150, None, Decoding(rng=np.random.default_rng(1))).to_list()
    assert not set(made) & set(later)
    again = field.decode(150, None, Decoding(rng=np.random.default_rng(0))).to_list()
    assert again == made


@pytest.mark.parametrize("seed", range(20))
def test_fresh_texts_of_any_form(seed):
    rng = np.random.default_rng(seed)
    alphabets = [list("ABCDEFGH"), list("stuvwxyz"), list("0123456789")]
    parts = [(alphabets[rng.integers(3)], int(rng.integers(3, 9))) for _ in range(4)]
    marks = [*rng.choice(["-", "/", ".", "_", " "], 3), ""]
    cells = [
        "".join(
            "".join(rng.choice(part, n)) + mark
            for (part, n), mark in zip(parts, marks, strict=True)
        )
        for _ in range(60)
    ]
    made = fresh_texts(cells).make(300, rng)

    def form(cell):
        return "".join(
            "9" if c.isdigit() else "A" if c.isupper() else "a" if c.isalpha() else c for c in cell
        )

    pattern = form(cells[0])
    assert {form(each)[: len(pattern)] for each in made} == {pattern}
    assert set("".join(made)) <= set("".join(cells))
    assert len({*made, *cells}) == 360


def test_every_form_that_came_is_drawn():
    cells = [drawn("0123456789", 12) if i % 2 else drawn("abcdef", 16) for i in range(N_ROWS)]
    made = fresh_texts(cells).make(300, np.random.default_rng(0))
    assert {each.isdigit() for each in made} == {True, False}
    assert {len(each) for each in made} == {12, 16}


@pytest.mark.parametrize(
    "cells", [["a1", "b2", "c3"], [f"{c}{d}" for c in "abcdef" for d in range(9)]]
)
def test_short_texts_are_lengthened_so_that_they_are_new(cells):
    made = fresh_texts(cells).make(2000, np.random.default_rng(0))
    assert len({*made, *cells}) == 2000 + len(cells)
    assert all(re.match("[a-z][0-9]", each) for each in made)


def test_names_of_people_are_not_told():
    names = [
        f"{a}{b} {c}{d}"
        for a, b, c, d in zip(
            *[
                [drawn("ABCD", 1) if i in (0, 2) else drawn("efghij", 7) for _ in range(N_ROWS)]
                for i in range(4)
            ],
            strict=True,
        )
    ]
    made = fresh_texts(names).make(500, np.random.default_rng(0))
    words = {word for name in names for word in name.split()}
    assert not words & {word for name in made for word in name.split()}


NUMBERED = {
    "counter": ([f"row{i}" for i in range(1, N_ROWS)], [f"row{i}" for i in range(200, 203)]),
    "padded": ([f"INV-{i:06d}" for i in range(N_ROWS)], ["INV-000200", "INV-000201", "INV-000202"]),
    "in tens": ([f"{10 * i}/x" for i in range(N_ROWS)], ["2000/x", "2010/x", "2020/x"]),
    "no order": (
        [f"user {i}" for i in RNG.permutation(N_ROWS)],
        ["user 200", "user 201", "user 202"],
    ),
}


@pytest.mark.parametrize(("cells", "next_ones"), NUMBERED.values(), ids=NUMBERED)
@pytest.mark.parametrize("library", LIBRARIES)
def test_numbered_texts_go_on(cells, next_ones, library):
    field = read(cells, library, column_kinds={"x": "identifier"})
    assert field.decode(3, None, Decoding(rng=RNG)).to_list() == next_ones


@pytest.mark.parametrize(
    ("cells", "next_ones"),
    [
        (range(40), [40, 41, 42]),
        ([*range(500, 540)][::-1], [540, 541, 542]),
        (range(0, 4000, 100), [4000, 4100, 4200]),
        (np.arange(-40, 0), [0, 1, 2]),
        (2**62 + np.arange(40), [2**62 + 40, 2**62 + 41, 2**62 + 42]),
    ],
)
@pytest.mark.parametrize("library", LIBRARIES)
def test_counters_go_on(cells, next_ones, library):
    field = read(list(cells), library, column_kinds={"x": "identifier"})
    assert field.decode(3, None, Decoding(rng=RNG)).to_list() == next_ones


@pytest.mark.parametrize("seed", range(20))
def test_fresh_integers_are_beyond_all_that_were(seed):
    rng = np.random.default_rng(seed)
    cells = rng.integers(-(10**6), 10**6, size=rng.integers(1, 300))
    made = fresh_integers(cells).make(400, rng)
    assert min(made) > max(cells)
    assert len(set(made)) == 400


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(range(40), dtype="int32"),
        pd.Series([*range(40), None], dtype="Int64"),
        pd.Series([*range(40), None], dtype=float),
        pd.Series([f"row{i}" for i in range(40)], dtype="string"),
        pd.Series([f"row{i}" for i in range(40)], dtype=object),
        pl.Series(range(40), dtype=pl.UInt16),
        pl.Series([f"row{i}" for i in range(40)]),
    ],
    ids=lambda column: f"{type(column).__module__.split('.')[0]} {column.dtype}",
)
def test_fresh_identifiers_have_the_type_of_the_column(column):
    library = "pandas" if isinstance(column, pd.Series) else "polars"
    field = read(column, library, column_kinds={"x": "identifier"})
    made = field.decode(3, None, Decoding(rng=RNG)).to_native()
    assert made.dtype == column.dtype
    assert [str(each).removeprefix("row").removesuffix(".0") for each in made] == ["40", "41", "42"]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("cells", "kind"),
    [([f"row{i}" for i in range(40)], "identifier"), (range(40), "ignore"), (["a"] * 9, "ignore")],
)
def test_columns_come_back_from_their_rows_or_are_empty(cells, kind, library):
    cells = list(cells)
    field = read(cells, library, column_kinds={"x": kind})
    source = one_column(cells[::2], library)["x"]
    assert field.decode(len(source), source, DRAWN).to_list() == cells[::2]
    assert field.decode(4, None, DRAWN).is_null().all()
    if kind == "ignore":
        assert field.decode(4, None, Decoding(rng=RNG)).is_null().all()


@pytest.mark.parametrize("cells", [np.linspace(0, 1, 40), [("a", i) for i in range(40)]])
def test_identifiers_of_no_known_form_stay_empty(cells):
    field = read(list(cells), column_kinds={"x": "identifier"})
    assert field.fresh is None
    assert field.decode(3, None, Decoding(rng=RNG)).is_null().all()


def test_samples_of_tables_have_fresh_identifiers():
    frame = pd.DataFrame(
        {
            "id": RNG.permutation(N_ROWS),
            "mail": FORMS["a shared end"][0],
            "size": RNG.normal(size=N_ROWS),
            "colour": RNG.choice(["red", "blue"], N_ROWS),
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = VAETransformer(2, max_epochs=2, random_state=0).fit(frame)
    for sample in (model.sample(50, random_state=0), model.sample(50, random_state=1)):
        assert sample["id"].tolist() == list(range(N_ROWS, N_ROWS + 50))
        assert sample["mail"].is_unique
        assert not set(sample["mail"]) & set(frame["mail"])
        assert sample.dtypes.equals(frame.dtypes)
    back = model.reconstruct(frame[5:9])
    pd.testing.assert_frame_equal(back[["id", "mail"]], frame.loc[5:8, ["id", "mail"]])
