"""The same model whatever the number of threads."""

import threading

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import ESTIMATORS, SEQUENCES, make_rows, quick, sequences_for

from skae import GANSampler, SeriesAutoencoder
from skae.common.devices import on_one_thread, threads_for

CPU = torch.device("cpu")


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    yield lambda n: torch.set_num_threads(n)
    torch.set_num_threads(before)


def frame():
    X = pd.DataFrame(make_rows(900)).add_prefix("c")
    return X.assign(label=np.resize(["a", "b", "c", "d"], len(X)))


def weights_of(fitted):
    fitted = vars(fitted).get("autoencoder_", fitted)
    nets = [fitted.net_] if hasattr(fitted, "net_") else []
    return [tensor for net in nets for tensor in net.module_.state_dict().values()]


@pytest.mark.parametrize("cls", [cls for cls in ESTIMATORS if hasattr(cls, "transform")])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_weights_do_not_depend_on_the_number_of_threads(cls, two_threads):
    found = []
    for n_threads in (1, 2):
        two_threads(n_threads)
        table = frame()
        X = make_rows(900) if cls in (GANSampler, SeriesAutoencoder) else table
        X = sequences_for(cls, len(table)) if cls in SEQUENCES else X
        estimator = quick(cls).set_params(random_state=0)
        if "max_epochs" in estimator.get_params():
            estimator.set_params(max_epochs=3)
        found.append(weights_of(estimator.fit(X, table["label"])))
        assert torch.get_num_threads() == n_threads
    assert found[0]
    assert all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(*found, strict=True))


def test_large_layers_use_the_threads_of_the_caller(two_threads):
    two_threads(2)
    with on_one_thread():
        assert torch.get_num_threads() == 1
        with on_one_thread(), threads_for(1e9, CPU):
            assert torch.get_num_threads() == 2
        with threads_for(1.0, CPU):
            assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_fits_in_several_threads_give_the_number_back(two_threads):
    two_threads(2)
    barrier, found = threading.Barrier(2), []

    def fit(is_first):
        with on_one_thread():
            barrier.wait()
            with threads_for(1e9, CPU):
                found.append(torch.get_num_threads())
            barrier.wait()
            if is_first:
                barrier.wait()
        if not is_first:
            barrier.wait()
        found.append(torch.get_num_threads())

    both = [threading.Thread(target=fit, args=(is_first,)) for is_first in (True, False)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert found == [2] * 4
    assert torch.get_num_threads() == 2
