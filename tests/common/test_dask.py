"""Searches on Dask's workers, fits to its frames, readings on its partitions: all as without it."""

import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers import make_rows
from sklearn.model_selection import GridSearchCV

from skae import AutoencoderTransformer

dataframe = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")

QUICK = {"max_epochs": 2, "random_state": 0}
FRAME = pd.DataFrame(make_rows(240), columns=list("abcde"))


@pytest.fixture(scope="module")
def client():
    with warnings.catch_warnings():
        # Of Dask's own servers and sockets.
        warnings.simplefilter("ignore")
        options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
        with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
            yield client


@pytest.mark.filterwarnings("ignore")
def test_a_search_on_workers_finds_the_same(client):
    def search():
        estimator = AutoencoderTransformer(**QUICK)
        return GridSearchCV(estimator, {"n_components": [1, 2, 3]}, cv=2)

    own = search().fit(FRAME)
    with joblib.parallel_config("dask"):
        found = search().fit(FRAME)
    assert found.best_params_ == own.best_params_
    assert np.array_equal(found.cv_results_["mean_test_score"], own.cv_results_["mean_test_score"])


@pytest.mark.filterwarnings("ignore")
def test_frames_are_fitted_and_read_by_their_partitions(client):
    frame = dataframe.from_pandas(FRAME, npartitions=3)
    own = AutoencoderTransformer(2, **QUICK).fit(FRAME)
    fitted = AutoencoderTransformer(2, **QUICK).fit(frame)
    assert np.array_equal(fitted.transform(FRAME), own.transform(FRAME))
    by_partition = AutoencoderTransformer(2, **QUICK).set_output(transform="pandas").fit(frame)
    codes = frame.map_partitions(by_partition.transform, meta=by_partition.transform(FRAME[:2]))
    pd.testing.assert_frame_equal(codes.compute(), by_partition.transform(FRAME), atol=1e-6)
