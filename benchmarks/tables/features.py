"""Codes as features: logistic regression on them, beside PCA and beside raw one-hot labels.

    python -m benchmarks.tables.features [--seeds 0 1 2 3 4] [--components 16]

Adult, without its target in the features. Three quarters of the rows train the encoders, with or
without a label; 100, 500, 1,000 or all of them have one for the logistic regression, on
standardised features. The area under the ROC curve is that of the other rows.
"""

import argparse
import warnings

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.frames import OneHot, load_table
from benchmarks.report import circumstances, table
from skae import AutoencoderTransformer

SETS = {"adult": ("income", ">50K"), "churn": ("Exited", 1)}
N_LABELS = (100, 500, 1000, None)


def features(train, test, n_components, seed):
    """Return the features of training and test rows, by name."""
    encoding = OneHot().fit(train)
    raw = encoding.transform(train), encoding.transform(test)
    pca = PCA(n_components, random_state=seed).fit(raw[0])
    ours = AutoencoderTransformer(n_components, random_state=seed).fit(train)
    return {
        "skae": (ours.transform(train), ours.transform(test)),
        "PCA": tuple(pca.transform(rows) for rows in raw),
        "one-hot": raw,
    }


def area(X, y, n_labels, seed):
    """Return the area under the curve of a logistic regression trained on some of the labels."""
    (train, test), (y_train, y_test) = X, y
    some = np.random.default_rng(seed).permutation(len(train))[:n_labels]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(train[some], y_train[some])
    return roc_auc_score(y_test, model.predict_proba(test)[:, 1])


def run(name, n_components, seed):
    """Return the areas, by the number of labels and the features."""
    frame = load_table(name)
    target, positive = SETS[name]
    y = (frame.pop(target) == positive).to_numpy()
    train, test, *y = train_test_split(frame, y, test_size=0.25, random_state=seed)
    found = features(train, test, n_components, seed)
    return [[area(X, y, n, seed) for X in found.values()] for n in N_LABELS]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--components", type=int, default=16)
    args = parser.parse_args()
    print(circumstances(), flush=True)
    rows = []
    for name in args.sets:
        found = np.array([run(name, args.components, seed) for seed in args.seeds])
        for n, mean, spread in zip(N_LABELS, found.mean(0), found.std(0), strict=True):
            areas = [f"{m:.3f} ± {s:.3f}" for m, s in zip(mean, spread, strict=True)]
            rows.append([name, n or "all", *areas])
    print(f"\n{table(['set', 'labels', 'skae', 'PCA', 'one-hot'], rows)}")


if __name__ == "__main__":
    main()
