"""What tests of series use: waves, and detectors of windows that are understood."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors

from skae import WindowedDetector


class Distance(BaseEstimator):
    """Minus the distance to the nearest window."""

    def fit(self, X, y=None):
        self.index_ = NearestNeighbors(n_neighbors=1).fit(X)
        return self

    def score_samples(self, X):
        return -self.index_.kneighbors(X)[0][:, 0]


class Level(BaseEstimator):
    """The mean of a window, which the score of a time can be computed from by hand."""

    def fit(self, X, y=None):
        return self

    def partial_fit(self, X, y=None):
        return self

    def score_samples(self, X):
        return X.mean(1)


def wave(n=1200, seed=0, n_channels=1, period=40):
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * np.arange(n)[:, None] / period + np.arange(n_channels)
    return np.sin(phase) + 0.1 * rng.normal(size=(n, n_channels))


def detector(inner=None, **params):
    inner = Distance() if inner is None else inner
    return WindowedDetector(inner, **{"window": 20, "random_state": 0, **params})
