"""All that a GPU has to show: tests, steps, throughput, equal results, memory.

    python -m benchmarks.gpu [--parts tests steps throughput equality] [--rows 1000000] [--out FILE]

"tests" runs the tests marked `cuda`. "steps" times a training step of an autoencoder with two
hidden layers, at the defaults: as skae's net makes it, as a plain loop of the same module does, the
same loop captured in a CUDA graph, compiled, and with matrix products in bfloat16. "throughput"
compares fits and scores with the CPU's of the same machine. "equality" fits on the CPU, moves the
chain and compares. It takes less than ten minutes.
"""

import argparse
import copy
import json
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch

from benchmarks.report import circumstances, table
from skae import (
    AEOutlierDetector,
    AutoencoderTransformer,
    ContractiveAE,
    DenoisingAE,
    SparseAE,
    VAETransformer,
)

STEPS = ((32, 256), (32, 4096), (784, 256), (784, 4096))
WARM_UP, COUNTED = 30, 200
AUTOENCODERS = (AutoencoderTransformer, DenoisingAE, SparseAE, ContractiveAE, VAETransformer)
TESTS = "tests/common/test_cuda.py"
METHODS = ("transform", "reconstruct", "score_samples")


def make_rows(n_rows, n_columns, seed=0):
    """Return rows around a bent surface of five dimensions."""
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((n_rows, 5), dtype=np.float32)
    mixed = np.tanh(hidden @ rng.standard_normal((5, n_columns), dtype=np.float32))
    return mixed + 0.1 * rng.standard_normal((n_rows, n_columns), dtype=np.float32)


def tests(args):
    """Run the tests marked `cuda`, and return their last line."""
    # Warnings of what else is installed beside the GPU are no errors.
    command = [sys.executable, "-m", "pytest", "-q", "-o", "filterwarnings=", TESTS]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    lines = done.stdout.strip().splitlines()
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR", "E  "))]
    return "\n".join([*failed[:60], lines[-1] if lines else done.stderr[-2000:]])


def seconds_a_step(step):
    """Return the mean seconds of a step on the device, after a warm-up."""
    for _ in range(WARM_UP):
        step()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(COUNTED):
        step()
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / COUNTED


def plain_step(chain, x, *, in_bfloat16=False):
    """Return a step of a plain loop, with an optimiser that can be captured."""
    optimizer = torch.optim.AdamW(chain.parameters(), lr=1e-3, fused=True, capturable=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        cast = torch.autocast("cuda", torch.bfloat16) if in_bfloat16 else nullcontext()
        with cast:
            loss = chain.loss(*chain(x), x).mean()
        loss.backward()
        optimizer.step()

    return step


def captured(step):
    """Return the replay of a step that is captured in a CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def steps_of(n_columns, batch_size):
    """Return the ways to make a step, each as a function that returns one."""
    X = make_rows(4096, n_columns)
    estimator = AutoencoderTransformer(8, max_epochs=1, device="cuda", random_state=0).fit(X)
    x = torch.from_numpy(estimator.columns_.encode(X))[:batch_size].cuda()
    net, chain = estimator.net_, estimator.net_.chain.train()

    def another():
        return copy.deepcopy(chain).train()

    def skae():
        net.get_iterator([0], training=True)
        net.on_train_begin(net)
        return lambda: net.train_step((x, None))

    def compiled(**options):
        return plain_step(torch.compile(another(), **options), x)

    return {
        "skae": skae,
        "plain": lambda: plain_step(another(), x),
        "graph": lambda: captured(plain_step(another(), x)),
        "compiled": compiled,
        "bfloat16": lambda: plain_step(another(), x, in_bfloat16=True),
        "graph, bfloat16": lambda: captured(plain_step(another(), x, in_bfloat16=True)),
    }


def attempt(make):
    """Return the seconds of a step, or why there are none."""
    try:
        return seconds_a_step(make())
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0][:60]}"


def steps(args):
    """Return the microseconds of a step, by way of making it."""
    rows, names = [], None
    for n_columns, batch_size in STEPS:
        ways = steps_of(n_columns, batch_size)
        names = list(ways)
        found = [attempt(make) for make in ways.values()]
        shown = [f"{1e6 * each:.0f}" if isinstance(each, float) else each for each in found]
        rows.append([n_columns, batch_size, *shown])
    return table(["columns", "batch", *names], rows)


def timed(function):
    """Return the seconds of a call."""
    start = time.perf_counter()
    function()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def throughput(args):
    """Return thousands of rows a second in training and scoring, and memory on the device."""
    X = make_rows(args.rows, 32)
    rows = []
    for name, estimator, few in (
        ("AutoencoderTransformer", AutoencoderTransformer(8, max_epochs=2), X),
        ("the same, batches of 4,096", AutoencoderTransformer(8, max_epochs=2, batch_size=4096), X),
        ("VAETransformer", VAETransformer(8, max_epochs=2, n_draws=10), X[: args.rows // 5]),
        ("AEOutlierDetector", AEOutlierDetector(), X[: args.rows // 50]),
    ):
        for device in ("cuda", "cpu"):
            torch.cuda.reset_peak_memory_stats()
            fitted = estimator.set_params(device=device, random_state=0)
            if device == "cuda":
                fitted.fit(few[:2000])
            fit = timed(lambda fitted=fitted, few=few: fitted.fit(few))
            score = timed(lambda fitted=fitted, few=few: fitted.score_samples(few))
            trained = len(few) * fitted.n_iter_ / fit
            memory = torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else 0
            figures = [f"{len(few):,}", f"{fit:.1f}", f"{trained / 1e3:.0f}", f"{score:.2f}"]
            rows.append([name, device, *figures, f"{len(few) / score / 1e3:.0f}", f"{memory:.0f}"])
            print(rows[-1], file=sys.stderr, flush=True)
    header = ["estimator", "device", "rows", "fit, s", "trained, k rows/s", "score, s"]
    return table([*header, "scored, k rows/s", "peak on device, MiB"], rows)


def equality(args):
    """Return the largest difference of the same chain on both devices, over the largest value."""
    X, rows = make_rows(5000, 32), []
    for cls in AUTOENCODERS:
        fitted = cls(8, max_epochs=5, device="cpu", random_state=0).fit(X)
        here = {name: getattr(fitted, name)(X) for name in METHODS}
        fitted.net_.set_params(device="cuda")
        fitted.net_.module_.to("cuda")
        differences = []
        for name in METHODS:
            there = getattr(fitted, name)(X)
            differences.append(np.abs(there - here[name]).max() / np.abs(here[name]).max())
        rows.append([cls.__name__, *(f"{each:.1e}" for each in differences)])
    return table(["estimator", *METHODS], rows)


PARTS = {part.__name__: part for part in (tests, steps, throughput, equality)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--out")
    args = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("torch finds no CUDA device on this machine.")
    print(
        f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}, {circumstances()}", flush=True
    )
    found = {}
    for name in args.parts:
        start = time.perf_counter()
        found[name] = PARTS[name](args)
        print(f"\n## {name} ({time.perf_counter() - start:.0f} s)\n\n{found[name]}", flush=True)
        if args.out:
            Path(args.out).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
