"""Rows that do not fit into memory: seconds and memory of a fit, by the number of rows.

    python -m benchmarks.streams [--rows 1e4 1e5 1e6 1e7] [--figure docs/figures/streams.png]

Rows of 30 float32 columns in Parquet, in row groups of 100,000. Each fit is made in a process of
its own: AutoencoderTransformer(6, max_epochs=1) to the path of the file, and to the frame that
pandas reads from it, and IncrementalPCA(6) to the batches that pyarrow reads. Memory is the largest
resident size above that after the imports and a small fit. Errors are those of 10,000 further rows,
in units of their variance.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.report import circumstances, peak, table

N_COLUMNS, N_CODES, GROUP = 30, 6, 100_000
METHODS = {"stream": "from the path", "memory": "in memory", "pca": "IncrementalPCA"}
# Frames of more rows than this are not fitted in memory.
MOST_IN_MEMORY = 3_000_000


def make_rows(n_rows, seed):
    """Return rows near a curved surface."""
    mixing = np.random.default_rng(0).normal(size=(N_CODES, N_COLUMNS))
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n_rows, N_CODES))
    noise = 0.1 * rng.normal(size=(n_rows, N_COLUMNS))
    return (np.tanh(hidden @ mixing) + noise).astype(np.float32)


def write(path, n_rows):
    """Write a Parquet file of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [f"x{j}" for j in range(N_COLUMNS)]
    schema = pa.schema([(name, pa.float32()) for name in names])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, n_rows, GROUP):
            rows = make_rows(min(GROUP, n_rows - start), start + 1)
            writer.write_table(pa.table(dict(zip(names, rows.T, strict=True)), schema=schema))


def measure(method, path):
    """Fit one of the methods, and print seconds, memory in MiB and the error."""
    import pyarrow.parquet as pq
    from sklearn.decomposition import IncrementalPCA

    from skae import AutoencoderTransformer

    def autoencoder():
        return AutoencoderTransformer(N_CODES, max_epochs=1, random_state=0)

    new = make_rows(10_000, 0)
    autoencoder().fit(new[:300])
    before, start = peak(), time.perf_counter()
    if method == "pca":
        fitted = IncrementalPCA(N_CODES)
        for batch in pq.ParquetFile(path).iter_batches(65_536):
            fitted.partial_fit(batch.to_pandas().to_numpy())
    else:
        fitted = autoencoder().fit(path if method == "stream" else pd.read_parquet(path))
    seconds, memory = time.perf_counter() - start, peak() - before
    frame = pd.DataFrame(new, columns=[f"x{j}" for j in range(N_COLUMNS)])
    given = new if method == "pca" else frame
    found = np.asarray(fitted.inverse_transform(fitted.transform(given)))
    print(seconds, memory, ((found - new) ** 2).sum() / ((new - new.mean(0)) ** 2).sum())


def run(method, path):
    """Return what `measure` prints in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.streams", "--measure", method, str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [float(each) for each in found.split()[-3:]]


def draw(results, path):
    """Draw seconds and memory against the number of rows."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), constrained_layout=True)
    for method, label in METHODS.items():
        some = sorted((n, *found) for (n, each), found in results.items() if each == method)
        n_rows, seconds, memory, _ = zip(*some, strict=True)
        axes[0].loglog(n_rows, seconds, marker="o", label=label)
        axes[1].semilogx(n_rows, memory, marker="o", label=label)
    axes[0].set(xlabel="rows", ylabel="seconds of one epoch")
    axes[1].set(xlabel="rows", ylabel="memory above the imports, MiB")
    axes[0].legend()
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="+", type=float, default=[1e4, 1e5, 1e6, 1e7])
    parser.add_argument("--figure", help="draw the results to this file")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(*args.measure)
        return
    print(circumstances(), flush=True)
    results, lines = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for n_rows in map(int, args.rows):
            path = Path(folder) / "rows.parquet"
            write(path, n_rows)
            for method, label in METHODS.items():
                if method == "memory" and n_rows > MOST_IN_MEMORY:
                    continue
                results[n_rows, method] = seconds, memory, error = run(method, path)
                rate = f"{n_rows / seconds:,.0f}"
                lines.append(
                    [f"{n_rows:,}", label, f"{seconds:.1f}", rate, f"{memory:.0f}", f"{error:.3f}"]
                )
                print(*lines[-1], flush=True)
    header = ["rows", "fit", "seconds", "rows a second", "memory, MiB", "error"]
    print("\n" + table(header, lines))
    if args.figure:
        draw(results, args.figure)


if __name__ == "__main__":
    main()
