"""Sums, products and orders among numbers; columns that are never equal; cells that are empty."""

import numpy as np
import pytest

from skae.dependencies.cells import MISSING, UNKNOWN, Column
from skae.dependencies.dependencies import Dependencies

N = 500


def numbers(*names, **known):
    return [Column(name, is_number=True, **known) for name in names]


def find(columns, *cells):
    return Dependencies.find(np.stack(cells, axis=1).astype(float), columns, min_count=2)


def keep(found, draws, given=None, *, is_last=False):
    given = np.zeros(draws.shape, dtype=bool) if given is None else given
    return found.keep(draws, given, np.random.default_rng(0), is_last=is_last)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def shuffled(rng, *cells):
    return rng.permuted(np.stack(cells, axis=1).astype(float), axis=0)


def test_a_sum_holds_in_draws_and_zeros_stay(rng):
    above, below = (
        rng.integers(500, 4000, N),
        np.where(rng.random(N) < 0.4, 0, rng.integers(900, size=N)),
    )
    columns = numbers("above", "below", "living", step=1.0)
    found = find(columns, above, below, above + below)
    assert found.texts() == ("'living' = 'above' + 'below'",)
    draws = shuffled(rng, above, below, above + below)
    kept, is_broken = keep(found, draws)
    assert not is_broken.any()
    np.testing.assert_array_equal(kept[:, 2], kept[:, 0] + kept[:, 1])
    np.testing.assert_array_equal(kept[:, 1], draws[:, 1])


@pytest.mark.parametrize("hidden", range(3))
def test_the_cell_of_a_sum_that_is_not_given_is_computed(rng, hidden):
    first, second = rng.integers(100, size=(2, N))
    rows = np.stack([first, second, first - second], axis=1).astype(float)
    found = find(numbers(*"abc", step=1.0), *rows.T)
    draws, given = rows.copy(), np.ones(rows.shape, dtype=bool)
    draws[:, hidden], given[:, hidden] = 1e6, False
    np.testing.assert_array_equal(keep(found, draws, given)[0], rows)


def test_a_sum_of_many_and_a_second_one(rng):
    parts = rng.gamma(2, size=(4, N)).round(2)
    total, half = parts.sum(0).round(2), (parts[0] + parts[1]).round(2)
    found = find(numbers(*"abcdef", step=0.01), *parts, total, half)
    draws = shuffled(rng, *parts, total, half)
    kept, is_broken = keep(found, draws)
    assert not is_broken.any()
    np.testing.assert_allclose(kept[:, 4], kept[:, :4].sum(1), atol=0.006)
    np.testing.assert_allclose(kept[:, 5], kept[:, :2].sum(1), atol=0.006)


def test_another_unit_with_rounding(rng):
    celsius = rng.normal(10, 8, N).round(1)
    fahrenheit = (32 + 1.8 * celsius).round(1)
    found = find(numbers("c", "f", step=0.1), celsius, fahrenheit)
    (text,) = found.texts()
    assert text in ("'f' = 1.8 * 'c' + 32", "'c' = 0.555556 * 'f' - 17.7778")
    kept, is_broken = keep(found, shuffled(rng, celsius, fahrenheit))
    assert not is_broken.any()
    np.testing.assert_allclose(kept[:, 1], 32 + 1.8 * kept[:, 0], atol=0.051)


def test_times_and_lengths(rng):
    start, days = rng.integers(18_000, 19_000, N), rng.integers(1, 30, N)
    times = {"is_number": True, "is_time": True, "unit": 86400.0, "step": 86400.0}
    columns = [Column("start", **times), Column("end", **times), *numbers("days", step=1.0)]
    found = find(columns, start, start + days, days)
    assert "'end' = 'start' + 'days' (days)" in found.texts()
    assert "'start' <= 'end'" in found.texts()


def test_noise_is_no_sum(rng):
    first, second = rng.normal(size=(2, N))
    noise = 1e-3 * rng.normal(size=N)
    assert not find(numbers(*"abc"), first, second, first + second + noise).others


def test_a_few_levels_are_no_sum_by_rounding(rng):
    rooms = rng.integers(1, 6, N)
    beds = np.clip(rooms - (rng.random(N) < 0.2), 1, None)
    found = find(numbers("rooms", "beds", step=1.0), rooms, beds)
    assert found.texts() == ("'beds' <= 'rooms'",)


def test_a_product(rng):
    price, number = rng.lognormal(3, 1, N).round(2), rng.integers(1, 20, N)
    total = (price * number).round(2)
    columns = [
        *numbers("price", step=0.01),
        *numbers("number", step=1.0),
        *numbers("total", step=0.01),
    ]
    found = find(columns, price, number, total)
    assert found.texts() == ("'total' = 'price' * 'number'",)
    kept, is_broken = keep(found, shuffled(rng, price, number, total))
    assert not is_broken.any()
    np.testing.assert_allclose(kept[:, 2], kept[:, 0] * kept[:, 1], atol=0.006)
    rows = np.stack([price, number, total], axis=1)
    given = np.array([[False, True, True]] * N)
    np.testing.assert_allclose(keep(found, rows * [7, 1, 1], given)[0], rows)


