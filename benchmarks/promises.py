"""What the names promise: the effect of every defining option, on held-out rows.

    OMP_NUM_THREADS=1 python -m benchmarks.promises [--parts contractive sparse ...] [--seeds 0 1]

Images are 4,000 of MNIST, or digits where `--small` is given; numbers the standardised columns of
Cardiotocography, or breast cancer; mixed rows 4,000 of Adult, or the wine and its class. Three
quarters train. Every table says what an option is for and what it costs beside the same estimator
without it; cells are means over seeds. Nothing here chooses a default.
"""

import argparse
import copy
import time
import warnings
from collections import defaultdict

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.data import load
from benchmarks.frames import are_labels, load_table
from benchmarks.report import circumstances, table
from benchmarks.tables.reconstruction import errors
from skae import (
    AutoencoderTransformer,
    ContractiveAE,
    DenoisingAE,
    EncoderClassifier,
    SparseAE,
    VAETransformer,
)
from skae.nn.penalties import Contraction
from skae.tables import describe

N_IMAGES, N_MIXED = 5_334, 5_334
FEW = 200
ALMOST_NOTHING = 1e-6


def images(*, small):
    """Return images, pixels from 0 to 1, and their labels."""
    if small:
        digits = load_digits()
        return digits.data / 16, digits.target
    pixels, labels = load("mnist")[0], np.load(mnist_path())["y_train"]
    return pixels[:N_IMAGES], labels[:N_IMAGES]


def mnist_path():
    from benchmarks.data import find

    return find("images/mnist.npz")


def numbers(*, small):
    """Return rows of numbers, to be standardised."""
    return load_breast_cancer().data if small else load("7_Cardiotocography")


def mixed(*, small):
    """Return a frame of numbers and labels."""
    if small:
        wine = load_wine(as_frame=True)
        return wine.data.assign(kind=wine.target.map({0: "a", 1: "b", 2: "c"}))
    frame = load_table("adult")[:N_MIXED]
    return frame[describe(frame).query("kind != 'identifier'").index]


def kinds(seed, *, small):
    """Return training and test rows of the three kinds, by name."""
    tables = {"images": images(small=small)[0], "numbers": numbers(small=small)}
    parts = {name: train_test_split(X, random_state=seed) for name, X in tables.items()}
    scaler = StandardScaler().fit(parts["numbers"][0])
    parts["numbers"] = [scaler.transform(each) for each in parts["numbers"]]
    parts["mixed"] = train_test_split(mixed(small=small), random_state=seed)
    return parts


def encoded(fitted, X):
    """Return rows as the chain of a fitted autoencoder takes them."""
    frame = pd.DataFrame(X) if not isinstance(X, pd.DataFrame) else X
    columns = fitted.columns_
    rows = fitted._reader().check(frame if columns.is_table else np.asarray(X, float))
    return torch.from_numpy(columns.encode(rows))


def squared_derivative(fitted, X):
    """Return the mean squared derivative of the code at rows."""
    chain = copy.deepcopy(fitted.net_.module_).eval()
    x = encoded(fitted, X)
    with torch.no_grad():
        z = chain.bottleneck(chain.encoder(x)).z
    return float(Contraction(1.0)(chain, x, z).mean())


def loss(fitted, X):
    """Return the squared error of rows; of frames, the mean share of a column that is lost."""
    if not isinstance(X, pd.DataFrame):
        return float(((fitted.reconstruct(X) - X) ** 2).sum(1).mean())
    labels = set(X.columns[are_labels(X)])
    found = errors(fitted.reconstruct(X), X, X)
    return float(np.mean([1 - v if name in labels else v**2 for name, v in found.items()]))


