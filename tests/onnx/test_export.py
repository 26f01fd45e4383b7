"""ONNX models compute what the estimators do, on all kinds of rows, in batches of any size."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from saved_estimators import TINY, fitted, labels, matrix, table

from skae import (
    AEOutlierDetector,
    AutoencoderTransformer,
    ConditionalVAE,
    DenoisingAE,
    EncoderClassifier,
    EncoderRegressor,
    GANSampler,
    GenerativeClassifier,
    SparseAE,
    VAETransformer,
)

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
runtime = pytest.importorskip("onnxruntime")
from skae.onnx import export, feeds  # noqa: E402

READINGS = ["transform", "reconstruct", "score_samples", "predict", "predict_proba"]


def session_of(estimator, reading, folder):
    export(estimator, folder / "model.onnx", reading)
    onnx.checker.check_model(onnx.load(folder / "model.onnx"))
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    return runtime.InferenceSession(folder / "model.onnx", options)


def assert_agrees(session, estimator, reading, X, tolerance=1e-5):
    wanted = np.asarray(getattr(estimator, reading)(X))
    (found,) = session.run(None, feeds(estimator, X))
    assert found.shape == wanted.shape
    if wanted.dtype.kind in "OUT":
        assert found.tolist() == wanted.tolist()
    else:
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def shop(n=300):
    """A table with every kind of column."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "number": x,
            "single": (x + rng.normal(size=n)).astype(np.float32),
            "steps": rng.integers(-5, 5, n) * 10 + 2**60,
            "holes": pd.array(rng.integers(0, 99, n), dtype="Int64"),
            "zeros": np.where(rng.random(n) < 0.7, 0.0, rng.normal(size=n)),
            "text": rng.choice(["a", "b", "", "ä ß"], n),
            "category": pd.Categorical(np.where(x > 0, "up", "down")),
            "cat": rng.choice(["one", "two"], n),
            "code": pd.Categorical(rng.choice([3, 7, 11], n)),
            "ratio": pd.Categorical(rng.choice([0.1, 2.5], n)),
            "flag": x > 0.3,
            "time": pd.date_range("2024-05-01", periods=n, freq="7h"),
            "zone": pd.date_range("2024-05-01", periods=n, freq="7h", tz="Europe/Rome"),
            "day": pd.date_range("2024-05-01", periods=n).astype(str),
            "size": [f"{size}kg" for size in rng.integers(10, 99, n)],
            "key": [f"K{i:05d}" for i in range(n)],
        }
    )
    frame["text"] = frame["text"].astype(object)
    frame.loc[::11, "text"] = None
    frame.loc[:2, "text"] = "rare"
    for name in ("number", "holes", "category", "time", "zone", "day", "ratio"):
        frame.loc[::13, name] = None
    return frame


def edge_cells(frame):
    """The same rows with cells that were not seen, missing ones and extremes."""
    edges = frame.copy()
    edges.loc[0, "text"] = "never seen"
    edges.loc[1, "text"] = "rare"
    edges.loc[2, "number"] = 1e9
    edges.loc[3, "number"] = -1e9
    edges.loc[4, "zeros"] = 0.0
    edges.loc[5, "zeros"] = np.nan
    edges.loc[6, "single"] = np.nan
    edges.loc[7, "time"] = pd.Timestamp("1999-01-01")
    edges.loc[8, "holes"] = 10**12
    edges.loc[9, "cat"] = None
    edges.loc[10, "steps"] = 2**61
    return edges


KEY = {"column_kinds": {"key": "identifier"}}
CLASSES = [AutoencoderTransformer, SparseAE, VAETransformer, EncoderClassifier, EncoderRegressor]


@pytest.mark.parametrize("cls", CLASSES)
def test_tables(cls, tmp_path):
    X = shop()
    y = np.where(X["flag"], "yes", "no") if cls is EncoderClassifier else X["flag"].astype(float)
    estimator = cls(random_state=0, max_epochs=3)
    if cls in (EncoderClassifier, EncoderRegressor):
        estimator.set_params(autoencoder=DenoisingAE(max_epochs=3, **KEY))
    else:
        estimator.set_params(**KEY)
    estimator.fit(X, y)
    for reading in READINGS:
        is_drawn = cls is VAETransformer and reading == "score_samples"
        if not hasattr(estimator, reading) or reading == "reconstruct" or is_drawn:
            continue
        session = session_of(estimator, reading, tmp_path)
        for rows in (X, X[:1], edge_cells(X)):
            is_far = reading == "score_samples" or rows is not X
            assert_agrees(session, estimator, reading, rows, 1e-4 if is_far else 1e-5)


