"""The rivals of `AEOutlierDetector` at fixed defaults; higher scores are more anomalous."""

import time

import numpy as np
import torch
from scipy.stats import kurtosis
from sklearn.covariance import LedoitWolf, MinCovDet
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.svm import OneClassSVM
from torch import nn

from skae import VAETransformer

# Mixtures of more columns have diagonal covariances.
MOST_COLUMNS = 100
MOST_COMPONENTS = 8


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
        return self.read(self.neighbours.kneighbors(X)[0])

    def score_training_rows(self, X):
        return self.read(self.neighbours.kneighbors()[0])

    def read(self, distances):
        return distances[:, -1]


class DiffusionTime(NearestRows):
    """DTE-NP: the mean distance to the five nearest training rows.

    In the repository of Livernoche et al. (2024) it is recommended in place of the diffusion time
    that they estimate from the mean squared distance; the means of DTE-NP with k=5 that were
    published with FoMo-0D are its means.
    """

    def read(self, distances):
        return distances.mean(axis=1)


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


class Mahalanobis:
    """The Mahalanobis distance by the covariance of Ledoit and Wolf, which few rows suffice for."""

    def fit(self, X):
        self.covariance = LedoitWolf().fit(X)
        return self

    def score(self, X):
        return self.covariance.mahalanobis(X)


class Mixture:
    """The density of the Gaussian mixture, of up to eight components, with the smallest BIC."""

    def __init__(self, seed):
        self.seed = seed

    def fit(self, X):
        shape = "full" if X.shape[1] <= MOST_COLUMNS else "diag"
        options = {"covariance_type": shape, "reg_covar": 1e-4, "random_state": self.seed}
        numbers = range(1, min(MOST_COMPONENTS, len(X)) + 1)
        fitted = (GaussianMixture(k, **options).fit(X) for k in numbers)
        self.mixture = min(fitted, key=lambda mixture: mixture.bic(X))
        return self

    def score(self, X):
        return -self.mixture.score_samples(X)


class Block(nn.Module):
    """A residual block of the network of K-DSM."""

    def __init__(self, width):
        super().__init__()
        first = (nn.BatchNorm1d(width), nn.Linear(width, width), nn.ReLU(), nn.Dropout(0.2))
        self.layers = nn.Sequential(*first, nn.Linear(width, width), nn.Dropout(0.1))

    def forward(self, x):
        return x + self.layers(x)


class KurtosisDenoiser:
    """K-DSM: the norm of the noise that a network, taught to find it, finds in the row as it is.

    The noise of a column is the larger, the more peaked the column is; columns with two values are
    0 and 1, and not standardised. By default the authors' network has 6 blocks of width 512 and
    learns for 500 epochs, which is too much for a CPU.
    """

    width, blocks, epochs, batch, copies = 256, 3, 100, 128, 3

    def __init__(self, seed):
        self.seed = seed

    def fit(self, X):
        torch.manual_seed(self.seed)
        self.low, self.span = np.zeros(X.shape[1]), np.ones(X.shape[1])
        two = [len(np.unique(column)) == 2 for column in X.T]
        self.low[two], self.span[two] = X[:, two].min(axis=0), np.ptp(X[:, two], axis=0)
        noise = torch.as_tensor(noise_by_kurtosis(X, two), dtype=torch.float32)
        self.learn(self.rows(X), noise)
        return self

    def learn(self, rows, scale):
        blocks = (Block(self.width) for _ in range(self.blocks))
        last = (nn.BatchNorm1d(self.width), nn.ReLU(), nn.Linear(self.width, len(scale)))
        self.network = nn.Sequential(nn.Linear(len(scale), self.width), *blocks, *last)
        optimizer = torch.optim.Adam(self.network.parameters(), lr=5e-4, weight_decay=5e-5)
        for picked in (i for _ in range(self.epochs) for i in self.batches(len(rows))):
            clean = rows[picked].repeat(self.copies, 1)
            noise = torch.randn_like(clean)
            optimizer.zero_grad()
            loss = 0.5 * (self.network(clean + noise * scale) + noise).square().sum(dim=1).mean()
            loss.backward()
            optimizer.step()
        self.network.eval()

    def batches(self, n):
        return torch.randperm(n).split(self.batch)

    def rows(self, X):
        return torch.as_tensor((X - self.low) / self.span, dtype=torch.float32)

    @torch.no_grad()
    def score(self, X):
        found = [self.network(part).norm(dim=1) for part in self.rows(X).split(1000)]
        return torch.cat(found).numpy()


def noise_by_kurtosis(X, has_two_values):
    """Return the standard deviation of K-DSM's noise of every column."""
    trimmed = int(0.02 * len(X))
    columns = np.sort(X, axis=0)[trimmed : len(X) - trimmed].T
    pairs = zip(columns, has_two_values, strict=True)
    kurtoses = np.array([1.8 if two else kurtosis_by_mass(column) for column, two in pairs])
    return np.clip(0.5 * (1 + 0.33 * (kurtoses - 3)), 0.1, 3)


def kurtosis_by_mass(column):
    """Return the kurtosis of a column, its bins put in order with the fullest in the middle."""
    counts, edges = np.histogram(column, 200)
    ranks = np.arange(len(counts))
    places = np.empty(len(counts))
    places[np.argsort(-counts, kind="stable")] = (ranks + 1) // 2 * np.where(ranks % 2, 1, -1)
    placed = places[np.digitize(column, edges[1:-1])]
    return kurtosis(placed, fisher=False) if np.ptp(placed) else np.inf


class ScikitLearn:
    """An estimator with scores of rows that are higher for inliers."""

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
        "DTE-NP": DiffusionTime,
        "LOF": lambda: LocalOutliers(LocalOutlierFactor(novelty=True)),
        "isolation forest": lambda: ScikitLearn(IsolationForest(random_state=seed)),
        "one-class SVM": lambda: ScikitLearn(OneClassSVM()),
        "MCD": lambda: MinimumCovarianceDeterminant(seed),
        "PCA": Reconstruction,
        "K-DSM": lambda: KurtosisDenoiser(seed),
        "Mahalanobis": Mahalanobis,
        "Gaussian mixture": lambda: Mixture(seed),
        "VAE density": lambda: ScikitLearn(VAETransformer(random_state=seed)),
    }[name]()


RIVALS = (
    "norm",
    "kNN",
    "DTE-NP",
    "LOF",
    "isolation forest",
    "one-class SVM",
    "PCA",
    "ECOD",
    "PyOD AutoEncoder",
    "PyOD VAE",
    "PyOD AutoEncoder, 100 epochs",
    "MCD",
    "K-DSM",
)
# These are not among the methods of `adbench`, but of `kinds`.
DENSITIES = ("Mahalanobis", "Gaussian mixture", "VAE density")


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