def contractive(parts, seed):
    """Compare the default with a penalty of nearly nothing."""
    for name, (train, test) in parts.items():
        without, fitted = (
            ContractiveAE(random_state=seed, **options).fit(train)
            for options in ({"strength": ALMOST_NOTHING}, {})
        )
        derivatives = [squared_derivative(each, test) for each in (without, fitted)]
        losses = [loss(each, test) for each in (without, fitted)]
        total = test.var(0).sum() if name != "mixed" else 1.0
        yield f"{name}, squared derivative without penalty", derivatives[0]
        yield f"{name}, squared derivative", derivatives[1]
        yield f"{name}, ratio of derivatives (aim <= 0.5)", derivatives[1] / derivatives[0]
        yield f"{name}, share lost without penalty", losses[0] / total
        yield f"{name}, share lost", losses[1] / total
        yield f"{name}, ratio of errors (aim <= 1.05)", losses[1] / losses[0]


def sparse(parts, seed):
    """Measure activity beside what was asked, and units that are never active."""
    for name, (train, test) in parts.items():
        for penalty in ("l1", "topk", "lifetime", "kl"):
            fitted = SparseAE(penalty=penalty, random_state=seed).fit(train)
            codes = fitted.transform(test)
            active = codes.mean() if penalty == "kl" else (codes > 0).mean()
            asked = "none asked" if penalty == "l1" else "asked 0.05"
            yield f"{name}, {penalty}, activity of held-out rows ({asked})", active
            dead = 100 * len(fitted.dead_units_) / codes.shape[1]
            yield f"{name}, {penalty}, units never active, % (aim <= 2)", dead


def corrupted(X, corruption, random):
    """Return rows corrupted as `DenoisingAE` does by default."""
    if corruption == "gaussian":
        return X + 0.5 * np.sqrt(X.var(0).mean()) * random.normal(size=X.shape)
    spoilt = random.random(X.shape) < {"swap": 0.15, "masking": 0.25, "salt_and_pepper": 0.3}.get(
        corruption, 0
    )
    if corruption == "swap":
        return np.where(spoilt, random.permuted(X, axis=0), X)
    if corruption == "masking":
        return np.where(spoilt, X.mean(0), X)
    extremes = np.where(random.random(X.shape) < 0.5, X.min(0), X.max(0))
    return np.where(spoilt, extremes, X)


def denoising(parts, seed):
    """Compare each corruption undone by who has trained on it, on another, and on none."""
    kinds_of_noise = ("swap", "masking", "gaussian", "salt_and_pepper")
    for name in ("images", "numbers"):
        train, test = parts[name]
        of_noise = {
            each: DenoisingAE(corruption=each, random_state=seed).fit(train)
            for each in kinds_of_noise
        }
        plain = AutoencoderTransformer(32, random_state=seed).fit(train)
        for corruption, fitted in of_noise.items():
            bad = corrupted(test, corruption, np.random.default_rng(seed))

            def left(each, bad=bad, test=test):
                return float(
                    ((each.reconstruct(bad) - test) ** 2).sum() / ((bad - test) ** 2).sum()
                )

            others = [left(each) for kind, each in of_noise.items() if kind != corruption]
            yield f"{name}, {corruption}, error left by its own", left(fitted)
            yield f"{name}, {corruption}, by the best of the others", min(others)
            yield f"{name}, {corruption}, by the plain autoencoder", left(plain)


def n_parameters(fitted):
    return sum(each.numel() for each in fitted.net_.module_.parameters())


def training(parts, seed):
    """Measure what tied weights, dropout and pre-training change."""
    for name in ("images", "numbers"):
        train, test = parts[name]
        few = train[:FEW]
        fits = {
            "plain": {},
            "tied": {"tied_weights": True},
            "dropout 0.2": {"dropout": 0.2},
        }
        for label, options in fits.items():
            fitted = AutoencoderTransformer(8, random_state=seed, **options).fit(few)
            yield f"{name}, {label}, error with {FEW} rows", loss(fitted, test)
            yield f"{name}, {label}, parameters", n_parameters(fitted)
    train, test = parts["images"]
    deep = {
        "hidden_layer_sizes": (256, 128, 64),
        "activation": "logistic",
        "likelihood": "bernoulli",
        "learning_rate": 0.003,
    }
    for init in ("random", "greedy", "rbm"):
        for n_epochs in (5, 40):
            options = {"max_epochs": n_epochs, "pretraining_epochs": 30, "random_state": seed}
            fitted = AutoencoderTransformer(16, init=init, **options, **deep).fit(train)
            yield f"deep logistic, init={init}, error after {n_epochs} epochs", loss(fitted, test)


