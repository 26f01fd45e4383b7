"""Sparse codes: the error of a linear classifier on MNIST, on codes and on pixels.

    python -m benchmarks.images.sparse [--units 1000] [--epochs 12] [--seed 0]
        [--figure filters.png] [--contestants l1 "top 25" ...] [--validate]

One-layer autoencoders with tied weights are trained on all training images, without labels. Their
codes stay as they are, and a logistic regression learns from the labels of all training images; its
penalty is chosen on the last 5,000 of them. "before" is the positive part of the encoder's output,
before units are dropped: the features that the papers of k-sparse and winner-take-all autoencoders
use. With --validate those 5,000 images are held out altogether and stand in for the test images.
"""

import argparse
import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from benchmarks.data import find, load
from benchmarks.report import circumstances, table
from skae import ContractiveAE, SparseAE

N_VALIDATION = 5_000
INVERSE_PENALTIES = (0.01, 0.03, 0.1, 0.3)
N_TO_CHOOSE_FROM = 15_000
SCALE = 10
CONTESTANTS = {
    "l1": (SparseAE, {"penalty": "l1"}),
    "top 25": (SparseAE, {"penalty": "topk", "activity": 25}),
    "lifetime 5 %": (SparseAE, {"penalty": "lifetime"}),
    "kl": (SparseAE, {"penalty": "kl"}),
    "contractive": (ContractiveAE, {"strength": 10.0}),
}


def images(*, validate):
    """Return training images and labels, and those to judge by."""
    labels = np.load(find("images/mnist.npz"))
    pixels = (part.astype(np.float32) for part in load("mnist"))
    train, test, y_train, y_test = *pixels, labels["y_train"], labels["y_test"]
    if validate:
        test, y_test = train[-N_VALIDATION:], y_train[-N_VALIDATION:]
        train, y_train = train[:-N_VALIDATION], y_train[:-N_VALIDATION]
    return train, y_train, test, y_test


def logistic_regression(inverse_penalty, X, y):
    """Return a fitted logistic regression."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=inverse_penalty, max_iter=150).fit(X, y)


def classifier_error(train, y_train, test, y_test):
    """Return the error of logistic regression, its penalty chosen on the last training rows."""
    scale = SCALE / np.sqrt(train.var(0).sum())
    train, test = scale * train, scale * test
    part, validation_rows = slice(N_TO_CHOOSE_FROM), slice(-N_VALIDATION, None)
    scores = [
        logistic_regression(c * len(train) / N_TO_CHOOSE_FROM, train[part], y_train[part]).score(
            train[validation_rows], y_train[validation_rows]
        )
        for c in INVERSE_PENALTIES
    ]
    best = INVERSE_PENALTIES[int(np.argmax(scores))]
    return 1 - logistic_regression(best, train, y_train).score(test, y_test)


def before_dropping(fitted, X):
    """Return what the encoder gives, if positive."""
    with torch.no_grad():
        encoded = torch.from_numpy(fitted.columns_.encode(X))
        return torch.relu(fitted.net_.module_.encoder(encoded)).numpy()


def run(name, data, units, epochs, seed):
    """Return a fitted autoencoder and its row of the table."""
    train, y_train, test, y_test = data
    cls, params = CONTESTANTS[name]
    params = {"n_components": units, "max_epochs": epochs, "random_state": seed, **params}
    start = time.perf_counter()
    fitted = cls(**params).fit(train)
    seconds = time.perf_counter() - start
    codes = fitted.transform(train), fitted.transform(test)
    errors = [classifier_error(codes[0], y_train, codes[1], y_test)]
    if name.startswith(("top", "lifetime")):
        codes = before_dropping(fitted, train), before_dropping(fitted, test)
        errors.append(classifier_error(codes[0], y_train, codes[1], y_test))
    squared = ((fitted.reconstruct(test) - test) ** 2).sum(1).mean()
    activity = getattr(fitted, "activity_", np.full(units, np.nan)).mean()
    dead = len(getattr(fitted, "dead_units_", ()))
    cells = [f"{100 * error:.2f}" for error in errors] + ["-"] * (2 - len(errors))
    return fitted, [name, *cells, f"{squared:.2f}", f"{activity:.3f}", dead, f"{seconds:.0f}"]


def draw(path, fits):
    """Draw the weights of some units of each autoencoder."""
    figure, axes = plt.subplots(len(fits), 16, figsize=(10, 0.72 * len(fits)), squeeze=False)
    for line, (name, fitted) in zip(axes, fits.items(), strict=True):
        weights = next(fitted.net_.module_.encoder.parameters()).detach().numpy()
        order = np.random.default_rng(0).permutation(len(weights))
        for axis, weight in zip(line, weights[order], strict=False):
            largest = np.abs(weight).max()
            axis.imshow(weight.reshape(28, 28), cmap="RdBu_r", vmin=-largest, vmax=largest)
            axis.set_xticks([])
            axis.set_yticks([])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--contestants", nargs="+", default=list(CONTESTANTS))
    parser.add_argument("--figure", help="where to draw the weights")
    parser.add_argument("--validate", action="store_true", help="leave the test images alone")
    args = parser.parse_args()
    print(circumstances(), flush=True)
    data = images(validate=args.validate)
    rows = [["pixels", f"{100 * classifier_error(*data):.2f}", *["-"] * 5]]
    fits = {}
    for name in args.contestants:
        fits[name], row = run(name, data, args.units, args.epochs, args.seed)
        rows.append(row)
        print(*row, flush=True)
    if args.figure:
        draw(args.figure, fits)
    header = ["penalty", "error, %", "error before, %", "squared error"]
    header += ["activity", "dead units", "fit, s"]
    print(f"\n{table(header, rows)}")


if __name__ == "__main__":
    main()
