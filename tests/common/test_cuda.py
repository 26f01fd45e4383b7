"""On a GPU: the same results, the same promises. `python -m benchmarks.gpu` runs these tests."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers import AUTOENCODERS, DETECTORS, PREDICTORS, make_rows, quick, rows_of_a_shop
from sklearn.base import clone

from skae import (
    AEOutlierDetector,
    AutoencoderTransformer,
    EncoderClassifier,
    GANSampler,
    VAETransformer,
)
from skae.training.rows import on_device

pytestmark = pytest.mark.cuda

READ_WITHOUT_A_GPU = """
import pickle, sys, warnings
import numpy as np
warnings.simplefilter("ignore")
for fitted, rows, expected in pickle.load(open(sys.argv[1], "rb")):
    found = fitted.transform(rows) if hasattr(fitted, "transform") else fitted.predict_proba(rows)
    np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())
    if hasattr(fitted, "sample"):
        fitted.sample(3)
    if hasattr(fitted, "schema_") and hasattr(fitted, "impute"):
        fitted.impute(rows)
"""


def fit_on(device, estimator, X, y=None):
    """Return a clone of an estimator that is fitted on a device."""
    fitted = clone(estimator)
    if "device" in fitted.get_params():
        fitted.set_params(device=device)
    else:
        fitted.autoencoder.set_params(device=device)
    return fitted.set_params(random_state=0).fit(X, y)


def read(fitted, X):
    return fitted.transform(X) if hasattr(fitted, "transform") else fitted.predict(X)


@pytest.fixture(scope="module")
def rows():
    return make_rows(300)


@pytest.fixture(scope="module")
def labels(rows):
    return (rows[:, 0] > 0).astype(int)


@pytest.mark.parametrize("cls", [*AUTOENCODERS, *DETECTORS, *PREDICTORS])
def test_the_weights_are_there_and_the_results_here(cls, rows, labels):
    fitted = fit_on("cuda", quick(cls), rows, labels)
    assert torch.device(fitted.net_.device).type == "cuda"
    assert all(weight.is_cuda for weight in fitted.net_.module_.parameters())
    found = read(fitted, rows)
    assert isinstance(found, np.ndarray)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("cls", [*AUTOENCODERS, *DETECTORS, *PREDICTORS])
def test_a_fit_repeats_itself(cls, rows, labels):
    first, second = (fit_on("cuda", quick(cls), rows, labels) for _ in range(2))
    np.testing.assert_array_equal(read(first, rows), read(second, rows))


@pytest.mark.parametrize("params", [{}, {"hidden_layer_sizes": ()}, {"tied_weights": True}])
def test_it_learns_what_the_cpu_learns(rows, params):
    """Without noise all draws are the host's, so that only the arithmetic differs."""
    plain = AutoencoderTransformer(2, noise=0.0, max_epochs=30, **params)
    there, here = (fit_on(device, plain, rows) for device in ("cuda", "cpu"))
    np.testing.assert_allclose(there.loss_curve_, here.loss_curve_, rtol=1e-2, atol=1e-3)
    error_there, error_here = (((f.reconstruct(rows) - rows) ** 2).mean() for f in (there, here))
    assert error_there == pytest.approx(error_here, rel=0.02)


@pytest.mark.parametrize("cls", AUTOENCODERS)
def test_the_same_weights_say_the_same(cls, rows):
    there = fit_on("cuda", quick(cls), rows)
    here = pickle.loads(pickle.dumps(there))
    here.net_.set_params(device="cpu")
    here.net_.module_.to("cpu")
    for method in ("transform", "reconstruct", "score_samples", "score_cells"):
        expected = getattr(here, method)(rows)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(
            getattr(there, method)(rows), expected, atol=1e-4 * scale, err_msg=method
        )


@pytest.mark.parametrize("cls", AUTOENCODERS)
def test_tensors_stay_where_they_are(cls, rows):
    X = torch.from_numpy(rows).float().cuda()
    fitted = quick(cls).set_params(random_state=0).fit(X)
    assert torch.device(fitted.net_.device).type == "cuda"
    codes = fitted.transform(X)
    assert codes.device == X.device
    assert fitted.inverse_transform(codes).device == X.device


