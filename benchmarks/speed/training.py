"""Seconds of an epoch, of scoring, of imports and of default fits, and memory, beside others.

    python -m benchmarks.speed.training [--parts training scoring memory imports defaults]
        [--rounds 5] [--threads 1 2] [--wide-peers] [--scale 0.01]

The contestants take turns, and their order is reversed in every second round; cells are medians
over the rounds, ratios are ratios of medians, and "in rounds" is the smallest and the largest
ratio within a round. Targets are printed beside the measures and not enforced.

All contestants train the same layers on the same rows, on the CPU, with Adam at one constant
learning rate; a fit has three epochs, and an epoch is timed from the end of one to the end of the
next, so that no set-up counts. For skae this includes what its callbacks do in every epoch. The
plain loop keeps no record of its loss. skorch is at its defaults but for `train_split=None` and
its print-outs, and does not shuffle. PyOD goes without batch normalisation and dropout, which the
others do not have; it standardises every row when it reads it, as it does by default. It and
scikit-learn have one more ReLU, on the code. scikit-learn's `MLPRegressor`, which has no hook for
the end of an epoch, is fitted with three and with one, and the difference is halved. pythae keeps
its progress bar, which writes into the void. PyOD and pythae are left out where they are not
installed.

The number of threads is torch's and that of NumPy's BLAS. skae itself trains on one thread where
steps are small; the tables say on how many it did. Run this on an idle machine: where something
else runs, two threads wait for one another, and their times mean nothing.
"""

import argparse
import io
import logging
import subprocess
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from contextlib import contextmanager, redirect_stderr
from importlib import import_module
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from skorch import NeuralNet
from skorch.callbacks import Callback
from threadpoolctl import threadpool_limits
from torch import nn

from benchmarks.report import circumstances, peak, table
from skae import AutoencoderTransformer

LEARNING_RATE = 1e-3
N_EPOCHS = 3
BATCH_SIZES = (64, 256, 1024)
PEERS_BATCH_SIZE = 256
SCORED_AT_A_TIME = 4096
SCORINGS_A_ROUND = 5
MOST_SLOW_ROUNDS = 3
IMPORTS = (
    "import skae",
    "from skae import AutoencoderTransformer",
    "import torch",
    "import skorch",
)


class Shape(NamedTuple):
    """The rows and the layers of a training."""

    n_rows: int
    n_columns: int
    n_hidden: int
    n_code: int = 32

    def __str__(self):
        return f"{self.n_rows:,} x {self.n_columns}"

    @property
    def widths(self):
        """The widths of all layers, the input's included."""
        return self.n_columns, self.n_hidden, self.n_code, self.n_hidden, self.n_columns

    def data(self):
        """Return random rows."""
        rng = np.random.default_rng(0)
        return rng.standard_normal((self.n_rows, self.n_columns), dtype=np.float32)


NARROW, WIDE = Shape(100_000, 32, 64), Shape(20_000, 784, 256)
SCORED = (Shape(200_000, 32, 64), WIDE)
TARGETS = dict.fromkeys(BATCH_SIZES, "<= 0.5")
PEER_TARGETS = {("skorch", NARROW.n_columns): ">= 3"}
DEFAULTS = {(1_000, 30): "<= 1 s", (100_000, 32): "<= 8 s"}


class Laps(Callback):
    """When epochs end, and on how many threads: called by hand, or by skorch."""

    def __init__(self):
        self.ends = []

    def __call__(self):
        self.ends.append(time.perf_counter())
        self.n_threads = torch.get_num_threads()

    def on_epoch_end(self, net, **kwargs):
        self()

    @property
    def epoch(self):
        """The seconds of an epoch, the first left aside."""
        return (self.ends[-1] - self.ends[0]) / (len(self.ends) - 1)


def halves(shape):
    """Return the encoder and the decoder that skae builds without linear paths."""
    layers = [nn.Linear(n_in, n_out) for n_in, n_out in pairwise(shape.widths)]
    for layer in layers:
        nn.init.orthogonal_(layer.weight)
        nn.init.zeros_(layer.bias)
    return (nn.Sequential(first, nn.ReLU(), last) for first, last in (layers[:2], layers[2:]))


def autoencoder(shape, batch_size, n_epochs, laps):
    """Return skae's contestant: a plain network, without noise, bounds and held-out rows."""
    return AutoencoderTransformer(
        shape.n_code,
        hidden_layer_sizes=(shape.n_hidden,),
        activation="relu",
        init="random",
        noise=0,
        bounds=None,
        prior="normal",
        learning_rate=LEARNING_RATE,
        learning_rate_schedule="constant",
        batch_size=batch_size,
        max_epochs=n_epochs,
        early_stopping=False,
        device="cpu",
        net_params={"callbacks": [laps]},
        random_state=0,
    )


