"""The cost of the members of the ensemble as one batched program, beside one after another.

    python -m benchmarks.outliers.members [--columns 30] [--rows 64 256] [--steps 200]

A training step of the batched program, on one thread, for more and more members; the ratio is its
time over that of as many steps of a program with two members, shared by two.
"""

import argparse
import time

import numpy as np
import torch
from torch import nn

from benchmarks.report import circumstances, table
from skae.nn.ensemble import Ensemble
from skae.outliers.training import NOISE

MEMBERS = (2, 4, 8, 16, 32)
ROUNDS = 5


def step_seconds(n_members, n_columns, n_rows, n_steps):
    """Return the median seconds of a training step."""
    torch.manual_seed(0)
    ensemble = Ensemble(range(n_columns), 2, n_members // 2, (64, 64), nn.GELU, NOISE)
    optimizer = torch.optim.AdamW(ensemble.parameters(), fused=True)
    folds = torch.arange(n_rows)[:, None] % max(2, n_members // 2)
    x = torch.cat([torch.randn(n_rows, 2 * n_columns), folds], dim=1)
    # With one fold there is no row to learn from, which costs the same.
    seconds = []
    for _ in range(n_steps):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        ensemble.loss(*ensemble(x), x).nan_to_num().mean().backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    return np.median(seconds)


def rows_of(n_columns, n_rows, n_steps):
    """Return the lines of the table for one size of a batch; rounds take turns."""
    seconds = np.array(
        [[step_seconds(k, n_columns, n_rows, n_steps) for k in MEMBERS] for _ in range(ROUNDS)]
    )
    ratios = seconds / (seconds[:, :1] * np.array(MEMBERS) / MEMBERS[0])
    pairs = zip(MEMBERS, np.median(seconds, axis=0), np.median(ratios, axis=0), strict=True)
    return [[n_rows, k, f"{1000 * step:.2f}", f"{ratio:.2f}"] for k, step, ratio in pairs]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--rows", nargs="+", type=int, default=[64, 256])
    parser.add_argument("--steps", type=int, default=200)
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(circumstances(), flush=True)
    lines = [line for n in args.rows for line in rows_of(args.columns, n, args.steps)]
    print(table(["rows of a batch", "members", "ms a step", "ratio"], lines))


if __name__ == "__main__":
    main()
