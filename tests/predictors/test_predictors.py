"""EncoderClassifier and EncoderRegressor: rows without labels teach the encoder."""

import os
import pickle
import signal
import threading

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import AUTOENCODERS, make_rows, rows_of_a_shop
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from skae import AutoencoderTransformer, DenoisingAE, EncoderClassifier, EncoderRegressor


@pytest.fixture(scope="module")
def numerals():
    return load_digits(return_X_y=True)


@pytest.fixture(scope="module")
def fitted_autoencoder(numerals):
    return FrozenEstimator(DenoisingAE(max_epochs=40, random_state=0).fit(numerals[0]))


def few_labels(y, n_labels=100):
    return np.where(np.arange(len(y)) < n_labels, y, -1)


def make(autoencoder=None, **params):
    autoencoder = DenoisingAE(8, max_epochs=5) if autoencoder is None else autoencoder
    return EncoderClassifier(autoencoder, **{"random_state": 0, **params})


def weights_of(module):
    return torch.cat([weight.flatten() for weight in module.parameters()])


def test_rows_without_labels_help(numerals):
    X, y = numerals
    autoencoder = DenoisingAE(max_epochs=40)
    alone = make(autoencoder).fit(X[:100], y[:100]).score(X[100:], y[100:])
    with_all = make(autoencoder).fit(X, few_labels(y)).score(X[100:], y[100:])
    assert with_all > alone
    assert with_all > 0.79


@pytest.mark.parametrize(
    ("freeze", "stays", "n_epochs"), [(True, True, 30), (False, False, 30), (5, False, 30)]
)
def test_freeze(numerals, fitted_autoencoder, freeze, stays, n_epochs):
    X, y = numerals
    before = weights_of(fitted_autoencoder.estimator.net_.module_.encoder).clone()
    params = {"freeze": freeze, "max_epochs": 30, "early_stopping": False}
    fitted = make(fitted_autoencoder, **params).fit(X[:300], y[:300])
    after = weights_of(fitted.net_.module_.encoder)
    assert torch.equal(before, after) == stays
    assert torch.equal(before, weights_of(fitted_autoencoder.estimator.net_.module_.encoder))
    assert fitted.n_iter_ == len(fitted.loss_curve_) == n_epochs
    codes = fitted.encoder_(torch.from_numpy(X)).detach().numpy()
    np.testing.assert_allclose(codes, fitted_autoencoder.transform(X), atol=1e-5) if stays else None


@pytest.mark.parametrize("cls", AUTOENCODERS, ids=lambda cls: cls.__name__)
def test_every_autoencoder_serves(numerals, cls):
    X, y = numerals
    fitted = make(cls(max_epochs=10, random_state=0)).fit(X[:600], y[:600])
    assert fitted.score(X[600:], y[600:]) > 0.85


def test_a_fitted_autoencoder_is_not_fitted_again(numerals, fitted_autoencoder):
    X, y = numerals
    fitted = clone(make(fitted_autoencoder, max_epochs=2)).fit(X, y)
    assert fitted.autoencoder_ is fitted_autoencoder.estimator


def test_probabilities(numerals, fitted_autoencoder):
    X, y = numerals
    fitted = make(fitted_autoencoder, max_epochs=5).fit(X, y)
    probabilities = fitted.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    np.testing.assert_allclose(np.log(probabilities), fitted.predict_log_proba(X))
    np.testing.assert_array_equal(fitted.classes_[probabilities.argmax(1)], fitted.predict(X))
    np.testing.assert_array_equal(fitted.classes_, np.arange(10))


@pytest.mark.parametrize("missing", [-1, None, np.nan])
def test_what_marks_rows_without_a_label(numerals, fitted_autoencoder, missing):
    X, y = numerals
    names = np.array([f"n{number}" for number in y], dtype=object)
    names[200:] = missing
    fitted = make(fitted_autoencoder, max_epochs=2).fit(X, names)
    assert fitted.classes_.tolist() == [f"n{number}" for number in range(10)]