def fit_skae(X, shape, batch_size):
    laps = Laps()
    autoencoder(shape, batch_size, N_EPOCHS, laps).fit(X)
    return laps


def fit_plain(X, shape, batch_size):
    """Train by the shortest loop: whole batches, one fused optimiser, nothing recorded."""
    laps, rows, network = Laps(), torch.from_numpy(X), nn.Sequential(*halves(shape))
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=LEARNING_RATE, weight_decay=0, fused=True
    )
    for _ in range(N_EPOCHS):
        for index in torch.randperm(len(rows)).split(batch_size):
            x = rows.index_select(0, index)
            optimizer.zero_grad()
            nn.functional.mse_loss(network(x), x).backward()
            optimizer.step()
        laps()
    return laps


def fit_skorch(X, shape, batch_size):
    laps = Laps()
    NeuralNet(
        nn.Sequential(*halves(shape)),
        nn.MSELoss,
        optimizer=torch.optim.Adam,
        lr=LEARNING_RATE,
        batch_size=batch_size,
        max_epochs=N_EPOCHS,
        train_split=None,
        callbacks=[laps],
        verbose=0,
    ).fit(X, X)
    return laps


def fit_sklearn(X, shape, batch_size):
    laps = Laps()
    seconds = seconds_of_perceptrons(X, shape.widths[1:-1], batch_size)
    laps.ends = np.linspace(*seconds, N_EPOCHS)
    return laps


def seconds_of_perceptrons(X, hidden_layer_sizes, batch_size):
    """Return the seconds of fits of scikit-learn's perceptron with one and with three epochs."""
    seconds = []
    for n_epochs in (1, N_EPOCHS):
        perceptron = MLPRegressor(
            hidden_layer_sizes=hidden_layer_sizes,
            learning_rate_init=LEARNING_RATE,
            batch_size=batch_size,
            max_iter=n_epochs,
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            seconds.append(seconds_of(perceptron.fit, X, X))
    return seconds


def fit_pyod(X, shape, batch_size):
    from pyod.models.auto_encoder import AutoEncoder

    laps = Laps()
    detector = AutoEncoder(
        hidden_neuron_list=[shape.n_hidden, shape.n_code],
        batch_norm=False,
        dropout_rate=0,
        lr=LEARNING_RATE,
        batch_size=batch_size,
        epoch_num=N_EPOCHS,
        device="cpu",
        verbose=0,
    )
    detector.epoch_update = laps
    detector.fit(X)
    return laps


def fit_pythae(X, shape, batch_size):
    from pythae.data.datasets import BaseDataset
    from pythae.models import AE, AEConfig
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    laps, rows = Laps(), torch.from_numpy(X)
    size = {"input_dim": (shape.n_columns,), "latent_dim": shape.n_code}
    with tempfile.TemporaryDirectory() as folder, silence():
        config = BaseTrainerConfig(
            output_dir=folder,
            per_device_train_batch_size=batch_size,
            num_epochs=N_EPOCHS,
            learning_rate=LEARNING_RATE,
            no_cuda=True,
        )
        trainer = BaseTrainer(
            AE(AEConfig(**size), *pythae_halves(shape)),
            BaseDataset(rows, torch.ones(len(rows))),
            training_config=config,
            callbacks=[pythae_callback(laps)],
        )
        trainer.train()
    return laps


def pythae_halves(shape):
    """Return the encoder and the decoder as pythae wants them."""
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    def wrap(base, network, name):
        half = type(base.__name__, (base,), {})()
        half.network = network
        half.forward = lambda x: ModelOutput(**{name: network(x)})
        return half

    encoder, decoder = halves(shape)
    return wrap(BaseEncoder, encoder, "embedding"), wrap(BaseDecoder, decoder, "reconstruction")


def pythae_callback(laps):
    from pythae.trainers.training_callbacks import TrainingCallback

    callback = TrainingCallback()
    callback.on_epoch_end = lambda training_config, **kwargs: laps()
    return callback


@contextmanager
def silence():
    """Drop log messages and progress bars."""
    logging.disable()
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)


CONTESTANTS = {"skae": fit_skae, "plain loop": fit_plain}
PEERS = {
    "skorch": ("skorch", fit_skorch),
    "scikit-learn": ("sklearn", fit_sklearn),
    "pyod": ("pyod.models.auto_encoder", fit_pyod),
    "pythae": ("pythae.trainers", fit_pythae),
}


