"""Shapes of columns and trends of pairs: against closed forms."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from metric_helpers import mixed, normals
from scipy.stats import ks_2samp

from skae.metrics import (
    column_shapes,
    density_coverage,
    frechet_distance,
    independent_columns,
    pair_trends,
    two_sample_auc,
)

REAL, OTHER = mixed(400), mixed(400, seed=1)


def test_shapes_are_those_of_scipy():
    x, y = normals(300, 2), 1.3 * normals(200, 2, seed=1)
    expected = [1 - ks_2samp(a, b).statistic for a, b in zip(x.T, y.T, strict=True)]
    np.testing.assert_allclose(column_shapes(x, y), expected)


def test_the_shape_of_labels_counts_missing_and_unseen_ones():
    real = pd.DataFrame({"x": ["a"] * 5 + ["b"] * 3 + [None] * 2})
    other = pd.DataFrame({"x": ["a"] * 5 + ["c"] * 3 + ["b"] * 2})
    # b loses 1, missing cells lose 2, and c has 3 too many
    assert column_shapes(real, other)["x"] == pytest.approx(0.7)


def test_the_shape_of_numbers_is_bounded_by_their_missing_cells():
    real = pd.DataFrame({"x": np.arange(10.0)})
    holed = real.assign(x=real["x"].where(real["x"] % 2 == 0))
    assert column_shapes(real, holed)["x"] == pytest.approx(0.5)
    assert column_shapes(real, real * np.nan)["x"] == 0
    assert column_shapes(holed, holed)["x"] == 1


def test_equal_rows_are_the_best_of_all():
    assert (column_shapes(REAL, REAL) == 1).all()
    trends = pair_trends(REAL, REAL).to_numpy()
    assert np.isnan(np.diag(trends)).all()
    assert np.nanmin(trends) == 1
    assert two_sample_auc(REAL, REAL, random_state=0) == 0.5
    assert frechet_distance(REAL, REAL) == pytest.approx(0, abs=1e-9)
    assert density_coverage(REAL, REAL)._replace(density=1) == (1, 1, 1, 1)


def test_trends_of_numbers_are_differences_of_correlations():
    x, y = normals(300, 2), normals(300, 2, seed=1)
    y[:, 1] += y[:, 0]
    x[::7, 0] = np.nan
    there = ~np.isnan(x[:, 0])
    r = np.corrcoef(x[there].T)[0, 1], np.corrcoef(y.T)[0, 1]
    trends = pair_trends(x, y)
    assert trends[0][1] == trends[1][0] == pytest.approx(1 - abs(r[0] - r[1]) / 2)


def test_trends_with_labels_are_differences_of_contingency_tables():
    edges = np.linspace(REAL["size"].min(), REAL["size"].max(), 11)[1:-1]
    tables = [
        pd.crosstab(np.digitize(rows["size"], edges), rows["kind"].fillna("?"), normalize=True)
        for rows in (REAL, REAL[:60])
    ]
    expected = 1 - tables[0].sub(tables[1], fill_value=0).abs().to_numpy().sum() / 2
    assert pair_trends(REAL, REAL[:60]).loc["size", "kind"] == pytest.approx(expected)


def test_own_edges_let_an_outlier_move_the_bins():
    other = REAL.copy()
    other.loc[0, "size"] = 1000
    assert pair_trends(REAL, other).loc["size", "is_new"] > 0.99
    assert pair_trends(REAL, other, own_edges=True).loc["size", "is_new"] < 0.5


def test_columns_of_very_many_labels_are_as_quick_as_others():
    names = [str(i) for i in range(20_000)]
    frame = pd.DataFrame({"a": names, "b": names[::-1]})
    assert pair_trends(frame, frame).loc["a", "b"] == 1
    assert pair_trends(frame, frame.assign(b=names)).loc["a", "b"] == 0


def test_a_column_that_does_not_vary_has_no_correlation():
    x = normals(50, 2)
    flat = x * [1, 0]
    assert pair_trends(x, flat)[0][1] == pytest.approx(1 - abs(np.corrcoef(x.T)[0, 1]) / 2)


def test_independent_columns_keep_shapes_and_lose_trends():
    shuffled = independent_columns(REAL, random_state=0)
    assert (column_shapes(REAL, shuffled) == 1).all()
    trends = pair_trends(REAL, shuffled)
    assert trends.loc["size", "weight"] < 0.6
    assert trends.loc["size", "kind"] < 0.7
    assert two_sample_auc(REAL, shuffled, random_state=0) > 0.9
    assert density_coverage(REAL, shuffled).density < 0.5


@pytest.mark.parametrize("container", ["pandas", "polars", "array"])
def test_independent_columns_come_in_the_same_container(container):
    frame = REAL.astype({"kind": "category"}).set_index(np.arange(400) + 7)
    if container == "pandas":
        shuffled = independent_columns(frame, 0)
        assert shuffled.dtypes.equals(frame.dtypes)
        assert shuffled.index.equals(frame.index)
    elif container == "polars":
        shuffled = independent_columns(pl.from_pandas(frame), 0)
        assert shuffled.schema == pl.from_pandas(frame).schema
    else:
        x = normals(30, 2)
        shuffled = independent_columns(x, 0)
        assert isinstance(shuffled, np.ndarray)
        np.testing.assert_array_equal(np.sort(shuffled, axis=0), np.sort(x, axis=0))
