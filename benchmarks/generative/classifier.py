"""GenerativeClassifier beside discriminative classifiers: accuracy, calibration, foreign rows.

    python -m benchmarks.generative.classifier [--parts digits adult few mnist] [--seeds 0 1 2]
                                               [--rows 60000]

"digits": scikit-learn's digits, three quarters train; accuracy, log-loss, and the area under the
ROC curve by which digits upside down, shuffled pixels and uniform noise are told from digits: the
log-likelihood of all classes, beside the largest probability of a classifier. "adult": Adult,
three quarters train; AUC, log-loss, and the calibration error over ten even bins. "few": accuracy
on digits by the number of labels per class. "mnist": its own test images, pixels 0 to 1.
"""

import argparse
import time

import numpy as np
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.data import find, load
from benchmarks.frames import load_table
from benchmarks.report import circumstances, table
from skae import GenerativeClassifier, VAETransformer

OURS = "GenerativeClassifier"
LABELS = (5, 10, 20, 50, 100)
N_BINS = 10
MOST_COMPONENTS = 32
# The digits that are digits upside down, too.
SYMMETRIC = (0, 1, 3, 8)


def of_numbers(seed, n_rows):
    """Return the classifiers of arrays; PCA has no more components than a class has rows."""
    n_components = min(MOST_COMPONENTS, max(2, n_rows // 20))
    return {
        OURS: GenerativeClassifier(VAETransformer(16), random_state=seed),
        "PCA and QDA": make_pipeline(
            PCA(n_components, random_state=seed), QuadraticDiscriminantAnalysis(reg_param=1e-3)
        ),
        "GaussianNB": GaussianNB(var_smoothing=1e-3),
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        "MLP": make_pipeline(
            StandardScaler(), MLPClassifier((128,), max_iter=500, random_state=seed)
        ),
    }


def calibration_error(probability, is_true):
    """Return the mean distance of probabilities and frequencies over even bins."""
    place = np.minimum((N_BINS * probability).astype(int), N_BINS - 1)
    distances = [
        abs(probability[place == k].mean() - is_true[place == k].mean()) * (place == k).mean()
        for k in range(N_BINS)
        if (place == k).any()
    ]
    return sum(distances)


def foreign(rows, labels, random):
    """Return images of other kinds: upside down, with shuffled pixels, uniform noise."""
    side = round(np.sqrt(rows.shape[1]))
    turned = rows.reshape(-1, side, side)[:, ::-1].reshape(len(rows), -1)
    return {
        "upside down": turned,
        "without symmetric ones": turned[~np.isin(labels, SYMMETRIC)],
        "shuffled": random.permuted(rows, axis=1),
        "noise": random.uniform(rows.min(), rows.max(), rows.shape),
    }


def novelty(classifier, X):
    """Return how foreign rows are to a classifier."""
    if isinstance(classifier, GenerativeClassifier):
        return -classifier.score_samples(X)
    return -classifier.predict_proba(X).max(1)


def run_images(train, test, y_train, y_test, classifiers, seed):
    """Return the figures of classifiers on images, a line for each."""
    others = foreign(test, y_test, np.random.default_rng(seed))
    found = {}
    for name, classifier in classifiers.items():
        start = time.perf_counter()
        classifier.fit(train, y_train)
        seconds = time.perf_counter() - start
        proba = np.clip(classifier.predict_proba(test), 1e-15, 1)
        own = novelty(classifier, test)
        told = [
            roc_auc_score(
                np.repeat([0, 1], [len(test), len(rows)]), np.append(own, novelty(classifier, rows))
            )
            for rows in others.values()
        ]
        accuracy = (classifier.classes_[proba.argmax(1)] == y_test).mean()
        found[name] = [accuracy, log_loss(y_test, proba), *told, seconds]
    return found


IMAGE_COLUMNS = [
    "accuracy, %",
    "log-loss",
    "upside down, AUC",
    "without 0 1 3 8",
    "shuffled",
    "noise",
    "fit, s",
]


def lines_of(runs, scales):
    """Return a line for each classifier: the mean of its runs."""
    return [
        [
            name,
            *(
                f"{scale * value:.{digits}f}"
                for value, (scale, digits) in zip(
                    np.mean([run[name] for run in runs], axis=0), scales, strict=True
                )
            ),
        ]
        for name in runs[0]
    ]


def digits(args):
    """Return the table of digits."""
    X, y = load_digits(return_X_y=True)
    runs = []
    for seed in args.seeds:
        parts = train_test_split(X, y, random_state=seed, stratify=y)
        runs.append(run_images(*parts, of_numbers(seed, len(parts[0])), seed))
    scales = [(100, 2), (1, 3), *[(1, 3)] * 4, (1, 1)]
    return table(["classifier", *IMAGE_COLUMNS], lines_of(runs, scales))


def of_tables(seed):
    """Return the classifiers of tables."""
    numbers, labels = (
        make_column_selector(dtype_include="number"),
        make_column_selector(dtype_exclude="number"),
    )
    encoder = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), labels),
    )
    return {
        OURS: GenerativeClassifier(random_state=seed),
        "GaussianNB": make_pipeline(encoder, GaussianNB(var_smoothing=1e-3)),
        "logistic regression": make_pipeline(encoder, LogisticRegression(max_iter=2000)),
        "gradient boosting": HistGradientBoostingClassifier(
            categorical_features="from_dtype", random_state=seed
        ),
    }


