"""Detectors and rows for the tests of outliers."""

import numpy as np
import pandas as pd

from skae import AEOutlierDetector


def make(**params):
    return AEOutlierDetector(**{"max_epochs": 20, "random_state": 0, **params})


def make_table(n_rows, seed=0):
    """A table of each kind of column, in which y follows x and the side its sign."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n_rows)
    frame = pd.DataFrame(
        {
            "x": x,
            "y": 2 * x + 0.1 * rng.normal(size=n_rows),
            "side": np.where(x > 0, "right", "left"),
            "flag": rng.random(n_rows) < 0.3,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(90, size=n_rows), "D"),
            "same": 1.0,
            "hole": np.where(rng.random(n_rows) < 0.2, np.nan, rng.normal(size=n_rows)),
        }
    )
    frame.loc[rng.random(n_rows) < 0.05, "side"] = None
    return frame


def with_outliers(n_rows=500, n_outliers=25, seed=0):
    """Rows of a normal, the first of them a cluster of outliers."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n_rows, 4))
    rows[:n_outliers] = 5 + 0.05 * rng.normal(size=(n_outliers, 4))
    return rows, np.arange(n_rows) < n_outliers