def test_a_sum_out_of_range_is_drawn_again(rng):
    first, second = rng.integers(0, 100, size=(2, N))
    columns = [
        *numbers("a", "b", step=1.0, low=0, high=99),
        *numbers("c", step=1.0, low=0, high=198),
    ]
    found = find(columns, first, second, first + second)
    given = np.array([[False, True, True]])
    _, is_broken = keep(found, np.array([[5.0, 90.0, 20.0]]), given)
    assert is_broken.all()


def test_orders_are_found_only_where_chance_would_break_them(rng):
    low, high = np.sort(rng.normal(size=(2, N)), axis=0)
    far = 100 + rng.normal(size=N)
    found = find(numbers("low", "high", "far"), low, high, far)
    assert found.texts() == ("'low' <= 'high'",)
    draws = shuffled(rng, low, high, far)
    kept, is_broken = keep(found, draws)
    np.testing.assert_array_equal(is_broken, draws[:, 0] > draws[:, 1])
    kept, is_broken = keep(found, draws, is_last=True)
    assert not is_broken.any()
    given = np.zeros(draws.shape, dtype=bool)
    given[:, 0] = True
    kept, is_broken = keep(found, draws, given, is_last=True)
    assert not is_broken.any()
    np.testing.assert_array_equal(kept[:, 0], draws[:, 0])


def test_a_year_is_compared_with_times(rng):
    sold = rng.integers(10_000, 20_000, N)
    year = 1970 + (sold / 365.2425).astype(int) - rng.integers(0, 3, N) * 10
    columns = [
        *numbers("built", step=1.0),
        Column("sold", is_number=True, is_time=True, unit=86400.0, step=86400.0),
    ]
    assert find(columns, year, sold).texts() == ("'built' <= 'sold', by year",)


def test_labels_that_are_never_equal(rng):
    names = (None, None, "a", "b", "c", "d")
    start = rng.integers(2, 6, N)
    end = 2 + (start - 2 + rng.integers(1, 4, N)) % 4
    found = find([Column("from", labels=names), Column("to", labels=names)], start, end)
    assert found.texts() == ("'from' is never 'to'",)
    draws = shuffled(rng, start, end)
    assert keep(found, draws)[1].sum() == (draws[:, 0] == draws[:, 1]).sum() > 0
    kept, is_broken = keep(found, draws, is_last=True)
    assert not is_broken.any()
    assert set(kept.ravel()) <= {2, 3, 4, 5}


def test_labels_that_are_equal_now_and_then(rng):
    names = (None, None, "a", "b", "c", "d")
    start, end = rng.integers(2, 6, size=(2, N))
    assert not find([Column("from", labels=names), Column("to", labels=names)], start, end).others


def test_cells_that_are_empty_where_another_says_so(rng):
    area = np.where(rng.random(N) < 0.3, 0, rng.integers(10, 200, N)).astype(float)
    kind = np.where(area == 0, MISSING, rng.integers(2, 5, N))
    columns = [
        *numbers("area", step=1.0),
        Column("kind", labels=(None, None, *"abc")),
        *numbers("x"),
    ]
    x = rng.normal(size=N)
    found = find(columns, area, kind, x)
    assert found.texts() == ("'kind' is empty exactly where 'area' is 0",)
    kept, is_broken = keep(found, shuffled(rng, area, kind, x))
    assert is_broken.any()
    assert (kept[kept[:, 0] == 0, 1] == MISSING).all()
    kept, is_broken = keep(found, shuffled(rng, area, kind, x), is_last=True)
    assert not is_broken.any()
    holes = np.stack([area, np.full(N, 3.0), x], axis=1)
    told = found.structural(np.stack([area, kind, x], axis=1))
    np.testing.assert_array_equal(told[:, 1], area == 0)
    kept, _ = keep(found, holes, np.array([[True, False, True]] * N), is_last=True)
    np.testing.assert_array_equal(kept[:, 1] == MISSING, area == 0)


def test_copies_of_one_row_do_not_say_where_cells_are_empty():
    found = find(numbers("a", "b"), np.tile([1, 2, 3, 4], 50), np.tile([1, 2, 3, MISSING], 50))
    assert not any("empty" in text for text in found.texts())


def test_cells_that_are_there_where_others_are_not_say_nothing(rng):
    first = rng.random(N) < 0.5
    sex = np.where(first, rng.integers(0, 2, N), MISSING)
    other = np.where(first, MISSING, rng.normal(size=N))
    found = find(numbers("sex", "other", "x"), sex, other, rng.normal(size=N))
    assert not any("empty" in text for text in found.texts())


