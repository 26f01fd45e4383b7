"""MNIST: squared error per test image of one recipe beside PCA's, at 2, 8 and 30 components.

    python -m benchmarks.images.mnist [--sizes 2 8 30] [--seeds 0 1 2] [--validate]
        [--params "{...}"]

The recipe, and what differs from it at a size, was chosen with --validate: the last 5,000 training
images then stand in for the test images and are not trained on.
"""

import argparse
import ast
import time

import numpy as np
from sklearn.decomposition import PCA

from benchmarks.data import load
from benchmarks.report import circumstances, table
from skae import AutoencoderTransformer

RECIPE = {
    "hidden_layer_sizes": (512, 256),
    "bounds": (0, 1),
    "noise": 0.2,
    "weight_decay": 0.1,
    "learning_rate": 0.008,
    "max_epochs": 40,
    "validation_fraction": 0.02,
}
BY_SIZE = {2: {"hidden_layer_sizes": (512, 256, 128), "noise": 0.5, "weight_decay": 0.01}}
N_VALIDATION = 5_000


def squared_error(X, back):
    """Return the squared error of an image, on average."""
    return float(((back - X) ** 2).sum(1).mean())


def pca_errors(train, test, k):
    """Return PCA's error, plain and clipped to the range of a pixel."""
    pca = PCA(k, random_state=0).fit(train)
    back = pca.inverse_transform(pca.transform(test))
    return squared_error(test, back), squared_error(test, back.clip(0, 1))


def run(train, test, k, seed, params):
    """Return the autoencoder's error on training and test images, its best epoch and seconds."""
    recipe = {**RECIPE, **BY_SIZE.get(k, {}), **params}
    autoencoder = AutoencoderTransformer(k, random_state=seed, **recipe)
    start = time.perf_counter()
    autoencoder.fit(train)
    seconds = time.perf_counter() - start
    errors = [squared_error(X, autoencoder.reconstruct(X)) for X in (train[:10_000], test)]
    return *errors, autoencoder.best_epoch_, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", type=int, default=[2, 8, 30])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--validate", action="store_true", help="leave the test images alone")
    parser.add_argument("--params", type=ast.literal_eval, default={}, help="changes of the recipe")
    args = parser.parse_args()
    print(circumstances(), f"\n{RECIPE | args.params}", flush=True)
    train, test = (images.astype(np.float32) for images in load("mnist"))
    if args.validate:
        train, test = train[:-N_VALIDATION], train[-N_VALIDATION:]
    rows = []
    for k in args.sizes:
        results = []
        for seed in args.seeds:
            results.append(run(train, test, k, seed, args.params))
            print(k, seed, *(f"{value:.4g}" for value in results[-1]), flush=True)
        means = np.mean(results, axis=0)
        spread = np.std([result[1] for result in results])
        errors = [*pca_errors(train, test, k), means[1]]
        rows.append([k, *(f"{e:.2f}" for e in errors), f"{spread:.2f}"])
        rows[-1] += [f"{means[0]:.2f}", f"{means[2]:.0f}", f"{means[3]:.0f}"]
    header = ["components", "PCA", "PCA, clipped", "autoencoder", "its standard deviation"]
    header += ["on training images", "epoch kept", "seconds a fit"]
    print(table(header, rows))


if __name__ == "__main__":
    main()
