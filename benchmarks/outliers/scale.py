"""AEOutlierDetector beside IsolationForest on many rows: seconds and memory.

    python -m benchmarks.outliers.scale [--rows 10000 100000 1000000] [--columns 30]

The rows are normal, from a random model of five factors, in float64. Each of the two, at its
defaults, fits and then scores all of the rows in a fresh process, after imports and data; its
memory is the largest resident beyond what was the largest before the fit. The first use of torch
counts.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.utils import gen_batches

from benchmarks.report import circumstances, peak, table
from skae import AEOutlierDetector

METHODS = {"skae": AEOutlierDetector, "isolation forest": IsolationForest}
MEASURES = ("fit s", "score s", "fit MiB", "fit and score MiB")
N_FACTORS = 5
NOISE = 0.5
ROWS_AT_A_TIME = 10_000


def make_rows(n_rows, n_columns):
    """Return correlated rows; batches leave no larger memory behind than the rows have."""
    random = np.random.default_rng(0)
    loadings = random.normal(size=(N_FACTORS, n_columns))
    X = np.empty((n_rows, n_columns))
    for batch in gen_batches(n_rows, ROWS_AT_A_TIME):
        noise = NOISE * random.normal(size=X[batch].shape)
        X[batch] = random.normal(size=(len(noise), N_FACTORS)) @ loadings + noise
    return X


def measure(method, n_rows, n_columns):
    """Print the seconds and the memory of one method as JSON."""
    X = make_rows(n_rows, n_columns)
    estimator = METHODS[method](random_state=0)
    before = peak()
    start = time.perf_counter()
    estimator.fit(X)
    fitted, fit_peak = time.perf_counter(), peak()
    estimator.score_samples(X)
    seconds = (fitted - start, time.perf_counter() - fitted)
    print(json.dumps([*seconds, fit_peak - before, peak() - before]))


def measure_in_child(*arguments):
    """Return what `measure` prints in a fresh process."""
    code = f"from benchmarks.outliers.scale import measure; measure(*{arguments!r})"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", code]
    child = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(child.stdout)


def table_rows(n_rows, n_columns):
    """Return lines for both methods, and one for their ratio."""
    found = [np.array(measure_in_child(method, n_rows, n_columns)) for method in METHODS]
    rows = []
    for method, measures in zip(METHODS, found, strict=True):
        per_million = [f"{second * 1e6 / n_rows:.3g}" for second in measures[:2]]
        rows.append([n_rows, method, *(f"{value:.3g}" for value in measures), *per_million])
    ratios = [f"{a / b:.2f}" if b > 0 else "–" for a, b in zip(*found, strict=True)]
    return [*rows, [n_rows, "ratio", *ratios, *ratios[:2]]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="+", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--columns", type=int, default=30)
    args = parser.parse_args()
    print(circumstances(), flush=True)
    rows = []
    for n_rows in args.rows:
        rows += table_rows(n_rows, args.columns)
        print(*rows[-3:], sep="\n", flush=True)
    per_million = [f"{name} per million rows" for name in MEASURES[:2]]
    print(f"\n{table(['rows', 'method', *MEASURES, *per_million], rows)}")


if __name__ == "__main__":
    main()
