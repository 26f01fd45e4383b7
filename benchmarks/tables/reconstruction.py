"""Tables through a narrow code and back, beside PCA on one-hot labels and beside mode and mean.

    python -m benchmarks.tables.reconstruction [--sets adult ...] [--seeds 0 1 2] [--out runs.json]

Three quarters of the rows train; the error is that of the others: the share of labels that come
back, and the root mean squared error of numbers in units of their standard deviation, means over
columns. A missing label is a label, a missing number is left out. "Explained" is one mean over all
columns: the accuracy of labels, and of numbers one minus the squared error.
"""

import argparse
import json
import time
from pathlib import Path

import narwhals as nw
import numpy as np
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from benchmarks.frames import OneHot, are_labels, as_numbers, equal, load_table
from benchmarks.report import circumstances, earlier, table
from skae import AutoencoderTransformer
from skae.tables import Table, describe

SETS = ("adult", "churn", "melbourne")
SIZES = (8, 16, 32)


def errors(back, truth, train):
    """Return the accuracy of every column of labels and the error of every column of numbers."""
    labels = truth.columns[are_labels(train)]
    numbers = truth.columns.difference(labels, sort=False)
    accuracy = {name: float(equal(back[name], truth[name]).mean()) for name in labels}
    scale = as_numbers(train[numbers]).std()
    wrong = (as_numbers(back[numbers]).to_numpy() - as_numbers(truth[numbers])) / scale
    return {**accuracy, **np.sqrt((wrong**2).mean()).to_dict()}


def by_pca(train, test, n_components, seed):
    """Return test rows after PCA on one-hot labels and standardised numbers."""
    encoding = OneHot().fit(train)
    pca = PCA(n_components, random_state=seed).fit(encoding.transform(train))
    codes = pca.transform(encoding.transform(test))
    return encoding.inverse_transform(pca.inverse_transform(codes))


def by_mode(train, test):
    """Return the mean of the numbers and the commonest of the labels, for every test row."""
    encoding = OneHot().fit(train)
    mean = encoding.transform(train).mean(0)
    return encoding.inverse_transform(np.tile(mean, (len(test), 1)))


def run(name, n_components, seed):
    """Return the errors of all methods by column, and the seconds of ours."""
    frame = load_table(name)
    # Identifiers come back as they came, and nothing is learned from them.
    kept = describe(frame).query("kind != 'identifier'").index
    train, test = train_test_split(frame[kept], test_size=0.25, random_state=seed)
    start = time.perf_counter()
    ours = AutoencoderTransformer(n_components, random_state=seed).fit(train)
    seconds = time.perf_counter() - start
    backs = {
        "skae": ours.reconstruct(test),
        "PCA": by_pca(train, test, n_components, seed),
        "mode": by_mode(train, test),
    }
    result = {"set": name, "k": n_components, "seed": seed, "seconds": seconds}
    result["labels"] = list(train.columns[are_labels(train)])
    return result | {method: errors(back, test, train) for method, back in backs.items()}


def encoding(names):
    """Return the table of how long it takes to learn what the columns are, and to encode them."""
    rows = []
    for name in names:
        frame = nw.from_native(load_table(name))
        start = time.perf_counter()
        schema = Table.learn(frame)
        learned = time.perf_counter()
        schema.encode(frame)
        seconds = learned - start, time.perf_counter() - learned
        rows.append([name, len(frame), *(f"{s:.2f}" for s in seconds)])
    return table(["set", "rows", "learn, s", "encode, s"], rows)


def means(runs, method):
    """Return the mean accuracy of the labels and the mean error of the numbers."""
    labels = set(runs[0]["labels"])
    accuracy = [v for r in runs for name, v in r[method].items() if name in labels]
    error = [v for r in runs for name, v in r[method].items() if name not in labels]
    return np.mean(accuracy), np.mean(error)


def explained(runs, method):
    """Return the mean over all columns of the accuracy, or of the share of variance explained."""
    labels = set(runs[0]["labels"])
    return np.mean([v if c in labels else 1 - v**2 for r in runs for c, v in r[method].items()])


def summary(results):
    """Return the table of the means, and one of the columns at the smallest size."""
    header = ["set", "components", "labels: skae", "PCA", "mode"]
    header += ["numbers: skae", "PCA", "mean", "explained: skae", "PCA", "fit, s"]
    rows = []
    for name, k in dict.fromkeys((r["set"], r["k"]) for r in results):
        runs = [r for r in results if (r["set"], r["k"]) == (name, k)]
        both = [means(runs, method) for method in ("skae", "PCA", "mode")]
        cells = [f"{b[i]:.3f}" for i in (0, 1) for b in both]
        cells += [f"{explained(runs, method):.3f}" for method in ("skae", "PCA")]
        rows.append([name, k, *cells, f"{np.mean([r['seconds'] for r in runs]):.1f}"])
    return "\n".join([table(header, rows), "", columns(results)])


def columns(results):
    """Return the table of every column of every set, at the smallest size."""
    rows = []
    smallest = min(r["k"] for r in results)
    for name in dict.fromkeys(r["set"] for r in results):
        runs = [r for r in results if r["set"] == name and r["k"] == smallest]
        for column in runs[0]["skae"]:
            cells = [np.mean([r[m][column] for r in runs]) for m in ("skae", "PCA", "mode")]
            kind = "accuracy" if column in runs[0]["labels"] else "error"
            rows.append([name, column, kind, *(f"{cell:.3f}" for cell in cells)])
    return table(["set", "column", f"{smallest} components", "skae", "PCA", "mode or mean"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--out", help="write all runs to this JSON file, and go on from it")
    args = parser.parse_args()
    print(circumstances(), flush=True)
    results = earlier(args.out)
    done = {(r["set"], r["k"], r["seed"]) for r in results}
    for name in args.sets:
        for k, seed in ((k, seed) for k in args.sizes for seed in args.seeds):
            if (name, k, seed) not in done:
                results.append(run(name, k, seed))
                found = [f"{n:.3f}" for m in ("skae", "PCA") for n in means(results[-1:], m)]
                print(name, k, seed, *found, flush=True)
                if args.out:
                    Path(args.out).write_text(json.dumps(results))
    print(f"\n{summary(results)}\n\n{encoding(args.sets)}")


if __name__ == "__main__":
    main()
