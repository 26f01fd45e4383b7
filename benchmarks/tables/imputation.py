"""Missing cells filled: `impute` beside scikit-learn's imputers, on rows that fit has not seen.

    python -m benchmarks.tables.imputation [--sets adult wine ...] [--masks 10] [--out runs.json]

Cells are removed from training and test rows alike, at random, by value (large numbers and some
labels more often) or in blocks (runs of neighbouring columns); the error is that of the removed
cells of the test rows: the root mean squared error of numbers in units of their standard deviation,
and the accuracy of labels, means over columns.
"""

import argparse
import json
import time
import warnings
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm, rankdata, wilcoxon
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OrdinalEncoder

from benchmarks.frames import IDENTIFIERS, OneHot, are_labels, as_numbers, load_table
from benchmarks.report import circumstances, earlier, table
from skae import AutoencoderTransformer

SETS = ("adult", "churn", "california", "breast_cancer", "wine", "diabetes")
WAYS = ("random", "by value", "in blocks")
RATES = (0.1, 0.3, 0.5)
MOST_ROWS = 5000
STEEPNESS = 2.0


def complete_rows(name):
    """Return the rows of a set that have no holes, at most 5,000, without identifiers."""
    frame = load_table(name).drop(columns=IDENTIFIERS, errors="ignore").dropna()
    frame = frame.sample(min(MOST_ROWS, len(frame)), random_state=0).reset_index(drop=True)
    labels = frame.columns[are_labels(frame)]
    return frame.astype({**dict.fromkeys(frame.columns, float), **dict.fromkeys(labels, str)})


def holes(frame, rate, how, seed):
    """Return which cells to remove."""
    random = np.random.default_rng(seed)
    if how == "in blocks":
        return blocks(random, *frame.shape, rate)
    uniform = random.random(frame.shape)
    if how == "random":
        return uniform < rate
    leanings = np.empty(frame.shape)
    for j, (name, is_label) in enumerate(zip(frame, are_labels(frame), strict=True)):
        if is_label:
            codes, labels = pd.factorize(frame[name])
            leanings[:, j] = random.normal(size=len(labels))[codes]
        else:
            leanings[:, j] = norm.ppf((rankdata(frame[name]) - 0.5) / len(frame))
    leanings *= STEEPNESS
    offset = brentq(lambda a: expit(a + leanings).mean() - rate, -20, 20)
    return uniform < expit(offset + leanings)


