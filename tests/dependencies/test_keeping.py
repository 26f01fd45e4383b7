"""Draws are brought to what held in all rows, and given cells stay."""

import numpy as np
import pytest

from skae.dependencies.cells import MISSING, UNKNOWN, Column
from skae.dependencies.dependencies import Dependencies

RNG = np.random.default_rng(0)
CITY = RNG.integers(12, size=1000).astype(float)
COUNTRY = CITY // 4
ALIAS = 100 - CITY
FREE = RNG.integers(3, size=1000).astype(float)
ROWS = np.stack([COUNTRY, CITY, FREE, ALIAS], axis=1)


def labels(*names, **others):
    return [Column(name, labels=tuple(range(200)), **others) for name in names]


def numbers(*names, **known):
    return [Column(name, is_number=True, **known) for name in names]


def find(rows, columns=None, min_count=2):
    columns = labels(*"abcdefgh"[: rows.shape[1]]) if columns is None else columns
    return Dependencies.find(rows, columns, min_count=min_count)


def pairs(found):
    return {(*each.sources, each.target) for each in found.fixes}


def keep(found, draws, given=None, **options):
    given = np.zeros(draws.shape, dtype=bool) if given is None else given
    return found.keep(draws, given, np.random.default_rng(0), **options)


def test_what_fixes_what_is_found():
    assert pairs(find(ROWS)) == {(1, 0), (3, 0), (1, 3), (3, 1)}


def test_one_exception_is_told_but_not_kept():
    rows = ROWS.copy()
    rows[7, 0] = 0 if rows[7, 0] else 1
    found = find(rows)
    assert pairs(found) == {(1, 3), (3, 1)}
    assert "'b' fixes 'a' in 99.90% of the rows that could tell (not kept)" in found.texts()


def test_columns_without_repetition_and_constant_columns_fix_nothing():
    assert not find(np.stack([np.arange(1000.0), CITY, np.ones(1000)], axis=1)).fixes


def test_agreement_by_chance_is_not_enough():
    rare = (RNG.random(1000) < 0.002).astype(float)
    assert not find(np.stack([CITY, np.where(CITY == 3, rare, 0)], axis=1)).fixes
    assert not find(ROWS[:25]).fixes


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_found_among_independent_columns(seed):
    rng = np.random.default_rng(seed)
    rows = np.stack([rng.integers(n, size=2000) for n in (2, 3, 10, 50, 400)], axis=1).astype(float)
    more = rng.normal(size=(2000, 4))
    columns = [*labels(*"abcde"), *numbers(*"fghi")]
    found = find(np.hstack([rows, more]), columns)
    assert found.texts() == ()


def test_missing_cells_are_a_value_that_may_be_fixed():
    rows = ROWS[:, :2].copy()
    rows[CITY == 3, 0] = MISSING
    kept, is_broken = keep(find(rows), np.array([[5.0, 3.0], [5.0, 0.0], [5.0, 77.0]]))
    np.testing.assert_array_equal(kept, [[MISSING, 3], [0, 0], [5, 77]])
    np.testing.assert_array_equal(is_broken, [False, False, True])


def test_missing_cells_may_fix_others():
    rows = np.stack([np.where(CITY == 3, MISSING, CITY), COUNTRY], axis=1)
    kept, _ = keep(find(rows), np.array([[MISSING, 2.0], [8.0, 0.0]]))
    np.testing.assert_array_equal(kept, [[MISSING, 0], [8, 2]])


