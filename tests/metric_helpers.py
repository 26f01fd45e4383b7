"""Samples and metrics for the tests of metrics."""

import numpy as np
import pandas as pd

import skae.metrics
from skae.metrics import (
    column_shapes,
    density_coverage,
    frechet_distance,
    maximum_mean_discrepancy,
    nearest_copies,
    pair_trends,
    train_on_synthetic,
    two_sample_auc,
)

FUNCTIONS = [getattr(skae.metrics, name) for name in skae.metrics.__all__ if name[0].islower()]


def mixed(n_rows, seed=0):
    """Rows whose columns of all kinds depend on one number, with missing cells."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=n_rows)
    frame = pd.DataFrame(
        {
            "size": size,
            "weight": size + 0.3 * rng.normal(size=n_rows),
            "count": np.maximum(0, np.rint(3 * size)).astype(int),
            "day": pd.Timestamp(2024, 1, 1) + pd.to_timedelta(np.rint(50 * size), unit="D"),
            "kind": np.array(["s", "m", "l"])[np.digitize(size, [-0.5, 0.5])],
            "is_new": size + 0.5 * rng.normal(size=n_rows) > 0,
        }
    )
    frame.loc[rng.random(n_rows) < 0.1, "weight"] = np.nan
    frame.loc[rng.random(n_rows) < 0.1, "kind"] = None
    return frame


REAL, OTHER = mixed(400), mixed(400, seed=1)

JUDGES = {
    "shapes": lambda real, other: column_shapes(real, other).to_numpy(),
    "trends": lambda real, other: pair_trends(real, other).to_numpy(),
    "auc": lambda real, other: two_sample_auc(real, other, random_state=0),
    "density": density_coverage,
    "discrepancy": lambda real, other: maximum_mean_discrepancy(real, other)[0],
    "frechet": frechet_distance,
    "copies": lambda real, other: nearest_copies(real, OTHER, other),
    "utility": lambda real, other: train_on_synthetic(other, real, "is_new", random_state=0),
}


def normals(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def global_state():
    return np.random.get_state()[1].tolist()  # noqa: NPY002
