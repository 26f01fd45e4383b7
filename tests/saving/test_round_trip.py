"""A loaded estimator reads as the saved one, to the bit; so do copies and pickles."""

import copy
import io
import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import AUTOENCODERS, ESTIMATORS, SEQUENCES
from saved_estimators import (
    TINY,
    N,
    fitted,
    labels,
    matrix,
    numbers_of,
    readings,
    rows_for,
    table,
    tiny,
)
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skae
from skae import (
    AdversarialAE,
    AEOutlierDetector,
    AutoencoderTransformer,
    GANSampler,
    SeriesAutoencoder,
    SparseAE,
    VAETransformer,
    WindowedDetector,
)
from skae.saving.errors import OtherVersionWarning

GOLDEN = Path(__file__).parent / "golden"


def plain(reading):
    """A reading as what tells all of its cells, types and names."""
    if isinstance(reading, (pd.DataFrame, pd.Series)):
        return reading.to_dict(), dict(reading.dtypes), list(reading.index)
    if isinstance(reading, pl.DataFrame):
        return reading.to_dict(as_series=False), reading.schema
    if isinstance(reading, list):
        return [*map(plain, reading)]
    reading = np.asarray(reading)
    return reading.tobytes() if reading.dtype != object else reading.tolist(), reading.dtype


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name in first:
        one, other = plain(first[name]), plain(second[name])
        assert repr(one) == repr(other), name


def saved(estimator, folder):
    estimator.save(folder / "model.safetensors")
    return skae.load(folder / "model.safetensors")


FRAMES = {
    "pandas": table,
    "polars": lambda: pl.from_pandas(table()),
    "matrix": matrix,
    "array with holes": lambda: np.where(matrix() > 3, np.nan, matrix()),
    "frame of numbers": lambda: pd.DataFrame(matrix(), columns=list("abcd")),
    "numbered": lambda: pd.DataFrame(matrix()),
}


