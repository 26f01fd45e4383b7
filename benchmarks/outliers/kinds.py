"""AEOutlierDetector beside plainer answers, one kind of made outliers at a time.

    python -m benchmarks.outliers.kinds [--methods skae kNN ...] [--sets 42_WBC plane ...]
                                [--kinds local swap ...] [--seeds 0 1 2] [--out runs.jsonl]
                                [--report]

Half of the inliers of a set train, and the others test together with outliers that are made from
the inliers (see `benchmarks.outliers.made`): of five kinds, for which a method is fitted once, and
between two copies of the inliers, for which it is fitted to those. Local and clustered outliers
are drawn from a Gaussian mixture whose covariances or means are changed, which favours the rival
of that form. `--out` takes a line for each run at once, and runs that it holds are not repeated;
`--report` only prints the tables of what it holds.
"""

import argparse
import json
import time

import numpy as np
import pandas as pd

from benchmarks.outliers import rivals
from benchmarks.outliers.adbench import append, measures, read
from benchmarks.outliers.made import (
    BETWEEN,
    KINDS,
    MADE,
    WITHOUT_CLUSTERS,
    sets_of_kinds,
    split_of_kind,
)
from benchmarks.outliers.sets import SETS
from benchmarks.outliers.tables import AREAS, NOTHING, OURS, both, points
from benchmarks.report import circumstances, table
from skae import AEOutlierDetector

METHODS = (OURS, "kNN", "DTE-NP", "LOF", "isolation forest", "PCA", *rivals.DENSITIES)
CHOICES = (*METHODS, *(name for name in rivals.RIVALS if name not in METHODS))
ALL_KINDS = (*KINDS, BETWEEN)
OVER_KINDS = "mean"


def make(method, seed):
    """Return a method by its name; its scores are higher for outliers."""
    if method == OURS:
        return rivals.ScikitLearn(AEOutlierDetector(novelty=True, random_state=seed))
    return rivals.make(method, seed)


def scores_of(method, train, parts, seed):
    """Return the scores of each part of the test rows, and the seconds of the fit and of them."""
    start = time.perf_counter()
    fitted = make(method, seed).fit(train)
    middle = time.perf_counter()
    scores = fitted.score(np.vstack(parts))
    seconds = {"fit": middle - start, "score": time.perf_counter() - middle}
    return np.split(scores, np.cumsum([len(part) for part in parts])[:-1]), seconds


def run(method, splits, seed):
    """Return the runs of a method that is fitted once for several kinds with the same inliers."""
    first = next(iter(splits.values()))
    parts = [first.test[~first.is_outlier], *(s.test[s.is_outlier] for s in splits.values())]
    try:
        (inliers, *odd), seconds = scores_of(method, first.train, parts, seed)
        areas = [of_kind(inliers, scores) | seconds for scores in odd]
    except Exception as error:
        areas = [{"error": f"{type(error).__name__}: {error}"}] * len(splits)
    return [{"method": method, "kind": k} | each for k, each in zip(splits, areas, strict=True)]


def of_kind(inliers, odd):
    """Return how well scores tell outliers of one kind."""
    return measures(np.append(inliers, odd), np.arange(len(inliers) + len(odd)) >= len(inliers))


def run_missing(args, runs):
    """Yield the runs that are not there yet, those of one fit at a time."""
    done = {(r["method"], r["set"], r["kind"], r["seed"]) for r in runs}
    groups = ([k for k in args.kinds if k != BETWEEN], [k for k in args.kinds if k == BETWEEN])
    keys = [(name, seed, kinds) for name in args.sets for seed in args.seeds for kinds in groups]
    for name, seed, kinds in keys:
        kinds = [k for k in kinds if k != "cluster" or name not in WITHOUT_CLUSTERS]
        left = {m: [k for k in kinds if (m, name, k, seed) not in done] for m in args.methods}
        needed = [k for k in kinds if any(k in missing for missing in left.values())]
        splits = {k: split_of_kind(name, k, seed) for k in needed}
        for method, missing in left.items():
            if missing:
                found = run(method, {k: splits[k] for k in missing}, seed)
                yield [each | {"set": name, "seed": seed} for each in found]


