"""Ways of joining the parts of AEOutlierDetector, on labelled and on made outliers.

    python -m benchmarks.outliers.joins [--sets 42_WBC ...] [--seeds 0 1]

A detector of all four parts is fitted once for each set, seed and regime, and the ways join the
same surprisals: the mean of the parts, the largest of all, and the larger of both with some
weights. The labelled outliers are those of `benchmarks.outliers.adbench`, the made ones those of
`benchmarks.outliers.kinds`, by the first seed.
"""

import argparse
import sys

import numpy as np

from benchmarks.outliers.adbench import measures
from benchmarks.outliers.made import (
    BETWEEN,
    KINDS,
    MADE,
    WITHOUT_CLUSTERS,
    sets_of_kinds,
    split_of_kind,
)
from benchmarks.outliers.sets import REGIMES, SETS, split
from benchmarks.report import circumstances, table
from skae import AEOutlierDetector
from skae.outliers.model import PARTS

# How much the largest of neighbors, reconstruction and latent counts; the parts that are averaged;
# and how much their mean counts.
WAYS = {
    "mean of all four": ((0, 0, 0), PARTS, 1),
    "largest of all but the center": ((1, 1, 1), PARTS, 0),
    "largest, or 1.5 times the mean": ((1, 1, 1), PARTS, 1.5),
    "near rows, 0.8 reconstruction, or 1.25 times the mean": ((1, 0.8, 0), PARTS, 1.25),
    "the same without codes (the default)": ((1, 0.8, 0), PARTS[:3], 1.25),
    "the same, 1.0 reconstruction": ((1, 1, 0), PARTS[:3], 1.25),
    "the same, 1.5 times the mean": ((1, 0.8, 0), PARTS[:3], 1.5),
    "the same without reconstruction": ((1, 0, 0), ("neighbors", "center"), 1.25),
    "the same without the center": ((1, 0.8, 0), PARTS[:2], 1.25),
}


def surprisals_of(detector, X):
    """Return the surprisals of rows by part, shape (n_quantities, n_members, n_rows)."""
    model, rows = detector._model_, detector._rows(X)
    batches = []
    for batch in rows.slices():
        found = model.surprisals(model.read(rows.encode(batch)))
        shape = (model.members.n_reading, -1)
        batches.append(
            {
                name: np.stack([np.broadcast_to(each, (shape[0], each.shape[1])) for each in part])
                for name, part in found.items()
            }
        )
    return {name: np.concatenate([b[name] for b in batches], axis=2) for name in batches[0]}


def joined(surprisals, way):
    """Return the scores of rows by one of the ways."""
    alone, averaged, consensus = way
    score = consensus * np.mean([surprisals[name].mean(0) for name in averaged], axis=0)
    for weight, name in zip(alone, ("neighbors", "reconstruction", "latent"), strict=True):
        score = np.maximum(score, weight * surprisals[name].max(0))
    return score.mean(0)


def by_way(surprisals, is_outlier):
    """Return AUC and AP of every way, shape (n_ways, 2)."""
    found = [measures(joined(surprisals, way), is_outlier) for way in WAYS.values()]
    return np.array([[each["auc"], each["ap"]] for each in found])


def labelled(name, regime, seeds):
    """Return the mean figures of all ways on the labelled outliers of a set."""
    found = []
    for seed in seeds:
        parts = split(name, regime, seed)
        detector = AEOutlierDetector(novelty=regime == "clean", parts=PARTS, random_state=seed)
        detector.fit(parts.train)
        found.append(by_way(surprisals_of(detector, parts.test), parts.is_outlier))
    return np.mean(found, axis=0)


def made(name, seed):
    """Return the mean figures of all ways over the kinds of made outliers of a set."""
    found, detector = [], None
    for kind in (*KINDS, BETWEEN):
        if kind == "cluster" and name in WITHOUT_CLUSTERS:
            continue
        parts = split_of_kind(name, kind, seed)
        if detector is None or kind == BETWEEN:
            detector = AEOutlierDetector(novelty=True, parts=PARTS, random_state=seed)
            detector.fit(parts.train)
        found.append(by_way(surprisals_of(detector, parts.test), parts.is_outlier))
    return np.mean(found, axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    args = parser.parse_args()
    print(circumstances(), flush=True)
    columns = {}
    for regime in REGIMES:
        columns[regime] = np.mean(
            [labelled(each, regime, args.seeds) for each in args.sets], axis=0
        )
        print(regime, "done", file=sys.stderr, flush=True)
    names = [each for each in sets_of_kinds() if each in args.sets or each in MADE]
    columns["made kinds"] = np.mean([made(name, args.seeds[0]) for name in names], axis=0)
    rows = [
        [name, *(f"{100 * auc:.1f} / {100 * ap:.1f}" for auc, ap in figures)]
        for name, figures in zip(WAYS, np.stack(list(columns.values()), axis=1), strict=True)
    ]
    print(f"\n{table(['way: AUC / AP', *columns], rows)}")


if __name__ == "__main__":
    main()
