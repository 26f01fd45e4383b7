"""Thirty numbers for an image: the figure of Hinton and Salakhutdinov (2006) on MNIST.

    python -m benchmarks.images.pretraining [--epochs 10] [--pretraining-epochs 3] [--seed 0]
        [--starts pca random greedy rbm] [--figure digits.png]

The squared error of a test image, pixels 0 to 1, after 30 numbers: PCA; logistic PCA, which is the
linear autoencoder with logistic outputs; and deep autoencoders 784-1000-500-250-30, with logistic
units and outputs as in the paper, from random weights, from layers that were trained one after
another, and from restricted Boltzmann machines; and with GELU units, no pre-training and a start at
PCA, as is the default. All see as many epochs of the whole net.
"""

import argparse
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA

from benchmarks.data import load
from benchmarks.report import circumstances, table
from skae import AutoencoderTransformer

N_COMPONENTS = 30
LAYERS = (1000, 500, 250)
PUBLISHED = {"PCA": "13.87", "logistic PCA": "8.01", "deep, machines": "3.00"}
LOGISTIC = {"activation": "logistic", "likelihood": "bernoulli", "hidden_layer_sizes": LAYERS}
STARTS = {
    "pca": ("deep, GELU, from PCA", {"hidden_layer_sizes": LAYERS, "bounds": (0, 1), "noise": 0.2}),
    "random": ("deep, random", {**LOGISTIC, "init": "random"}),
    "greedy": ("deep, layer by layer", {**LOGISTIC, "init": "greedy"}),
    "rbm": ("deep, machines", {**LOGISTIC, "init": "rbm"}),
}


def logistic_pca(epochs, seed):
    """Return the linear autoencoder with logistic outputs."""
    params = {"likelihood": "bernoulli", "noise": 0, "learning_rate": 0.01}
    return AutoencoderTransformer(
        N_COMPONENTS, hidden_layer_sizes=(), max_epochs=epochs, random_state=seed, **params
    )


def deep(start, epochs, pretraining_epochs, seed):
    """Return a deep autoencoder."""
    params = {"max_epochs": epochs, "pretraining_epochs": pretraining_epochs}
    params |= {"validation_fraction": 0.02, "random_state": seed}
    return AutoencoderTransformer(N_COMPONENTS, **params, **STARTS[start][1])


def squared_error(X, back):
    """Return the squared error of an image, on average."""
    return float(((back - X) ** 2).sum(1).mean())


def draw(path, X, reconstructions):
    """Draw digits in a row, and what every method makes of them below."""
    lines = {"images": X, **reconstructions}
    figure, axes = plt.subplots(len(lines), len(X), figsize=(10, 0.85 * len(lines)))
    for line, (name, rows) in zip(axes, lines.items(), strict=True):
        for axis, row in zip(line, rows, strict=True):
            axis.imshow(row.reshape(28, 28), cmap="gray", vmin=0, vmax=1)
            axis.set_xticks([])
            axis.set_yticks([])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--pretraining-epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--starts", nargs="+", default=list(STARTS))
    parser.add_argument("--figure", help="where to draw digits")
    args = parser.parse_args()
    print(circumstances(), flush=True)
    train, test = (images.astype(np.float32) for images in load("mnist"))
    shown = test[np.random.default_rng(0).choice(len(test), 12, replace=False)]
    pca = PCA(N_COMPONENTS, random_state=0).fit(train)
    errors = [squared_error(X, project(pca, X)) for X in (test, train[:10_000])]
    rows = [["PCA", PUBLISHED["PCA"], *(f"{error:.2f}" for error in errors), "-"]]
    pictures = {"PCA": project(pca, shown)}
    models = {"logistic PCA": logistic_pca(args.epochs, args.seed)}
    for start in args.starts:
        models[STARTS[start][0]] = deep(start, args.epochs, args.pretraining_epochs, args.seed)
    for name, model in models.items():
        began = time.perf_counter()
        model.fit(train)
        errors = [squared_error(X, model.reconstruct(X)) for X in (test, train[:10_000])]
        seconds = time.perf_counter() - began
        figures = [*(f"{error:.2f}" for error in errors), f"{seconds:.0f}"]
        rows.append([name, PUBLISHED.get(name, "-"), *figures])
        print(*rows[-1], flush=True)
        pictures[name] = model.reconstruct(shown)
    if args.figure:
        draw(args.figure, shown, pictures)
    print(f"\n{table(['', 'paper', 'test images', 'training images', 'seconds'], rows)}")


def project(pca, X):
    """Return what is left of rows after PCA."""
    return pca.inverse_transform(pca.transform(X))


if __name__ == "__main__":
    main()