def test_cells_that_are_empty_together(rng):
    holes = rng.random(N) < 0.2
    first, second = (np.where(holes, MISSING, rng.normal(size=N)) for _ in range(2))
    rows = np.stack([first, second, rng.normal(size=N)], axis=1)
    found = find(numbers("lat", "lon", "x"), *rows.T)
    assert found.texts() == ("'lat' and 'lon' are empty together",)
    assert not found.structural(rows).any()


def test_unknown_labels_break_nothing(rng):
    city = rng.integers(2, 20, N).astype(float)
    columns = [Column("city", labels=tuple(range(30))), Column("land", labels=tuple(range(30)))]
    found = find(columns, city, city // 4)
    kept, is_broken = keep(found, np.array([[UNKNOWN, 3.0]]))
    assert not is_broken.any()
    np.testing.assert_array_equal(kept, [[UNKNOWN, 3.0]])


def test_a_product_that_is_part_of_a_sum(rng):
    price, number = rng.uniform(1, 50, N).round(2), rng.integers(1, 10, N)
    shipping = rng.uniform(0, 9, N).round(2)
    total = (price * number).round(2)
    cells = price, number, shipping, total, (total + shipping).round(2)
    columns = [
        *numbers("price", step=0.01),
        *numbers("number", step=1.0),
        *numbers(*"stg", step=0.01),
    ]
    found = find(columns, *cells)
    assert set(found.texts()) == {"'t' = 'price' * 'number'", "'g' = 't' + 's'"}
    kept, is_broken = keep(found, shuffled(rng, *cells))
    assert not is_broken.any()
    np.testing.assert_allclose(kept[:, 3], kept[:, 0] * kept[:, 1], atol=0.006)
    np.testing.assert_allclose(kept[:, 4], kept[:, 2] + kept[:, 3], atol=0.006)


def test_a_product_that_is_given_changes_a_factor(rng):
    price, number = rng.uniform(1, 50, N), rng.choice([1.0, 2.0, 4.0, 8.0], N)
    found = find(numbers("price", "number", "total"), price, number, price * number)
    draws = shuffled(rng, price, number, price * number)
    draws[:, 2] = 32.0
    given = np.array([[False, False, True]] * N)
    kept, is_broken = keep(found, draws, given)
    assert not is_broken.any()
    np.testing.assert_allclose(kept[:, 0] * kept[:, 1], 32)


@pytest.mark.parametrize("offset", [1e6, 1e9, 1.7e12])
def test_numbers_far_from_zero_are_no_products(rng, offset):
    first, second = offset + rng.normal(size=(2, N))
    assert find(numbers("a", "b"), first, second).texts() == ()


def test_single_precision_adds_no_terms(rng):
    cells = rng.lognormal(5, 1, size=(3, N)).astype(np.float32)
    columns = numbers(*"abcd", precision=float(np.finfo(np.float32).eps))
    found = find(columns, *cells, cells[0] + cells[1])
    assert found.texts() == ("'d' = 'a' + 'b'",)


def test_numbers_of_few_values_are_set_to_one_of_these(rng):
    levels = np.array([10.0, 100.0, 1000.0])
    high = rng.choice(levels, N)
    low = np.floor(high * rng.random(N))
    columns = [
        *numbers("low", step=1.0),
        *numbers("high", step=1.0, levels=levels, low=10, high=1000),
    ]
    found = find(columns, low, high)
    assert found.texts() == ("'low' <= 'high'",)
    draws = np.array([[150.0, 100.0], [50.0, 10.0], [5.0, 10.0]])
    given = np.array([[True, False]] * 3)
    kept, is_broken = keep(found, draws, given, is_last=True)
    np.testing.assert_array_equal(kept[:, 1], [1000, 100, 10])
    assert not is_broken.any()


def test_whole_numbers_that_are_never_equal(rng):
    places = np.arange(5.0)
    start = rng.integers(0, 5, N)
    end = (start + rng.integers(1, 5, N)) % 5
    found = find(numbers("from", "to", step=1.0, levels=places), start, end)
    assert "'from' is never 'to'" in found.texts()


def test_columns_of_arrays_are_named_as_such(rng):
    first, second = rng.integers(100, size=(2, N))
    found = find(numbers(0, 1, 2, step=1.0), first, second, first + second)
    assert found.texts() == ("column 2 = column 0 + column 1",)


def test_weights_and_constants_are_written_as_a_person_would(rng):
    age = rng.integers(18, 90, N)
    assert find(numbers("age", "born", step=1.0), age, 2024 - age).texts() == (
        "'born' = 2024 - 'age'",
    )
