"""Training: what parameters do, how it continues, and what happens when it fails."""

import threading

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from skae import AutoencoderTransformer


def make(**params):
    return AutoencoderTransformer(**{"max_epochs": 5, "random_state": 0, **params})


@pytest.mark.parametrize("params", [{"weight_decay": 10.0}, {"noise": 2.0}, {"dropout": 0.5}])
def test_regularisation_does_something(rows, params):
    plain = make(early_stopping=False, noise=0).fit(rows)
    regularised = make(**{"early_stopping": False, "noise": 0, **params}).fit(rows)
    assert not np.allclose(plain.transform(rows), regularised.transform(rows))


def test_weights_count(rows):
    weights = np.where(rows[:, 0] > 0, 1.0, 0.0)
    only = make().fit(rows[weights > 0])
    np.testing.assert_array_equal(
        make().fit(rows, sample_weight=weights).transform(rows), only.transform(rows)
    )
    weights = np.where(rows[:, 0] > 0, 100.0, 1.0)
    weighted = make(max_epochs=100).fit(rows, sample_weight=weights)
    plain = make(max_epochs=100).fit(rows)

    def error(autoencoder, side):
        return ((autoencoder.reconstruct(side) - side) ** 2).mean()

    heavy, light = rows[rows[:, 0] > 0], rows[rows[:, 0] <= 0]
    balance = [error(fitted, heavy) / error(fitted, light) for fitted in (weighted, plain)]
    assert balance[0] < balance[1]


def test_equal_weights_are_no_weights(rows):
    np.testing.assert_allclose(
        make().fit(rows, sample_weight=np.full(len(rows), 7.0)).transform(rows),
        make().fit(rows).transform(rows),
        rtol=1e-3,
        atol=1e-4,
    )


def test_warm_start_continues(rows):
    autoencoder = make(warm_start=True, max_epochs=50).fit(rows)
    first = autoencoder.best_loss_
    module = autoencoder.net_.module_
    autoencoder.fit(rows)
    assert autoencoder.net_.module_ is module
    start = autoencoder.net_.history[0, "valid_loss"]
    assert start < first + 5
    assert make(max_epochs=50).fit(rows).fit(rows).net_.module_ is not module


def test_warm_start_refuses_another_size(rows):
    autoencoder = make(warm_start=True).fit(rows)
    with pytest.raises(ValueError, match="n_components=3 differs from the 2"):
        autoencoder.set_params(n_components=3).fit(rows)


@pytest.mark.parametrize("params", [{"dropout": 0.5}, {"likelihood": "gaussian"}, {"noise": 2}])
def test_continued_training_refuses_parameters_of_another_model(rows, params):
    autoencoder = make(warm_start=True).fit(rows).set_params(**params)
    for method in (autoencoder.fit, autoencoder.partial_fit):
        with pytest.raises(ValueError, match=f"{next(iter(params))}=.* differs from the "):
            method(rows)


def test_partial_fit_learns_from_a_stream(digits):
    autoencoder = make(n_components=4)
    errors = []
    for _ in range(15):
        for chunk in np.array_split(digits, 4):
            autoencoder.partial_fit(chunk)
        errors.append(((autoencoder.reconstruct(digits) - digits) ** 2).mean())
    assert errors[-1] < 0.8 * errors[0]
    assert autoencoder.n_iter_ == 60
    assert autoencoder.sample(2, random_state=0).shape == (2, 64)


def test_partial_fit_after_fit_continues(rows):
    autoencoder = make().fit(rows)
    module = autoencoder.net_.module_
    autoencoder.partial_fit(rows[:10])
    assert autoencoder.net_.module_ is module
    assert autoencoder.net_.optimizer_.param_groups[0]["lr"] == autoencoder.learning_rate


def test_partial_fit_checks_parameters_that_were_set_since(rows):
    autoencoder = make().partial_fit(rows)
    with pytest.raises(ValueError, match="'batch_size' parameter"):
        autoencoder.set_params(batch_size=0).partial_fit(rows)