def installed_peers():
    """Return the peers that can be imported, and say which cannot."""
    peers = {}
    for name, (module, fit) in PEERS.items():
        try:
            import_module(module)
        except ImportError as error:
            print(f"{name} is left out: {error}.")
        else:
            peers[name] = fit
    return peers


@contextmanager
def threads(n_threads):
    """Give torch and NumPy a number of threads inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        with threadpool_limits(n_threads, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)


def in_turn(contestants, i_round):
    """Return the contestants in the order of a round."""
    return list(contestants)[:: 1 if i_round % 2 == 0 else -1]


def seconds_of(function, *args):
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    function(*args)
    return time.perf_counter() - start


def ratios(numerators, denominators):
    """Return the ratio of medians and the range of ratios within rounds, as two cells."""
    each = [a / b for a, b in zip(numerators, denominators, strict=True)]
    ratio = median(numerators) / median(denominators)
    return f"{ratio:.2f}", f"{min(each):.2f} to {max(each):.2f}"


def scaled(shape, scale):
    """Return a shape with fewer rows, but two of the peers' batches."""
    return shape._replace(n_rows=max(2 * PEERS_BATCH_SIZE, round(scale * shape.n_rows)))


def training(args):
    """Time an epoch of all contestants, in turn."""
    peers = installed_peers()
    runs = defaultdict(list)
    for i_round in range(args.rounds):
        for shape in (scaled(NARROW, args.scale), scaled(WIDE, args.scale)):
            X, with_peers = shape.data(), args.wide_peers or shape.n_columns == NARROW.n_columns
            for batch_size in BATCH_SIZES:
                extra = peers if with_peers and batch_size == PEERS_BATCH_SIZE else {}
                for n_threads in args.threads:
                    for name, fit in in_turn((CONTESTANTS | extra).items(), i_round):
                        with threads(n_threads):
                            laps = fit(X, shape, batch_size)
                        runs[shape, batch_size, n_threads, name].append(laps)
        print(f"training: round {i_round + 1} of {args.rounds}", flush=True)
    return f"{loop_table(runs)}\n\n{peer_table(runs)}"


def epochs_of(runs, *key):
    return [laps.epoch for laps in runs[key]]


def loop_table(runs):
    """Return the table of skae beside the plain loop."""
    rows = []
    for shape, batch_size, n_threads, name in runs:
        if name != "skae":
            continue
        cell = shape, batch_size, n_threads
        ours, theirs = (epochs_of(runs, *cell, name) for name in CONTESTANTS)
        layers = "-".join(map(str, shape.widths))
        rows.append([shape, layers, batch_size, n_threads, runs[*cell, "skae"][0].n_threads])
        rows[-1] += [f"{median(ours):.4f}", f"{median(theirs):.4f}", *ratios(ours, theirs)]
        rows[-1] += [TARGETS[batch_size]]
    header = ["rows x columns", "layers", "batch", "threads", "of which skae uses"]
    header += ["skae, s an epoch", "plain loop", "skae / plain", "in rounds", "target"]
    return table(header, rows)


def peer_table(runs):
    """Return the table of the peers beside skae."""
    rows = []
    for shape, batch_size, n_threads, name in runs:
        if name not in PEERS:
            continue
        cell = shape, batch_size, n_threads
        theirs, ours = (epochs_of(runs, *cell, label) for label in (name, "skae"))
        rows.append([f"{name} {version(name)}", shape, batch_size, n_threads])
        rows[-1] += [f"{median(theirs):.4f}", f"{median(ours):.4f}", *ratios(theirs, ours)]
        rows[-1] += [PEER_TARGETS.get((name, shape.n_columns), "")]
    header = ["peer", "rows x columns", "batch", "threads", "peer, s an epoch", "skae"]
    return table([*header, "peer / skae", "in rounds", "target"], rows)


def matrix_products(X, weights):
    """Do nothing but the matrix products of a reconstruction."""
    with torch.inference_mode():
        for x in X.split(SCORED_AT_A_TIME):
            for weight in weights:
                x = x @ weight