def test_minus_one_is_a_class_beside_one_other(rows):
    y = np.where(rows[:, 0] > 0, 1, -1)
    fitted = make().fit(rows, y)
    assert fitted.classes_.tolist() == [-1, 1]
    assert fitted.score(rows, y) > 0.9


def test_labels_without_weight_do_not_count(rows):
    y = np.arange(len(rows)) % 3
    weights = (y < 2).astype(float)
    assert make(max_epochs=2).fit(rows, y, sample_weight=weights).classes_.tolist() == [0, 1]


def test_one_row_with_a_label_is_enough(rows):
    y = np.where(np.arange(len(rows)) == 3, 7.0, np.nan)
    fitted = EncoderRegressor(DenoisingAE(4, max_epochs=2), random_state=0).fit(rows, y)
    np.testing.assert_allclose(fitted.predict(rows), 7)


def test_class_weight(rows):
    y = (np.arange(len(rows)) % 10 == 0).astype(int)
    plain = make().fit(rows, y).predict_proba(rows)[:, 1].mean()
    balanced = make(class_weight="balanced").fit(rows, y).predict_proba(rows)[:, 1].mean()
    assert plain < 0.3
    assert balanced == pytest.approx(0.5, abs=0.2)


def test_early_stopping_finds_the_number_of_epochs(numerals, fitted_autoencoder):
    X, y = numerals
    fitted = make(fitted_autoencoder, freeze=False, n_iter_no_change=3, learning_rate=0.05).fit(
        X, y
    )
    best = int(np.argmin(fitted.validation_loss_curve_)) + 1
    assert fitted.n_iter_ == len(fitted.loss_curve_) == np.ceil(1.5 * best)
    fitted = make(fitted_autoencoder, early_stopping=False, max_epochs=4).fit(X, y)
    assert fitted.n_iter_ == 4
    assert fitted.validation_loss_curve_ is None


def test_refit_is_equal_and_the_model_can_be_stored(rows):
    y = np.arange(len(rows)) % 2
    first, second = (make(max_epochs=3).fit(rows, y).predict_proba(rows) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    stored = pickle.loads(pickle.dumps(make(max_epochs=3).fit(rows, y)))
    np.testing.assert_array_equal(stored.predict_proba(rows), first)


def test_tables_and_searches():
    frame = rows_of_a_shop()
    y = frame["kind"].astype(object).where(frame["kind"].notna(), None)
    search = GridSearchCV(
        make(max_epochs=10), {"autoencoder__n_components": [2, 4]}, cv=2, error_score="raise"
    )
    known = y.notna().to_numpy()
    search.fit(frame[known], y[known])
    assert set(search.predict(frame)) <= set(y[known])


def test_hidden_layers_and_dropout_make_the_head(rows):
    y = np.arange(len(rows)) % 2
    fitted = make(hidden_layer_sizes=(7,), dropout=0.0, max_epochs=2).fit(rows, y)
    assert [tuple(w.shape) for w in fitted.net_.module_.decoder.parameters()] == [
        (7, 8),
        (7,),
        (2, 7),
        (2,),
    ]


class TestRegressor:
    def test_it_is_as_good_as_ridge(self):
        X, y = load_diabetes(return_X_y=True)
        regressor = EncoderRegressor(AutoencoderTransformer(8), random_state=0)
        score = regressor.fit(X[:300], y[:300]).score(X[300:], y[300:])
        assert score > Ridge(0.01).fit(X[:300], y[:300]).score(X[300:], y[300:]) - 0.05

    def test_rows_without_a_number_teach_the_encoder_alone(self, rows):
        y = rows[:, 0] * 1000 + 5
        some = np.where(np.arange(len(y)) % 2 == 0, y, np.nan)
        fitted = EncoderRegressor(DenoisingAE(4, max_epochs=20), random_state=0).fit(rows, some)
        assert fitted.score(rows[1::2], y[1::2]) > 0.8

    def test_several_targets(self, rows):
        Y = rows[:, :2] * [1, 100]
        fitted = EncoderRegressor(DenoisingAE(4, max_epochs=20), random_state=0).fit(rows, Y)
        assert fitted.predict(rows).shape == Y.shape
        assert fitted.score(rows, Y) > 0.8

    def test_units_of_the_target_do_not_matter(self, rows):
        regressor = EncoderRegressor(DenoisingAE(4, max_epochs=2), max_epochs=5, random_state=0)
        small, large = (regressor.fit(rows, s * rows[:, 0]).predict(rows) for s in (1, 1e6))
        np.testing.assert_allclose(large, small * 1e6, rtol=1e-4, atol=1)


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (None, ValueError, "requires y to be passed, but the target y is None"),
        (np.full(30, np.nan), ValueError, "y holds no labels"),
        (np.arange(20), ValueError, "inconsistent numbers of samples"),
        (np.linspace(0, 1, 30), ValueError, "Unknown label type"),
    ],
)
def test_labels_that_are_none(y, error, message):
    with pytest.raises(error, match=message):
        make().fit(make_rows(30), y)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"autoencoder": FrozenEstimator(Ridge())}, TypeError, "must be an autoencoder of skae"),
        ({"autoencoder": FrozenEstimator(DenoisingAE())}, NotFittedError, "not fitted yet"),
        ({"autoencoder": Ridge()}, ValueError, "The 'autoencoder' parameter"),
        ({"freeze": -1}, ValueError, "The 'freeze' parameter"),
        ({"hidden_layer_sizes": [0]}, ValueError, "The 'hidden_layer_sizes' parameter"),
    ],
)
def test_what_cannot_be_done(params, error, message):
    with pytest.raises(error, match=message):
        make(**params).fit(make_rows(30), np.arange(30) % 2)