def blocks(random, n_rows, n_columns, rate):
    """Return runs of columns, round the end, of half of the columns in some of the rows."""
    width = max(1, n_columns // 2)
    is_hit = random.random(n_rows) < min(1.0, rate * n_columns / width)
    start = random.integers(n_columns, size=n_rows)
    offset = (np.arange(n_columns) - start[:, None]) % n_columns
    return is_hit[:, None] & (offset < width)


def one_hot(imputer):
    """Return a way to impute standardised numbers and one-hot labels."""

    def impute(train, test, seed):
        encoding = OneHot(holes=True).fit(train)
        fitted = imputer(seed).fit(encoding.transform(train))
        return encoding.inverse_transform(fitted.transform(encoding.transform(test)))

    return impute


def simple(train, test, seed):
    """Fill with the mean or the commonest label."""
    labels = list(train.columns[are_labels(train)])
    imputer = make_column_transformer(
        (SimpleImputer(strategy="most_frequent"), labels),
        remainder=SimpleImputer(),
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    return imputer.fit(train).transform(test)


def trees(forest, n_rounds=10):
    """Return a way to impute by trees on numbers and ordinal codes."""
    return partial(fill_by_trees, forest=forest, n_rounds=n_rounds)


def fill_by_trees(train, test, seed, forest, n_rounds):
    """Fill by trees on numbers and ordinal codes, in rounds over the columns."""
    labels = list(train.columns[are_labels(train)])
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    train, test = train.copy(), test.copy()
    if labels:
        train[labels] = codes.fit_transform(train[labels])
        test[labels] = codes.transform(test[labels])
    imputer = IterativeImputer(forest(seed), random_state=seed, max_iter=n_rounds)
    imputer.set_output(transform="pandas")
    filled = imputer.fit(train.astype(float)).transform(test.astype(float))
    if labels:
        filled[labels] = codes.inverse_transform(filled[labels].round().to_numpy(copy=True))
    return filled


def skae(train, test, seed):
    """Fill by an autoencoder at its defaults, with as many components as columns, at most 32."""
    n_components = min(32, train.shape[1])
    return AutoencoderTransformer(n_components, random_state=seed).fit(train).impute(test)


METHODS = {
    "skae": skae,
    "simple": simple,
    "kNN": one_hot(lambda seed: KNNImputer()),
    "Bayesian ridge": one_hot(lambda seed: IterativeImputer(random_state=seed)),
    "extra trees": trees(lambda seed: ExtraTreesRegressor(n_estimators=10, random_state=seed)),
    "MissForest-like": trees(
        lambda seed: RandomForestRegressor(30, max_features="sqrt", random_state=seed), n_rounds=5
    ),
}


def errors(filled, truth, removed, train):
    """Return the error of the numbers and the accuracy of the labels, means over columns."""
    labels = are_labels(truth)
    numeric, accuracy = [], []
    scale = as_numbers(train[train.columns[~labels]]).std()
    for j, name in enumerate(truth):
        cells = removed[:, j]
        if not cells.any():
            continue
        got, true = filled[name].to_numpy()[cells], truth[name].to_numpy()[cells]
        if labels[j]:
            accuracy.append((got.astype(str) == true).mean())
        else:
            wrong = (got.astype(float) - true) / scale[name]
            numeric.append(np.sqrt((wrong**2).mean()))
    return float(np.mean(numeric)), float(np.mean(accuracy)) if accuracy else None


def run(name, how, rate, mask, methods):
    """Yield the errors and the seconds of all methods with one mask."""
    frame = complete_rows(name)
    removed = holes(frame, rate, how, mask)
    holed = frame.mask(removed)
    train, test = train_test_split(np.arange(len(frame)), test_size=0.3, random_state=mask)
    for method in methods:
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            filled = METHODS[method](holed.iloc[train], holed.iloc[test], mask)
        seconds = time.perf_counter() - start
        numeric, accuracy = errors(filled, frame.iloc[test], removed[test], frame.iloc[train])
        yield {
            "set": name, "how": how, "rate": rate, "mask": mask, "method": method,
            "error": numeric, "accuracy": accuracy, "seconds": seconds,
        }  # fmt: skip


def summary(results):
    """Return the table of the means over masks, and how often we are better."""
    rows = []
    for cell in dict.fromkeys((r["set"], r["how"], r["rate"]) for r in results):
        runs = [r for r in results if (r["set"], r["how"], r["rate"]) == cell]
        means = {m: [r for r in runs if r["method"] == m] for m in METHODS}
        for key in ("error", "accuracy"):
            if any(r[key] is not None for r in runs):
                found = [_mean(means[m], key) for m in METHODS]
                rows.append([*cell, key, *(f"{value:.3f}" for value in found)])
    header = ["set", "holes", "share", "", *METHODS]
    parts = [table(header, rows), comparison(results), normalised(results), timing(results)]
    return "\n\n".join(parts)


def normalised(results):
    """Return the means of 1 - (error - smallest) / (largest - smallest) over cells, by set."""
    rows = []
    for name in dict.fromkeys(r["set"] for r in results):
        scores = []
        for cell in dict.fromkeys((r["how"], r["rate"]) for r in results if r["set"] == name):
            runs = [r for r in results if (r["set"], r["how"], r["rate"]) == (name, *cell)]
            found = [_mean([r for r in runs if r["method"] == m], "error") for m in METHODS]
            scores.append(1 - (np.array(found) - min(found)) / (max(found) - min(found)))
        rows.append([name, *(f"{score:.3f}" for score in np.mean(scores, axis=0))])
    means = np.array([[float(cell) for cell in row[1:]] for row in rows]).mean(0)
    rows.append(["mean", *(f"{mean:.3f}" for mean in means)])
    return table(["normalised accuracy", *METHODS], rows)


def comparison(results):
    """Return how often and how surely we are better than each of the others."""
    rows = []
    for rival in list(METHODS)[1:]:
        for key, sign in (("error", -1), ("accuracy", 1)):
            pairs = [paired(results, cell, rival, key) for cell in cells(results, key)]
            gains = sign * np.array([ours - theirs for ours, theirs in pairs])
            p = wilcoxon(gains).pvalue
            rows.append([rival, key, f"{(gains > 0).sum()} of {len(gains)}", f"{p:.1g}"])
    return table(["beside", "", "cells better", "Wilcoxon p"], rows)


def cells(results, key):
    """Return the sets, ways and rates that have a kind of error."""
    found = [r for r in results if r[key] is not None]
    return list(dict.fromkeys((r["set"], r["how"], r["rate"]) for r in found))


def paired(results, cell, rival, key):
    """Return our mean and a rival's in a cell."""
    runs = [r for r in results if (r["set"], r["how"], r["rate"]) == cell]
    return [_mean([r for r in runs if r["method"] == m], key) for m in ("skae", rival)]


def _mean(runs, key):
    """Return a mean over the runs that removed a cell of the kind."""
    return np.mean([r[key] for r in runs if r[key] is not None])


def timing(results):
    """Return the mean seconds of every set."""
    rows = []
    for name in dict.fromkeys(r["set"] for r in results):
        runs = [r for r in results if r["set"] == name]
        seconds = [np.mean([r["seconds"] for r in runs if r["method"] == m]) for m in METHODS]
        rows.append([name, *(f"{s:.2f}" for s in seconds)])
    return table(["seconds", *METHODS], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--masks", type=int, default=10)
    parser.add_argument("--out", help="write all runs to this JSON file, and go on from it")
    args = parser.parse_args()
    print(circumstances(), flush=True)
    results = earlier(args.out)
    done = {(r["set"], r["how"], r["rate"], r["mask"]) for r in results}
    grid = product(range(args.masks), args.sets, WAYS, RATES)
    for mask, name, how, rate in grid:
        if (name, how, rate, mask) in done:
            continue
        found = list(run(name, how, rate, mask, METHODS))
        results += found
        print(mask, name, how, rate, *(f"{r['error']:.3f}" for r in found), flush=True)
        if args.out:
            Path(args.out).write_text(json.dumps(results))
    print(f"\n{summary(results)}")


if __name__ == "__main__":
    main()