def scoring(args):
    """Time `reconstruct` beside its matrix products."""
    rows = []
    for shape in (scaled(shape, args.scale) for shape in SCORED):
        X = shape.data()
        model = autoencoder(shape, PEERS_BATCH_SIZE, 1, Laps()).fit(X[:20_000])
        weights = [torch.randn(size) / size[0] ** 0.5 for size in pairwise(shape.widths)]
        calls = {"skae": (model.reconstruct, X)}
        calls["products"] = matrix_products, torch.from_numpy(X), weights
        seconds = defaultdict(list)
        for i_round in range(SCORINGS_A_ROUND * args.rounds):
            for n_threads in args.threads:
                for name, call in in_turn(calls.items(), i_round):
                    with threads(n_threads):
                        seconds[n_threads, name].append(seconds_of(*call))
        for n_threads in args.threads:
            ours, limit = (seconds[n_threads, name] for name in calls)
            rows.append([shape, n_threads, f"{median(ours):.4f}", f"{median(limit):.4f}"])
            rows[-1] += [*ratios(ours, limit), "<= 1.5"]
    header = ["rows x columns", "threads", "reconstruct, s", "matrix products"]
    return table([*header, "ratio", "in rounds", "target"], rows)


def child(code):
    """Return the number that Python code prints in a fresh process."""
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, check=True, stdout=subprocess.PIPE, text=True
    )
    return float(run.stdout)


def print_peak(name, shape):
    """Fit a contestant, or none, and print the largest resident memory so far, in MiB."""
    X = Shape(*shape).data()
    if name in CONTESTANTS:
        CONTESTANTS[name](X, Shape(*shape), PEERS_BATCH_SIZE)
    print(peak())


def memory(args):
    """Measure the largest resident memory of a fit, beyond imports and data."""
    rows = []
    for shape in (scaled(NARROW, args.scale), scaled(WIDE, args.scale)):
        peaks = defaultdict(list)
        for i_round in range(min(args.rounds, MOST_SLOW_ROUNDS)):
            for name in in_turn(("nothing", *CONTESTANTS), i_round):
                code = f"from {__spec__.name} import print_peak as f; f({name!r}, {tuple(shape)})"
                peaks[name].append(child(code))
        before = median(peaks["nothing"])
        rows.append([shape, f"{np.prod(shape[:2]) * 4 / 2**20:.0f}", f"{before:.0f}"])
        rows[-1] += [f"{median(peaks[name]) - before:.0f}" for name in CONTESTANTS]
    header = ["rows x columns", "data, MiB", "imports and data, peak"]
    return table([*header, *(f"{name}, beyond" for name in CONTESTANTS)], rows)


def imports(args):
    """Time imports in fresh processes."""
    clock = "from time import perf_counter as now; start = now(); {}; print(now() - start)"
    seconds = defaultdict(list)
    for i_round in range(args.rounds):
        for statement in in_turn(IMPORTS, i_round):
            seconds[statement].append(child(clock.format(statement)))
    rows = [[f"`{statement}`", f"{median(seconds[statement]):.3f}"] for statement in IMPORTS]
    return table(["import", "seconds"], rows)


def smooth_data(n_rows, n_columns):
    """Return a smooth function of six normals, and noise."""
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((n_rows, 6))
    bent = np.tanh(latent @ rng.standard_normal((6, 64)))
    clean = bent @ rng.standard_normal((64, n_columns)) / 8
    return clean + 0.1 * rng.standard_normal(clean.shape)


def defaults(args):
    """Time fits at the defaults beside PCA, on the largest number of threads."""
    rows = []
    for (n_rows, n_columns), target in DEFAULTS.items():
        X = smooth_data(max(100, round(args.scale * n_rows)), n_columns)
        makers, seconds = {"skae": AutoencoderTransformer, "PCA": PCA}, defaultdict(list)
        epochs = []
        for i_round in range(min(args.rounds, MOST_SLOW_ROUNDS)):
            for name, make in in_turn(makers.items(), i_round):
                model = make(8, random_state=i_round)
                with threads(max(args.threads)):
                    seconds[name].append(seconds_of(model.fit, X))
                if name == "skae":
                    epochs.append(f"{model.n_iter_} of {model.net_.max_epochs}")
        rows.append([f"{len(X):,} x {n_columns}", max(args.threads), ", ".join(epochs)])
        rows[-1] += [f"{median(seconds['skae']):.2f}", f"{median(seconds['PCA']):.4f}", target]
    header = ["rows x columns", "threads", "epochs run", "skae, s a fit", "PCA", "target for skae"]
    return table(header, rows)


PARTS = {part.__name__: part for part in (training, scoring, memory, imports, defaults)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[*PARTS])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--scale", type=float, default=1.0, help="a factor on all rows, for trials")
    parser.add_argument("--wide-peers", action="store_true", help="peers on the wide shape, too")
    args = parser.parse_args()
    print(circumstances(), f"\n{' '.join(sys.argv[1:])}", flush=True)
    for part in args.parts:
        start = time.perf_counter()
        report = PARTS[part](args)
        print(f"\n### {part} ({time.perf_counter() - start:.0f} s)\n\n{report}\n", flush=True)


if __name__ == "__main__":
    main()
