"""Stacked autoencoders as a start: rotated MNIST, stacked denoising, stacked plain and no start.

    python -m benchmarks.images.stacked [--seeds 0 1 2 3] [--validate]

Every image is rotated by an angle of its own, uniform in [0, 360). A seed draws 10,000 training
images, 2,000 validation images, their angles and the weights; the 10,000 test images are always
the same. Three layers of logistic units and a linear code of 100 start at a stack of denoising
autoencoders (25 % masking), at one of plain autoencoders, or at random orthogonal weights. The
layers are trained one after another, and all of them together for one last epoch; then all weights
are trained on the labels.

EncoderClassifier goes on corrupting as the autoencoder did. What is compared here is the start
alone, so the corruption is taken out before, and every start is trained on the labels in the same
way, but at a learning rate and for a number of epochs of its own, which --validate, on the
validation images of one other seed, is for.

The order to reproduce is that of Vincent et al. (2010), Journal of Machine Learning Research 11,
table 3, which has no random start. A random start with tanh units, which are easier to train, is
here beside them.
"""

import argparse

import numpy as np
import torch
from scipy.ndimage import rotate
from scipy.stats import t
from sklearn.frozen import FrozenEstimator
from sklearn.svm import SVC

from benchmarks.data import find, load
from benchmarks.report import circumstances, table
from skae import DenoisingAE, EncoderClassifier

STACK = {
    "n_components": 100,
    "hidden_layer_sizes": (500, 500, 500),
    "activation": "logistic",
    "likelihood": "bernoulli",
    "corruption": "masking",
    "init": "greedy",
    "pretraining_epochs": 20,
    "learning_rate": 0.01,
    "max_epochs": 1,
    "prior": "normal",
}
RANDOM = {"corruption_level": 0, "init": "random", "learning_rate": 1e-9}
STARTS = {
    "stacked denoising": {"corruption_level": 0.25},
    "stacked plain": {"corruption_level": 0},
    "none": RANDOM,
    "none, tanh units": {**RANDOM, "activation": "tanh"},
}
FINE_TUNING = {"freeze": False, "dropout": 0.0, "early_stopping": False}
GRID = [(0.001, 30), (0.003, 30), (0.01, 30), (0.01, 60), (0.03, 30)]
CHOICES = {
    "stacked denoising": (0.03, 30),
    "stacked plain": (0.03, 30),
    "none": (0.01, 30),
    "none, tanh units": (0.003, 30),
}
PAPER = {"stacked denoising": "9.53", "stacked plain": "10.30"}
N_TRAIN, N_VALIDATION = 10_000, 2_000
SEED_OF_CHOICES, SEED_OF_TEST = 100, 200


def turned(images, random):
    """Return images, each rotated by a random angle."""
    angles = random.uniform(0, 360, len(images))
    pairs = zip(images.reshape(-1, 28, 28), angles, strict=True)
    rotated = [rotate(image, angle, reshape=False, order=1) for image, angle in pairs]
    return np.reshape(rotated, images.shape).clip(0, 1).astype(np.float32)


def draw(images, labels, seed):
    """Return the training and the validation images of a seed, each with labels."""
    random = np.random.default_rng(seed)
    some = random.permutation(len(images))[: N_TRAIN + N_VALIDATION]
    X, y = turned(images[some], random), labels[some]
    return (X[:N_TRAIN], y[:N_TRAIN]), (X[N_TRAIN:], y[N_TRAIN:])


def stack(X, seed, params):
    """Return an autoencoder to start at, which will corrupt no more."""
    autoencoder = DenoisingAE(random_state=seed, **STACK | params).fit(X)
    autoencoder.net_.module_.corruption = torch.nn.Identity()
    return FrozenEstimator(autoencoder)


def error(classifier, train, validation_rows):
    """Return the percentage of wrong labels after training."""
    return 100 * (1 - classifier.fit(*train).score(*validation_rows))


def fine_tuned(autoencoder, choice, seed, train, validation_rows):
    """Return the percentage of wrong labels after training all weights on the labels."""
    rate, n_epochs = choice
    params = {**FINE_TUNING, "learning_rate": rate, "max_epochs": n_epochs, "random_state": seed}
    return error(EncoderClassifier(autoencoder, **params), train, validation_rows)


def validate(images, labels):
    """Return a table of the errors on validation images, by start and choice."""
    train, validation_rows = draw(images, labels, SEED_OF_CHOICES)
    rows = []
    for name, params in STARTS.items():
        start = stack(train[0], SEED_OF_CHOICES, params)
        rows.append([name])
        for choice in GRID:
            wrong = fine_tuned(start, choice, SEED_OF_CHOICES, train, validation_rows)
            rows[-1].append(f"{wrong:.2f}")
            print(name, choice, rows[-1][-1], flush=True)
    return table(["start", *(f"{rate}, {n} epochs" for rate, n in GRID)], rows)


def compare(images, labels, test, seeds):
    """Return a table of the errors on test images, with intervals over seeds."""
    found = {name: [] for name in STARTS}
    for seed in seeds:
        train, _ = draw(images, labels, seed)
        for name, params in STARTS.items():
            start = stack(train[0], seed, params)
            found[name].append(fine_tuned(start, CHOICES[name], seed, train, test))
            print(name, seed, f"{found[name][-1]:.2f}", flush=True)
    rows = []
    for name, wrong in found.items():
        gaps = [interval(np.subtract(wrong, found[other])) for other in list(found)[1:]]
        rows.append([name, *CHOICES[name], interval(wrong), *gaps, PAPER.get(name, "")])
    header = ["start", "learning rate", "epochs", "error, %"]
    return table([*header, *(f"minus {name}" for name in list(found)[1:]), "paper"], rows)


def interval(values):
    """Return the mean and the half width of its 95 % interval."""
    half = t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{np.mean(values):.2f} ± {half:.2f}" if np.any(values) else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3])
    parser.add_argument("--validate", action="store_true", help="leave the test images alone")
    args = parser.parse_args()
    print(circumstances(), flush=True)
    images, test = load("mnist")
    file = np.load(find("images/mnist.npz"))
    if args.validate:
        print(f"\n{validate(images, file['y_train'])}")
        return
    test = turned(test, np.random.default_rng(SEED_OF_TEST)), file["y_test"]
    train, _ = draw(images, file["y_train"], args.seeds[0])
    print(f"SVM, seed {args.seeds[0]}: {error(SVC(C=10), train, test):.2f} (paper: 11.11)")
    print(f"\n{compare(images, file['y_train'], test, args.seeds)}")


if __name__ == "__main__":
    main()
