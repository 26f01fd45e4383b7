"""Few labels: an encoder learned from all rows, beside what learns from the labelled rows alone.

    python -m benchmarks.images.few_labels [--sets mnist adult] [--draws 10] [--validate]

One `DenoisingAE` a set is fitted to all training rows without labels; then labels of some rows are
drawn, anew in every draw, with each class among them. `EncoderClassifier` goes on from it, with all
weights or the head alone; "scratch" is the same class and net, from random weights. Logistic
regression and kNN see principal components of all training rows; their numbers of components and
neighbours and their penalties are the best of some on the held-out rows, draw by draw, a favour
that is done to no other. The measure is the accuracy, and for two classes the area under the ROC
curve.
"""

import argparse
import time

import numpy as np
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.data import find, load
from benchmarks.frames import OneHot, load_table
from benchmarks.report import circumstances, table
from skae import DenoisingAE, EncoderClassifier

N_LABELS = {"mnist": (100, 600, 1000), "adult": (100, 1000)}
RECIPE = {
    "mnist": {"corruption": "masking", "corruption_level": 0.4},
    "adult": {"corruption": "swap", "corruption_level": 0.3},
}
COMPONENTS = {"mnist": (16, 32, 64), "adult": (8, 16, 32)}
NEIGHBOURS = (1, 5, 15)
INVERSE_PENALTIES = (0.1, 1.0)
METHODS = ("skae", "skae, frozen", "scratch", "PCA + logistic", "PCA + kNN")
UNTRAINED = {"init": "random", "max_epochs": 1, "learning_rate": 1e-9, "early_stopping": False}


def rows_of(name, *, validate):
    """Return training and held-out rows and their classes."""
    if name == "adult":
        frame = load_table(name)
        y = (frame.pop("income") == ">50K").to_numpy().astype(int)
        train, test, *y = train_test_split(frame, y, test_size=0.25, random_state=0)
        if validate:
            train, test, *y = train_test_split(train, y[0], test_size=0.25, random_state=0)
        return train, test, *y
    labels = np.load(find("images/mnist.npz"))
    train, test = (part.astype(np.float32) for part in load(name))
    if validate:
        y = labels["y_train"]
        return train[:-5000], train[-5000:], y[:-5000], y[-5000:]
    return train, test, labels["y_train"], labels["y_test"]


def some_labels(y, n, seed):
    """Return the positions of rows whose labels are known, each class among them."""
    random = np.random.default_rng(seed)
    while True:
        some = random.choice(len(y), n, replace=False)
        if len(np.unique(y[some])) == len(np.unique(y)):
            return some


def quality(model, X, y):
    """Return the accuracy, or of two classes the area under the ROC curve."""
    probabilities = model.predict_proba(X)
    if probabilities.shape[1] == 2:
        return roc_auc_score(y, probabilities[:, 1])
    return np.mean(model.classes_[probabilities.argmax(1)] == y)


def by_components(views, y, y_test):
    """Return the best qualities of logistic regressions and of nearest neighbours."""
    logistic = [LogisticRegression(C=c, max_iter=500) for c in INVERSE_PENALTIES]
    neighbours = [KNeighborsClassifier(k) for k in NEIGHBOURS]
    return [
        max(quality(model.fit(X, y), Z, y_test) for model in models for X, Z in views)
        for models in (logistic, neighbours)
    ]


def components(name, train, test):
    """Return principal components of training and held-out rows, for some numbers of them."""
    if name == "adult":
        encoding = OneHot().fit(train)
        train, test = encoding.transform(train), encoding.transform(test)
    found = (PCA(k, random_state=0).fit(train) for k in COMPONENTS[name])
    return [(pca.transform(train), pca.transform(test)) for pca in found]


def take(rows, some):
    """Return some rows of an array or a frame."""
    return rows.iloc[some] if hasattr(rows, "iloc") else rows[some]


def run(data, autoencoders, codes, n_labels, seed):
    """Return the qualities of all methods for one draw of labels."""
    train, test, y, y_test = data
    some = some_labels(y, n_labels, seed)
    X, y = take(train, some), y[some]
    learned, untrained = autoencoders
    classifiers = [
        EncoderClassifier(learned, random_state=seed),
        EncoderClassifier(learned, freeze=True, random_state=seed),
        EncoderClassifier(untrained, freeze=False, random_state=seed),
    ]
    ours = [quality(classifier.fit(X, y), test, y_test) for classifier in classifiers]
    return ours + by_components([(Z[some], Z_test) for Z, Z_test in codes], y, y_test)


def interval(values):
    """Return a mean and the half width of its 95 % interval over draws."""
    half = 1.96 * np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return f"{np.mean(values):.3f} ± {half:.3f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=list(N_LABELS))
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--validate", action="store_true", help="leave the test rows alone")
    args = parser.parse_args()
    print(circumstances(), flush=True)
    lines = []
    for name in args.sets:
        data = rows_of(name, validate=args.validate)
        start = time.perf_counter()
        autoencoders = [
            FrozenEstimator(DenoisingAE(random_state=0, **RECIPE[name], **params).fit(data[0]))
            for params in ({}, UNTRAINED)
        ]
        print(f"{name}: autoencoder {time.perf_counter() - start:.0f} s", flush=True)
        codes = components(name, *data[:2])
        for n in N_LABELS[name]:
            found = [run(data, autoencoders, codes, n, seed) for seed in range(args.draws)]
            found = np.array(found)
            won = [(found[:, :1] > found[:, i:]).mean(0)[0] for i in range(2, len(METHODS))]
            lines.append([name, n, *map(interval, found.T), " ".join(f"{w:.0%}" for w in won)])
            print(*lines[-1], flush=True)
    print(f"\n{table(['set', 'labels', *METHODS, 'draws better than the last three'], lines)}")


if __name__ == "__main__":
    main()
