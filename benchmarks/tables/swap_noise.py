"""Swap-noise features: logistic regression on a denoising autoencoder's codes, beside rivals.

    python -m benchmarks.tables.swap_noise [--sets adult 12_fault ...] [--seeds 0 1 2]
        [--out runs.json]

Adult, and the sets of ADBench, whose outliers are the positives: at most 5,000 rows of each, three
quarters of which train the encoders without labels. A logistic regression learns from the labels
of all of them or of 100, on standardised features; its regularisation is chosen by three folds of
those rows, the same way for every contestant. Beside the codes of `DenoisingAE` are the hidden
units of its encoder, its codes before training, the standardised columns themselves (labels
one-hot), and, as many as codes, principal components (at most all) and Nyström's random features of
a Gaussian kernel. Samples are stratified, with no fewer than 30 positives among 5,000 rows and 5
among 100, where there are so many. A win is a difference of means over seeds, at three decimals.
"""

import argparse
import json
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial.distance import pdist
from scipy.stats import rankdata, wilcoxon
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from benchmarks.data import DEVELOPMENT, KEPT_ASIDE, find
from benchmarks.frames import OneHot, load_table
from benchmarks.report import circumstances, earlier, table
from skae import DenoisingAE

SETS = ("adult", *(name for name in DEVELOPMENT + KEPT_ASIDE if name[0].isdigit()))
RECIPE = {"n_components": 128, "corruption_level": 0.3, "init": "random"}
MOST_ROWS = 5000
N_LABELS = (100, None)
INVERSE_PENALTIES = (0.01, 0.1, 1.0)
MEASURES = {"roc": "ROC", "precision": "AP"}


def load(name):
    """Return the rows of a set and which of them are positive."""
    if name == "adult":
        frame = load_table(name)
        return frame, (frame.pop("income") == ">50K").to_numpy()
    found = np.load(find(f"adbench/{name}.npz"))
    return found["X"].astype(float), found["y"].ravel() == 1


def sample(y, n, least, seed):
    """Return the positions of n rows, stratified, with at least so many positives."""
    n = min(n or len(y), len(y))
    n_positive = min(max(round(n * y.mean()), least), y.sum())
    order = np.random.default_rng(seed).permutation(len(y))
    positives, negatives = order[y[order]], order[~y[order]]
    return np.concatenate([positives[:n_positive], negatives[: n - n_positive]])


def kernel_features(train, n_components, seed):
    """Return fitted random features of a Gaussian kernel as wide as the median distance."""
    few = np.random.default_rng(seed).permutation(len(train))[:1000]
    distances = pdist(train[few], "sqeuclidean")
    gamma = 1 / np.median(distances[distances > 0])
    n_components = min(n_components, len(train))
    return Nystroem(gamma=gamma, n_components=n_components, random_state=seed).fit(train)


def hidden_units(autoencoder, rows):
    """Return the activations of all hidden layers of the encoder."""
    layers = [module for module in autoencoder.encoder_.modules() if isinstance(module, nn.GELU)]
    outputs = [[] for _ in layers]
    hooks = [
        layer.register_forward_hook(lambda *call, found=found: found.append(call[2].numpy()))
        for layer, found in zip(layers, outputs, strict=True)
    ]
    autoencoder.transform(rows)
    for hook in hooks:
        hook.remove()
    return np.hstack([np.concatenate(found) for found in outputs])


def prepare(name, seed):
    """Return training and test rows as the encoders see them and as columns, and the labels."""
    rows, y = load(name)
    kept = sample(y, MOST_ROWS, 30, seed)
    y = y[kept]
    rows = rows.iloc[kept] if name == "adult" else rows[kept]
    train, test, *y = train_test_split(rows, y, test_size=0.25, stratify=y, random_state=seed)
    encoding = (OneHot() if name == "adult" else StandardScaler()).fit(train)
    columns = [encoding.transform(part) for part in (train, test)]
    return (train, test) if name == "adult" else columns, columns, y


