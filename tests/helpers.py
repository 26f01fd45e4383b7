"""What several tests use: estimators by discovery, and rows."""

import inspect
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, OutlierMixin

import skae
from skae import (
    AdversarialAE,
    AEOutlierDetector,
    DenoisingAE,
    GANSampler,
    GenerativeClassifier,
    LatentResampler,
    SeriesAutoencoder,
    TextVAE,
    VAETransformer,
    WindowedDetector,
)
from skae.autoencoders.base import BaseAutoencoder
from skae.predictors.base import EncoderPredictor
from skae.sequences.base import SequenceVAE

ESTIMATORS = [
    item
    for item in (getattr(skae, name) for name in skae.__all__)
    if inspect.isclass(item) and issubclass(item, BaseEstimator)
]

AUTOENCODERS = [cls for cls in ESTIMATORS if issubclass(cls, BaseAutoencoder)]
DETECTORS = [
    cls for cls in ESTIMATORS if issubclass(cls, OutlierMixin) and cls is not WindowedDetector
]
# Estimators whose rows are sequences of unequal lengths, and all others.
SEQUENCES = [cls for cls in ESTIMATORS if issubclass(cls, SequenceVAE)]
OF_ROWS = [cls for cls in ESTIMATORS if cls not in SEQUENCES]
PREDICTORS = [cls for cls in ESTIMATORS if issubclass(cls, EncoderPredictor)]


def quick(cls):
    """An instance that learns what scikit-learn's checks ask for, and no longer."""
    if cls in AUTOENCODERS:
        return cls(max_epochs=10)
    if cls in DETECTORS:
        return cls(max_epochs=5)
    if cls in SEQUENCES:
        return cls(2, hidden_size=4, max_epochs=2)
    if cls is GANSampler:
        return cls(AdversarialAE(2, max_epochs=5), max_epochs=10)
    if cls is GenerativeClassifier:
        return cls(VAETransformer(max_epochs=20))
    if cls is SeriesAutoencoder:
        return cls(2, channels=4, max_epochs=10)
    if cls is WindowedDetector:
        return cls(AEOutlierDetector(n_members=4, max_epochs=2), n_blocks=2)
    if cls is LatentResampler:
        return cls(VAETransformer(max_epochs=2))
    return cls(DenoisingAE(max_epochs=5), max_epochs=200, early_stopping=False)


def make_rows(n_rows):
    """Rows around a bent curve in five dimensions."""
    rng = np.random.default_rng(0)
    t = rng.uniform(-2, 2, size=(n_rows, 1))
    curve = np.hstack([t, t**2, np.sin(t), 1 - t, 0.3 * t**3])
    return curve + 0.05 * rng.normal(size=curve.shape)


def sequences_for(cls, n):
    """Sequences of unequal lengths: zigzags, or words of few letters."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 7, n)
    if cls is TextVAE:
        return ["".join(rng.choice(list("abcd"), length)) for length in lengths]
    return [
        np.column_stack([np.ones(length), rng.normal(size=length), np.arange(length) == length - 1])
        for length in lengths
    ]


N_ROWS = 300


def rows_of_a_shop():
    """Return rows whose columns depend on each other."""
    rng = np.random.default_rng(0)
    size = rng.normal(size=N_ROWS)
    kind = np.where(size > 0.5, "van", np.where(size < -0.5, "bike", "car"))
    price = np.round(20 + 8 * size + rng.normal(size=N_ROWS), 2)
    sold = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.round(30 * size), unit="D")
    frame = pd.DataFrame(
        {
            "kind": kind,
            "price": price,
            "seats": np.clip(np.round(4 + 2 * size), 1, 9).astype(int),
            "sold": sold,
            "electric": size + rng.normal(size=N_ROWS) > 0,
            "extras": np.where(rng.random(N_ROWS) < 0.8, 0.0, np.round(np.exp(size) * 50)),
        }
    )
    holes = rng.random(frame.shape) < 0.05
    holes[:, 2], holes[:, 4] = False, False
    return frame.mask(holes)


def run_page(name, warns="error"):
    """Run the code of a page of the documentation from top to bottom; return its names."""
    page = Path(__file__).parents[1] / "docs" / name
    if not page.exists():
        pytest.skip("the documentation is not there")
    names = {"__name__": page.stem}
    with warnings.catch_warnings():
        warnings.simplefilter(warns)
        for i, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)):
            exec(compile(block, f"block {i}", "exec"), names)
    return names
