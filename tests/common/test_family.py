"""What every autoencoder of the family promises."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import AUTOENCODERS, make_rows
from scipy import sparse
from sklearn.base import clone

QUICK = {"max_epochs": 3, "random_state": 0}


@pytest.fixture(params=AUTOENCODERS, ids=lambda cls: cls.__name__)
def autoencoder(request):
    return request.param(**QUICK)


def global_numpy_state():
    return np.random.get_state()[1].copy()  # noqa: NPY002


def test_every_parameter_moves(autoencoder, rows):
    """No weight is dead: each is moved by training."""
    autoencoder.set_params(init="random", early_stopping=False, max_epochs=10)
    start = clone(autoencoder).set_params(learning_rate=1e-12).fit(rows)
    end = autoencoder.fit(rows)
    for (name, before), after in zip(
        start.net_.module_.named_parameters(), end.net_.module_.parameters(), strict=True
    ):
        assert not torch.equal(before, after), name


def test_refit_is_equal_to_the_bit(autoencoder, rows):
    first = autoencoder.fit(rows).reconstruct(rows)
    assert np.array_equal(autoencoder.fit(rows).reconstruct(rows), first)
    assert np.array_equal(clone(autoencoder).fit(rows).reconstruct(rows), first)


def test_another_seed_is_another_model(autoencoder, rows):
    autoencoder.set_params(init="random")
    first = autoencoder.fit(rows).transform(rows)
    assert not np.allclose(autoencoder.set_params(random_state=1).fit(rows).transform(rows), first)


@pytest.mark.parametrize("random_state", [None, 0])
def test_global_generators_are_left_alone(autoencoder, rows, random_state):
    autoencoder.set_params(random_state=random_state, dropout=0.1)
    numpy_state, torch_state = global_numpy_state(), torch.get_rng_state()
    autoencoder.fit(rows).sample(3)
    assert np.array_equal(global_numpy_state(), numpy_state)
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_number_of_threads_is_restored(autoencoder, rows):
    n_threads = torch.get_num_threads()
    autoencoder.fit(rows)
    assert torch.get_num_threads() == n_threads


def test_two_score_calls_agree(autoencoder, rows):
    autoencoder.fit(rows)
    assert np.array_equal(autoencoder.score_samples(rows), autoencoder.score_samples(rows))


def test_order_and_batching_of_rows_change_nothing(autoencoder, rows):
    autoencoder.fit(rows)
    scores, codes = autoencoder.score_samples(rows), autoencoder.transform(rows)
    order = np.random.default_rng(0).permutation(len(rows))
    np.testing.assert_allclose(autoencoder.score_samples(rows[order]), scores[order], rtol=1e-4)
    one_by_one = np.vstack([autoencoder.transform(row[None]) for row in rows])
    np.testing.assert_allclose(one_by_one, codes, rtol=1e-4, atol=1e-6)


def test_reconstruction_is_the_inverse_of_the_transform(autoencoder, rows):
    autoencoder.fit(rows)
    np.testing.assert_array_equal(
        autoencoder.reconstruct(rows), autoencoder.inverse_transform(autoencoder.transform(rows))
    )


def test_codes_are_called_x_as_by_pca(autoencoder, rows):
    codes = autoencoder.fit(rows).transform(rows)
    np.testing.assert_array_equal(
        autoencoder.inverse_transform(X=codes), autoencoder.inverse_transform(codes)
    )
    assert not hasattr(autoencoder, "set_inverse_transform_request")


def test_score_is_the_mean_and_follows_the_units(autoencoder, rows):
    autoencoder.set_params(likelihood="gaussian").fit(rows)
    assert autoencoder.score(rows) == pytest.approx(autoencoder.score_samples(rows).mean())
    in_millimetres = clone(autoencoder).fit(rows * 1000)
    difference = rows.shape[1] * np.log(1000)
    assert autoencoder.score(rows) - in_millimetres.score(rows * 1000) == pytest.approx(
        difference, rel=1e-3
    )


def test_pickle_reads_the_same_and_holds_no_rows(autoencoder, digits):
    autoencoder.set_params(max_epochs=1, n_components=2).fit(digits)
    dump = pickle.dumps(autoencoder)
    copy = pickle.loads(dump)
    assert np.array_equal(copy.transform(digits), autoencoder.transform(digits))
    assert np.array_equal(copy.sample(2, random_state=0), autoencoder.sample(2, random_state=0))
    n_weights = sum(weight.numel() for weight in autoencoder.net_.module_.parameters())
    assert len(dump) < 1.5 * 4 * n_weights + 60_000


def test_pickle_can_be_trained_further(autoencoder, rows):
    copy = pickle.loads(pickle.dumps(autoencoder.fit(rows)))
    before = copy.transform(rows)
    assert not np.array_equal(copy.partial_fit(rows).transform(rows), before)


@pytest.mark.parametrize(
    "convert",
    [
        np.asfortranarray,
        sparse.csr_matrix,
        sparse.csr_array,
        sparse.coo_array,
        torch.from_numpy,
        pd.DataFrame,
        lambda X: pl.DataFrame(X, schema=[f"c{i}" for i in range(X.shape[1])]),
        lambda X: X.tolist(),
    ],
    ids=["fortran", "csr_matrix", "csr_array", "coo", "tensor", "pandas", "polars", "list"],
)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_containers_give_the_same_model(autoencoder, rows, convert):
    expected = autoencoder.fit(rows).transform(rows)
    X = convert(rows)
    np.testing.assert_allclose(clone(autoencoder).fit(X).transform(X), expected, atol=1e-4)


def test_memory_map_of_float32_is_read_by_batches(autoencoder, rows, tmp_path):
    X = rows.astype(np.float32)
    mapped = np.memmap(tmp_path / "rows", dtype=np.float32, mode="w+", shape=X.shape)
    mapped[:] = X
    mapped.flush()
    mapped = np.memmap(tmp_path / "rows", dtype=np.float32, mode="r", shape=X.shape)
    autoencoder.set_params(likelihood="gaussian")
    expected = autoencoder.fit(X).transform(X)
    np.testing.assert_allclose(
        clone(autoencoder).fit(mapped).transform(mapped), expected, atol=1e-5
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool])
def test_integers_and_booleans_are_numbers(autoencoder, digits, dtype):
    X = (digits[:100] > 7).astype(dtype)
    expected = autoencoder.fit(X.astype(float)).transform(X.astype(float))
    assert np.array_equal(clone(autoencoder).fit(X).transform(X), expected)


def test_frames_come_back_as_they_went_in(autoencoder, rows):
    names = list("abcde")
    frame = pd.DataFrame(rows, columns=names, index=np.arange(len(rows)) * 2)
    autoencoder.fit(frame)
    back = autoencoder.reconstruct(frame)
    pd.testing.assert_index_equal(back.index, frame.index)
    assert list(back.columns) == names
    assert (back.dtypes == frame.dtypes).all()
    assert list(autoencoder.inverse_transform(autoencoder.transform(frame)).columns) == names
    assert list(autoencoder.sample(3).columns) == names

    frame = pl.DataFrame(rows, schema=names)
    assert autoencoder.fit(frame).reconstruct(frame).schema == frame.schema


def test_tensors_come_back_as_they_went_in(autoencoder, rows):
    X = torch.from_numpy(rows).float()
    codes = autoencoder.fit(X).transform(X)
    assert isinstance(codes, torch.Tensor)
    back = autoencoder.inverse_transform(codes)
    assert isinstance(back, torch.Tensor)
    assert back.dtype == X.dtype
    assert back.device == X.device


def test_set_output(autoencoder, rows):
    codes = autoencoder.set_output(transform="pandas").fit(rows).transform(rows)
    assert list(codes.columns) == list(autoencoder.get_feature_names_out())


def test_dtype_of_rows_is_kept(autoencoder, rows):
    assert autoencoder.fit(rows).reconstruct(rows).dtype == np.float64
    X = rows.astype(np.float32)
    assert autoencoder.fit(X).reconstruct(X).dtype == np.float32
    assert autoencoder.transform(X).dtype == np.float32


def test_samples_look_like_the_rows(autoencoder):
    rows = make_rows(1000)
    autoencoder.set_params(max_epochs=100, bounds=None).fit(rows)
    draws = autoencoder.sample(4000, random_state=0)
    np.testing.assert_allclose(draws.mean(0), rows.mean(0), atol=0.15 * rows.std())
    np.testing.assert_allclose(np.cov(draws.T), np.cov(rows.T), atol=0.2 * rows.var())
    assert np.array_equal(draws, autoencoder.sample(4000, random_state=0))
    assert not np.array_equal(draws, autoencoder.sample(4000, random_state=1))


def test_weights_count_in_samples(autoencoder):
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(0, 1, (200, 3)), rng.normal(20, 1, (200, 3))])
    weights = np.repeat([0.01, 1.0], 200)
    draws = autoencoder.fit(X, sample_weight=weights).sample(1000, random_state=0)
    np.testing.assert_allclose(draws.mean(0), np.average(X, axis=0, weights=weights), atol=1)


def test_interpolation_joins_reconstructions(autoencoder, rows):
    autoencoder.fit(rows)
    walk = autoencoder.interpolate(rows[0], rows[1], n_steps=5)
    assert walk.shape == (5, 5)
    np.testing.assert_allclose(walk[[0, -1]], autoencoder.reconstruct(rows[:2]), atol=1e-5)
    walks = autoencoder.interpolate(rows[:3], rows[3:6], n_steps=4)
    assert walks.shape == (3, 4, 5)
    np.testing.assert_allclose(walks[:, -1], autoencoder.reconstruct(rows[3:6]), atol=1e-5)


def test_html_has_tooltips_and_links(autoencoder, rows):
    html = autoencoder.fit(rows)._repr_html_()
    assert "The number of units of the code" in html
    assert "skae.readthedocs.io" in html


def test_likelihood_is_chosen_by_the_values(autoencoder, digits):
    assert autoencoder.fit(digits).likelihood_ == "gaussian"
    assert autoencoder.fit(digits > 7).likelihood_ == "bernoulli"
    assert not hasattr(autoencoder, "noise_variance_")


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous_bernoulli"])
def test_likelihoods_of_the_unit_interval(autoencoder, digits, likelihood):
    X = digits / 16
    autoencoder.set_params(likelihood=likelihood, max_epochs=30).fit(X)
    assert autoencoder.best_loss_ < autoencoder.validation_loss_curve_[0]
    back = autoencoder.reconstruct(X)
    assert back.min() >= 0
    assert back.max() <= 1
    assert ((back - X) ** 2).sum() < ((X.mean(0) - X) ** 2).sum()
