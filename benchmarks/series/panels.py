"""Codes of panels of series: errors of reconstruction, and what classifiers make of codes.

    python -m benchmarks.series.panels

The sets are those of the UCR and UEA archives that aeon's wheel holds, with their own splits.
"""

import sys
import time
import warnings

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.data import find
from skae import AutoencoderTransformer, SeriesAutoencoder
from skae.series.form import PanelForm, stretched
from skae.series.panels import Panel

SETS = ("ACSF1", "ArrowHead", "BasicMotions", "ItalyPowerDemand", "JapaneseVowels")
SIZES = (4, 16, 32)
# One for the longest, which takes most of a minute a fit.
SEEDS = dict.fromkeys(SETS, (0, 1, 2)) | {"ACSF1": (0,)}


class OfRows:
    """A transformer of rows on cases: stretched to the largest length of `fit`, or padded."""

    def __init__(self, transformer, *, pads=False):
        self.transformer = transformer
        self.pads = pads

    def fit(self, cases):
        self.form_ = PanelForm.of(Panel(cases, "list"), scale_channels=False)
        self.mean_ = np.concatenate(cases, axis=1).mean(1, keepdims=True)
        self.transformer.fit(self._rows(cases))
        return self

    def transform(self, cases):
        return self.transformer.transform(self._rows(cases))

    def reconstruct(self, cases):
        rows = self.transformer.inverse_transform(self.transform(cases))
        rows = rows.reshape(len(cases), len(self.mean_), -1)
        if self.pads:
            return [row[:, : case.shape[1]] for row, case in zip(rows, cases, strict=True)]
        return [stretched(row, case.shape[1]) for row, case in zip(rows, cases, strict=True)]

    def _rows(self, cases):
        return np.array([self._row(case).ravel() for case in cases])

    def _row(self, case):
        length = self.form_.n_timepoints
        if not self.pads:
            return stretched(case, length)
        rest = np.repeat(self.mean_, max(0, length - case.shape[1]), axis=1)
        return np.hstack([case, rest])[:, :length]


class Raw:
    """The rows themselves."""

    def fit(self, X):
        return self

    def transform(self, X):
        return X


def models(n, seed):
    """Return the models of a size of the code."""
    how = {"random_state": seed}
    return {
        "PCA": OfRows(PCA(n)),
        "PCA, padded": OfRows(PCA(n), pads=True),
        "AutoencoderTransformer": OfRows(AutoencoderTransformer(n, **how)),
        "SeriesAutoencoder": SeriesAutoencoder(n, **how),
        "SeriesAutoencoder, scaled": SeriesAutoencoder(n, scale_channels=True, **how),
        "SeriesAutoencoder, variational": SeriesAutoencoder(n, variational=True, **how),
    }


def load(name):
    """Return cases and labels for training and for the test."""
    found = []
    with np.load(find(f"series/{name}.npz"), allow_pickle=False) as data:
        for part in ("train", "test"):
            values, lengths = data[f"{part}_values"], data[f"{part}_lengths"]
            values = values.reshape(lengths.sum(), -1)
            cases = [each.T for each in np.split(values, np.cumsum(lengths)[:-1])]
            found += [cases, data[f"{part}_labels"]]
    return found


def error(cases, others):
    """Return the mean squared error of a number; beyond the length of a peer there is none."""
    parts = [case[:, : other.shape[1]] - other for case, other in zip(cases, others, strict=True)]
    return sum(np.square(part).sum() for part in parts) / sum(part.size for part in parts)


def accuracy(model, X, y, X_test, y_test):
    """Return the accuracy of logistic regression on standardised codes."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
    return classifier.fit(model.transform(X), y).score(model.transform(X_test), y_test)


def judge(data, n, seeds):
    """Return the error, accuracy and seconds of every model, means over the seeds."""
    X, y, X_test, y_test = data
    found = {}
    for seed in seeds:
        for name, model in models(n, seed).items():
            start = time.perf_counter()
            model.fit(X)
            seconds = time.perf_counter() - start
            figures = (
                error(X_test, model.reconstruct(X_test)),
                accuracy(model, X, y, X_test, y_test),
                seconds,
            )
            found.setdefault(name, []).append(figures)
    return {name: np.mean(each, axis=0) for name, each in found.items()}


def nearest(X, y, X_test, y_test):
    """Return the accuracy of the nearest case by Euclidean distance, stretched to one length."""
    rows = OfRows(Raw()).fit(X)
    index = KNeighborsClassifier(1).fit(rows.transform(X), y)
    return index.score(rows.transform(X_test), y_test)


def main(names):
    """Print a line for each set, size and model."""
    warnings.simplefilter("ignore")
    print("| set | code | model | error | error / PCA | accuracy | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in names:
        data = load(name)
        for n in SIZES:
            found = judge(data, min(n, len(data[0]) - 1, data[0][0].size - 1), SEEDS[name])
            unit = found["PCA"][0]
            for model, (squared, right, seconds) in found.items():
                figures = f"{squared:.4g} | {squared / unit:.3f} | {right:.3f} | {seconds:.1f}"
                print(f"| {name} | {n} | {model} | {figures} |", flush=True)
        print(f"| {name} | all | 1-NN, Euclidean | | | {nearest(*data):.3f} | |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or SETS)
