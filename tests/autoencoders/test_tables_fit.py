"""Autoencoders of tables: frames of labels, numbers, times and holes go in and come out."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import N_ROWS, rows_of_a_shop
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skae import AutoencoderTransformer


def make(n_components=3, **params):
    return AutoencoderTransformer(n_components, **{"random_state": 0, "max_epochs": 30, **params})


@pytest.fixture(scope="module")
def frame():
    return rows_of_a_shop()


@pytest.fixture(scope="module")
def fitted(frame):
    return make().fit(frame)


def test_frames_come_back_as_they_were(frame, fitted):
    part = frame[7:40]
    for back in (fitted.reconstruct(part), fitted.inverse_transform(fitted.transform(part))):
        assert back.dtypes.equals(frame.dtypes)
        assert list(back.columns) == list(frame.columns)
    assert fitted.reconstruct(part).index.equals(part.index)
    sample = fitted.sample(200, random_state=0)
    assert sample.dtypes.equals(frame.dtypes)
    assert set(sample["kind"].dropna()) <= set(frame["kind"].dropna())
    assert sample["seats"].between(1, 9).all()
    assert (sample["sold"].dropna().dt.hour == 0).all()
    assert 0.6 < (sample["extras"] == 0).mean() < 0.95
    assert 0 < sample.isna().to_numpy().mean() < 0.2


def test_polars_comes_back_as_polars(frame):
    frame = pl.from_pandas(frame)
    fitted = make().fit(frame)
    for back in (fitted.reconstruct(frame), fitted.sample(5), fitted.impute(frame)):
        assert back.schema == frame.schema
    assert isinstance(fitted.score_cells(frame), pl.DataFrame)


def test_it_learns_what_the_rows_have_in_common(frame, fitted):
    back = fitted.reconstruct(frame)
    seen = frame["kind"].notna()
    assert (back["kind"] == frame["kind"])[seen].mean() > 0.9
    assert ((back["price"] - frame["price"]) ** 2).mean() < 0.1 * frame["price"].var()


def test_cells_add_up_to_rows(frame, fitted):
    cells = fitted.score_cells(frame)
    assert list(cells.columns) == list(frame.columns)
    assert cells.index.equals(frame.index)
    assert np.isfinite(cells.to_numpy()).all()
    np.testing.assert_allclose(cells.sum(axis=1), fitted.score_samples(frame), rtol=1e-4, atol=1e-4)


def test_cells_of_numbers_alone_add_up_too():
    X = np.random.default_rng(0).normal(size=(60, 4))
    fitted = make().fit(X)
    cells = fitted.score_cells(X)
    assert cells.shape == X.shape
    np.testing.assert_allclose(cells.sum(1), fitted.score_samples(X), rtol=1e-4, atol=1e-4)


def test_units_of_a_column_change_no_score(frame, fitted):
    in_cents = frame.assign(price=frame["price"] * 128)
    np.testing.assert_allclose(
        make().fit(in_cents).score_cells(in_cents), fitted.score_cells(frame), rtol=1e-2, atol=1e-2
    )


def test_a_wrong_cell_has_the_lowest_score(frame, fitted):
    wrong = frame.dropna().head(50).copy()
    wrong["kind"] = np.where(wrong["kind"] == "van", "bike", "van")
    lowest = fitted.score_cells(wrong).idxmin(axis=1)
    assert (lowest == "kind").mean() > 0.7


def test_missing_and_unseen_cells_have_scores_of_their_own(frame, fitted):
    row = frame.dropna().head(1)
    scores = fitted.score_cells(row)["kind"].iloc[0]
    assert fitted.score_cells(row.assign(kind="tank"))["kind"].iloc[0] < scores
    assert fitted.score_cells(row.assign(kind=None))["kind"].iloc[0] < scores


def test_impute_fills_holes_and_nothing_else(frame, fitted):
    filled = fitted.impute(frame)
    assert not filled.isna().to_numpy().any()
    assert filled.dtypes.equals(frame.dtypes)
    pd.testing.assert_frame_equal(filled.mask(frame.isna()), frame)


def test_imputed_cells_are_better_than_means():
    whole = rows_of_a_shop().dropna()
    fitted = make(mask_fraction=0.2).fit(whole[:200])
    holed = whole[200:].assign(price=np.nan)
    error = ((fitted.impute(holed)["price"] - whole["price"][200:]) ** 2).mean()
    assert error < 0.5 * ((whole["price"][:200].mean() - whole["price"][200:]) ** 2).mean()


def test_draws_differ_in_the_holes_only_and_repeat(frame, fitted):
    first, second = fitted.impute(frame, n_draws=2, random_state=0)
    holes = frame.isna()
    assert not first.mask(~holes).equals(second.mask(~holes))
    pd.testing.assert_frame_equal(first.mask(holes), second.mask(holes))
    again = fitted.impute(frame, n_draws=2, random_state=0)
    pd.testing.assert_frame_equal(first, again[0])


def test_it_stands_in_pipelines_and_searches(frame):
    X, y = frame.drop(columns="electric"), frame["electric"]
    pipeline = make_pipeline(make(), LogisticRegression())
    search = GridSearchCV(pipeline, {"autoencodertransformer__n_components": [1, 2]}, cv=2)
    assert search.fit(X, y).score(X, y) > 0.6


def test_it_repeats_itself_and_pickles(frame, fitted):
    codes = fitted.transform(frame)
    np.testing.assert_array_equal(clone(fitted).fit(frame).transform(frame), codes)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(frame), codes)


def test_set_output_gives_frames(frame, fitted):
    codes = clone(fitted).set_output(transform="pandas").fit_transform(frame)
    assert codes.shape == (N_ROWS, 3)
    assert codes.index.equals(frame.index)


def test_partial_fit_and_weights(frame):
    weights = np.where(np.arange(N_ROWS) < 200, 1.0, 0.0)
    weighted = make().fit(frame, sample_weight=weights)
    np.testing.assert_array_equal(
        weighted.transform(frame), make().fit(frame[:200]).transform(frame)
    )
    again = make().partial_fit(frame).partial_fit(frame[:50])
    assert np.isfinite(again.score(frame))


def test_interpolation_is_a_frame(frame, fitted):
    walk = fitted.interpolate(frame[:2], frame[2:4], n_steps=5)
    assert len(walk) == 10
    assert walk.dtypes.equals(frame.dtypes)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda frame: frame.to_numpy(), TypeError, "needs one now. Got ndarray"),
        (lambda frame: frame.drop(columns="price"), ValueError, "feature names"),
        (lambda frame: frame[frame.columns[::-1]], ValueError, "feature names"),
        (lambda frame: frame[:0], ValueError, r"Found array with 0 sample\(s\)"),
        (lambda frame: frame.assign(price="dear"), ValueError, "Column 'price' of X held number"),
        (lambda frame: frame.assign(price=np.inf), ValueError, "Column 'price' of X contains inf"),
    ],
)
def test_frames_that_cannot_be_read(frame, fitted, change, error, message):
    with pytest.raises(error, match=message):
        fitted.transform(change(frame))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"likelihood": "bernoulli"}, "'likelihood' parameter is for numbers alone"),
        ({"bounds": (0, 1)}, "'bounds' parameter is for numbers alone"),
        ({"image_shape": (2, 3)}, "'image_shape' parameter"),
    ],
)
def test_parameters_that_are_for_numbers(frame, params, message):
    with pytest.raises(ValueError, match=message):
        make(**params).fit(frame)


@pytest.mark.parametrize("kind", ["labels alone", "one column", "constants", "numbers and holes"])
def test_narrow_tables(kind, frame):
    frame = {
        "labels alone": frame[["kind", "electric"]],
        "one column": frame[["kind"]],
        "constants": frame[["price"]].assign(same="a", empty=None),
        "numbers and holes": frame[["price", "extras"]],
    }[kind]
    fitted = make(1).fit(frame)
    assert fitted.reconstruct(frame).dtypes.equals(frame.dtypes)
    assert np.isfinite(fitted.score_cells(frame).to_numpy()).all()
    assert fitted.sample(3, random_state=0).shape == (3, frame.shape[1])


def test_marked_numbers_are_labels(frame):
    fitted = make(categorical_features=["seats"]).fit(frame)
    assert "seats" in str(fitted.schema_)
    kinds = {field.name: field.kind for field in fitted.schema_.fields}
    assert kinds["seats"] == "category"
    assert kinds["sold"] == "datetime"


class TestArrays:
    """Arrays with holes or marked columns are tables, and come back as arrays."""

    @pytest.fixture
    def rows(self):
        rng = np.random.default_rng(0)
        size = rng.normal(size=(N_ROWS, 1))
        return np.hstack([size, 2 * size, np.sign(size)]) + 0.1 * rng.normal(size=(N_ROWS, 3))

    def test_holes_are_filled(self, rows):
        holed = np.where(np.random.default_rng(1).random(rows.shape) < 0.1, np.nan, rows)
        fitted = make(2).fit(holed)
        filled = fitted.impute(holed)
        np.testing.assert_array_equal(filled[~np.isnan(holed)], holed[~np.isnan(holed)])
        error = (filled - rows)[np.isnan(holed)]
        assert (error**2).mean() < 0.3 * rows.var()
        assert fitted.reconstruct(holed).shape == fitted.score_cells(holed).shape == rows.shape
        assert isinstance(fitted.sample(2), np.ndarray)

    def test_float32_and_tensors_come_back(self, rows):
        holed = rows.astype(np.float32)
        holed[0, 0] = np.nan
        fitted = make(2).fit(torch.from_numpy(holed))
        assert fitted.reconstruct(holed).dtype == np.float32
        filled = fitted.impute(torch.from_numpy(holed))
        assert isinstance(filled, torch.Tensor)
        assert torch.isfinite(filled).all()

    def test_marked_columns_hold_labels(self, rows):
        labels = np.column_stack([rows[:, 0], rows[:, 0].round()])
        fitted = make(1, categorical_features=[1]).fit(labels)
        assert [field.kind for field in fitted.schema_.fields] == ["number", "category"]
        assert set(fitted.reconstruct(labels)[:, 1]) <= set(labels[:, 1])

    @pytest.mark.parametrize("container", [list, lambda cells: np.array(cells, dtype=object)])
    def test_objects_with_marks(self, container):
        labels = container([["a", 1.0], ["b", 2.0], [None, 3.5]] * 20)
        fitted = make(1, categorical_features=[True, False]).fit(labels)
        assert fitted.schema_.fields[1].kind == "number"
        assert fitted.impute(labels)[2, 0] in ("a", "b")

    def test_sparse_rows_may_be_a_table(self, rows):
        model = make(1, categorical_features=[1], max_epochs=2)
        expected = model.fit(rows).transform(rows)
        found = model.fit(sparse.csr_array(rows)).transform(sparse.csr_array(rows))
        np.testing.assert_array_equal(found, expected)

    def test_holes_come_too_late(self, rows):
        with pytest.raises(ValueError, match="was fitted to rows without missing cells"):
            make(1).fit(rows).transform(np.where(rows > 1, np.nan, rows))


def test_numbers_alone_keep_their_types():
    columns = {
        "count": pd.Series([*range(59), 0], dtype="uint8"),
        "nullable": pd.Series([*range(59), 0], dtype="Int64"),
        "single": pd.Series(np.arange(60), dtype="float32"),
        "flag": pd.Series([True, False] * 30),
    }
    frame = pd.DataFrame(columns)
    fitted = make(4, max_categories=5).fit(frame)
    assert [field.kind for field in fitted.schema_.fields][:2] == ["integer", "integer"]
    for back in (fitted.reconstruct(frame), fitted.sample(20, random_state=0)):
        assert back.dtypes.equals(frame.dtypes)
    assert (fitted.reconstruct(frame)["flag"] == frame["flag"]).all()
    assert (fitted.score_cells(frame).dtypes == np.float32).all()


def test_unknown_labels_are_an_error_if_asked(frame):
    fitted = make(handle_unknown="error", min_frequency=0.4).fit(frame)
    fitted.transform(frame)
    with pytest.raises(ValueError, match=r"Column 'kind' of X holds .* did not see: 'tank'"):
        fitted.transform(frame.assign(kind="tank"))


@pytest.mark.parametrize(
    ("column", "error", "message"),
    [
        (pd.interval_range(0, N_ROWS), TypeError, "Column 'new' of X is of type interval"),
        (pd.period_range("2020", periods=N_ROWS), TypeError, r"'new' of X is of type period\[D\]"),
        (np.arange(N_ROWS) * 1j, TypeError, "Column 'new' of X is of type complex128"),
        (np.arange(N_ROWS) * 1e300, ValueError, "Column 'new' of X holds values whose squares"),
    ],
)
def test_columns_that_cannot_be_learned(frame, column, error, message):
    with pytest.raises(error, match=message):
        make().fit(frame.assign(new=column))


def test_a_number_far_away_has_a_low_score(frame, fitted):
    far = frame.dropna().head(1).assign(price=1e300)
    assert fitted.score_cells(far)["price"].iloc[0] < -1e6
    assert np.isfinite(fitted.transform(far)).all()


def test_no_training_rows_are_kept(frame):
    size = len(pickle.dumps(make(max_epochs=1).fit(frame)))
    many = pd.concat([frame] * 40, ignore_index=True)
    assert len(pickle.dumps(make(max_epochs=1).fit(many))) < 1.2 * size
