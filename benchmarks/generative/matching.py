"""AdversarialAE by kind of matching, beside the plain and the variational autoencoder, on digits.

    python -m benchmarks.generative.matching [--seeds 0 1 2] [--components 8] [--figure FILE]

Three quarters of the digits train. "error" is the squared error of the test rows; "distance" is
that of the training codes from the law (of `law_distance_`), over that of draws of the law; "FD" is
the Frechet distance of 2,000 drawn images, without noise, from the test rows, in the 64 units of a
classifier's hidden layer, with the codes' own law and with a Gaussian mixture of the codes; the
last lines are training rows, and reconstructions of test rows.
"""

import argparse
import time

import numpy as np
from scipy.linalg import sqrtm
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from benchmarks.report import circumstances, table
from skae import AdversarialAE, AutoencoderTransformer, VAETransformer

N_DRAWS = 2000
MATCHINGS = ("sliced", "mmd", "cramer_wold", "discriminator")


class Judge:
    """The Frechet distance from test rows in the hidden units of a classifier."""

    def __init__(self, train, labels, test):
        self.classifier = MLPClassifier((64,), max_iter=500, random_state=0).fit(train / 16, labels)
        self.real = self.features(test)

    def features(self, rows):
        """Return the units of the hidden layer."""
        weight, bias = self.classifier.coefs_[0], self.classifier.intercepts_[0]
        return np.maximum(rows / 16 @ weight + bias, 0)

    def __call__(self, rows):
        """Return the distance of rows."""
        found = self.features(rows)
        means = [each.mean(0) for each in (found, self.real)]
        spreads = [np.cov(each.T) for each in (found, self.real)]
        root = np.real(sqrtm(spreads[0] @ spreads[1]))
        distance = ((means[0] - means[1]) ** 2).sum() + np.trace(sum(spreads) - 2 * root)
        return float(distance)


def contestants(k, seed):
    """Return the autoencoders, each with its own law and with a mixture."""
    made = {
        f"AdversarialAE, {kind}": [
            AdversarialAE(k, matching=kind, prior=prior, random_state=seed)
            for prior in ("law", "gmm")
        ]
        for kind in MATCHINGS
    }
    made["VAETransformer"] = [
        VAETransformer(k, prior=prior, random_state=seed) for prior in ("normal", "gmm")
    ]
    made["AutoencoderTransformer"] = [
        AutoencoderTransformer(k, prior=prior, random_state=seed) for prior in ("normal", "gmm")
    ]
    return made


def run(k, seed):
    """Return the figures of all contestants on one split."""
    X, y = load_digits(return_X_y=True)
    train, test, own, _ = train_test_split(X, y, random_state=seed, stratify=y)
    judge, found = Judge(train, own, test), {}
    for name, (by_law, by_mixture) in contestants(k, seed).items():
        start = time.perf_counter()
        by_law.fit(train)
        seconds = time.perf_counter() - start
        by_mixture.fit(train)
        error = ((by_law.reconstruct(test) - test) ** 2).sum(1).mean()
        ratio = np.nan
        if isinstance(by_law, AdversarialAE):
            ratio = by_law.law_distance_ / by_law.law_distance_of_itself_
        draws = [
            judge(each.sample(N_DRAWS, random_state=seed, noise=False))
            for each in (by_law, by_mixture)
        ]
        found[name] = [error, ratio, *draws, seconds]
    found["training rows"] = [0, np.nan, judge(train), np.nan, np.nan]
    found["reconstructions"] = [np.nan, np.nan, judge(by_law.reconstruct(test)), np.nan, np.nan]
    return found


def draw(path, k):
    """Draw twenty rows of every contestant."""
    import matplotlib.pyplot as plt

    X, _ = load_digits(return_X_y=True)
    fits = {name: pair[0].fit(X) for name, pair in contestants(k, 0).items()}
    figure, axes = plt.subplots(len(fits), 1, figsize=(8, 0.9 * len(fits)), layout="constrained")
    for ax, (name, fitted) in zip(axes, fits.items(), strict=True):
        rows = fitted.sample(20, random_state=0, noise=False).reshape(20, 8, 8)
        ax.imshow(np.hstack(list(rows)), cmap="gray_r")
        ax.set_axis_off()
        ax.set_title(name, fontsize="small", loc="left")
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--components", type=int, default=8)
    parser.add_argument("--figure", help="draw samples into this file instead")
    args = parser.parse_args()
    if args.figure:
        draw(args.figure, args.components)
        return
    print(circumstances(), flush=True)
    runs = [run(args.components, seed) for seed in args.seeds]
    rows = []
    for name in runs[0]:
        means = np.mean([each[name] for each in runs], axis=0)
        shown = [f"{means[0]:.1f}", *(f"{mean:.2f}" for mean in means[1:4]), f"{means[4]:.1f}"]
        rows.append([name, *("–" if cell == "nan" else cell for cell in shown)])
    header = ["", "error", "distance", "FD, by its law", "FD, by a mixture", "fit, s"]
    print(f"\n{table(header, rows)}")


if __name__ == "__main__":
    main()
