"""The rivals of `AEOutlierDetector` at fixed defaults; higher scores are more anomalous."""

import time

import numpy as np
from sklearn.covariance import MinCovDet
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.svm import OneClassSVM


class Norm:
    """The norm of the standardised row."""

    def fit(self, X):
        return self

    def score(self, X):
        return np.linalg.norm(X, axis=1)


class NearestRows:
    """The distance to the fifth nearest training row."""

    def fit(self, X):
        self.neighbours = NearestNeighbors(n_neighbors=5).fit(X)
        return self

    def score(self, X):
        return self.neighbours.kneighbors(X)[0][:, -1]

    def score_training_rows(self, X):
        return self.neighbours.kneighbors()[0][:, -1]


class Reconstruction:
    """The distance to the reconstruction from the components that hold 90 % of the variance."""

    def fit(self, X):
        self.pca = PCA(0.9, svd_solver="full").fit(X)
        return self

    def score(self, X):
        return np.linalg.norm(X - self.pca.inverse_transform(self.pca.transform(X)), axis=1)


class MinimumCovarianceDeterminant:
    """The Mahalanobis distance by the minimum covariance determinant."""

    def __init__(self, seed):
        self.covariance = MinCovDet(random_state=seed)

    def fit(self, X):
        self.covariance.fit(X)
        return self

    def score(self, X):
        return self.covariance.mahalanobis(X)


class ScikitLearn:
    """An outlier detector of scikit-learn."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X):
        self.estimator.fit(X)
        return self

    def score(self, X):
        return -self.estimator.score_samples(X)


class LocalOutliers(ScikitLearn):
    """The local outlier factor, which has scores of training rows of its own."""

    def score_training_rows(self, X):
        return -self.estimator.negative_outlier_factor_


class PyOD:
    """A detector of PyOD."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X):
        self.estimator.fit(X)
        return self

    def score(self, X):
        return self.estimator.decision_function(X)

    def score_training_rows(self, X):
        return self.estimator.decision_scores_


def make(name, seed):
    """Return a rival by its name."""
    if name.startswith("PyOD") or name == "ECOD":
        return PyOD(_make_of_pyod(name, seed))
    return {
        "norm": Norm,
        "kNN": NearestRows,
        "LOF": lambda: LocalOutliers(LocalOutlierFactor(novelty=True)),
        "isolation forest": lambda: ScikitLearn(IsolationForest(random_state=seed)),
        "one-class SVM": lambda: ScikitLearn(OneClassSVM()),
        "MCD": lambda: MinimumCovarianceDeterminant(seed),
        "PCA": Reconstruction,
    }[name]()


RIVALS = (
    "norm",
    "kNN",
    "LOF",
    "isolation forest",
    "one-class SVM",
    "PCA",
    "ECOD",
    "PyOD AutoEncoder",
    "PyOD VAE",
    "PyOD AutoEncoder, 100 epochs",
    "MCD",
)


def _make_of_pyod(name, seed):
    if name == "ECOD":
        from pyod.models.ecod import ECOD

        return ECOD()
    if name == "PyOD VAE":
        from pyod.models.vae import VAE

        return VAE(random_state=seed, verbose=0, device="cpu")
    from pyod.models.auto_encoder import AutoEncoder

    options = {"epoch_num": 100} if "100" in name else {}
    return AutoEncoder(random_state=seed, verbose=0, device="cpu", **options)


def run(name, split, seed):
    """Return what a rival says of the test rows and of the training rows, and its seconds."""
    rival = make(name, seed)
    start = time.perf_counter()
    rival.fit(split.train)
    fitted = time.perf_counter()
    scores = rival.score(split.test)
    scored = time.perf_counter()
    of_training_rows = getattr(rival, "score_training_rows", rival.score)(split.train)
    return scores, of_training_rows, fitted - start, scored - fitted