@pytest.mark.parametrize("sort", ["text", "whole", "number"])
def test_scores_of_rare_labels(sort, tmp_path):
    # Rare labels share a state, in which each has a share of its own.
    texts = ["a"] * 60 + ["b"] * 60 + ["c"] * 5 + ["d"] * 2 + [f"once {i}" for i in range(9)]
    values = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    labels = texts if sort == "text" else [values[text] for text in texts]
    labels = np.array(labels) + 0.5 if sort == "number" else labels
    x = np.random.default_rng(0).normal(size=len(texts))
    X = pd.DataFrame({"label": pd.Categorical(labels), "x": x})
    estimator = AutoencoderTransformer(1, **TINY, min_frequency=0.1).fit(X)
    session = session_of(estimator, "score_samples", tmp_path)
    new = pd.DataFrame({"label": ["never", "c", "d", None], "x": [0.0] * 4})
    if sort != "text":
        new["label"] = [99 + 0.5 * (sort == "number"), labels[120], labels[125], labels[0]]
    assert len(set(np.round(estimator.score_samples(new), 3))) == 4
    for rows in (X, new):
        assert_agrees(session, estimator, "score_samples", rows)


def test_inputs_are_columns(tmp_path):
    X = shop()
    estimator = AutoencoderTransformer(2, **TINY, **KEY).fit(X)
    session = session_of(estimator, "transform", tmp_path)
    found = {each.name: each.type for each in session.get_inputs()}
    assert found == {
        "number": "tensor(double)",
        "single": "tensor(double)",
        "steps": "tensor(int64)",
        "holes": "tensor(int64)",
        "zeros": "tensor(double)",
        "text": "tensor(string)",
        "category": "tensor(string)",
        "cat": "tensor(string)",
        "code": "tensor(int64)",
        "ratio": "tensor(double)",
        "flag": "tensor(int64)",
        "time": "tensor(int64)",
        "zone": "tensor(int64)",
        "day": "tensor(int64)",
        "size": "tensor(double)",
    }
    metadata = session.get_modelmeta().custom_metadata_map
    assert metadata["reading"] == "transform"
    missing = json.loads(metadata["missing"])
    assert (missing["number"], missing["time"]) == ("NaN", str(-(2**63)))
    # An empty text is a label here, so that a missing one is another.
    assert (missing["text"], missing["cat"]) == ("\0", "")


def test_times_are_those_of_the_column(tmp_path):
    X = shop()
    estimator = AutoencoderTransformer(2, **TINY, **KEY).fit(X)
    given = feeds(estimator, X)
    unit = X["time"].dt.unit
    assert given["time"][1, 0] == X["time"][1].as_unit(unit)._value
    assert given["time"][0, 0] == -(2**63)


MATRICES = {
    "double": matrix(),
    "single": matrix().astype(np.float32),
    "whole": np.round(matrix()).astype(int),
    "far": matrix() + 1e6,
    "bounded": np.clip(matrix(), 0, 1),
    "frame": pd.DataFrame(matrix(), columns=list("abcd")),
    "polars": pl.DataFrame(matrix(), schema=list("abcd")),
    "holes": np.where(matrix() > 3, np.nan, matrix()),
}


@pytest.mark.parametrize("name", MATRICES)
def test_matrices(name, tmp_path):
    X = MATRICES[name]
    estimator = AutoencoderTransformer(2, hidden_layer_sizes=(8,), max_epochs=3, random_state=0)
    estimator.fit(X)
    readings = ["transform", "score_samples"]
    readings += ["reconstruct", "inverse_transform"] if name != "holes" else []
    for reading in readings:
        if reading == "inverse_transform":
            session = session_of(estimator, reading, tmp_path)
            codes = estimator.transform(X)
            (found,) = session.run(None, {"Z": codes})
            wanted = np.asarray(estimator.inverse_transform(codes))
        else:
            session = session_of(estimator, reading, tmp_path)
            (found,) = session.run(None, feeds(estimator, X))
            wanted = np.asarray(getattr(estimator, reading)(X))
        tolerance = 1e-4 if reading == "score_samples" else 1e-5
        # Whole numbers come back as such; a model gives what they are rounded from.
        near = 0.5 if wanted.dtype.kind == "i" else 0
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance + near)