@pytest.mark.parametrize("cls", AUTOENCODERS)
@pytest.mark.filterwarnings("ignore:The code carries nothing")
def test_tables(cls):
    frame = rows_of_a_shop()
    fitted = fit_on("cuda", quick(cls), frame)
    assert fitted.reconstruct(frame).dtypes.equals(frame.dtypes)
    assert not fitted.impute(frame).isna().any().any()
    assert fitted.sample(5, random_state=0).shape == (5, frame.shape[1])
    assert np.isfinite(fitted.score_samples(frame)).all()


def test_a_variational_autoencoder_of_given_cells():
    frame = rows_of_a_shop()
    fitted = fit_on("cuda", VAETransformer(max_epochs=5), frame)
    draws = fitted.sample(4, random_state=0, given={"kind": "van"})
    assert set(draws["kind"]) == {"van"}


def test_a_detector_of_tables():
    frame = rows_of_a_shop()
    fitted = fit_on("cuda", AEOutlierDetector(max_epochs=5), frame)
    assert np.isfinite(fitted.score_samples(frame)).all()
    assert len(fitted.explain(frame[:3], top=2)) == 6
    assert np.isfinite(fitted.partial_fit(frame).score_samples(frame)).all()


@pytest.mark.parametrize("cls", AUTOENCODERS)
def test_streams_and_warm_starts(cls, rows):
    fitted = fit_on("cuda", quick(cls), rows)
    before = fitted.transform(rows)
    assert not np.array_equal(fitted.partial_fit(rows).transform(rows), before)
    assert np.isfinite(fitted.set_params(warm_start=True).fit(rows).transform(rows)).all()


@pytest.mark.parametrize("params", [{"init": "greedy"}, {"quantize": 4}, {"image_shape": (1, 5)}])
def test_options(rows, params):
    fitted = fit_on("cuda", AutoencoderTransformer(2, max_epochs=3, **params), rows)
    assert np.isfinite(fitted.reconstruct(rows)).all()


@pytest.mark.filterwarnings("ignore:The code carries nothing")
def test_pickles_are_read_where_there_is_no_gpu(rows, labels, tmp_path):
    triples, frame = [], rows_of_a_shop()
    for cls in (*AUTOENCODERS, *DETECTORS, EncoderClassifier):
        for X, y in ((rows, labels), (frame, np.arange(len(frame)) % 2)):
            fitted = fit_on("cuda", quick(cls), X, y)
            found = fitted.transform(X) if hasattr(fitted, "transform") else fitted.predict_proba(X)
            triples.append((fitted, X, found))
    path = tmp_path / "fitted.pkl"
    path.write_bytes(pickle.dumps(triples))
    command = [sys.executable, "-c", READ_WITHOUT_A_GPU, str(path)]
    subprocess.run(command, check=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""})


def test_the_generators_of_the_device_are_left_alone(rows):
    before = torch.cuda.get_rng_state()
    fit_on("cuda", AutoencoderTransformer(2, max_epochs=2, dropout=0.1), rows).sample(3)
    assert torch.equal(torch.cuda.get_rng_state(), before)


def test_rows_go_to_the_device_once(rows):
    data = on_device(torch.from_numpy(rows), torch.device("cuda"))
    assert data.source.is_cuda
    assert all(x.is_cuda for x, _ in [data.take(torch.arange(3))])


def test_generators(rows):
    first, second = (quick(GANSampler).set_params(random_state=0).fit(rows) for _ in range(2))
    assert next(first.discriminator_.parameters()).is_cuda
    assert first.distance_curve_ == second.distance_curve_
    np.testing.assert_array_equal(first.sample(9, 0), second.sample(9, 0))
    np.testing.assert_array_equal(first.score_samples(rows), second.score_samples(rows))
    tensor = torch.from_numpy(rows).float().cuda()
    assert first.transform(tensor).is_cuda
