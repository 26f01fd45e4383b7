"""What the thresholds of AEOutlierDetector promise, counted.

    python -m benchmarks.outliers.thresholds [--parts nothing inliers far new discoveries]
                                             [--seeds 0 1 2] [--sets 42_WBC ...]

"nothing": the share that the defaults flag of rows without outliers, 32 made shapes of 200, 1,000
and 5,000 rows. "inliers": the same of the inliers of the shared sets. "far": rows at 10 to 100
standard deviations scattered in 200 normal ones, 4 to 30 % of all, in two and in six columns,
beside scikit-learn's isolation forest. "new": the share of new inliers that `novelty` flags where
1, 5 and 10 % are asked for. "discoveries": the share of false alarms where a false discovery rate
of 10 % is asked for, with clean training rows.
"""

import argparse

import numpy as np
from sklearn.ensemble import IsolationForest

from benchmarks.outliers.sets import SETS, load, split
from benchmarks.outliers.shapes import SHAPES, with_far_rows
from benchmarks.report import circumstances, table
from skae import AEOutlierDetector

SIZES = (200, 1000, 5000)
SHARES = (0.04, 0.08, 0.14, 0.2, 0.3)
ASKED = (0.01, 0.05, 0.1)
RATE = 0.1
ALLOWED = 0.02


def flagged(X, seed):
    """Return the share of rows that the defaults flag, and the estimated share of outliers."""
    detector = AEOutlierDetector(random_state=seed)
    return float((detector.fit_predict(X) == -1).mean()), detector.contamination_


def percent(value):
    """Return a share as text."""
    return f"{100 * value:.1f}"


def nothing(args):
    """Return the shares that are flagged of rows without outliers, by shape and size."""
    rows, found = [], []
    for name, make in SHAPES.items():
        by_size = [
            [flagged(make(np.random.default_rng(seed), n), seed) for seed in args.seeds]
            for n in SIZES
        ]
        shares = np.array(by_size)
        found.append(shares[..., 0])
        largest, estimates = shares[..., 0].max(1), shares[..., 1].max(1)
        rows.append([name, *map(percent, largest), *map(percent, estimates)])
    found, none = np.array(found), [""] * len(SIZES)
    beyond = (found > ALLOWED + 1e-9).sum((0, 2))
    rows.append(["mean of all", *(percent(found[:, k].mean()) for k in range(len(SIZES))), *none])
    rows.append(
        ["fits that flag more than 2 %", *(f"{k} of {found[:, 0].size}" for k in beyond), *none]
    )
    header = [f"{n:,} rows" for n in SIZES]
    return table(["shape", *header, *(f"estimate, {each}" for each in header)], rows)


def inliers(args):
    """Return the shares that are flagged of the inliers of the sets."""
    rows = []
    for name in args.sets:
        shares = []
        for seed in args.seeds:
            X, y = load(name, seed)
            shares.append(flagged(X[y == 0], seed))
        rows.append([name, *map(percent, np.mean(shares, axis=0))])
    return table(["set", "flagged", "estimate"], rows)


def far(args):
    """Return how many of the far rows are flagged, and of the others."""
    rows = []
    for n_columns in (2, 6):
        for share in SHARES:
            counts = []
            for seed in args.seeds:
                X, is_far = with_far_rows(share, n_columns, seed)
                for detector in (AEOutlierDetector, IsolationForest):
                    is_out = detector(random_state=seed).fit_predict(X) == -1
                    counts.append([is_out[is_far].mean(), is_out[~is_far].mean()])
            ours, forest = np.array(counts).reshape(-1, 2, 2).mean(0)
            rows.append([n_columns, f"{share:.0%}", *map(percent, (*ours, *forest))])
    header = ["columns", "far rows", "flagged", "others flagged"]
    return table([*header, "forest: flagged", "forest: others flagged"], rows)


def new(args):
    """Return the share of new inliers that is flagged, by what was asked."""
    rows = []
    for name in args.sets:
        shares = []
        for seed in args.seeds:
            parts = split(name, "clean", seed)
            inside = parts.test[~parts.is_outlier]
            detector = AEOutlierDetector(novelty=True, random_state=seed).fit(parts.train)
            shares.append([(detector.p_values(inside) <= asked).mean() for asked in ASKED])
        rows.append([name, len(parts.train), *map(percent, np.mean(shares, axis=0))])
    means = np.array([[float(cell) for cell in row[2:]] for row in rows]).mean(0)
    rows.append(["mean", "", *(f"{mean:.1f}" for mean in means)])
    return table(["set", "training rows", *(f"asked {asked:.0%}" for asked in ASKED)], rows)


def discoveries(args):
    """Return the share of false alarms among all, and of the outliers that are found."""
    rows = []
    for name in args.sets:
        found = []
        for seed in args.seeds:
            parts = split(name, "clean", seed)
            detector = AEOutlierDetector(novelty=True, random_state=seed).fit(parts.train)
            is_out = detector.predict(parts.test, false_discovery_rate=RATE) == -1
            false = (is_out & ~parts.is_outlier).sum() / max(is_out.sum(), 1)
            found.append([false, is_out[parts.is_outlier].mean()])
        rows.append([name, *map(percent, np.mean(found, axis=0))])
    means = np.array([[float(cell) for cell in row[1:]] for row in rows]).mean(0)
    rows.append(["mean", *(f"{mean:.1f}" for mean in means)])
    return table(["set", "false among the alarms", "outliers found"], rows)


PARTS = {part.__name__: part for part in (nothing, inliers, far, new, discoveries)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    args = parser.parse_args()
    print(circumstances(), flush=True)
    for name in args.parts:
        print(f"\n## {name}\n\n{PARTS[name](args)}", flush=True)


if __name__ == "__main__":
    main()