@pytest.mark.parametrize("rows", FRAMES.values(), ids=FRAMES)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_reads_the_same(cls, rows, tmp_path):
    X = rows()
    if cls in SEQUENCES:
        if rows is not matrix:
            pytest.skip("Its rows are sequences.")
        X = rows_for(cls)
    if cls in (GANSampler, SeriesAutoencoder) and not (
        isinstance(X, np.ndarray) and np.isfinite(X).all()
    ):
        pytest.skip("It is for rows of numbers.")
    if cls is WindowedDetector and rows is table:
        X = X[["x", "y"]]
    elif cls is WindowedDetector and not isinstance(X, np.ndarray) and "sort" in X:
        X = X.select("x", "y")
    estimator = fitted(cls, X)
    loaded = saved(estimator, tmp_path)
    assert type(loaded) is cls
    assert_same(readings(estimator, X), readings(loaded, X))
    few = X[:4] if cls is WindowedDetector else X[:1]
    assert_same(readings(estimator, few), readings(loaded, few))
    assert repr(loaded.get_params()) == repr(estimator.get_params())


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_second_file_is_the_same(cls, tmp_path):
    fitted(cls, rows_for(cls)).save(tmp_path / "one")
    skae.load(tmp_path / "one").save(tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


@pytest.mark.parametrize("way", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_copies_read_the_same(cls, way):
    X = rows_for(cls)
    estimator = fitted(cls, X)
    assert_same(readings(estimator, X), readings(way(estimator), X))


@pytest.mark.parametrize("cls", [*AUTOENCODERS, AEOutlierDetector])
def test_training_goes_on_the_same(cls, tmp_path):
    X = rows_for(cls)
    y = {"y": labels()} if cls in AUTOENCODERS else {}
    estimator = fitted(cls, X).set_params(random_state=7)
    loaded = saved(estimator, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(2):
            assert_same(
                readings(estimator.partial_fit(X, **y), X), readings(loaded.partial_fit(X, **y), X)
            )
            loaded = saved(loaded, tmp_path)


def test_output_settings_stay(tmp_path):
    X = pd.DataFrame(matrix(), columns=list("abcd"))
    estimator = AutoencoderTransformer(2, **TINY).set_output(transform="pandas").fit(X)
    loaded = saved(estimator, tmp_path)
    pd.testing.assert_frame_equal(loaded.transform(X), estimator.transform(X))
    assert list(loaded.feature_names_in_) == list("abcd")


@pytest.mark.parametrize("image", [(1, 6, 6), (3, 4, 4)])
def test_convolutions(image, tmp_path):
    X = np.random.default_rng(0).random((40, int(np.prod(image))))
    kinds = {"image_shape": image, "architecture": "convolutional"}
    given = {name: value for name, value in kinds.items() if name in VAETransformer().get_params()}
    estimator = VAETransformer(2, max_epochs=1, random_state=0, **given).fit(X)
    assert_same(readings(estimator, X), readings(saved(estimator, tmp_path), X))


def test_a_loss_curve_and_a_history_stay(tmp_path):
    estimator = AutoencoderTransformer(2, max_epochs=40, random_state=0).fit(matrix())
    loaded = saved(estimator, tmp_path)
    assert loaded.loss_curve_ == estimator.loss_curve_
    own = [{k: v for k, v in epoch.items() if k != "batches"} for epoch in estimator.net_.history]
    theirs = [{k: v for k, v in epoch.items() if k != "batches"} for epoch in loaded.net_.history]
    assert own == theirs


def test_tied_weights_stay_tied(tmp_path):
    estimator = fitted(skae.ContractiveAE, matrix())
    loaded = saved(estimator, tmp_path)
    own = sum(weight.numel() for weight in estimator.net_.module_.parameters())
    assert own == sum(weight.numel() for weight in loaded.net_.module_.parameters())
    assert len(list(estimator.net_.module_.parameters())) == len(
        list(loaded.net_.module_.parameters())
    )


def test_what_was_on_a_device_that_is_not_there_is_on_the_cpu(tmp_path, monkeypatch):
    estimator = fitted(AutoencoderTransformer, matrix())
    monkeypatch.setattr(estimator, "device", "cuda:7")
    estimator.save(tmp_path / "model")
    with pytest.warns(UserWarning, match="fitted with device='cuda:7', and is now on the CPU"):
        loaded = skae.load(tmp_path / "model")
    assert_same(readings(estimator, matrix()), readings(loaded, matrix()))
    assert loaded.net_.device == torch.device("cpu")


@pytest.mark.cuda
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_what_was_on_a_gpu_is_there_again(cls, tmp_path):
    X = rows_for(cls)
    estimator = fitted(cls, X)
    assert_same(readings(estimator, X), readings(saved(estimator, tmp_path), X))


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_golden_files_can_be_read(cls):
    path = GOLDEN / f"{cls.__name__}.safetensors"
    assert path.stat().st_size < 50_000
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OtherVersionWarning)
        loaded = skae.load(path)
    found = readings(loaded, rows_for(cls))
    for name, wanted in json.loads((GOLDEN / f"{cls.__name__}.json").read_text()).items():
        for cell, expected in zip(numbers_of(found[name]), wanted, strict=True):
            if isinstance(expected, str):
                assert cell == expected, name
            else:
                assert cell == pytest.approx(expected, rel=1e-3, abs=1e-4, nan_ok=True), name


def test_skops_takes_a_pipeline():
    skops = pytest.importorskip("skops.io")
    X, y = matrix(), labels()
    made = make_pipeline(StandardScaler(), AutoencoderTransformer(2, **TINY), LogisticRegression())
    made.fit(X, y)
    content = skops.dumps(made)
    assert skops.get_untrusted_types(data=content) == [
        "skae.autoencoders.plain.AutoencoderTransformer"
    ]
    loaded = skops.loads(content, trusted=skops.get_untrusted_types(data=content))
    assert np.array_equal(loaded.predict_proba(X), made.predict_proba(X))


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_skops_takes_every_estimator(cls):
    skops = pytest.importorskip("skops.io")
    X = rows_for(cls)
    estimator = fitted(cls, X)
    content = skops.dumps(estimator)
    (trusted,) = skops.get_untrusted_types(data=content)
    assert_same(readings(estimator, X), readings(skops.loads(content, trusted=[trusted]), X))


def test_the_package_of_the_format_reads_it_too(tmp_path):
    safetensors = pytest.importorskip("safetensors")
    estimator = fitted(AutoencoderTransformer, table())
    estimator.save(tmp_path / "model.safetensors")
    with safetensors.safe_open(tmp_path / "model.safetensors", "pt") as file:
        document = json.loads(file.metadata()["skae"])
        names = list(file.keys())
        weight = file.get_tensor("net_.chain.decoder.deep.0.weight")
    assert document["class"] == "AutoencoderTransformer"
    assert "columns_.center" in names
    assert torch.equal(weight, estimator.net_.module_.decoder.deep[0].weight)


def test_a_stream_of_bytes_is_what_a_file_is(tmp_path):
    from skae.saving.load import read_estimator
    from skae.saving.save import write_estimator

    estimator = fitted(VAETransformer, table())
    file = io.BytesIO()
    write_estimator(estimator, file)
    estimator.save(tmp_path / "model")
    assert file.getvalue() == (tmp_path / "model").read_bytes()
    assert_same(readings(estimator, table()), readings(read_estimator(file), table()))


def options_of(cls):
    """Yield parameters and their values by name, for every parameter with named values."""
    for name, constraints in cls._parameter_constraints.items():
        for constraint in constraints:
            for value in sorted(getattr(constraint, "options", ())):
                yield name, value


OF_IMAGES = [AutoencoderTransformer, SparseAE, AdversarialAE, VAETransformer]


@pytest.mark.parametrize(
    ("cls", "rows"),
    [
        *((cls, "matrix") for cls in (*AUTOENCODERS, AEOutlierDetector, GANSampler)),
        *((cls, "images") for cls in OF_IMAGES),
    ],
)
def test_every_option(cls, rows, tmp_path):
    X = matrix() if rows == "matrix" else np.random.default_rng(0).random((N, 64))
    common = {"image_shape": (1, 8, 8)} if rows == "images" else {}
    tried = 0
    for name, value in options_of(cls):
        estimator = tiny(cls)
        if common and name not in ("hidden_layer_sizes", "init"):
            estimator.set_params(hidden_layer_sizes="auto")
        taken = {key: each for key, each in common.items() if key in estimator.get_params()}
        estimator.set_params(**taken, **{name: value})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                estimator.fit(X, labels())
            except ValueError:
                continue
        assert_same(readings(estimator, X), readings(saved(estimator, tmp_path), X))
        tried += 1
    assert tried > 5


def test_a_density_that_is_not_known_is_named(tmp_path):
    estimator = AutoencoderTransformer(2, **TINY, prior=KernelDensity()).fit(matrix())
    with pytest.raises(TypeError, match=r"parameter 'prior' .* prior is a sklearn\.neighbors"):
        estimator.save(tmp_path / "model")


def test_a_density_of_scikit_learn(tmp_path):
    prior = GaussianMixture(2, random_state=0)
    estimator = AutoencoderTransformer(2, **TINY, prior=prior).fit(matrix())
    loaded = saved(estimator, tmp_path)
    assert_same(readings(estimator, matrix()), readings(loaded, matrix()))


def test_a_shallow_copy_shares_what_was_fitted():
    estimator = fitted(AutoencoderTransformer, matrix())
    copied = copy.copy(estimator)
    assert copied.net_ is estimator.net_


def test_a_copy_within_a_fit_is_one_of_what_is_there():
    estimator = fitted(AutoencoderTransformer, matrix())
    del estimator.prior_
    copied = pickle.loads(pickle.dumps(estimator))
    assert copied.net_ is not estimator.net_
    assert not hasattr(copied, "prior_")