def means(runs, area):
    """Return the means over seeds: a line for a set and a kind, a column for a method."""
    wide = runs.pivot_table(
        index=["set", "kind"],
        columns="method",
        values=area,
        aggfunc=lambda values: values.mean(skipna=False),
        dropna=False,
    )
    order = [name for name in (*SETS, *MADE) if name in wide.index.levels[0]]
    kinds = [kind for kind in ALL_KINDS if kind in wide.index.levels[1]]
    columns = [method for method in CHOICES if method in wide]
    return wide.reindex(pd.MultiIndex.from_product([order, kinds]))[columns]


def by_kind(wide):
    """Return the means over sets, a line for a kind, and at last the mean over kinds."""
    found = wide.groupby(level=1, sort=False).mean()
    found.loc[OVER_KINDS] = found.mean()
    return found


def by_set(wide):
    """Return the means over kinds, a line for a set."""
    return wide.groupby(level=0, sort=False).mean()


def cells(frames, line, column):
    """Return a cell with both areas."""
    return both(points(frame.loc[line, column]) for frame in frames)


def of_methods(frames):
    """Return the table of all methods by kind."""
    lines = frames[0].index
    rows = [[m, *(cells(frames, line, m) for line in lines)] for m in frames[0]]
    return table(["method: AUC / AP", *lines], rows)


def of_sets(frames):
    """Return the table of all sets, means over kinds."""
    rows = [[line, *(cells(frames, line, m) for m in frames[0])] for line in frames[0].index]
    return table(["set: AUC / AP", *frames[0]], rows)


def of_best(frames):
    """Return the table of the best rival for each kind, and how far skae is ahead of it."""
    rows = []
    for line in frames[0].index:
        pairs = [beside_best(frame.loc[line]) for frame in frames]
        rows.append([line, *(cell for pair in pairs for cell in pair)])
    return table(["kind", "best by AUC", "skae ahead", "best by AP", "skae ahead"], rows)


def beside_best(line):
    """Return the best rival and its area, and how many points skae has more."""
    others = line.drop(OURS, errors="ignore").dropna()
    if others.empty:
        return NOTHING, NOTHING
    ahead = line.get(OURS, np.nan) - others.max()
    more = NOTHING if np.isnan(ahead) else f"{100 * ahead:+.1f}"
    return f"{others.idxmax()} {points(others.max())}", more


def remarks(runs):
    """Return lines on what failed."""
    failed = runs[runs["error"].notna()].drop_duplicates(["method", "set", "kind", "error"])
    return "\n".join(
        f"- {r.method} failed on {r.set}, {r.kind}: {r.error}" for r in failed.itertuples()
    )


def summary(runs):
    """Return all tables of some runs."""
    if not runs:
        return "no runs"
    frame = pd.DataFrame(runs).drop_duplicates(["method", "set", "kind", "seed"], keep="last")
    frame = frame.reindex(columns=dict.fromkeys([*frame, *AREAS, "error"]))
    sections = []
    for title, among in (("Sets of ADBench", SETS), ("Made sets", tuple(MADE))):
        part = frame[frame["set"].isin(among)]
        if part[list(AREAS)].notna().any(axis=None):
            wides = [means(part, area) for area in AREAS]
            kinds = [by_kind(wide) for wide in wides]
            sections += [f"\n## {title}", of_methods(kinds), of_best(kinds)]
            sections += ["Means over kinds.", of_sets([by_set(wide) for wide in wides])]
    return "\n\n".join(section for section in (*sections, remarks(frame)) if section)


def is_asked_for(run_, args):
    """Tell whether a run is one of those that the arguments name."""
    pairs = (("method", args.methods), ("set", args.sets), ("kind", args.kinds))
    return run_["seed"] in args.seeds and all(run_[key] in among for key, among in pairs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", choices=CHOICES, default=METHODS)
    parser.add_argument("--sets", nargs="+", choices=(*SETS, *MADE), help="default: all that do")
    parser.add_argument("--kinds", nargs="+", choices=ALL_KINDS, default=ALL_KINDS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--out", help="append all runs to this file of JSON lines, and go on")
    parser.add_argument("--report", action="store_true", help="only print the tables of --out")
    args = parser.parse_args()
    args.sets = args.sets or sets_of_kinds()
    print(circumstances(), flush=True)
    runs = read(args.out)
    for found in () if args.report else run_missing(args, runs):
        print("\n".join(json.dumps(each) for each in found), flush=True)
        runs += found
        if args.out:
            append(args.out, found)
    print(summary([each for each in runs if is_asked_for(each, args)]))


if __name__ == "__main__":
    main()
