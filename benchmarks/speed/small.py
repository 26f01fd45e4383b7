"""Small calls: one row through fitted models, and the first fit of a process.

    OMP_NUM_THREADS=1 python -m benchmarks.speed.small [--rounds 300]

Medians in milliseconds, PCA beside them in the same run; the fits are in seconds, in a fresh
process, of 200 rows and 10 columns.
"""

import argparse
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from benchmarks.report import circumstances, milliseconds, table
from skae import AutoencoderTransformer, EncoderClassifier

FITS = """
import time, warnings
import numpy as np
from skae import AutoencoderTransformer
warnings.simplefilter("ignore")
X = np.random.default_rng(0).normal(size=(200, 10))
for _ in range(2):
    start = time.perf_counter()
    AutoencoderTransformer(2, random_state=0{options}).fit(X)
    print(time.perf_counter() - start)
"""
OF_TORCH = ', net_params={"optimizer": __import__("torch").optim.AdamW}'


def calls():
    """Return functions of one row by name."""
    random = np.random.default_rng(0)
    X = random.normal(size=(1000, 30))
    frame = pd.DataFrame(X[:, :6]).add_prefix("c").assign(label=random.choice(list("abc"), 1000))
    row, line = X[:1], frame[:1]
    quick = {"max_epochs": 2, "random_state": 0}
    pca, numbers = PCA(8).fit(X), AutoencoderTransformer(8, **quick).fit(X)
    mixed = AutoencoderTransformer(4, **quick).fit(frame)
    encoder = AutoencoderTransformer(8, max_epochs=2)
    classifier = EncoderClassifier(encoder, max_epochs=2, random_state=0).fit(X, X[:, 0] > 0)
    return {
        "PCA, transform": lambda: pca.transform(row),
        "transform": lambda: numbers.transform(row),
        "score_samples": lambda: numbers.score_samples(row),
        "reconstruct": lambda: numbers.reconstruct(row),
        "EncoderClassifier, predict": lambda: classifier.predict(row),
        "a table's row, transform": lambda: mixed.transform(line),
        "a table's row, score_samples": lambda: mixed.score_samples(line),
    }


def seconds_of_fits(options):
    """Return the seconds of the first and the second fit of a fresh process."""
    command = [sys.executable, "-c", FITS.format(options=options)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(line) for line in done.stdout.split()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    print(circumstances())
    rows = [[name, f"{milliseconds(call, args.rounds):.2f}"] for name, call in calls().items()]
    print(f"\n{table(['one row', 'ms'], rows)}")
    fits = {"skae's step": "", "torch's step": OF_TORCH}
    rows = [[name, *(f"{s:.2f}" for s in seconds_of_fits(each))] for name, each in fits.items()]
    print(f"\n{table(['fit', 'first, s', 'second, s'], rows)}")


if __name__ == "__main__":
    main()