@pytest.mark.parametrize("cls", [AutoencoderTransformer, VAETransformer, SparseAE])
def test_images(cls, tmp_path):
    X = np.random.default_rng(0).random((50, 64))
    estimator = cls(4, image_shape=(8, 8), max_epochs=1, random_state=0).fit(X)
    for reading in ("transform", "reconstruct"):
        session = session_of(estimator, reading, tmp_path)
        assert_agrees(session, estimator, reading, X)
        assert_agrees(session, estimator, reading, X[:1])


def test_generator(tmp_path):
    X = np.random.default_rng(0).normal(size=(48, 4))
    estimator = fitted(GANSampler, X)
    assert_agrees(session_of(estimator, "transform", tmp_path), estimator, "transform", X)
    (found,) = session_of(estimator, "inverse_transform", tmp_path).run(
        None, {"Z": np.ones((3, 2), dtype=np.float32)}
    )
    wanted = estimator.inverse_transform(np.ones((3, 2)))
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("classes", [[0, 1], [1.0, 2.0], [False, True], ["a", "b"], [7, -2]])
def test_classes(classes, tmp_path):
    y = np.array(classes)[labels()]
    estimator = fitted(EncoderClassifier, matrix()).fit(matrix(), y)
    session = session_of(estimator, "predict", tmp_path)
    (found,) = session.run(None, feeds(estimator, matrix()))
    assert found.tolist() == estimator.predict(matrix()).tolist()


def test_two_targets(tmp_path):
    estimator = EncoderRegressor(DenoisingAE(2, **TINY), max_epochs=2, random_state=0)
    estimator.fit(matrix(), matrix()[:, :2])
    session = session_of(estimator, "predict", tmp_path)
    assert_agrees(session, estimator, "predict", matrix())


REFUSED = [
    (AutoencoderTransformer, "reconstruct", table, "rows are those of a table"),
    (AutoencoderTransformer, "predict", matrix, "no reading of that name"),
    (AutoencoderTransformer, "nothing", matrix, "no reading of that name"),
    (VAETransformer, "score_samples", table, "draws depend on the bits of a row"),
    (ConditionalVAE, "transform", matrix, "of this class nothing can be exported"),
    (AEOutlierDetector, "transform", table, "no reading of that name"),
    (GenerativeClassifier, "predict", matrix, "of this class nothing can be exported"),
    (EncoderClassifier, "transform", matrix, "no reading of that name"),
    (GANSampler, "score_samples", matrix, "of this class nothing can be exported"),
]


@pytest.mark.parametrize(("cls", "reading", "rows", "message"), REFUSED)
def test_what_no_model_computes_is_refused(cls, reading, rows, message, tmp_path):
    with pytest.raises(ValueError, match=rf"reading='{reading}' of {cls.__name__} .*{message}"):
        export(fitted(cls, rows()), tmp_path / "model.onnx", reading)
    assert not list(tmp_path.iterdir())


def test_labels_of_several_sorts_are_refused(tmp_path):
    X = pd.DataFrame({"mixed": [1, "a", 2.5] * 20, "x": np.arange(60.0)})
    estimator = AutoencoderTransformer(1, **TINY).fit(X)
    with pytest.raises(ValueError, match=r"Column 'mixed' has labels of the types float, int, str"):
        export(estimator, tmp_path / "model.onnx")


def test_words_among_numbers_are_refused():
    X = shop()
    estimator = AutoencoderTransformer(1, **TINY, **KEY).fit(X)
    X.loc[4, "size"] = "varies"
    with pytest.raises(ValueError, match="Column 'size' of X holds 'varies', which no ONNX model"):
        feeds(estimator, X)


def test_rows_are_checked():
    estimator = AutoencoderTransformer(1, **TINY, **KEY).fit(shop())
    with pytest.raises(ValueError, match="feature names"):
        feeds(estimator, shop().drop(columns="text"))
    with pytest.raises(TypeError, match="No rows of a GenerativeClassifier"):
        feeds(fitted(GenerativeClassifier, matrix()), matrix())
