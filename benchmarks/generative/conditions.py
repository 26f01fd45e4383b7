"""Rows of a rare class: ConditionalVAE, given cells, a density of the class alone, real rows.

    python -m benchmarks.generative.conditions [--parts adult digits] [--seeds 0]

"adult": three quarters train; as many rows of the rare class are drawn as train, and compared with
the test rows of the class by `skae.metrics.evaluate_samples`; "ceiling" is what training rows of
the class get, "floor" columns that are shuffled one by one. "digits": the share of drawn images
that a classifier takes for the class that was asked for, and mean log-likelihoods of test images in
nats, with their label and without.
"""

import argparse
import time

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from benchmarks.frames import load_table
from benchmarks.report import circumstances, table
from skae import ConditionalVAE, GenerativeClassifier, VAETransformer
from skae.metrics import evaluate_samples

LABEL, RARE = "income", ">50K"


def adult(seed):
    """Return the figures of every way of drawing rows of the rare class."""
    frame = load_table("adult")
    train, test = train_test_split(frame, random_state=seed, stratify=frame[LABEL])
    X, y = train.drop(columns=LABEL), train[LABEL]
    own, other = (each[each[LABEL] == RARE].drop(columns=LABEL) for each in (train, test))
    n = len(own)

    def alone():
        return VAETransformer(random_state=seed).fit(own).sample(n, seed)

    def given():
        whole = VAETransformer(random_state=seed).fit(train)
        return whole.sample(n, seed, given={LABEL: RARE}).drop(columns=LABEL)

    def conditional():
        return ConditionalVAE(random_state=seed).fit(X, y).sample(n, seed, y=RARE)

    ways = {"ConditionalVAE": conditional, "VAETransformer, given": given, "of the class": alone}
    found = {}
    for name, draw in ways.items():
        start = time.perf_counter()
        drawn = draw().astype(own.dtypes)
        seconds = time.perf_counter() - start
        report = evaluate_samples(own, other, drawn, random_state=seed)
        found |= {name: report["samples"], "floor": report["floor"], "ceiling": report["ceiling"]}
        found[name].loc["seconds"] = seconds
    return pd.DataFrame(found)[[*ways, "floor", "ceiling"]]


def digits(seed):
    """Return the figures of models of digits."""
    X, y = load_digits(return_X_y=True)
    train, test, own, other = train_test_split(X, y, random_state=seed, stratify=y)
    judge = MLPClassifier((64,), max_iter=500, random_state=0).fit(train / 16, own)
    asked = np.arange(2000) % 10
    plain = VAETransformer(8, random_state=seed).fit(train)
    conditional = ConditionalVAE(8, random_state=seed).fit(train, own)
    classes = GenerativeClassifier(VAETransformer(8), random_state=seed).fit(train, own)
    by_class = np.concatenate([classes.sample(200, y=k, random_state=seed) for k in range(10)])
    right = {
        "ConditionalVAE": judge.predict(conditional.sample(2000, seed, y=asked) / 16) == asked,
        "GenerativeClassifier": judge.predict(by_class / 16) == np.repeat(np.arange(10), 200),
    }
    of_class = np.stack([density.score_samples(test) for density in classes.densities_], axis=1)
    return {
        "ConditionalVAE": [
            right["ConditionalVAE"].mean(),
            conditional.score(test, other),
            conditional.score(test),
        ],
        "GenerativeClassifier": [
            right["GenerativeClassifier"].mean(),
            of_class[np.arange(len(other)), other].mean(),
            classes.score_samples(test).mean(),
        ],
        "VAETransformer": [np.nan, np.nan, plain.score(test)],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--parts", nargs="+", choices=["adult", "digits"], default=["digits", "adult"]
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    args = parser.parse_args()
    print(circumstances(), flush=True)
    if "digits" in args.parts:
        runs = [digits(seed) for seed in args.seeds]
        means = {name: np.mean([run[name] for run in runs], axis=0) for name in runs[0]}
        rows = [[name, f"{m[0]:.3f}", f"{m[1]:.1f}", f"{m[2]:.1f}"] for name, m in means.items()]
        print(f"\n{table(['', 'of the class', 'with the label', 'without'], rows)}", flush=True)
    if "adult" in args.parts:
        frames = [adult(seed) for seed in args.seeds]
        mean = sum(frames) / len(frames)
        rows = [[name, *(f"{each:.3f}" for each in row)] for name, row in mean.iterrows()]
        print(f"\n{table(['', *mean], rows)}", flush=True)


if __name__ == "__main__":
    main()
