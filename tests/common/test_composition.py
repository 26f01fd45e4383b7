"""Autoencoders inside what scikit-learn builds from estimators."""

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import AutoencoderTransformer


def make(n_components=1, **params):
    return AutoencoderTransformer(n_components, **{"max_epochs": 20, "random_state": 0, **params})


def test_pipeline_gives_back_rows(rows):
    pipeline = make_pipeline(StandardScaler(), make(5, noise=0)).fit(rows)
    back = pipeline.inverse_transform(pipeline.transform(rows))
    np.testing.assert_allclose(back, rows, atol=1e-2)


def test_pipeline_passes_weights_on(rows):
    weights = np.where(rows[:, 0] > 0, 1.0, 0.0)
    pipeline = make_pipeline(StandardScaler(), make())
    codes = pipeline.fit(rows, autoencodertransformer__sample_weight=weights).transform(rows)
    assert not np.allclose(codes, clone(pipeline).fit(rows).transform(rows))


def test_search_over_the_latent_size(rows):
    pipeline = Pipeline([("reduce", PCA()), ("predict", LinearRegression())])
    search = GridSearchCV(
        pipeline, {"reduce": [make(), PCA()], "reduce__n_components": [1, 2]}, cv=3
    ).fit(rows, rows[:, 1])
    scores = search.cv_results_["mean_test_score"]
    assert scores.shape == (4,)
    assert np.isfinite(scores).all()


def test_search_by_the_likelihood_finds_the_size_that_generalises(rows):
    search = GridSearchCV(make(), {"n_components": [1, 3]}, cv=3).fit(rows)
    means = search.cv_results_["mean_test_score"]
    assert means[1] > means[0]
    assert search.best_estimator_.n_components_ == 3


def test_search_over_net_params(rows):
    optimizers = [torch.optim.SGD, torch.optim.AdamW]
    search = GridSearchCV(
        make(), {"net_params": [{"optimizer": optimizer} for optimizer in optimizers]}, cv=2
    ).fit(rows)
    best = search.best_params_["net_params"]["optimizer"]
    assert isinstance(search.best_estimator_.net_.optimizer_, best)


def test_two_processes_give_what_one_does(rows):
    one = cross_val_score(make(), rows, cv=4)
    np.testing.assert_array_equal(cross_val_score(make(), rows, cv=4, n_jobs=2), one)


def test_joblib_carries_fitted_autoencoders(rows, tmp_path):
    autoencoder = make().fit(rows)
    codes = joblib.Parallel(n_jobs=2)(joblib.delayed(autoencoder.transform)(rows) for _ in "ab")
    np.testing.assert_array_equal(codes[0], autoencoder.transform(rows))
    joblib.dump(autoencoder, tmp_path / "autoencoder")
    again = joblib.load(tmp_path / "autoencoder")
    np.testing.assert_array_equal(again.reconstruct(rows), autoencoder.reconstruct(rows))


def test_union_beside_pca(rows):
    union = FeatureUnion([("pca", PCA(2)), ("autoencoder", make(2))]).fit(rows)
    assert union.transform(rows).shape == (60, 4)
    assert list(union.get_feature_names_out())[2:] == [
        "autoencoder__autoencodertransformer0",
        "autoencoder__autoencodertransformer1",
    ]


def test_some_columns_of_a_frame(rows):
    frame = pd.DataFrame(rows, columns=list("abcde"))
    some = ColumnTransformer([("ae", make(), ["a", "b", "c"])], remainder="passthrough")
    codes = some.set_output(transform="pandas").fit_transform(frame)
    assert list(codes.columns) == [
        "ae__autoencodertransformer0",
        "remainder__d",
        "remainder__e",
    ]
    assert some.named_transformers_["ae"].n_features_in_ == 3


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_all_nested_in_each_other(rows):
    frame = pd.DataFrame(rows, columns=list("abcde"))
    union = FeatureUnion([("one", make()), ("scaled", make_pipeline(StandardScaler(), make(2)))])
    columns = ColumnTransformer([("union", union, list("abcd"))], remainder="passthrough")
    pipeline = Pipeline([("columns", columns), ("predict", LinearRegression())])
    grid = {"columns__union__one__n_components": [1, 2]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(frame, rows[:, 1])
    assert search.predict(frame).shape == (60,)


def test_clone_keeps_parameters_and_drops_the_rest(rows):
    params = {"hidden_layer_sizes": (4,), "net_params": {"iterator_valid__batch_size": 10}}
    copy = clone(make(3, **params).fit(rows))
    assert not hasattr(copy, "net_")
    assert {name: copy.get_params()[name] for name in params} == params


def test_user_modules_survive_clone_and_search(rows):
    encoder = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    scores = cross_val_score(make(encoder=encoder), rows, cv=2)
    assert np.isfinite(scores).all()
