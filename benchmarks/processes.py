"""Data-parallel fits: rows per second with one and with two processes, and the all-reduce's part.

    python -m benchmarks.processes [--rows 200000] [--epochs 3]

AutoencoderTransformer(8) on rows of 30 columns, for two widths of its layers; each process has one
thread. "One process" takes steps without a graph, which several do not; "by autograd" is one
process without them. The all-reduce's part is the share of the time of the first process.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.report import circumstances, table

WIDTHS = {"128-128": (128, 128), "1000-500": (1000, 500)}


def measure(rank, n_processes, store, n_rows, n_epochs, layers):
    """Fit in one of the processes, and print seconds and those of the all-reduce."""
    import torch
    from torch import distributed

    import skae.training.net as net
    from skae import AutoencoderTransformer
    from skae.training import shards

    torch.set_num_threads(1)
    if n_processes > 1:
        store = f"file://{store}"
        distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=n_processes)
    if n_processes == 0:
        net.is_direct = lambda chain, optimizer: False
    spent = [0.0]
    add_up = shards.add_up

    def timed(values):
        start = time.perf_counter()
        found = add_up(values)
        spent[0] += time.perf_counter() - start
        return found

    shards.add_up = timed
    rng = np.random.default_rng(0)
    X = np.tanh(rng.normal(size=(n_rows, 6)) @ rng.normal(size=(6, 30))).astype(np.float32)
    X = X[rank :: max(1, n_processes)]
    fitted = AutoencoderTransformer(
        8, hidden_layer_sizes=layers, max_epochs=n_epochs, random_state=0
    )
    start = time.perf_counter()
    fitted.fit(X)
    print(json.dumps([time.perf_counter() - start, spent[0], float(fitted.best_loss_)]))


def run(n_processes, *arguments):
    """Return what the first process prints."""
    with tempfile.TemporaryDirectory() as folder:
        started = []
        for rank in range(max(1, n_processes)):
            told = json.dumps([rank, n_processes, str(Path(folder) / "store"), *arguments])
            command = [sys.executable, "-m", "benchmarks.processes", "--measure", told]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            started.append(
                subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
            )
        printed = [each.communicate()[0] for each in started]
        return json.loads(printed[0].splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        *rest, layers = json.loads(args.measure)
        measure(*rest, tuple(layers))
        return
    print(circumstances(), flush=True)
    lines = []
    for name, layers in WIDTHS.items():
        for label, n in (("one process", 1), ("one, by autograd", 0), ("two processes", 2)):
            seconds, reducing, loss = run(n, args.rows, args.epochs, layers)
            rate = f"{args.rows * args.epochs / seconds:,.0f}"
            share = f"{reducing / seconds:.0%}" if n > 1 else ""
            lines.append([name, label, f"{seconds:.1f}", rate, share, f"{loss:.3f}"])
            print(*lines[-1], flush=True)
    header = ["layers", "fit", "seconds", "rows a second", "all-reduce", "best loss"]
    print("\n" + table(header, lines))


if __name__ == "__main__":
    main()
