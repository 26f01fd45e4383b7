"""Bad input: a clear error that names what is wrong and what is allowed, or a right result."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import sparse
from sklearn.exceptions import NotFittedError
from torch import nn

from skae import AutoencoderTransformer


def make(n_components=2, **params):
    return AutoencoderTransformer(n_components, **{"max_epochs": 3, "random_state": 0, **params})


def with_cell(rows, value):
    changed = rows.astype(np.result_type(rows, type(value)))
    changed[3, 1] = value
    return changed


class TestRowsThatCannotBeLearned:
    @pytest.mark.parametrize(
        ("spoil", "message"),
        [
            (lambda X: with_cell(X, np.inf), "contains infinity"),
            (lambda X: X + 1j, "Complex data not supported"),
            (lambda X: X.astype(str)[:, :1] + "a", "Column 0 of X holds .* which is no number"),
            (lambda X: X[0], "Expected 2D array, got 1D array"),
            (lambda X: X[None], "dim 3"),
            (lambda X: X[:0], r"0 sample\(s\).* minimum of 2 is required"),
            (lambda X: X[:1], r"1 sample\(s\).* minimum of 2 is required"),
            (lambda X: X[:, :0], r"0 feature\(s\).* minimum of 1 is required"),
            (lambda X: X * 1e200, "squares overflow"),
            (lambda X: sparse.csr_array(with_cell(X, np.nan)), "contains NaN"),
            (lambda X: torch.from_numpy(with_cell(X, np.inf)), "contains infinity"),
            (lambda X: pd.DataFrame(X, columns=list("aacde")), "unique column names"),
            (lambda X: pd.DataFrame(X, columns=["a", 1, "c", "d", "e"]), "string names"),
            (lambda X: pd.DataFrame(X)[0], "2-dimensional container"),
            (lambda X: pl.LazyFrame(X), r"X\.collect\(\)"),
        ],
    )
    def test_fit(self, rows, spoil, message):
        autoencoder = make()
        with pytest.raises((ValueError, TypeError), match=message):
            autoencoder.fit(spoil(rows))
        assert not hasattr(autoencoder, "net_")

    @pytest.mark.parametrize(
        ("spoil", "message"),
        [
            (lambda X: with_cell(X, np.nan), "contains NaN"),
            (lambda X: X[:, :3], "X has 3 features, but AutoencoderTransformer is expecting 5"),
            (lambda X: X[:0], r"0 sample\(s\)"),
            (lambda X: X[0], "Expected 2D array, got 1D array"),
        ],
    )
    @pytest.mark.parametrize("method", ["transform", "reconstruct", "score_samples", "score"])
    def test_reading(self, rows, spoil, message, method):
        with pytest.raises(ValueError, match=message):
            getattr(make().fit(rows), method)(spoil(rows))

    @pytest.mark.parametrize(
        ("weights", "message"),
        [
            (np.ones(7), "sample_weight.shape"),
            (-np.ones(60), "Negative values"),
            (np.zeros(60), "at least one non-zero"),
            (np.eye(60)[0], "above 0 for 1 row only"),
            (np.full(60, np.nan), "contains NaN"),
        ],
    )
    def test_weights(self, rows, weights, message):
        with pytest.raises(ValueError, match=message):
            make().fit(rows, sample_weight=weights)

    def test_a_failed_refit_leaves_the_model_that_was_there(self, rows):
        autoencoder = make().fit(rows)
        before = autoencoder.transform(rows)
        with pytest.raises(ValueError, match="contains infinity"):
            autoencoder.fit(with_cell(rows, np.inf)[:, :4])
        autoencoder.set_params(learning_rate=1e30, learning_rate_schedule="constant")
        with pytest.raises(FloatingPointError, match="diverged"):
            autoencoder.fit(pd.DataFrame(rows[:, :3], columns=list("abc")))
        assert np.array_equal(autoencoder.transform(rows), before)


class TestColumnsOfFrames:
    @pytest.fixture
    def frame(self, rows):
        return pd.DataFrame(rows, columns=list("abcde"))

    def test_another_order(self, frame):
        with pytest.raises(ValueError, match="must be in the same order"):
            make().fit(frame).transform(frame[list("bacde")])

    def test_other_names(self, frame):
        with pytest.raises(ValueError, match=r"unseen at fit time:\s- z"):
            make().fit(frame).transform(frame.rename(columns={"a": "z"}))

    def test_names_that_are_numbers_come_back(self, rows):
        frame = pd.DataFrame(rows)
        pd.testing.assert_index_equal(make().fit(frame).reconstruct(frame).columns, frame.columns)

    def test_messages_name_the_column(self, frame):
        with pytest.raises(ValueError, match="column b of X goes from"):
            make(likelihood="bernoulli").fit(frame.clip(0, 1).assign(b=frame["b"]))
        with pytest.raises(ValueError, match="allows column a of X from 0 to 1, but X goes"):
            make(bounds=(0, 1)).fit(frame)

    def test_interpolation_needs_the_order(self, frame):
        with pytest.raises(ValueError, match="must be in the same order"):
            make().fit(frame).interpolate(frame.iloc[0][list("edcba")], frame.iloc[1])

    def test_interpolation_between_rows_of_a_frame(self, frame):
        autoencoder = make().fit(frame)
        walk = autoencoder.interpolate(frame.iloc[0], frame.iloc[1], n_steps=3)
        np.testing.assert_allclose(walk[0], autoencoder.reconstruct(frame).iloc[0], atol=1e-5)


class TestRowsThatAreUnusualButRight:
    @pytest.mark.parametrize("n_rows", [2, 3, 11])
    def test_fewer_rows_than_a_batch(self, rows, n_rows):
        autoencoder = make(1).fit(rows[:n_rows])
        assert np.isfinite(autoencoder.reconstruct(rows)).all()
        assert autoencoder.sample(5).shape == (5, 5)

    def test_one_more_row_of_a_stream(self, rows):
        autoencoder = make(1).partial_fit(rows)
        before = autoencoder.transform(rows)
        autoencoder.partial_fit(rows[:1])
        assert not np.array_equal(autoencoder.transform(rows), before)
        assert np.isfinite(autoencoder.sample(3)).all()

    def test_bounds_mean_the_same_in_float32(self, rows):
        X = rows.clip(0, 0.1).astype(np.float32)
        assert make(bounds=(0, 0.1)).fit(X).reconstruct(X).max() <= np.float32(0.1)

    def test_one_column(self, rows):
        autoencoder = make(1).fit(rows[:, :1])
        np.testing.assert_allclose(autoencoder.reconstruct(rows[:, :1]), rows[:, :1], atol=1e-4)

    def test_constant_columns_come_back(self, rows):
        rows[:, 2] = 7
        np.testing.assert_allclose(make().fit(rows).reconstruct(rows)[:, 2], 7, atol=1e-5)

    @pytest.mark.parametrize("value", [0.0, 1 / 3, 7.0, -1e30])
    def test_only_constant_columns(self, value):
        X = np.full((47, 3), value)
        autoencoder = make().fit(X)
        assert autoencoder.columns_.scale == 1
        np.testing.assert_allclose(autoencoder.reconstruct(X), X, rtol=1e-6, atol=1e-6)
        assert np.isfinite(autoencoder.score_samples(X)).all()
        assert np.isfinite(autoencoder.sample(3)).all()

    def test_more_components_than_columns(self, rows):
        autoencoder = make(9, noise=0).fit(rows)
        assert autoencoder.transform(rows).shape == (60, 9)
        np.testing.assert_allclose(autoencoder.reconstruct(rows), rows, atol=1e-3)

    @pytest.mark.parametrize("scale", [1e30, 1e-30, 1e-150])
    def test_units_do_not_matter(self, rows, scale):
        expected = make().fit(rows).reconstruct(rows)
        back = make().fit(rows * scale).reconstruct(rows * scale) / scale
        np.testing.assert_allclose(back, expected, atol=1e-3)

    @pytest.mark.parametrize("scale", [1e30, 1e-30])
    def test_units_do_not_matter_in_float32(self, rows, scale):
        X = (rows * scale).astype(np.float32)
        back = make().fit(X).reconstruct(X)
        assert back.dtype == np.float32
        np.testing.assert_allclose(back / scale, make().fit(rows).reconstruct(rows), atol=1e-3)

    @pytest.mark.parametrize("value", [1e30, -1e300])
    def test_a_huge_cell_is_finite_and_unlikely(self, rows, value):
        autoencoder = make().fit(rows)
        huge = with_cell(rows, value)
        assert np.isfinite(autoencoder.transform(huge)).all()
        assert np.isfinite(autoencoder.reconstruct(huge)).all()
        scores = autoencoder.score_samples(huge)
        assert np.isfinite(scores).all()
        assert scores.argmin() == 3

    @pytest.mark.parametrize("change", [lambda Z: Z[:, ::-1], np.asfortranarray, pd.DataFrame])
    def test_codes_of_any_layout(self, rows, change):
        autoencoder = make().fit(rows)
        codes = autoencoder.transform(rows)
        codes.flags.writeable = False
        expected = autoencoder.inverse_transform(np.array(change(codes)))
        assert np.array_equal(autoencoder.inverse_transform(change(codes)), expected)

    def test_few_wide_rows(self):
        X = np.random.default_rng(0).normal(size=(20, 5000)).astype(np.float32)
        for wide in (X, sparse.csr_array(X)):
            assert make().fit(wide).transform(wide).shape == (20, 2)

    def test_bfloat16_tensors(self, rows):
        assert make().fit(torch.from_numpy(rows).bfloat16()).n_features_in_ == 5


OUT_OF_RANGE = {
    "n_components": [0, -1, 1.5, 1.0, "two", None],
    "hidden_layer_sizes": ["wide", 5, None, (0,), (8, -1), ("a",), (2.5,), [[1, 2]], (True,)],
    "activation": ["step", None],
    "tied_weights": ["yes"],
    "quantize": [0, 17, 2.5, "few"],
    "dropout": [-0.1, 1, "some"],
    "image_shape": ["square", 5, (2, 2), (5,), (0, 5), (5.0, 1), ("a", "b"), (1, 1, 1, 5)],
    "encoder": [3, "mlp", nn.Linear],
    "decoder": [3, "mlp"],
    "likelihood": ["poisson", None],
    "bounds": ["tight", 3, (0,), (0, 1, 2), ("a", "b"), (1, 0), (np.nan, 1), ([0, 1], 2)],
    "init": ["zeros", None, "rbm"],
    "pretraining_epochs": [0, 1.5, "many"],
    "noise": [-1, "loud", np.nan, np.inf],
    "categorical_features": ["all", 3, [5], ["a"], [True]],
    "max_categories": [0, 2.5, "few"],
    "min_frequency": [-0.1, 0, 1.5, "rare"],
    "handle_unknown": ["ignore", None],
    "column_kinds": [["x"], "category", 3],
    "min_count": [0, 1.5, None],
    "keep_dependencies": ["yes", 2, None],
    "mask_fraction": [-0.1, 0.6, "half", 0.2],
    "prior": ["uniform", 3],
    "learning_rate": [0, -1, "fast", np.nan, np.inf],
    "learning_rate_schedule": ["cosine"],
    "weight_decay": [-1, "some"],
    "batch_size": [0, 1.5, "big"],
    "max_epochs": [0, 1.5, "many"],
    "early_stopping": ["yes"],
    "validation_fraction": [0, 1, 1.5, "some"],
    "n_iter_no_change": [0, 1.5, "few"],
    "tol": [-1, "small"],
    "warm_start": ["yes"],
    "device": ["gpu7", "meta", 3],
    "net_params": [3, {"no_such_option": 1}],
    "checkpoint": [3, ""],
    "checkpoint_every": [0, -1, "often"],
    "random_state": ["x", -1],
    "verbose": [-1, "loud"],
}


class TestParameters:
    def test_all_are_covered(self):
        assert set(OUT_OF_RANGE) == set(AutoencoderTransformer().get_params())

    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in OUT_OF_RANGE.items() for value in values],
        ids=str,
    )
    def test_message_names_the_parameter(self, rows, name, value):
        autoencoder = make(**{name: value})
        with pytest.raises(ValueError, match=f"'{name}'"):
            autoencoder.fit(rows)
        assert not hasattr(autoencoder, "net_")

    @pytest.mark.parametrize("shape", [(4, 16), (8, 8), (1, 8, 8), (2, 8, 4)])
    def test_image_shapes_that_match(self, digits, shape):
        autoencoder = make(image_shape=shape, max_epochs=1).fit(digits[:50])
        assert autoencoder.reconstruct(digits[:3]).shape == (3, 64)

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
    @pytest.mark.parametrize("device", ["cuda", "cuda:1", torch.device("cuda")])
    def test_a_gpu_that_is_not_there(self, rows, device):
        with pytest.raises(ValueError, match=r"'device' parameter is 'cuda.*Use device='cpu'"):
            make(device=device).fit(rows)

    @pytest.mark.parametrize(
        ("method", "args", "message"),
        [
            ("inverse_transform", ([[1.0, 2.0, 3.0]],), "X has 3 components, but"),
            ("inverse_transform", ([[np.nan, 0.0]],), "Input X contains NaN"),
            ("sample", (0,), "n_samples == 0, must be >= 1"),
            ("sample", (1.5,), "n_samples must be an instance of int"),
            ("interpolate", (np.ones(5), np.ones((2, 5))), "Got 1 and 2"),
            ("interpolate", (np.ones(5), np.ones(5), 1), "n_steps == 1, must be >= 2"),
            ("interpolate", (np.ones(4), np.ones(5)), "X has 4 features"),
        ],
    )
    def test_arguments_of_methods(self, rows, method, args, message):
        with pytest.raises((ValueError, TypeError), match=message):
            getattr(make().fit(rows), method)(*args)


class TestRowsOutsideTheRange:
    """A range that is given, or that the likelihood has, holds for later rows too."""

    def test_of_the_likelihood(self, rows):
        X = (rows > 0).astype(float)
        autoencoder = make().fit(X)
        for method in (autoencoder.score, autoencoder.partial_fit):
            with pytest.raises(ValueError, match="Column 0 of X goes from 0 to 255, but the model"):
                method(X * 255)

    def test_that_is_given(self, rows):
        autoencoder = make(bounds=(-10, 10)).fit(rows)
        with pytest.raises(ValueError, match="made for values from -10 to 10"):
            autoencoder.partial_fit(rows * 100)
        assert np.isfinite(autoencoder.score(rows * 100))

    def test_bounds_are_not_for_other_likelihoods(self, rows):
        with pytest.raises(ValueError, match="'bounds' parameter is for the Gaussian"):
            make(likelihood="bernoulli", bounds=(0, 1)).fit(rows > 0)


class TestModulesOfTheUser:
    @pytest.mark.parametrize(
        ("name", "module", "message"),
        [
            ("encoder", nn.Linear(5, 3), r"must return shape \(2, 2\).* Got \(2, 3\)"),
            ("encoder", nn.Linear(4, 2), r"cannot take rows of shape \(2, 5\)"),
            ("encoder", nn.LSTM(5, 2), r"must return shape \(2, 2\).* Got tuple"),
            ("decoder", nn.Linear(2, 4), r"must return shape \(2, 5\).* Got \(2, 4\)"),
            ("decoder", nn.Linear(3, 5), r"cannot take rows of shape \(2, 2\)"),
        ],
    )
    def test_wrong_shapes(self, rows, name, module, message):
        with pytest.raises(ValueError, match=f"given as '{name}' {message}"):
            make(**{name: module}).fit(rows)

    def test_they_are_copied_and_trained(self, rows):
        encoder, decoder = nn.Linear(5, 2), nn.Linear(2, 5)
        before = encoder.weight.clone()
        autoencoder = make(encoder=encoder, decoder=decoder, max_epochs=50).fit(rows)
        assert torch.equal(encoder.weight, before)
        assert not torch.equal(autoencoder.net_.module_.encoder.weight, before)

    def test_they_see_images(self, digits):
        encoder = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.Flatten(), nn.Linear(36, 2))
        autoencoder = make(encoder=encoder, image_shape=(8, 8)).fit(digits)
        assert autoencoder.transform(digits[:4]).shape == (4, 2)


@pytest.mark.parametrize(
    "method",
    ["transform", "inverse_transform", "reconstruct", "score_samples", "score", "sample"],
)
def test_unfitted(rows, method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(make(), method)(*([] if method == "sample" else [rows]))


def test_unfitted_interpolation(rows):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        make().interpolate(rows, rows)
