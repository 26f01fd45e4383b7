"""Outliers in time, by detectors on windows.

    python -m benchmarks.series.windows all       the slow detectors on made series as well
    python -m benchmarks.series.windows           kinds kept aside, and InternalBleeding16
    python -m benchmarks.series.windows choices   what the defaults were chosen by

All detectors read the same windows of `WindowedDetector`; they differ by what scores a window.
"""

import sys
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors

from benchmarks.data import find
from benchmarks.series.judging import judge
from benchmarks.series.made import DEVELOPMENT, KEPT_ASIDE, SIGNALS, series
from skae import AEOutlierDetector, AutoencoderTransformer, WindowedDetector

SEEDS = (0, 1)
# Two blocks of held-out scores, which only thresholds depend on.
N_BLOCKS = 2
FIGURES = ("roc", "ap", "vus_pr", "hit")
SLOW = (
    "AEOutlierDetector, novelty",
    "AutoencoderTransformer",
    'AEOutlierDetector, normalize="level"',
    'AEOutlierDetector, normalize="series"',
)


class Nearest(BaseEstimator):
    """Minus the distance to the k-th nearest training window."""

    def __init__(self, k=1):
        self.k = k

    def fit(self, X, y=None):
        self.index_ = NearestNeighbors(n_neighbors=self.k).fit(X)
        return self

    def score_samples(self, X):
        return -self.index_.kneighbors(X)[0][:, -1]


class Residual(BaseEstimator):
    """Minus the squared error of PCA's reconstruction."""

    def __init__(self, share=0.9):
        self.share = share

    def fit(self, X, y=None):
        self.pca_ = PCA(self.share).fit(X)
        return self

    def score_samples(self, X):
        return -((X - self.pca_.inverse_transform(self.pca_.transform(X))) ** 2).sum(1)


def rivals():
    """Return the detectors, by name."""
    found = {
        "PCA, 90 %": Residual(),
        "1-NN": Nearest(1),
        "5-NN": Nearest(5),
        "IsolationForest": IsolationForest(random_state=0),
    }
    try:
        from pyod.models.knn import KNN

        found["PyOD KNN"] = KNN()
    except ImportError:
        pass
    return found | {
        "AEOutlierDetector": AEOutlierDetector(random_state=0),
        "AEOutlierDetector, novelty": AEOutlierDetector(novelty=True, random_state=0),
        "AutoencoderTransformer": AutoencoderTransformer(8, random_state=0),
    }


@dataclass(frozen=True)
class Case:
    """A series to learn from, one to score, and the first and last time of its anomaly."""

    name: str
    train: Any
    test: Any
    first: int
    last: int


def made_cases(kinds, seeds=SEEDS):
    """Return cases of kinds of anomalies in all signals."""
    for signal in SIGNALS:
        for kind in kinds:
            for seed in seeds:
                train, test, (first, last) = series(signal, kind, seed)
                yield Case(f"{signal}, {kind}", train, test, first, last)


def bleeding():
    """Return the one real series."""
    held = np.load(find("series/InternalBleeding16.npz"))
    places = np.flatnonzero(held["is_anomaly"])
    train, test = held["train"].astype(float), held["test"].astype(float)
    return Case("InternalBleeding16", train, test, int(places[0]), int(places[-1]))


def run(case, detector, **params):
    """Return the figures of a detector in a case, the seconds and the share of false alarms."""
    began = time.perf_counter()
    windowed = WindowedDetector(detector, n_blocks=N_BLOCKS, random_state=0, **params)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        windowed.fit(case.train)
        scores = windowed.score_samples(case.test)
    found = judge(-scores, case.first, case.last)
    is_far = np.ones(len(scores), dtype=bool)
    is_far[max(case.first - windowed.window_, 0) : case.last + windowed.window_ + 1] = False
    found["false"] = float((scores[is_far] < windowed.offset_).mean())
    found["flagged"] = float((scores[case.first : case.last + 1] < windowed.offset_).any())
    return found | {"seconds": time.perf_counter() - began}


def line(name, found):
    """Print the means of figures as a line of a table."""
    columns = (*FIGURES, "flagged", "false", "seconds")
    means = [np.mean([each[column] for each in found]) for column in columns]
    print(f"| {name} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |", flush=True)


def header(first):
    """Print the head of a table."""
    print(f"\n| {first} | AUC-ROC | AP | VUS-PR | hit | flagged | false | seconds |")
    print("| --- " * 8 + "|")


def choices():
    """Print what normalisations, windows and strides give on development kinds."""
    cases = list(made_cases(DEVELOPMENT, seeds=(10, 11)))
    header("choice")
    tried = [
        *({"normalize": each} for each in (None, "series", "level", "window")),
        *({"window": each} for each in (16, 32, 64, 128)),
        *({"stride": each} for each in (2, 16)),
    ]
    for params in tried:
        detector = AEOutlierDetector(random_state=0)
        line(params, [run(each, detector, **params) for each in cases])


def rows():
    """Return detectors and what differs from the defaults, by name."""
    found = {name: (detector, {}) for name, detector in rivals().items()}
    for normalize in ("level", "series"):
        found[f'1-NN, normalize="{normalize}"'] = Nearest(1), {"normalize": normalize}
        name = f'AEOutlierDetector, normalize="{normalize}"'
        found[name] = AEOutlierDetector(random_state=0), {"normalize": normalize}
    return found


def main():
    """Print all figures on the kinds that were kept aside, and on the real series."""
    header("InternalBleeding16")
    case = bleeding()
    for name, (detector, params) in rows().items():
        line(name, [run(case, detector, **params)])
    cases = list(made_cases(KEPT_ASIDE))
    chosen = {name: each for name, each in rows().items() if "all" in sys.argv or name not in SLOW}
    by_kind = {kind: {} for kind in KEPT_ASIDE}
    header("made series")
    for name, (detector, params) in chosen.items():
        found = [run(each, detector, **params) for each in cases]
        line(name, found)
        for each, of_case in zip(found, cases, strict=True):
            by_kind[of_case.name.split(", ")[1]].setdefault(name, []).append(each["vus_pr"])
    print("\n| VUS-PR by kind | " + " | ".join(KEPT_ASIDE) + " |")
    print("| --- " * (len(KEPT_ASIDE) + 1) + "|")
    for name in chosen:
        means = " | ".join(f"{np.mean(by_kind[kind][name]):.3f}" for kind in KEPT_ASIDE)
        print(f"| {name} | {means} |")


if __name__ == "__main__":
    choices() if "choices" in sys.argv else main()