def test_given_cells_stay_and_say_what_they_fix():
    found, draws = find(ROWS), RNG.permuted(ROWS, axis=0)
    given = np.zeros(draws.shape, dtype=bool)
    given[:500, 3] = True
    kept, is_broken = keep(found, draws, given)
    assert not is_broken.any()
    np.testing.assert_array_equal(kept[:500, 3], draws[:500, 3])
    np.testing.assert_array_equal(kept[:, 3], 100 - kept[:, 1])
    np.testing.assert_array_equal(kept[:, 0], kept[:, 1] // 4)
    np.testing.assert_array_equal(kept[:, 2], draws[:, 2])


def test_what_is_fixed_and_given_restricts_what_fixes_it():
    draws = RNG.permuted(ROWS, axis=0)
    given = np.zeros(draws.shape, dtype=bool)
    given[:, 0] = True
    kept, is_broken = keep(find(ROWS), draws, given)
    assert not is_broken.any()
    np.testing.assert_array_equal(kept[:, 0], draws[:, 0])
    np.testing.assert_array_equal(kept[:, 1] // 4, draws[:, 0])
    fits = draws[:, 1] // 4 == draws[:, 0]
    np.testing.assert_array_equal(kept[fits, 1], draws[fits, 1])


def test_given_cells_that_contradict_each_other_stay():
    draws = np.array([[2.0, 0.0, 1.0, 50.0]])
    kept, is_broken = keep(find(ROWS), draws, np.ones(draws.shape, dtype=bool), is_last=True)
    np.testing.assert_array_equal(kept, draws)
    assert is_broken.all()


def test_a_label_that_was_left_open_goes_with_the_rest_of_the_row():
    others = np.arange(12.0)
    columns = [*labels("country"), *labels("city", others=others)]
    rows = np.stack([COUNTRY, CITY], axis=1)
    draws = np.stack([np.repeat([0.0, 1.0, 2.0], 400), np.full(1200, UNKNOWN)], axis=1)
    kept, _ = keep(find(rows, columns), draws)
    np.testing.assert_array_equal(kept[:, 0], draws[:, 0])
    np.testing.assert_array_equal(kept[:, 1] // 4, draws[:, 0])
    shares = np.bincount(kept[:400, 1].astype(int), minlength=4) / 400
    expected = np.bincount(CITY[COUNTRY == 0].astype(int), minlength=4) / (COUNTRY == 0).sum()
    np.testing.assert_allclose(shares, expected, atol=0.1)


def test_two_columns_that_fix_a_third():
    start, end = RNG.integers(10, size=(2, 3000)).astype(float)
    distance = (17 * start + 31 * end) % 101
    rows = np.stack([start, end, distance], axis=1)
    found = find(rows)
    assert (0, 1, 2) in pairs(found)
    kept, is_broken = keep(found, RNG.permuted(rows, axis=0))
    assert not is_broken.any()
    np.testing.assert_array_equal(kept[:, 2], (17 * kept[:, 0] + 31 * kept[:, 1]) % 101)


def test_a_pair_that_was_never_seen_is_a_new_one():
    start, end = RNG.integers(10, size=(2, 3000)).astype(float)
    end = np.where((start + end) % 3 == 0, start, end)
    rows = np.stack([start, end, (17 * start + 31 * end) % 101], axis=1)
    draws = np.array([[1.0, 2.0, 50.0], [1.0, 1.0, 50.0]])
    assert not ((start == 1) & (end == 2)).any()
    kept, is_broken = keep(find(rows), draws)
    assert not is_broken.any()
    np.testing.assert_array_equal(kept, [[1, 2, 50], [1, 1, 48]])


def test_columns_that_one_of_them_fixes_are_not_listed_as_two():
    rows = np.stack([CITY, FREE, COUNTRY], axis=1)
    assert pairs(find(rows)) == {(0, 2)}


@pytest.mark.parametrize("min_count", [1, 2, 5])
def test_combinations_of_few_rows_are_not_held(min_count):
    rows = np.stack([CITY, COUNTRY], axis=1)
    rows[:3, 0] = 50
    rows[:3, 1] = 7
    (each,) = find(rows, min_count=min_count).fixes
    assert (50 in each.levels[0]) == (min_count <= 3)


@pytest.mark.parametrize("seed", range(3))
def test_chains_hold_whatever_the_order_of_the_columns(seed):
    rng = np.random.default_rng(seed)
    code = rng.integers(60, size=3000).astype(float)
    chain = np.stack([code, code // 3, code // 12, 200 - code], axis=1)
    order = rng.permutation(4)
    found = find(chain[:, order])
    kept, is_broken = keep(found, rng.permuted(chain, axis=0)[:, order])
    assert not is_broken.any()
    kept = kept[:, np.argsort(order)]
    np.testing.assert_array_equal(kept[:, 1], kept[:, 0] // 3)
    np.testing.assert_array_equal(kept[:, 2], kept[:, 0] // 12)
    np.testing.assert_array_equal(kept[:, 3], 200 - kept[:, 0])


def test_what_follows_from_the_rest_is_not_told():
    code = RNG.integers(60, size=3000).astype(float)
    texts = find(np.stack([code, code // 3, code // 12], axis=1)).texts()
    assert texts == ("'a' fixes 'b'", "'b' fixes 'c'")


def test_numbers_that_were_drawn_from_a_density_go_with_the_rest_of_the_row():
    zips = RNG.integers(200, size=3000).astype(float)
    state = (zips * 7) % 10 // 2
    columns = [*numbers("zip", is_vague=True, step=1.0, levels=np.arange(200.0)), *labels("state")]
    found = find(np.stack([zips, state], axis=1), columns)
    draws = np.stack([RNG.integers(200, size=500).astype(float), RNG.permuted(state)[:500]], axis=1)
    kept, is_broken = keep(found, draws)
    assert pairs(found) == {(0, 1)}
    assert not is_broken.any()
    np.testing.assert_array_equal(kept[:, 1], draws[:, 1])
    assert np.abs(kept[:, 0] - draws[:, 0]).max() < 15


def test_what_nearly_holds_is_wished_for():
    zips = RNG.integers(200, size=6000).astype(float)
    state, city = zips // 50, zips // 5
    city[7] = 0 if city[7] else 1
    columns = [
        *numbers("zip", is_vague=True, step=1.0, levels=np.arange(200.0)),
        *labels("state", "city"),
    ]
    found = find(np.stack([zips, state, city], axis=1), columns)
    assert (0, 2) not in pairs(found)
    draws = np.stack([np.full(100, 120.0), np.full(100, 1.0), np.full(100, 13.0)], axis=1)
    kept, _ = keep(found, draws)
    assert set(kept[:, 0]) == {69}
    draws[:, 2] = 3
    np.testing.assert_array_equal(keep(found, draws)[0][:, 1], draws[:, 1])


@pytest.mark.parametrize("n_copies", [2, 5, 40])
def test_copies_of_rows_are_no_evidence(n_copies):
    rows = np.hstack([RNG.normal(size=(200, 2)), RNG.integers(5, size=(200, 2))])
    price = RNG.normal(size=200).round(2)
    known = {"levels": np.unique(price)} if n_copies > 10 else {}
    columns = [*numbers("a", "b"), *labels("c", "d"), *numbers("price", step=0.01, **known)]
    found = find(np.repeat(np.column_stack([rows, price]), n_copies, axis=0), columns)
    assert found.texts() == ()


def test_cells_that_are_missing_are_no_evidence():
    flag = RNG.integers(2, size=1000).astype(float)
    date = np.where(flag == 1, RNG.integers(400, size=1000), MISSING)
    rows = np.stack([flag, date, RNG.normal(size=1000)], axis=1)
    columns = [*labels("flag"), *numbers("date", "x", step=1.0)]
    assert find(rows, columns).texts() == ("'date' is empty exactly where 'flag' is 0",)


def test_many_plain_numbers_are_left_out_of_the_search_for_what_fixes_what(monkeypatch):
    asked = []
    monkeypatch.setattr("skae.dependencies.fixes._agreement", lambda *args: asked.append(args) or 0)
    find(RNG.normal(size=(3000, 20)), numbers(*map(str, range(20))))
    assert not asked
