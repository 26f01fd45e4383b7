"""scikit-learn's callbacks see every epoch, and can stop the training."""

import pickle

import numpy as np
import pytest
from sklearn.callback import ProgressBar
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import AutoencoderTransformer


class Record:
    """A scikit-learn callback that writes down what it is told."""

    def __init__(self, max_propagation_depth=None, stop_after=None):
        self.max_propagation_depth = max_propagation_depth
        self.stop_after = stop_after
        self.begun, self.ended, self.scores, self.n_rows = [], [], [], set()

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.begun.append(context.task_name)

    def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
        self.ended.append(context.task_name)
        if context.task_name != "epoch":
            return None
        self.n_rows.add(len(X))
        self.scores.append(fitted_estimator.score(X))
        return self.stop_after == len(self.scores)

    def teardown(self, estimator, context):
        pass


@pytest.fixture
def autoencoder():
    return AutoencoderTransformer(1, max_epochs=6, random_state=0)


def test_epochs_are_tasks(autoencoder, rows):
    record = Record()
    autoencoder.set_callbacks(record).fit(rows)
    assert record.begun == ["fit"] + 6 * ["epoch"]
    assert record.ended == 6 * ["epoch"] + ["fit"]
    assert record.n_rows == {60}


def test_fitted_estimator_is_the_one_of_its_epoch(autoencoder, rows):
    record = Record()
    autoencoder.set_params(learning_rate=0.02).set_callbacks(record).fit(rows)
    assert len(set(record.scores)) == 6
    assert record.scores[-1] > record.scores[0]


def test_a_callback_can_stop_the_training(autoencoder, rows):
    record = Record(stop_after=2)
    autoencoder.set_callbacks(record).fit(rows)
    assert autoencoder.n_iter_ == 2
    assert record.ended == ["epoch", "epoch", "fit"]
    assert np.isfinite(autoencoder.transform(rows)).all()


def test_callbacks_do_not_change_the_model(autoencoder, rows):
    expected = autoencoder.fit(rows).transform(rows)
    assert np.array_equal(autoencoder.set_callbacks(Record()).fit(rows).transform(rows), expected)


def test_nothing_of_the_bridge_stays(autoencoder, digits):
    autoencoder.set_callbacks(Record(stop_after=1)).fit(digits)
    size = len(pickle.dumps(autoencoder.set_callbacks()))
    assert size < digits.nbytes / 3
    names = [name for name, _ in autoencoder.net_.callbacks_]
    assert not {"SklearnBridge", "KeepBest"} & set(names)


@pytest.mark.filterwarnings("ignore:The estimator LinearRegression does not support callbacks")
def test_inside_a_search(autoencoder, rows):
    record = Record()
    search = GridSearchCV(
        make_pipeline(StandardScaler(), autoencoder, LinearRegression()),
        {"autoencodertransformer__n_components": [1, 2]},
        cv=2,
    )
    search.set_callbacks(record).fit(rows, rows[:, 0])
    assert record.ended.count("epoch") == (2 * 2 + 1) * 6


@pytest.mark.parametrize("depth", [0, None])
def test_progress_bar(autoencoder, rows, depth, capsys):
    autoencoder.set_callbacks(ProgressBar(max_propagation_depth=depth)).fit(rows)
    assert "AutoencoderTransformer - fit" in capsys.readouterr().out


def test_progress_bar_inside_a_search(autoencoder, rows, capsys):
    search = GridSearchCV(
        make_pipeline(StandardScaler(), autoencoder),
        {"autoencodertransformer__n_components": [1, 2]},
        cv=2,
    )
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(rows)
    assert "AutoencoderTransformer - fit" in capsys.readouterr().out
