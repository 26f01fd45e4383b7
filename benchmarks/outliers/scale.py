"""AEOutlierDetector beside IsolationForest, kNN and PyOD's AutoEncoder: seconds, memory, sizes.

    python -m benchmarks.outliers.scale [--parts rows columns small]
                                [--rows 2000 10000 100000 1000000] [--columns 10 30 100 300 1000]

The rows are normal, from a random model of five factors, in float64. "rows" has 30 columns, and
"columns" 10,000 rows: each method, at its defaults, fits and then scores all of the rows in a fresh
process, after imports, data and a first small fit; its memory is the largest resident beyond what
was the largest before the fit. kNN, which compares all rows with all, has up to 20,000 rows, and
PyOD's AutoEncoder up to 100,000. "small" is what one and a thousand rows take, scored and
explained, after a fit of 10,000 rows of 30 columns, and the size of the pickle.
"""

import argparse
import json
import pickle
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.utils import gen_batches

from benchmarks.outliers import rivals
from benchmarks.report import circumstances, peak, table
from skae import AEOutlierDetector

OURS, FOREST = "skae", "isolation forest"
# The largest number of rows of a method, None for any.
METHODS = {OURS: None, FOREST: None, "kNN": 20_000, "PyOD AutoEncoder": 100_000}
MEASURES = ("fit s", "score s", "fit MiB", "fit and score MiB")
N_FACTORS = 5
NOISE = 0.5
ROWS_AT_A_TIME = 10_000
ROWS, COLUMNS = 10_000, 30
ROUNDS = 5


def make_rows(n_rows, n_columns):
    """Return correlated rows; batches leave no larger memory behind than the rows have."""
    random = np.random.default_rng(0)
    loadings = random.normal(size=(N_FACTORS, n_columns))
    X = np.empty((n_rows, n_columns))
    for batch in gen_batches(n_rows, ROWS_AT_A_TIME):
        noise = NOISE * random.normal(size=X[batch].shape)
        X[batch] = random.normal(size=(len(noise), N_FACTORS)) @ loadings + noise
    return X


def calls(method):
    """Return how a method fits, and how it scores."""
    if method in (OURS, FOREST):
        cls = AEOutlierDetector if method == OURS else IsolationForest
        return cls(random_state=0).fit, lambda fitted, X: fitted.score_samples(X)
    return rivals.make(method, 0).fit, lambda fitted, X: fitted.score(X)


def measure(method, n_rows, n_columns):
    """Print the seconds and the memory of one method as JSON."""
    X = make_rows(n_rows, n_columns)
    fit, score = calls(method)
    score(fit(X[:200].copy()), X[:10])
    before = peak()
    start = time.perf_counter()
    estimator = calls(method)[0](X)
    fitted, fit_peak = time.perf_counter(), peak()
    score(estimator, X)
    seconds = (fitted - start, time.perf_counter() - fitted)
    print(json.dumps([*seconds, fit_peak - before, peak() - before]))


def measure_in_child(*arguments):
    """Return what `measure` prints in a fresh process."""
    code = f"from benchmarks.outliers.scale import measure; measure(*{arguments!r})"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", code]
    child = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(child.stdout.splitlines()[-1])


def lines(n_rows, n_columns):
    """Return a line for each method, and one for the ratio of skae and the forest."""
    names = [name for name, most in METHODS.items() if most is None or n_rows <= most]
    found = {name: np.array(measure_in_child(name, n_rows, n_columns)) for name in names}
    rows = [[n_rows, n_columns, name, *(f"{v:.3g}" for v in found[name])] for name in names]
    ratios = [
        f"{a / b:.2f}" if b > 0 else "–" for a, b in zip(found[OURS], found[FOREST], strict=True)
    ]
    rows.append([n_rows, n_columns, f"{OURS} over {FOREST}", *ratios])
    print(*rows, sep="\n", file=sys.stderr, flush=True)
    return rows


def by_rows(args):
    """Return seconds and memory by the number of rows."""
    rows = [line for n in args.rows for line in lines(n, COLUMNS)]
    return table(["rows", "columns", "method", *MEASURES], rows)


def by_columns(args):
    """Return seconds and memory by the number of columns."""
    rows = [line for n in args.columns for line in lines(ROWS, n)]
    return table(["rows", "columns", "method", *MEASURES], rows)


def fastest(call, times):
    """Return the smallest mean seconds of a call, of some rounds of as many calls."""
    found = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(times):
            call()
        found.append((time.perf_counter() - start) / times)
    return min(found)


def milliseconds(call, times):
    """Return the milliseconds of a call as text."""
    return f"{1e3 * fastest(call, times):.3g}"


def small(args):
    """Return what few rows take, and the size of the pickles."""
    X = make_rows(ROWS, COLUMNS)
    new = make_rows(ROWS + 1000, COLUMNS)[ROWS:]
    ours = AEOutlierDetector(random_state=0).fit(X)
    forest = IsolationForest(random_state=0).fit(X)
    rows = [
        [
            "one row scored, ms",
            *(milliseconds(partial(each.score_samples, new[:1]), 100) for each in (ours, forest)),
        ],
        [
            "1,000 rows scored, ms",
            *(milliseconds(partial(each.score_samples, new), 3) for each in (ours, forest)),
        ],
        ["one row explained, ms", milliseconds(partial(ours.explain, new[:1]), 20), "–"],
        ["1,000 rows explained, ms", milliseconds(partial(ours.explain, new), 1), "–"],
        ["pickle, MB", *(f"{len(pickle.dumps(each)) / 1e6:.2f}" for each in (ours, forest))],
    ]
    return table(["", OURS, FOREST], rows)


PARTS = {"rows": by_rows, "columns": by_columns, "small": small}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    sizes = [2000, 10_000, 100_000, 1_000_000]
    parser.add_argument("--rows", nargs="+", type=int, default=sizes)
    parser.add_argument("--columns", nargs="+", type=int, default=[10, 30, 100, 300, 1000])
    args = parser.parse_args()
    print(circumstances(), flush=True)
    for name in args.parts:
        print(f"\n## {name}\n\n{PARTS[name](args)}", flush=True)


if __name__ == "__main__":
    main()
