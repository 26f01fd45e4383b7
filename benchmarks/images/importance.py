"""Several draws of the code: the likelihood of MNIST, as in Burda et al. (2016).

    python -m benchmarks.images.importance [--importance 1 50] [--epochs 100] [--warm-epochs 0]
        [--learning-rate 0.003] [--batch-size 128] [--seeds 0] [--rows 60000]
        [--test-rows 1000] [--draws 5000] [--out runs.json]

Pixels are drawn anew, black or white, in every pass; test images are drawn once. The net is that of
the paper, 784-200-200-50 with tanh and the mirror of it, from random weights. "NLL" is minus the
log-likelihood with many draws of the code, of the first test images, in nats; "bound" is the loss
of all test images. A unit is active if the variance of its mean over all test images is above
0.01. With --warm-epochs, training with one draw has that many epochs, and training with several
draws continues from it for --epochs. The paper has 3,280 passes.
"""

import argparse
import copy
import json
import time
from itertools import product
from pathlib import Path

from benchmarks.images.binarised import DYNAMIC, bound_and_divergence, images
from benchmarks.report import circumstances, earlier, table
from skae import VAETransformer

N_COMPONENTS = 50
NET = {"hidden_layer_sizes": (200, 200), "activation": "tanh", "init": "random"}
PUBLISHED = {1: ("86.76", "19"), 5: ("85.54", "22"), 50: ("84.78", "25")}
ACTIVE = 0.01


def make(n_importance, seed, args):
    """Return an autoencoder of the paper's shape, to train with some draws."""
    return VAETransformer(
        N_COMPONENTS,
        n_importance=n_importance,
        likelihood="bernoulli",
        max_epochs=args.epochs,
        learning_rate=args.learning_rate,
        batch_size=args.batch_size,
        early_stopping=False,
        net_params=DYNAMIC,
        random_state=seed,
        **NET,
    )


def fit(n_importance, seed, train, args, warm):
    """Return a fitted autoencoder, trained with one draw at first if so asked."""
    if not args.warm_epochs:
        return make(n_importance, seed, args).fit(train)
    if seed not in warm:
        warm[seed] = make(1, seed, args).set_params(max_epochs=args.warm_epochs).fit(train)
    if n_importance == 1:
        return warm[seed]
    fitted = copy.deepcopy(warm[seed])
    fitted.set_params(warm_start=True, n_importance=n_importance, max_epochs=args.epochs)
    return fitted.fit(train)


def judge(fitted, test, args):
    """Return what the test images say of an autoencoder."""
    bound, divergence = bound_and_divergence(fitted, test)
    few = test[: args.test_rows]
    return {
        "NLL": -fitted.set_params(n_draws=args.draws).score(few),
        "bound": -bound,
        "KL": divergence,
        "active": int((fitted.transform(test).var(0) > ACTIVE).sum()),
    }


def run(n_importance, seed, data, args, fits):
    """Return a run as a dict."""
    start = time.perf_counter()
    fitted = fit(n_importance, seed, data[0], args, fits)
    seconds = time.perf_counter() - start
    epochs = args.epochs if n_importance > 1 or not args.warm_epochs else 0
    asked = {"draws": n_importance, "seed": seed, "epochs": epochs, "warm epochs": args.warm_epochs}
    return asked | judge(fitted, data[1], args) | {"seconds": seconds}


def line(run):
    """Return a line of the table."""
    passes = " + ".join(str(n) for n in (run["warm epochs"], run["epochs"]) if n)
    likelihood, *bound = (f"{run[name]:.2f}" for name in ("NLL", "bound", "KL"))
    paper = PUBLISHED.get(run["draws"], ("-", "-"))
    units = [run["active"], paper[1], f"{run['seconds']:.0f}"]
    return [run["draws"], run["seed"], passes, likelihood, paper[0], *bound, *units]


def arguments():
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--importance", type=int, nargs="+", default=[1, 50])
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--warm-epochs", type=int, default=0)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rows", type=int, help="train on so many images only")
    parser.add_argument("--test-rows", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=5000)
    parser.add_argument("--out", help="write all runs to this JSON file, and go on from it")
    return parser.parse_args()


def main():
    args = arguments()
    print(circumstances(), flush=True)
    data = images(args.rows)
    runs = earlier(args.out)
    fits = {}
    done = {(each["draws"], each["seed"]) for each in runs}
    for key in product(args.importance, args.seeds):
        if key not in done:
            runs.append(run(*key, data, args, fits))
            print(*line(runs[-1]), flush=True)
            if args.out:
                Path(args.out).write_text(json.dumps(runs))
    header = ["draws", "seed", "epochs", "NLL", "paper", "bound", "KL"]
    header += ["active units", "paper", "fit, s"]
    print(f"\n{table(header, map(line, runs))}")


if __name__ == "__main__":
    main()
