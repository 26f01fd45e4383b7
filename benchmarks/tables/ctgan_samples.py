"""Samples of TVAE and CTGAN at their defaults, for `benchmarks.tables.samples`.

    python -m benchmarks.tables.ctgan_samples --out FOLDER [--seeds 5] [--model TVAE]

ctgan needs an older pandas than skae is tested with, so it runs in an environment of its own, with
`pip install ctgan` and nothing of skae. Its samples and the seconds that they took are left in a
folder.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.frames import load_table, parts


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--first-seed", type=int, default=0)
    options.add_argument("--model", choices=["TVAE", "CTGAN"], default="TVAE")
    options.add_argument("--table", default="adult")
    options.add_argument("--epochs", type=int, default=300)
    given = options.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for seed in range(given.first_seed, given.first_seed + given.seeds):
        samples, seconds = draw(given.model, given.table, seed, given.epochs)
        name = f"{given.model}_{given.table}_{seed}"
        samples.to_csv(given.out / f"{name}.csv", index=False)
        (given.out / f"{name}.json").write_text(json.dumps(seconds))
        print(name, seconds, flush=True)


def draw(model, table, seed, epochs):
    """Return as many samples as training rows, and the seconds that fit and sample took."""
    import ctgan

    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)
    train, _ = parts(load_table(table), seed)
    labels = [name for name in train if not pd.api.types.is_numeric_dtype(train[name])]
    train[labels] = train[labels].astype(object).fillna("?")
    rival = getattr(ctgan, model)(epochs=epochs, enable_gpu=False)
    started = time.perf_counter()
    rival.fit(train, labels)
    fitted = time.perf_counter()
    samples = rival.sample(len(train))
    return samples, {"fit": fitted - started, "sample": time.perf_counter() - fitted}


if __name__ == "__main__":
    main()
