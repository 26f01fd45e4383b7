"""Fitted estimators of every class, small enough for files, and what they read.

    python tests/saved_estimators.py tests/saving/golden [class ...]

writes the golden files anew, or those of some classes, which a new format makes necessary, and
nothing else should.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from helpers import SEQUENCES, sequences_for

import skae
from skae import (
    AdversarialAE,
    AEOutlierDetector,
    AutoencoderTransformer,
    ConditionalVAE,
    DenoisingAE,
    EncoderClassifier,
    EncoderRegressor,
    GANSampler,
    GenerativeClassifier,
    LatentResampler,
    SeriesAutoencoder,
    SketchVAE,
    VAETransformer,
    WindowedDetector,
)

N = 48
TINY = {"max_epochs": 2, "random_state": 0, "hidden_layer_sizes": (3,)}
OF_NUMBERS = GANSampler, GenerativeClassifier, SeriesAutoencoder, WindowedDetector
READINGS = ("transform", "reconstruct", "score_samples", "score_cells", "predict")
READINGS += ("predict_proba", "decision_function", "p_values", "explain")


def table(n=N, seed=0):
    """Return a small table of numbers, labels, dates and holes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "x": x,
            "y": 2 * x + rng.normal(size=n) / 9,
            "sort": np.where(x > 0, "up", "down"),
            "day": pd.date_range("2024-05-01", periods=n).astype(str),
            "n": rng.integers(0, 5, n),
        }
    )
    frame.loc[::9, "y"] = np.nan
    return frame


def matrix(n=N, seed=0):
    """Return a small matrix of numbers."""
    return table(n, seed)[["x", "n"]].to_numpy(dtype=float) @ np.ones((2, 4)) + np.arange(4)


def labels(n=N, seed=0):
    """Return the labels of either."""
    return (table(n, seed)["x"].to_numpy() > 0).astype(int)


def tiny(cls):
    """Return an estimator of few weights."""
    if cls is EncoderClassifier or cls is EncoderRegressor:
        return cls(DenoisingAE(2, **TINY), hidden_layer_sizes=(3,), max_epochs=2, random_state=0)
    if cls is GenerativeClassifier:
        return cls(AutoencoderTransformer(1, **TINY), random_state=0)
    if cls is LatentResampler:
        return cls(VAETransformer(**TINY), random_state=0)
    if cls is GANSampler:
        return cls(AdversarialAE(2, **TINY), hidden_layer_sizes=(3,), max_epochs=2, random_state=0)
    if cls is SeriesAutoencoder:
        return cls(2, channels=3, max_epochs=2, random_state=0)
    if cls is WindowedDetector:
        return cls(AutoencoderTransformer(1, **TINY), window=4, n_blocks=2, random_state=0)
    if cls in SEQUENCES:
        own = {"n_mixtures": 2} if cls is SketchVAE else {}
        return cls(2, hidden_size=4, max_epochs=2, random_state=0, **own)
    if cls is AEOutlierDetector:
        return cls(n_members=4, **TINY)
    return cls(2, **TINY)


def fitted(cls, rows):
    """Return an estimator, fitted to rows."""
    estimator = tiny(cls)
    y = labels(len(rows))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(rows, y)


def readings(estimator, rows):
    """Return all that an estimator says of rows, by method."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in READINGS:
            if hasattr(estimator, name):
                found[name] = getattr(estimator, name)(rows)
        if hasattr(estimator, "sample"):
            given = {"y": labels(5)} if isinstance(estimator, ConditionalVAE) else {}
            found["sample"] = estimator.sample(5, random_state=3, **given)
        if hasattr(estimator, "get_feature_names_out") and hasattr(estimator, "transform"):
            found["names"] = estimator.get_feature_names_out()
    return found


def rows_for(cls):
    """Return the rows that the golden file of a class was fitted to."""
    if cls in SEQUENCES:
        return sequences_for(cls, N)
    return matrix() if cls in OF_NUMBERS else table()


def numbers_of(reading):
    """Return a reading as a flat list of numbers; of other cells, their texts."""
    if isinstance(reading, list) and isinstance(reading[0], np.ndarray):
        reading = np.concatenate([each.ravel() for each in reading])
    cells = np.asarray(reading).ravel().tolist()
    return [cell if isinstance(cell, (int, float)) else str(cell) for cell in cells[:40]]


def write_golden(folder, *only):
    """Write a file for every estimator, or for those named, and what it reads."""
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    for cls in (getattr(skae, name) for name in skae.__all__):
        if isinstance(cls, type) and (not only or cls.__name__ in only):
            estimator = fitted(cls, rows_for(cls))
            estimator.save(folder / f"{cls.__name__}.safetensors")
            read = readings(estimator, rows_for(cls))
            numbers = {name: numbers_of(each) for name, each in read.items() if name != "sample"}
            (folder / f"{cls.__name__}.json").write_text(json.dumps(numbers))


if __name__ == "__main__":
    write_golden(*sys.argv[1:])
