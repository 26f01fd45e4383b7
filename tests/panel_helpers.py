"""Panels of waves."""

import numpy as np
import pandas as pd


def waves(n=60, n_channels=2, n_timepoints=24, seed=0):
    """Cases of equal length: waves of two phases and one size, with little noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(n_timepoints) / 4
    phase = rng.uniform(0, 2, (n, 1, 1)) + np.arange(n_channels)[:, None]
    return rng.uniform(1, 2, (n, 1, 1)) * np.sin(phase + t) + 0.02 * rng.normal(
        size=(n, n_channels, n_timepoints)
    )


def ragged_waves(n=60, n_channels=2, seed=0):
    """Cases of 8 to 20 timepoints, that go through the same in their own time."""
    rng = np.random.default_rng(seed)
    cases = []
    for length, size in zip(rng.integers(8, 21, n), rng.uniform(1, 2, n), strict=True):
        t = np.linspace(0, 6, length)
        wave = size * np.sin(t + np.arange(n_channels)[:, None])
        cases.append(wave + 0.02 * rng.normal(size=wave.shape))
    return cases


def as_frame(cases):
    """Cases as a frame with an index of cases and times, in random order."""
    parts = {
        f"case {i}": pd.DataFrame(case.T, columns=[f"c{j}" for j in range(len(case))])
        for i, case in enumerate(cases)
    }
    return pd.concat(parts, names=["case", "time"]).sample(frac=1, random_state=0)
