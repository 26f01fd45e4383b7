"""Rare labels: what is kept of them, how probable they are, and how they come back."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from column_helpers import LIBRARIES, draws, encoded, one_column, read

from skae import AutoencoderTransformer, VAETransformer
from skae.tables.cells import MISSING, OTHER
from skae.tables.field import DRAWN, EXPECTED
from skae.tables.kinds import TableOptions
from skae.tables.rare import RareLabels
from skae.tables.table import Table

COUNTS = {"much": 500, "some": 300, "seldom": 8, "less": 4, "twice": 2, "once": 1, "odd": 1}
CELLS = [label for label, n in COUNTS.items() for _ in range(n)]
OPTIONS = {"min_frequency": 10}
N_OTHER = 16


def field_of(**options):
    return read(CELLS, **{**OPTIONS, **options})


def shares_of(field, labels, library="pandas"):
    column = one_column(labels, library)["x"]
    return np.exp(field.log_shares(column, field.encode(column)[1]))


@pytest.mark.parametrize("library", LIBRARIES)
def test_labels_with_few_cells_share_one_state(library):
    field = read(CELLS, library, **OPTIONS)
    states = encoded(field, [*COUNTS, "new", None], library)[1]
    assert states.tolist() == [2, 3, *[OTHER] * 6, MISSING]
    np.testing.assert_allclose(field.shares * len(CELLS), [N_OTHER, 0, 500, 300])
    assert field.about.rare == pytest.approx(N_OTHER / len(CELLS))
    assert field.about.n_distinct == len(COUNTS)
    assert field.values == "much, some and 5 others"


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_share_of_a_rare_label_is_its_own(library):
    field = read(CELLS, library, **OPTIONS)
    shares = shares_of(field, ["much", "seldom", "less", "twice"], library)
    np.testing.assert_allclose(shares, [1, 8 / 17, 4 / 17, 2 / 17])


def test_hidden_and_new_labels_have_the_share_of_a_label_that_may_be_new():
    shares = shares_of(field_of(), ["once", "odd", "new", "newer"])
    np.testing.assert_allclose(shares, 3 / 3 / 17)


@pytest.mark.parametrize("seed", range(20))
def test_shares_of_rare_labels_and_one_new_one_sum_to_one(seed):
    rng = np.random.default_rng(seed)
    counts = {f"label {i}": int(n) for i, n in enumerate(rng.integers(1, 9, rng.integers(1, 30)))}
    least = int(rng.integers(1, 6))
    rare = RareLabels.learn(counts, least, accepts_unknown=True)
    assert all(n >= least for n in rare.counts.values())
    assert rare.n_cells == sum(counts.values())
    assert rare.n_labels == len(counts)
    shares = np.exp([rare.log_share(label) for label in [*counts, "a new one"]])
    assert shares.sum() == pytest.approx(1)
    kept = [label for label in counts if label in rare.counts]
    np.testing.assert_allclose(
        np.exp([rare.log_share(label) for label in kept]) * (rare.n_cells + 1),
        [counts[label] for label in kept],
    )


def test_labels_with_states_are_alone_in_theirs():
    frame = pd.DataFrame({"x": CELLS, "y": np.random.default_rng(0).normal(size=len(CELLS))})
    table = Table.learn(
        one_column(CELLS).with_columns(y=one_column(frame["y"])["x"]), TableOptions(**OPTIONS)
    )
    rows = one_column(["much", "less", None]).with_columns(y=one_column([0.5, 0.1, 0.2])["x"])
    _, states = table.encode(rows)
    np.testing.assert_allclose(
        np.exp(table.log_shares(rows, states)), [[1, 1], [4 / 17, 1], [1, 1]]
    )


@pytest.mark.parametrize("library", LIBRARIES)
def test_draws_are_by_share(library):
    field = read(CELLS, library, **OPTIONS)
    drawn = pd.Series(draws(field, [OTHER] * 14_000)).value_counts(normalize=True)
    assert set(drawn.index) == {"seldom", "less", "twice"}
    for label in drawn.index:
        assert drawn[label] == pytest.approx(COUNTS[label] / 14, abs=0.02)


@pytest.mark.parametrize("decoding", [EXPECTED, DRAWN])
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_likeliest_rare_label_comes_back_where_none_is_drawn(decoding, library):
    field = read(CELLS, library, **OPTIONS)
    back = field.decode(None, np.array([OTHER, 2, OTHER, 3]), decoding).to_list()
    assert back == ["seldom", "much", "seldom", "some"]
    assert np.exp(field.log_largest) == pytest.approx(8 / N_OTHER)


def test_the_expected_row_has_the_most_probable_single_label():
    """Many labels that are rare alone outweigh a frequent one together, but none of them does."""
    rng = np.random.default_rng(0)
    rare = [f"rare {i}" for i in range(60) for _ in range(5)]
    frame = pd.DataFrame({"x": [*["often"] * 250, *rare], "y": rng.normal(size=550)})
    model = AutoencoderTransformer(1, max_epochs=2, random_state=0, min_frequency=50).fit(frame)
    (field, _) = model.schema_.fields
    assert field.shares[OTHER] > field.shares[2]
    assert set(model.reconstruct(frame)["x"]) == {"often"}


def test_draws_of_a_model_have_rare_labels_by_their_shares():
    rng = np.random.default_rng(0)
    rare = [f"rare {i}" for i in range(10) for _ in range(20)]
    frame = pd.DataFrame({"x": [*["often"] * 200, *rare], "y": rng.normal(size=400)})
    model = VAETransformer(1, max_epochs=2, random_state=0, min_frequency=50).fit(frame)
    sample = model.sample(2000, random_state=0)["x"]
    counts = sample[sample != "often"].value_counts()
    assert len(counts) == 10
    assert counts.min() > 0.5 * counts.mean()


@pytest.mark.parametrize("min_count", [1, 2, 3, 5, 9])
def test_labels_that_fewer_rows_have_are_not_kept(min_count):
    field = field_of(min_count=min_count)
    kept = {label for label, n in COUNTS.items() if n >= min_count}
    assert set(field.cells.to_list()) - {None} == kept
    hidden = [label for label in COUNTS if label not in kept]
    assert field.rare.n_hidden_labels == len(hidden)
    assert set(draws(field, [OTHER] * 500)) & set(hidden) == set()


SENTINELS = ["Sentinel-Zebra", "Sentinel-Quagga"]
WITH_SENTINELS = [*CELLS[:-2], *SENTINELS]


CONTAINERS = {
    "text": pd.Series(WITH_SENTINELS),
    "objects": pd.Series(WITH_SENTINELS, dtype=object),
    "pandas string": pd.Series(WITH_SENTINELS, dtype="string[pyarrow]"),
    "pandas arrow": pd.Series(WITH_SENTINELS, dtype=pd.ArrowDtype(pa.large_string())),
    "pandas category": pd.Series(WITH_SENTINELS, dtype="category"),
    "polars text": pl.Series(WITH_SENTINELS),
    "polars category": pl.Series(WITH_SENTINELS, dtype=pl.Categorical),
}


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("handle_unknown", ["other", "error"])
def test_no_byte_of_a_hidden_label_is_in_a_pickled_table(name, handle_unknown):
    frame = one_column(CONTAINERS[name], name.split()[0])
    table = Table.learn(frame, TableOptions(min_frequency=10, handle_unknown=handle_unknown))
    pickled = pickle.dumps(table)
    assert b"seldom" in pickled
    assert b"Sentinel" not in pickled
    kept = pickle.dumps(Table.learn(frame, TableOptions(min_frequency=10, min_count=1)))
    assert all(label.encode() in kept for label in SENTINELS)
    _, states = table.encode(frame)
    back = table.decode(*pickle.loads(pickled).encode(frame))["x"]
    assert back.to_list()[-2:] == ["seldom", "seldom"]
    assert back.dtype in (frame["x"].dtype, "category")
    assert states[-2:].tolist() == [[OTHER], [OTHER]]


def test_no_byte_of_an_identifier_is_in_a_pickled_table():
    cells = [f"Sentinel-{i * 7919 % 1000:03d}-{'abcdefgh'[i % 8]}" for i in range(200)]
    columns = [pd.Series(cells, dtype=dtype) for dtype in ("str", "string[pyarrow]", "category")]
    for column in (*columns, pl.Series(cells), pl.Series(cells, dtype=pl.Categorical)):
        library = "pandas" if isinstance(column, pd.Series) else "polars"
        for kind in ("identifier", "ignore"):
            options = TableOptions(column_kinds={"x": kind})
            pickled = pickle.dumps(Table.learn(one_column(column, library), options))
            assert not any(cell.encode() in pickled for cell in cells)


NUMBERS = [f"{i / 7:.2f}" for i in range(400)]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([*range(400), SENTINELS[0]], dtype=object),
        pd.Series([*NUMBERS, SENTINELS[0]]),
        pd.Series([*NUMBERS, SENTINELS[0]], dtype="string[pyarrow]"),
        pl.Series([*NUMBERS, SENTINELS[0]]),
    ],
    ids=["objects", "pandas", "arrow", "polars"],
)
@pytest.mark.parametrize("handle_unknown", ["other", "error"])
def test_no_byte_of_a_hidden_word_is_in_a_pickled_table(column, handle_unknown):
    library = "polars" if isinstance(column, pl.Series) else "pandas"
    table = Table.learn(one_column(column, library), TableOptions(handle_unknown=handle_unknown))
    assert table.fields[0].words.rare.n_hidden_cells == 1
    assert b"Sentinel" not in pickle.dumps(table)


def test_fresh_labels_come_where_none_may_be_told():
    cells = [
        *["often"] * 300,
        *[f"Word-{i:02d}-{c}" for i, c in enumerate("abcdefghijklmnopqrstuvwxyz")],
    ]
    field = read(cells, min_frequency=10)
    made = draws(field, [OTHER] * 200)
    assert not set(made) & set(cells)
    assert all(label.startswith("Word-") for label in made)
    assert field.decode(None, np.array([OTHER])).to_list() == ["often"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_unknown_labels_count_as_others_or_are_refused(library):
    later = ["much", "once", "seldom", "Zebra", "Quagga", None]
    field = read(CELLS, library, **OPTIONS)
    assert encoded(field, later, library)[1].tolist() == [2, OTHER, OTHER, OTHER, OTHER, MISSING]
    strict = read(CELLS, library, **OPTIONS, handle_unknown="error")
    message = r"Column 'x' of X holds labels that fit did not see: 'Quagga', 'Zebra'. With"
    with pytest.raises(ValueError, match=message):
        encoded(strict, later, library)
    seen = [label for label in later if label not in ("Zebra", "Quagga")]
    assert encoded(strict, seen, library)[1].tolist() == [2, OTHER, OTHER, MISSING]


def test_labels_of_more_rows_can_be_made_known():
    strict = field_of(handle_unknown="error")
    more = one_column(["Zebra", "much", None])["x"]
    assert strict.with_labels_of(more).encode(more)[1].tolist() == [OTHER, 2, MISSING]
    with pytest.raises(ValueError, match="did not see"):
        strict.encode(more)
    relaxed = field_of()
    assert relaxed.with_labels_of(more) is relaxed


def test_many_unknown_labels_are_not_all_named():
    with pytest.raises(ValueError, match=r"see: 'new 0', 'new 1', 'new 2', 'new 3', 'new 4'. With"):
        encoded(field_of(handle_unknown="error"), [f"new {i}" for i in range(9)])


def test_two_tables_mark_hidden_labels_differently():
    first, second = (field_of(handle_unknown="error").rare for _ in range(2))
    assert len(first.marks) == 2
    assert first.marks.isdisjoint(second.marks)


def test_max_categories_keeps_the_commonest():
    field = read(CELLS, max_categories=1, min_frequency=2)
    assert list(field.states) == ["much"]
    assert list(field.rare.counts) == ["some", "seldom", "less", "twice"]
    assert draws(field, [OTHER] * 50).count("some") > 30


def test_min_frequency_is_a_share_or_a_number():
    assert read(CELLS, min_frequency=0.01).n_states == 4
    assert read(CELLS, min_frequency=4).n_states == 6
    assert read(CELLS, min_frequency=1, min_count=1).n_states == 9
    assert list(read(CELLS, min_frequency=1, min_count=5).states) == ["much", "some", "seldom"]