def adult(args):
    """Return the table of Adult."""
    frame = load_table("adult")
    X, y = frame.drop(columns="income"), (frame["income"] == ">50K").to_numpy()
    runs = []
    for seed in args.seeds:
        train, test, own, other = train_test_split(X, y, random_state=seed, stratify=y)
        found = {}
        for name, classifier in of_tables(seed).items():
            categories = dict.fromkeys(X.columns[X.dtypes == X["sex"].dtype], "category")
            is_boosted = name == "gradient boosting"
            parts = [each.astype(categories) if is_boosted else each for each in (train, test)]
            start = time.perf_counter()
            classifier.fit(parts[0], own)
            seconds = time.perf_counter() - start
            proba = np.clip(classifier.predict_proba(parts[1])[:, 1], 1e-15, 1 - 1e-15)
            error = calibration_error(proba, other)
            figures = [roc_auc_score(other, proba), ((proba > 0.5) == other).mean()]
            found[name] = [*figures, log_loss(other, proba), error, seconds]
        runs.append(found)
    header = ["classifier", "AUC", "accuracy, %", "log-loss", "calibration error", "fit, s"]
    return table(header, lines_of(runs, [(1, 3), (100, 1), (1, 3), (1, 3), (1, 1)]))


def few(args):
    """Return the accuracies by the number of labels per class."""
    X, y = load_digits(return_X_y=True)
    columns = {}
    for n_labels in LABELS:
        runs = []
        for seed in args.seeds:
            train, test, own, other = train_test_split(X, y, random_state=seed, stratify=y)
            random = np.random.default_rng(seed)
            kept = np.concatenate(
                [random.permutation(np.flatnonzero(own == c))[:n_labels] for c in range(10)]
            )
            classifiers = of_numbers(seed, len(kept))
            runs.append(
                {
                    n: [c.fit(train[kept], own[kept]).score(test, other)]
                    for n, c in classifiers.items()
                }
            )
        columns[n_labels] = {name: cells[0] for name, *cells in lines_of(runs, [(100, 1)])}
    names = list(columns[LABELS[0]])
    rows = [[name, *(columns[n][name] for n in LABELS)] for name in names]
    return table(["accuracy, %, by labels per class", *LABELS], rows)


def mnist(args):
    """Return the table of MNIST."""
    (X, X_test), labels = load("mnist"), np.load(find("images/mnist.npz"))
    y, y_test = labels["y_train"], labels["y_test"]
    kept = np.random.default_rng(0).permutation(len(X))[: args.rows]
    classifiers = {
        OURS: GenerativeClassifier(
            VAETransformer(32, n_draws=16, likelihood="bernoulli"),
            validation_fraction=0.1,
            random_state=0,
        ),
        "PCA and QDA": make_pipeline(
            PCA(50, random_state=0), QuadraticDiscriminantAnalysis(reg_param=1e-3)
        ),
        "MLP": MLPClassifier((128,), early_stopping=True, random_state=0),
    }
    runs = [run_images(X[kept], X_test, y[kept], y_test, classifiers, 0)]
    scales = [(100, 2), (1, 3), *[(1, 3)] * 4, (1, 0)]
    return table(["classifier", *IMAGE_COLUMNS], lines_of(runs, scales))


PARTS = {part.__name__: part for part in (digits, adult, few, mnist)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rows", type=int, default=60_000)
    args = parser.parse_args()
    print(circumstances(), flush=True)
    for name in args.parts:
        print(f"\n## {name}\n\n{PARTS[name](args)}", flush=True)


if __name__ == "__main__":
    main()
