"""Columns that fix others: found where they do, and kept in draws."""

import numpy as np
import pandas as pd
import pytest

from skae import VAETransformer
from skae.tables.dependencies import find_dependencies, keep_dependencies

RNG = np.random.default_rng(0)
CITY = RNG.integers(12, size=1000).astype(float)
COUNTRY = CITY // 4
ALIAS = 100 - CITY
FREE = RNG.integers(3, size=1000).astype(float)
ROWS = np.stack([COUNTRY, CITY, FREE, ALIAS], axis=1)


def pairs(dependencies):
    return {(each.source, each.target) for each in dependencies}


def test_what_fixes_what_is_found():
    assert pairs(find_dependencies(ROWS)) == {(1, 0), (3, 0), (1, 3), (3, 1)}


def test_one_exception_is_enough():
    rows = ROWS.copy()
    rows[7, 0] += 1
    assert pairs(find_dependencies(rows)) == {(1, 3), (3, 1)}


def test_columns_without_repetition_and_constant_columns_fix_nothing():
    rows = np.stack([np.arange(1000.0), CITY, np.ones(1000)], axis=1)
    assert find_dependencies(rows) == []


def test_missing_cells_are_a_value_that_may_be_fixed():
    rows = ROWS[:, :2].copy()
    rows[CITY == 3, 0] = np.nan
    (dependency,) = find_dependencies(rows)
    draws = np.array([[5.0, 3.0], [5.0, 0.0], [5.0, 77.0]])
    kept = keep_dependencies([dependency], draws, np.zeros_like(draws, dtype=bool))
    np.testing.assert_array_equal(kept, [[np.nan, 3], [0, 0], [5, 77]])


def test_missing_cells_may_fix_others():
    rows = np.stack([np.where(CITY == 3, np.nan, CITY), COUNTRY], axis=1)
    (dependency,) = find_dependencies(rows)
    draws = np.array([[np.nan, 2.0], [8.0, 0.0]])
    kept = keep_dependencies([dependency], draws, np.zeros_like(draws, dtype=bool))
    np.testing.assert_array_equal(kept, [[np.nan, 0], [8, 2]])


def test_draws_are_brought_to_them_and_given_cells_stay():
    dependencies = find_dependencies(ROWS)
    draws = RNG.permuted(ROWS, axis=0)
    free = np.zeros_like(draws, dtype=bool)
    kept = keep_dependencies(dependencies, draws, free)
    np.testing.assert_array_equal(kept[:, 0], kept[:, 1] // 4)
    np.testing.assert_array_equal(kept[:, 3], 100 - kept[:, 1])
    np.testing.assert_array_equal(kept[:, 2], draws[:, 2])
    given = free.copy()
    given[:, 0] = True
    kept = keep_dependencies(dependencies, draws, given)
    np.testing.assert_array_equal(kept[:, :2], draws[:, :2])
    given = free.copy()
    given[:500, 3] = True
    kept = keep_dependencies(dependencies, draws, given)
    np.testing.assert_array_equal(kept[:500, 3], draws[:500, 3])
    np.testing.assert_array_equal(kept[:, 3], 100 - kept[:, 1])
    np.testing.assert_array_equal(kept[:, 0], kept[:, 1] // 4)


@pytest.mark.parametrize("given", [None, {"number": 3.0}, {"label": "l5"}], ids=str)
def test_samples_of_tables_keep_them(given):
    labels = np.array([f"l{i:.0f}" for i in CITY])
    frame = pd.DataFrame({"number": CITY, "label": labels, "free": FREE.astype(str)})
    autoencoder = VAETransformer(random_state=0, max_epochs=5).fit(frame)
    draws = autoencoder.sample(500, random_state=0, given=given)
    assert (draws["label"] == [f"l{i:.0f}" for i in draws["number"]]).all()
    assert given is not None or draws["label"].nunique() == 12
    holes = frame.assign(label=None).astype({"label": frame["label"].dtype})
    assert autoencoder.impute(holes)["label"].equals(frame["label"])
