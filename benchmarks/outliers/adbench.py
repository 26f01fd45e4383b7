"""AEOutlierDetector beside what users would take instead, on the outlier sets of ADBench.

    python -m benchmarks.outliers.adbench [--methods skae kNN ...] [--sets 42_WBC ...]
                                  [--regimes clean contaminated] [--seeds 0 1 2 3 4]
                                  [--out runs.jsonl] [--report]

Every run fits one method to one split and scores the test rows: the area under the ROC curve, the
average precision, the seconds of the fit and of the scoring, and the share of the test inliers
that a threshold for 1, 5 and 10 % false alarms flags. That threshold is a p-value for skae, and a
quantile of the scores of the training rows for the others. From the fit of skae the mean of each
part alone is also read. `--out` takes a line for each run at once, and runs that it holds are not
repeated; `--report` only prints the tables of what it holds.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks.outliers import rivals
from benchmarks.outliers.sets import REGIMES, SETS, split
from benchmarks.outliers.tables import ASKED, OURS, summary
from benchmarks.report import circumstances
from skae import AEOutlierDetector


def measures(scores, is_outlier):
    """Return how well scores tell outliers."""
    auc, ap = roc_auc_score(is_outlier, scores), average_precision_score(is_outlier, scores)
    return {"auc": float(auc), "ap": float(ap)}


def flagged(is_beyond):
    """Return the shares of rows that thresholds flag, a column of `is_beyond` for each."""
    return {f"flagged_{c}": float(share) for c, share in zip(ASKED, is_beyond.mean(0), strict=True)}


def run_rival(name, data, seed):
    """Yield the run of a rival."""
    scores, training_scores, fit, score = rivals.run(name, data, seed)
    thresholds = np.quantile(training_scores, 1 - np.array(ASKED))
    shares = flagged(scores[~data.is_outlier, None] > thresholds)
    seconds = {"fit": fit, "score": score}
    yield {"method": name} | measures(scores, data.is_outlier) | seconds | shares


def run_ours(data, regime, seed):
    """Yield the run of skae, and those of one part alone."""
    detector = AEOutlierDetector(novelty=regime == "clean", random_state=seed)
    start = time.perf_counter()
    detector.fit(data.train)
    fitted = time.perf_counter()
    scores = -detector.score_samples(data.test)
    seconds = {"fit": fitted - start, "score": time.perf_counter() - fitted}
    shares = flagged(detector.p_values(data.test[~data.is_outlier])[:, None] <= np.array(ASKED))
    yield {"method": OURS} | measures(scores, data.is_outlier) | seconds | shares
    for name, part in detector.score_parts(data.test).items():
        yield {"method": f"{OURS}: {name}"} | measures(part, data.is_outlier)


def run(method, data, regime, seed):
    """Return the runs of a method on a split, or what went wrong."""
    try:
        if method == OURS:
            return list(run_ours(data, regime, seed))
        return list(run_rival(method, data, seed))
    except Exception as error:
        return [{"method": method, "error": f"{type(error).__name__}: {error}"}]


def read(path):
    """Return the runs of earlier calls."""
    if not path or not Path(path).exists():
        return []
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def append(path, runs):
    """Add a line for each run to a file."""
    with Path(path).open("a") as file:
        file.writelines(json.dumps(each) + "\n" for each in runs)


def run_missing(args, runs):
    """Yield the runs that are not there yet, those of one fit at a time."""
    done = {(r["method"], r["set"], r["regime"], r["seed"]) for r in runs}
    keys = [(s, r, seed) for r in args.regimes for s in args.sets for seed in args.seeds]
    for name, regime, seed in keys:
        methods = [m for m in args.methods if (m, name, regime, seed) not in done]
        data = split(name, regime, seed) if methods else None
        for method in methods:
            found = run(method, data, regime, seed)
            yield [each | {"set": name, "regime": regime, "seed": seed} for each in found]


def is_asked_for(run_, args):
    """Tell whether a run is one of those that the arguments name."""
    method = OURS if run_["method"].startswith(OURS) else run_["method"]
    pairs = ((method, args.methods), (run_["set"], args.sets), (run_["regime"], args.regimes))
    return run_["seed"] in args.seeds and all(value in among for value, among in pairs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    methods = (OURS, *rivals.RIVALS)
    parser.add_argument("--methods", nargs="+", choices=methods, default=methods)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--regimes", nargs="+", choices=REGIMES, default=REGIMES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--out", help="append all runs to this file of JSON lines, and go on")
    parser.add_argument("--report", action="store_true", help="only print the tables of --out")
    args = parser.parse_args()
    print(circumstances(), flush=True)
    runs = read(args.out)
    for found in () if args.report else run_missing(args, runs):
        print(json.dumps(found[0]), flush=True)
        runs += found
        if args.out:
            append(args.out, found)
    print(summary([each for each in runs if is_asked_for(each, args)]))


if __name__ == "__main__":
    main()
