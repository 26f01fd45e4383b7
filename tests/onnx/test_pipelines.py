"""skl2onnx exports pipelines in which skae's estimators stand."""

import numpy as np
import pytest
from saved_estimators import TINY, labels, matrix
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import (
    AEOutlierDetector,
    AutoencoderTransformer,
    EncoderClassifier,
    EncoderRegressor,
    VAETransformer,
)

runtime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")
pytest.importorskip("onnxscript")
from skae.onnx import register  # noqa: E402

QUICK = {"max_epochs": 2, "random_state": 0}


def run(model, X):
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session = runtime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, {"X": X})


@pytest.fixture(autouse=True)
def registered():
    register()


CODES, VAE = AutoencoderTransformer(2, **TINY), VAETransformer(**TINY)


@pytest.mark.parametrize(
    ("dtype", "codes", "last", "names"),
    [
        (np.float32, CODES, LogisticRegression(), [0, 1]),
        (np.float64, CODES, LogisticRegression(), ["no", "yes"]),
        (np.float64, VAE, LogisticRegression(), [0, 1]),
        (np.float32, CODES, EncoderClassifier(**QUICK), ["no", "yes"]),
        (np.float64, VAE, EncoderClassifier(**QUICK), [0, 1]),
    ],
)
def test_classifiers(dtype, codes, last, names):
    X, y = matrix().astype(dtype), np.array(names)[labels()]
    pipeline = make_pipeline(StandardScaler(), codes, last).fit(X, y)
    found, probabilities = run(skl2onnx.to_onnx(pipeline, X[:1], options={"zipmap": False}), X)
    assert found.tolist() == pipeline.predict(X).tolist()
    np.testing.assert_allclose(probabilities, pipeline.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_regressor(dtype):
    X = matrix().astype(dtype)
    codes = AutoencoderTransformer(2, **TINY)
    pipeline = make_pipeline(StandardScaler(), codes, EncoderRegressor(**QUICK)).fit(X, X[:, 0])
    (found,) = run(skl2onnx.to_onnx(pipeline, X[:1]), X)
    np.testing.assert_allclose(found.ravel(), pipeline.predict(X), rtol=1e-5, atol=1e-5)


def test_codes_alone():
    X = matrix().astype(np.float32)
    pipeline = make_pipeline(StandardScaler(), AutoencoderTransformer(2, **TINY)).fit(X)
    (found,) = run(skl2onnx.to_onnx(pipeline, X[:1]), X)
    np.testing.assert_allclose(found, pipeline.transform(X), rtol=1e-5, atol=1e-5)


def test_detector():
    X = matrix(200)
    detector = AEOutlierDetector(n_members=4, hidden_layer_sizes=(3,), max_epochs=2, random_state=0)
    new = matrix(60, seed=1) * np.linspace(0.5, 5, 60)[:, None]
    pipeline = make_pipeline(StandardScaler(), detector).fit(X)
    found, shifted = run(skl2onnx.to_onnx(pipeline, X[:1]), new)
    assert found.tolist() == pipeline.predict(new).tolist()
    np.testing.assert_allclose(shifted, pipeline.decision_function(new), atol=1e-6)
    assert {-1, 1} == set(found.tolist())
