"""Two tables whose columns fix each other: do samples keep to it?

    python -m benchmarks.tables.lockstep [--seeds 5] [--rivals FOLDER]

"pairs" is the share of samples in which each of three numbers has its label, "line" the mean of
|2 x - y| where y = 2 x and x is 0 to 999. Rivals are the samples of
`benchmarks.tables.ctgan_samples` with `--table lockstep` and `--table line`.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.frames import load_table, parts
from benchmarks.report import circumstances, table
from skae import VAETransformer


def pairs(samples):
    """Return the share of numbers that have their label."""
    return float(
        (samples["label"].map({"a": 1, "b": 2, "c": 3}) == samples["number"].round()).mean()
    )


def line(samples):
    """Return how far y is from 2 x."""
    return float((2 * samples["x"] - samples["y"]).abs().mean())


def skae(name, seed):
    train, _ = parts(load_table(name), seed)
    return VAETransformer(random_state=seed).fit(train).sample(len(train), random_state=seed)


def of_folder(folder, model, name, seed):
    path = folder / f"{model}_{name}_{seed}.csv"
    return pd.read_csv(path) if path.exists() else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rivals", type=Path)
    args = parser.parse_args()
    print(circumstances(), flush=True)
    methods = {"VAETransformer": skae}
    for model in ("TVAE", "CTGAN") if args.rivals else ():
        methods[model] = lambda name, seed, model=model: of_folder(args.rivals, model, name, seed)
    rows = []
    for method, draw in methods.items():
        cells = []
        for name, judge in (("lockstep", pairs), ("line", line)):
            drawn = [draw(name, seed) for seed in range(args.seeds)]
            found = [judge(samples) for samples in drawn if samples is not None]
            cells.append(f"{np.mean(found):.3f} ({len(found)} seeds)" if found else "")
        rows.append([method, *cells])
    print(table(["samples of", "pairs", "line"], rows))


if __name__ == "__main__":
    main()