def features(rows, columns, seed):
    """Return the features of training and test rows, by name, and the seconds that ours took."""
    start = time.perf_counter()
    ours = DenoisingAE(**RECIPE, corruption="swap", random_state=seed).fit(rows[0])
    seconds = time.perf_counter() - start
    n_components = ours.n_components_
    pca = PCA(min(n_components, *columns[0].shape), random_state=seed).fit(columns[0])
    kernel = kernel_features(columns[0], n_components, seed)
    codes = [ours.transform(part) for part in rows]
    untrained = clone(ours).set_params(max_epochs=1, learning_rate=1e-12).fit(rows[0])
    found = {
        "codes": codes,
        "hidden": [hidden_units(ours, part) for part in rows],
        "untrained": [untrained.transform(part) for part in rows],
        "raw": columns,
        "PCA": [pca.transform(part) for part in columns],
        "kernel": [kernel.transform(part) for part in columns],
        "raw + codes": [np.hstack(parts) for parts in zip(columns, codes, strict=True)],
    }
    return found, seconds


def areas(X, y, chosen):
    """Return the areas under both curves of a logistic regression on chosen training rows."""
    model = LogisticRegressionCV(
        Cs=INVERSE_PENALTIES,
        cv=3,
        scoring="neg_log_loss",
        l1_ratios=(0,),
        use_legacy_attributes=False,
    )
    model = make_pipeline(StandardScaler(), model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X[0][chosen], y[0][chosen])
    scores = model.decision_function(X[1])
    return roc_auc_score(y[1], scores), average_precision_score(y[1], scores)


def run(name, seed):
    """Yield the areas of every kind of features with every number of labels."""
    rows, columns, y = prepare(name, seed)
    found, seconds = features(rows, columns, seed)
    for n_labels, (kind, X) in product(N_LABELS, found.items()):
        roc, precision = areas(X, y, sample(y[0], n_labels, 5, seed))
        yield {
            "set": name, "seed": seed, "labels": n_labels, "features": kind,
            "roc": roc, "precision": precision, "seconds": seconds,
        }  # fmt: skip


def means(results, n_labels, measure):
    """Return the means over seeds, to three decimals, as a frame of sets and kinds of features."""
    found = pd.DataFrame([r for r in results if r["labels"] == n_labels])
    found = found.pivot_table(index="set", columns="features", values=measure, sort=False)
    return found[list(dict.fromkeys(r["features"] for r in results))].round(3)


def duel(ours, theirs):
    """Return on how many sets the first is better, level and worse, and how surely."""
    if ours.name == theirs.name:
        return ["", ""]
    gains = (ours - theirs).round(3)
    counts = (gains > 0).sum(), (gains == 0).sum(), (gains < 0).sum()
    return ["/".join(map(str, counts)), f"{wilcoxon(gains).pvalue:.1g}" if gains.any() else ""]


def comparison(results):
    """Return the table of means, mean ranks and duels over sets."""
    lines = []
    for n_labels, (measure, title) in product(N_LABELS, MEASURES.items()):
        found = means(results, n_labels, measure)
        ranks = rankdata(-found, axis=1).mean(0)
        for kind, rank in zip(found, ranks, strict=True):
            duels = duel(found["codes"], found[kind]) + duel(found[kind], found["raw"])
            start = [n_labels or "all", title, kind, f"{found[kind].mean():.3f}", f"{rank:.2f}"]
            lines.append(start + duels)
    header = ["labels", "area", "features", "mean", "mean rank"]
    return table([*header, "codes beside them", "p", "they beside raw", "p"], lines)


def by_set(results, n_labels):
    """Return the table of the means over seeds of both areas."""
    roc, precision = (means(results, n_labels, measure) for measure in MEASURES)
    cells = roc.map("{:.3f}".format) + " / " + precision.map("{:.3f}".format)
    return table([f"{n_labels or 'all'} labels", *roc], cells.reset_index().to_numpy())


def summary(results):
    """Return all tables, and the seconds of a fit."""
    seconds = [r["seconds"] for r in results]
    tables = [comparison(results), *(by_set(results, n_labels) for n_labels in N_LABELS)]
    spent = f"A fit took {np.median(seconds):.1f} s, at most {max(seconds):.1f} s."
    return "\n\n".join([*tables, spent])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--out", help="write all runs to this JSON file, and go on from it")
    args = parser.parse_args()
    print(circumstances(), flush=True)
    results = earlier(args.out)
    done = {(r["set"], r["seed"]) for r in results}
    for seed, name in product(args.seeds, args.sets):
        if (name, seed) in done:
            continue
        found = list(run(name, seed))
        results += found
        print(seed, name, *(f"{r['roc']:.3f}" for r in found), flush=True)
        if args.out:
            Path(args.out).write_text(json.dumps(results))
    print(f"\n{summary(results)}")


if __name__ == "__main__":
    main()
