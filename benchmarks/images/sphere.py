"""A code on the sphere or in the plane: the table of Davidson et al. (2018) on MNIST.

    python -m benchmarks.images.sphere [--dimensions 2 5 10 20] [--epochs 50]
        [--distributions normal von_mises_fisher power_spherical] [--learning-rate 0.003]
        [--batch-size 128] [--seeds 0] [--rows 60000] [--test-rows 2000] [--draws 500]
        [--out runs.json]

Pixels are drawn anew, black or white, in every pass; test images are drawn once. The nets are those
of the paper, 784-256-128 with ReLU and the mirror of it, from random weights; the divergence comes
up in a fifth of the epochs, and training stops early. A sphere of d dimensions has d + 1 units.
"LL" is the log-likelihood with many draws of the code, of the first test images, in nats; "RE" and
"KL" are the two parts of the evidence lower bound, of all test images. The paper has up to 500
epochs and ten runs; no primary source was at hand for its figures in brackets.
"""

import argparse
import json
import time
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.images.binarised import DYNAMIC, bound_and_divergence, images
from benchmarks.report import circumstances, earlier, table
from skae import VAETransformer

NET = {"hidden_layer_sizes": (256, 128), "activation": "relu", "init": "random"}
DISTRIBUTIONS = ("normal", "von_mises_fisher", "power_spherical")
PUBLISHED = {
    ("normal", 2): "-135.73 / -129.84 / 7.24",
    ("normal", 5): "-110.21 / -100.16 / 12.82",
    ("normal", 10): "(-93.84 / -78.93 / 19.44)",
    ("normal", 20): "-88.90 / -71.29 / 23.50",
    ("von_mises_fisher", 2): "-132.50 / -126.43 / 7.28",
    ("von_mises_fisher", 5): "-108.43 / -97.84 / 13.35",
    ("von_mises_fisher", 10): "-93.16 / -77.03 / 20.67",
    ("von_mises_fisher", 20): "(-89.02 / -67.65 / 28.50)",
}


def make(distribution, dimension, seed, args):
    """Return an autoencoder of the paper's shape."""
    return VAETransformer(
        dimension + (distribution != "normal"),
        latent_distribution=distribution,
        likelihood="bernoulli",
        beta_schedule="linear",
        max_epochs=args.epochs,
        learning_rate=args.learning_rate,
        batch_size=args.batch_size,
        validation_fraction=1 / 12,
        net_params=DYNAMIC,
        random_state=seed,
        **NET,
    )


def judge(fitted, test, args):
    """Return what the test images say of an autoencoder."""
    bound, divergence = bound_and_divergence(fitted, test)
    few = test[: args.test_rows]
    likelihood = fitted.set_params(n_draws=args.draws).score(few)
    return {"LL": likelihood, "RE": bound + divergence, "KL": divergence}


def run(distribution, dimension, seed, data, args):
    """Return a run as a dict."""
    start = time.perf_counter()
    fitted = make(distribution, dimension, seed, args).fit(data[0])
    seconds = time.perf_counter() - start
    asked = {"distribution": distribution, "dimension": dimension, "seed": seed}
    took = {"epochs": fitted.n_iter_, "best": fitted.best_epoch_, "seconds": seconds}
    return asked | judge(fitted, data[1], args) | took


def line(runs):
    """Return a line of the table: the mean of runs with different seeds."""
    key = runs[0]["distribution"], runs[0]["dimension"]
    mean = {name: np.mean([run[name] for run in runs]) for name in ("LL", "RE", "KL", "seconds")}
    spread = f" ± {np.std([run['LL'] for run in runs], ddof=1):.2f}" if len(runs) > 1 else ""
    figures = [f"{mean['LL']:.2f}{spread}", *(f"{mean[name]:.2f}" for name in ("RE", "KL"))]
    epochs = "/".join(str(run["epochs"]) for run in runs)
    return [*key[::-1], *figures, PUBLISHED.get(key, "-"), epochs, f"{mean['seconds']:.0f}"]


def lines(runs):
    """Return the table's lines, by dimension."""
    groups = {}
    for each in sorted(runs, key=lambda each: each["dimension"]):
        groups.setdefault((each["dimension"], each["distribution"]), []).append(each)
    return list(map(line, groups.values()))


def arguments():
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dimensions", type=int, nargs="+", default=[2, 5, 10, 20])
    parser.add_argument("--distributions", nargs="+", default=DISTRIBUTIONS, choices=DISTRIBUTIONS)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rows", type=int, help="train on so many images only")
    parser.add_argument("--test-rows", type=int, default=2000)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--out", help="write all runs to this JSON file, and go on from it")
    return parser.parse_args()


def main():
    args = arguments()
    print(circumstances(), flush=True)
    data = images(args.rows)
    runs = earlier(args.out)
    done = {(each["distribution"], each["dimension"], each["seed"]) for each in runs}
    for dimension, seed, name in product(args.dimensions, args.seeds, args.distributions):
        if (name, dimension, seed) not in done:
            runs.append(run(name, dimension, seed, data, args))
            print(*line(runs[-1:]), flush=True)
            if args.out:
                Path(args.out).write_text(json.dumps(runs))
    header = ["d", "posterior", "LL", "RE", "KL", "paper: LL / RE / KL", "epochs", "fit, s"]
    print(f"\n{table(header, lines(runs))}")


if __name__ == "__main__":
    main()
