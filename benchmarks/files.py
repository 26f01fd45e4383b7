"""Files of fitted estimators: size, time and memory, and what becomes of damaged and forged ones.

    python -m benchmarks.files [--mutants 10000] [--rows 2000]

Sizes and times are those of default fits of few epochs to a table and to images, beside pickles of
the same state by torch; medians of five. The mutants are those of `tests/file_mutants.py`, of which
the tests try 200.
"""

import argparse
import io
import sys
import tempfile
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from benchmarks.report import circumstances, milliseconds, table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from file_mutants import Watched, mutant_of, outcome_of
from helpers import rows_of_a_shop
from saved_estimators import fitted
from saved_estimators import table as small_table

import skae
from skae import AEOutlierDetector, AutoencoderTransformer, EncoderClassifier, VAETransformer


def peak_of(function):
    """Return the memory that a call takes at most, of what Python and numpy allocate."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def sizes(folder, n_rows):
    """Return the lines of the table of sizes and times."""
    rng = np.random.default_rng(0)
    shop = rows_of_a_shop()
    shop = shop.iloc[rng.integers(len(shop), size=n_rows)].reset_index(drop=True)
    images = rng.random((n_rows, 784), dtype=np.float32)
    wide = {"hidden_layer_sizes": (2000, 1000)}
    for name, estimator, X in (
        ("table", AutoencoderTransformer(4), shop),
        ("table", VAETransformer(4), shop),
        ("table", AEOutlierDetector(), shop),
        ("table", EncoderClassifier(), shop),
        ("images", AutoencoderTransformer(16), images),
        ("images, 2000-1000 units", AutoencoderTransformer(16, **wide), images),
    ):
        estimator.set_params(random_state=0, max_epochs=2)
        estimator.fit(X, np.arange(len(X)) % 2)
        path = Path(folder) / "model"
        estimator.save(path)
        size = path.stat().st_size
        weights = io.BytesIO()
        torch.save(_weights_of(estimator), weights)
        yield [
            type(estimator).__name__,
            name,
            f"{size / 1000:,.0f}",
            f"{weights.tell() / 1000:,.0f}",
            f"{milliseconds(lambda p=path, e=estimator: e.save(p), 5):.0f}",
            f"{milliseconds(lambda p=path: skae.load(p), 5):.0f}",
            f"{peak_of(lambda p=path: skae.load(p)) / size:.2f}",
        ]


def _weights_of(estimator):
    net = getattr(estimator, "net_", None)
    return {} if net is None else net.module_.state_dict()


def fuzz(folder, n_mutants):
    """Return what became of mutants by kind, and the events of code that was run."""
    files = []
    for cls in (AutoencoderTransformer, VAETransformer, AEOutlierDetector):
        fitted(cls, small_table()).save(Path(folder) / "model")
        files.append((Path(folder) / "model").read_bytes())
    watched, outcomes, rows = Watched(), Counter(), small_table(5)
    for seed in range(n_mutants):
        kind, data = mutant_of(files[seed % len(files)], seed)
        (Path(folder) / "mutant").write_bytes(data)
        outcome = outcome_of(Path(folder) / "mutant", rows, watched)
        outcomes[kind, outcome] += 1
        if outcome not in ("refused", "works"):
            print(f"mutant {seed}, {kind}: {outcome}", flush=True)
    return outcomes, watched.events


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=2000)
    args = parser.parse_args()
    print(circumstances(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        header = ["estimator", "rows", "kB", "weights, kB", "save, ms", "load, ms", "memory / file"]
        print(table(header, sizes(folder, args.rows)), "\n", flush=True)
        outcomes, events = fuzz(folder, args.mutants)
    kinds = sorted({kind for kind, _ in outcomes})
    n_other = sum(n for (_, what), n in outcomes.items() if what not in ("refused", "works"))
    lines = [[kind, outcomes[kind, "refused"], outcomes[kind, "works"]] for kind in kinds]
    print(table(["mutants", "refused", "work"], lines))
    print(f"\n{args.mutants:,} mutants; {n_other} other outcomes; code run: {events or 'none'}")


if __name__ == "__main__":
    main()
