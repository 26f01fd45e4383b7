"""Microseconds of a training step at the defaults, beside plain loops and scikit-learn.

    OMP_NUM_THREADS=1 python -m benchmarks.speed.steps [--rounds 5] [--scale 1.0]

An epoch of each, in turn, on one thread; cells are medians over rounds, and ratios those of
medians. "skae" is `AutoencoderTransformer` at its defaults: noise, linear paths beside the deep
ones, GELU, bounds, a loss for every row, and the losses of the held-out rows, which count in the
time. "by autograd" is the same with the general step, which is taken where a chain has what the
direct one does not know. The plain loops have the same widths, one mean squared error, a fused
AdamW, and no linear paths; so has `MLPRegressor`. "stripped" is skae without all that, on the plain
loop's layers with ReLU.
"""

import argparse
import time
from collections import defaultdict
from itertools import pairwise
from statistics import median
from unittest import mock

import torch
from torch import nn

from benchmarks.report import circumstances, table
from benchmarks.speed.training import (
    N_EPOCHS,
    Laps,
    in_turn,
    seconds_of_perceptrons,
    smooth_data,
)
from skae import AutoencoderTransformer
from skae.training import net as net_module

# Rows, columns, hidden layers, units of the code.
SHAPES = ((20_000, 32, (128, 128), 8), (20_000, 32, (64,), 32), (8_000, 784, (256,), 32))
BATCH_SIZES = (64, 256, 1024)
STRIPPED = {"activation": "relu", "init": "random", "noise": 0, "bounds": None}


def epoch_of(ends):
    """Return the median seconds between the ends of epochs."""
    return median(after - before for before, after in pairwise(ends))


def fit_skae(X, hidden, n_components, batch_size, **options):
    laps = Laps()
    AutoencoderTransformer(
        n_components,
        hidden_layer_sizes=hidden,
        batch_size=batch_size,
        max_epochs=N_EPOCHS,
        device="cpu",
        random_state=0,
        net_params={"callbacks": [laps]},
        **options,
    ).fit(X)
    return epoch_of(laps.ends)


def fit_by_autograd(*args):
    with mock.patch.object(net_module, "is_direct", return_value=False):
        return fit_skae(*args)


def fit_stripped(*args):
    return fit_skae(*args, **STRIPPED)


def plain(activation):
    """Return a plain loop whose hidden layers have an activation."""

    def fit(X, hidden, n_components, batch_size):
        rows = torch.from_numpy(X[: round(0.9 * len(X))])
        network = nn.Sequential(
            *half((X.shape[1], *hidden, n_components), activation),
            *half((n_components, *hidden[::-1], X.shape[1]), activation),
        )
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0, fused=True)
        ends = []
        for _ in range(N_EPOCHS):
            for index in torch.randperm(len(rows)).split(batch_size):
                x = rows.index_select(0, index)
                optimizer.zero_grad()
                nn.functional.mse_loss(network(x), x).backward()
                optimizer.step()
            ends.append(time.perf_counter())
        return epoch_of(ends)

    return fit


def half(widths, activation):
    """Return the modules of an encoder or a decoder."""
    layers = [nn.Linear(n_in, n_out) for n_in, n_out in pairwise(widths)]
    return [module for layer in layers for module in (layer, activation())][:-1]


def fit_sklearn(X, hidden, n_components, batch_size):
    rows, layers = X[: round(0.9 * len(X))], (*hidden, n_components, *hidden[::-1])
    one, all_epochs = seconds_of_perceptrons(rows, layers, batch_size)
    return (all_epochs - one) / (N_EPOCHS - 1)


CONTESTANTS = {
    "skae": fit_skae,
    "by autograd": fit_by_autograd,
    "stripped": fit_stripped,
    "plain, GELU": plain(nn.GELU),
    "plain, ReLU": plain(nn.ReLU),
    "MLPRegressor": fit_sklearn,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="a factor on all rows, for trials")
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(circumstances(), flush=True)
    rows = []
    for n_rows, n_columns, hidden, n_components in SHAPES:
        X = smooth_data(round(args.scale * n_rows), n_columns).astype("float32")
        for batch_size in BATCH_SIZES:
            seconds = defaultdict(list)
            for i_round in range(args.rounds):
                for name in in_turn(CONTESTANTS, i_round):
                    fit = CONTESTANTS[name]
                    seconds[name].append(fit(X, hidden, n_components, batch_size))
            n_steps = 0.9 * len(X) / batch_size
            step = {name: 1e6 * median(each) / n_steps for name, each in seconds.items()}
            widths = "-".join(map(str, (n_columns, *hidden, n_components)))
            rows.append([widths, batch_size, *(f"{us:.0f}" for us in step.values())])
            rows[-1] += [f"{step['skae'] / step[name]:.2f}" for name in step if name != "skae"]
            rows[-1] += [f"{step['stripped'] / step[n]:.2f}" for n in [*step][-2:]]
            print(rows[-1], flush=True)
    header = ["encoder", "batch", *(f"{name}, us" for name in CONTESTANTS)]
    header += [f"skae / {name}" for name in CONTESTANTS if name != "skae"]
    header += [f"stripped / {name}" for name in [*CONTESTANTS][-2:]]
    print(f"\n{table(header, rows)}")


if __name__ == "__main__":
    main()