VARIATIONAL = {
    "default": {},
    "beta=0.25": {"beta": 0.25},
    "beta=4": {"beta": 4.0},
    "beta_schedule=linear": {"beta_schedule": "linear"},
    "free_bits=0.5": {"free_bits": 0.5},
    "skip_connections": {"skip_connections": True},
    "n_encoder_steps=3": {"n_encoder_steps": 3},
    "n_importance=5": {"n_importance": 5},
    "von Mises-Fisher": {"latent_distribution": "von_mises_fisher"},
    "random start": {"init": "random"},
    "random start, beta_schedule=linear": {"init": "random", "beta_schedule": "linear"},
    "random start, free_bits=0.5": {"init": "random", "free_bits": 0.5},
    "random start, skip_connections": {"init": "random", "skip_connections": True},
    "random start, n_encoder_steps=3": {"init": "random", "n_encoder_steps": 3},
}


def variational(parts, seed):
    """Measure what the options of the variational autoencoder move."""
    train, test = parts["images"]
    for label, options in VARIATIONAL.items():
        start = time.process_time()
        fitted = VAETransformer(16, likelihood="bernoulli", random_state=seed, **options)
        fitted.fit(train)
        seconds = time.process_time() - start
        yield f"{label}: log-probability, nats", fitted.score(test)
        yield f"{label}: divergence, nats", float(np.sum(fitted.kl_per_component_))
        yield f"{label}: mutual information, nats", fitted.mutual_information_
        yield f"{label}: active units of 16", len(fitted.active_units_)
        yield f"{label}: squared error", loss(fitted, test)
        yield f"{label}: seconds", seconds


def few_labels(parts, seed, *, small):
    """Compare the classifier with those that see labelled rows only, by accuracy."""
    X, y = images(small=small)
    sets = {"images": (X, y)}
    if not small:
        adult = mixed(small=False)
        number = adult.select_dtypes("number")
        sets["numbers of Adult"] = number.to_numpy(float), (adult.iloc[:, -1] == ">50K").to_numpy()
    for name, (rows, labels) in sets.items():
        train, test, y_train, y_test = train_test_split(
            rows, labels, random_state=seed, stratify=labels
        )
        for n_labels in (100, 1_000):
            if n_labels >= len(train):
                continue
            partly = np.where(np.arange(len(train)) < n_labels, y_train.astype(int), -1)
            ours = EncoderClassifier(random_state=seed).fit(train, partly)
            peers = {
                "logistic regression": make_pipeline(
                    StandardScaler(), LogisticRegression(max_iter=500)
                ),
                "forest": RandomForestClassifier(random_state=seed),
            }
            yield f"{name}, {n_labels} labels, EncoderClassifier", ours.score(test, y_test)
            for label, peer in peers.items():
                peer.fit(train[:n_labels], y_train[:n_labels])
                yield f"{name}, {n_labels} labels, {label}", peer.score(test, y_test)


PARTS = {
    part.__name__: part
    for part in (contractive, sparse, denoising, training, variational, few_labels)
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[*PARTS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--small", action="store_true", help="sets that come with scikit-learn")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print(circumstances(), flush=True)
    for part in args.parts:
        found = defaultdict(list)
        for seed in args.seeds:
            options = {"small": args.small} if part == "few_labels" else {}
            for name, value in PARTS[part](kinds(seed, small=args.small), seed, **options):
                found[name].append(value)
        rows = [[name, f"{np.mean(values):.4g}"] for name, values in found.items()]
        print(f"\n### {part}\n\n{table(['measure', 'mean'], rows)}", flush=True)


if __name__ == "__main__":
    main()
