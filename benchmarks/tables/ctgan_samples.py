"""Samples of TVAE, CTGAN and ARF at their defaults, for `benchmarks.tables.samples`.

    python -m benchmarks.tables.ctgan_samples --out FOLDER [--seeds 5] [--model TVAE]

ctgan and arfpy (adversarial random forests) need an older pandas than skae is tested with, so they
run in an environment of their own: `pip install ctgan arfpy "pandas<3" "numpy<2"`, and nothing of
skae. Their samples and the seconds that they took are left in a folder.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.frames import load_table, parts


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--first-seed", type=int, default=0)
    options.add_argument("--model", choices=["TVAE", "CTGAN", "ARF"], default="TVAE")
    options.add_argument("--table", default="adult")
    options.add_argument("--epochs", type=int, default=300)
    given = options.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for seed in range(given.first_seed, given.first_seed + given.seeds):
        train, labels = training_rows(given.table, seed)
        if given.model == "ARF":
            samples, seconds = draw_forest(train, labels, seed)
        else:
            samples, seconds = draw(given.model, train, labels, seed, given.epochs)
        name = f"{given.model}_{given.table}_{seed}"
        samples.to_csv(given.out / f"{name}.csv", index=False)
        (given.out / f"{name}.json").write_text(json.dumps(seconds))
        print(name, seconds, flush=True)


def training_rows(table, seed):
    """Return the training rows without missing labels, and the names of the columns of labels."""
    train, _ = parts(load_table(table), seed)
    labels = [name for name in train if not pd.api.types.is_numeric_dtype(train[name])]
    train[labels] = train[labels].astype(object).fillna("?")
    return train.reset_index(drop=True), labels


def draw(model, train, labels, seed, epochs):
    """Return as many samples as training rows, and the seconds that fit and sample took."""
    import ctgan
    import torch

    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)
    rival = getattr(ctgan, model)(epochs=epochs, enable_gpu=False)
    started = time.perf_counter()
    rival.fit(train, labels)
    fitted = time.perf_counter()
    samples = rival.sample(len(train))
    return samples, {"fit": fitted - started, "sample": time.perf_counter() - fitted}


def draw_forest(train, labels, seed):
    """Return samples of adversarial random forests, whole where training rows are."""
    from arfpy import arf

    np.random.seed(seed)  # noqa: NPY002
    started = time.perf_counter()
    model = arf.arf(x=train.fillna(train.median(numeric_only=True)), verbose=False)
    model.forde()
    fitted = time.perf_counter()
    samples = model.forge(n=len(train))
    for name in train.columns.difference(labels):
        if pd.api.types.is_integer_dtype(train[name]):
            samples[name] = samples[name].round().astype(train[name].dtype)
    return samples, {"fit": fitted - started, "sample": time.perf_counter() - fitted}


if __name__ == "__main__":
    main()