def test_a_fit_that_fails_leaves_the_one_before(rows):
    y = np.arange(len(rows)) % 2
    fitted = make(max_epochs=2).fit(rows, y)
    before = fitted.predict_proba(rows)
    with pytest.raises(ValueError, match="infinity"):
        fitted.fit(np.full_like(rows, np.inf), y)
    np.testing.assert_array_equal(fitted.predict_proba(rows), before)


@pytest.mark.parametrize("freeze", [False, 10**6])
def test_ctrl_c_leaves_nothing(numerals, fitted_autoencoder, freeze):
    X, y = numerals
    params = {"learning_rate_schedule": "constant", "n_iter_no_change": 10**6}
    classifier = make(fitted_autoencoder, freeze=freeze, max_epochs=10**6, **params)
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(X, y)
    assert not hasattr(classifier, "net_")


def test_frames_keep_their_names(rows):
    frame = pd.DataFrame(rows, columns=list("abcde"))
    fitted = make(max_epochs=2).fit(frame, np.arange(len(rows)) % 2)
    assert fitted.feature_names_in_.tolist() == list("abcde")
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(frame[list("bacde")])


def test_a_prediction_follows_changed_weights(rows):
    fitted = EncoderRegressor(DenoisingAE(4, max_epochs=2), random_state=0, max_epochs=3)
    before = fitted.fit(rows, rows[:, 0]).predict(rows)
    np.testing.assert_array_equal(fitted.predict(rows), before)
    with torch.no_grad():
        for weight in fitted.net_.module_.decoder.parameters():
            weight.zero_()
    assert not np.array_equal(fitted.predict(rows), before)


def test_models_that_are_read_in_inference_mode_predict(rows):
    fitted = EncoderRegressor(DenoisingAE(4, max_epochs=2), random_state=0, max_epochs=3)
    expected = fitted.fit(rows, rows[:, 0]).predict(rows)
    stored = pickle.dumps(fitted)
    with torch.inference_mode():
        read = pickle.loads(stored)
        np.testing.assert_array_equal(read.predict(rows), expected)
    np.testing.assert_array_equal(read.predict(rows), expected)