def test_verbose_prints_a_line_an_epoch(rows, capsys):
    make(verbose=1).fit(rows)
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 2 + 5
    assert "valid_loss" in lines[0]
    make().fit(rows)
    assert capsys.readouterr().out == ""


def test_fits_in_threads_are_as_repeatable_as_one_after_the_other(rows):
    expected = make(max_epochs=30).fit(rows).transform(rows)
    state, results = torch.get_rng_state(), []
    threads = [
        threading.Thread(target=lambda: results.append(make(max_epochs=30).fit(rows)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(each.transform(rows), expected) for each in results)
    assert len(results) == 3
    assert torch.equal(torch.get_rng_state(), state)


def test_settings_of_torch_outside_do_not_matter(rows):
    expected = make().fit(rows).transform(rows)
    with torch.inference_mode():
        assert np.array_equal(make().fit(rows).transform(rows), expected)
    torch.set_default_dtype(torch.float64)
    try:
        autoencoder = make(init="random").fit(rows)
    finally:
        torch.set_default_dtype(torch.float32)
    assert autoencoder.transform(rows).dtype == np.float32


def test_dropout_works_in_the_first_pass(rows):
    params = {"noise": 0, "init": "random", "batch_size": 20}
    plain, thinned = (make(dropout=dropout, **params).partial_fit(rows) for dropout in (0, 0.9))
    assert not np.allclose(plain.transform(rows), thinned.transform(rows))


def test_wide_layers_learn_as_narrow_ones_do():
    """With the start and the rates of narrow ones, these stay at PCA."""
    rng = np.random.default_rng(0)
    X = np.tanh(rng.normal(size=(3000, 6)) @ rng.normal(size=(6, 30))).astype(np.float32)
    learned, new = X[:2000], X[2000:]
    pca = PCA(8).fit(learned)
    of_pca = ((pca.inverse_transform(pca.transform(new)) - new) ** 2).mean()
    wide = AutoencoderTransformer(
        8, hidden_layer_sizes=(512, 512), max_epochs=30, random_state=0
    ).fit(learned)
    assert ((wide.reconstruct(new) - new) ** 2).mean() < 0.3 * of_pca


def test_rates_are_divided_by_what_is_beyond_the_default_width(rows):
    fitted = make(n_components=2, hidden_layer_sizes=(128, 512, 256)).fit(rows)
    rates = fitted.net_.module_.encoder.rates()
    assert [share for name, share in rates.items() if "deep" in name] == [1, 1 / 4, 1 / 2]
    rest, *groups = fitted.net_.optimizer_.param_groups
    assert {1 / 4, 1 / 2} <= {round(group["lr"] / rest["lr"], 6) for group in groups}


class TestDivergence:
    """A loss that diverges says so and leaves no model behind."""

    def test_fit(self, rows):
        autoencoder = make(learning_rate=1e30, learning_rate_schedule="constant")
        with pytest.raises(FloatingPointError, match=r"diverged.*smaller learning_rate"):
            autoencoder.fit(rows)
        assert not hasattr(autoencoder, "net_")

    def test_partial_fit_keeps_the_last_good_weights(self, rows):
        autoencoder = make().fit(rows)
        autoencoder.set_params(learning_rate=1e30)
        with pytest.raises(FloatingPointError, match="diverged"):
            autoencoder.partial_fit(rows)
        assert np.isfinite(autoencoder.transform(rows)).all()

        autoencoder.set_params(learning_rate=1e-4).partial_fit(rows)
        assert np.isfinite(autoencoder.transform(rows)).all()

    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    def test_a_failure_after_the_training_changes_nothing(self, rows, method):
        class Picky(GaussianMixture):
            def fit(self, X):
                if len(X) == 7:
                    raise ValueError("seven")
                return super().fit(X)

        autoencoder = make(warm_start=True, prior=Picky()).fit(rows)
        before, n_epochs = autoencoder.reconstruct(rows), autoencoder.n_iter_
        with pytest.raises(ValueError, match="seven"):
            getattr(autoencoder, method)(rows[:7])
        assert np.array_equal(autoencoder.reconstruct(rows), before)
        assert len(autoencoder.net_.history) == autoencoder.n_iter_ == n_epochs
