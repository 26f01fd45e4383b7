"""The cell that makes a row an outlier: `AEOutlierDetector.explain` beside plainer answers.

    python -m benchmarks.outliers.explanations [--sets adult 42_WBC ...] [--seeds 0 1 2]
                                              [--rows 300] [--out runs.json]

Half of the inliers train, of Adult half of 10,000 rows. In some of the others one random cell takes
the value of another row, a different one; a method hits at 1, or 3, if the column of that cell is
the one that it names first, or one of the three. The others name the column that is rarest by
itself, and the one with the largest residual of PCA; chance is that of naming columns at random,
of those that are not constant.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from benchmarks.frames import are_labels, load_table
from benchmarks.outliers.sets import MOST_ROWS, SETS, load
from benchmarks.report import circumstances, earlier, table
from benchmarks.tables.cell_scores import by_pca, hits, swap_cells
from skae import AEOutlierDetector

TABLE = "adult"
MOST_TESTED = {"17_InternetAds": 100}
MOST_COMPONENTS = 8
TOP = 3
METHODS = ("skae", "rarest", "PCA", "chance")


def inliers(name, seed):
    """Return the inliers of a set as a frame, or rows of a table."""
    if name == TABLE:
        return load_table(name).sample(MOST_ROWS, random_state=seed)
    X, y = load(name, seed)
    return pd.DataFrame(X[y == 0], columns=[f"x{j}" for j in range(X.shape[1])])


def hits_of_names(explanation, names):
    """Return the shares of rows whose first column, and first three, hold the right one."""
    named = explanation["column"].to_numpy().reshape(len(names), -1)
    is_right = named == names[:, None]
    return is_right[:, 0].mean(), is_right.any(axis=1).mean()


def rarity_of_numbers(train, rows):
    """Return how many standard deviations numbers are from the mean; missing ones are none."""
    scale = train.std(ddof=0)
    return ((rows - train.mean()) / (scale if scale > 0 else 1)).abs().fillna(0)


def rarity_of_labels(train, rows):
    """Return the rarity of labels on the same scale: z² / 2 is that many nats."""
    counts = train.value_counts(dropna=False)
    found = counts.index.get_indexer(rows)
    shares = np.where(found < 0, 1, counts.to_numpy()[found]) / (len(train) + 1)
    return np.sqrt(-2 * np.log(shares))


def by_column(train, rows):
    """Return how rare every cell is by itself."""
    rarities = (rarity_of_numbers, rarity_of_labels)
    pairs = zip(train, are_labels(train), strict=True)
    return np.stack([rarities[int(is_label)](train[c], rows[c]) for c, is_label in pairs], axis=1)


def chance(n_columns):
    """Return how often columns named at random are right."""
    return 1 / n_columns, min(TOP, n_columns) / n_columns


def run(name, seed, n_rows):
    """Return the hits of all methods on one split."""
    train, test = train_test_split(inliers(name, seed), test_size=0.5, random_state=seed)
    n_rows = min(n_rows, len(test), MOST_TESTED.get(name, n_rows))
    swapped, positions = swap_cells(test, np.random.default_rng(seed), n_rows)
    detector = AEOutlierDetector(novelty=True, random_state=seed).fit(train)
    names = test.columns.to_numpy()[positions]
    n_components = max(1, min(MOST_COMPONENTS, train.shape[1] // 2))
    found = (
        hits_of_names(detector.explain(swapped, top=TOP), names),
        hits(by_column(train, swapped), positions),
        hits(by_pca(train, swapped, n_components), positions),
        chance((test.nunique(dropna=False) > 1).sum()),
    )
    hit = {
        method: [float(one), float(three)]
        for method, (one, three) in zip(METHODS, found, strict=True)
    }
    return {"set": name, "seed": seed, "rows": n_rows, "columns": train.shape[1]} | hit


def cells(runs):
    """Return the mean hits of all methods, at 1 and then at 3."""
    means = np.array([[r[method] for method in METHODS] for r in runs]).mean(axis=0)
    return [f"{100 * hit:.1f}" for at in means.T for hit in at]


def summary(runs):
    """Return the table of all sets, and the mean over the outlier sets."""
    rows, means = [], {}
    for name in dict.fromkeys(r["set"] for r in runs):
        part = [r for r in runs if r["set"] == name]
        means[name] = {m: np.mean([r[m] for r in part], axis=0) for m in METHODS}
        rows.append([name, part[0]["rows"], part[0]["columns"], *cells(part)])
    of_sets = [mean for name, mean in means.items() if name in SETS]
    if of_sets:
        rows.append([f"mean of {len(of_sets)} outlier sets", "", "", *cells(of_sets)])
    header = [
        f"hit@{at}, %: {METHODS[0]}" if m == METHODS[0] else m for at in (1, TOP) for m in METHODS
    ]
    return table(["set", "tested rows", "columns", *header], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    choices = (TABLE, *SETS)
    parser.add_argument("--sets", nargs="+", choices=choices, default=choices)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rows", type=int, default=300, help="how many rows get a wrong cell")
    parser.add_argument("--out", help="write all runs to this JSON file, and go on from it")
    args = parser.parse_args()
    print(circumstances(), flush=True)
    runs = earlier(args.out)
    done = {(r["set"], r["seed"]) for r in runs}
    keys = [(name, seed) for name in args.sets for seed in args.seeds]
    for name, seed in (key for key in keys if key not in done):
        runs.append(run(name, seed, args.rows))
        print(json.dumps(runs[-1]), flush=True)
        if args.out:
            Path(args.out).write_text(json.dumps(runs))
    print(f"\n{summary([r for r in runs if (r['set'], r['seed']) in keys])}")


if __name__ == "__main__":
    main()
