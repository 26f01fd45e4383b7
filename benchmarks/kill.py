"""Kills of fits at random moments, and what becomes of them when they go on.

    python -m benchmarks.kill [--kills 50] [--every 0.1] [--seed 0]

Fits run in processes of their own, are killed (SIGKILL) at random moments, some several times, and
go on in new processes. Each is compared, to the bit, with one that was never killed: weights,
readings, loss curves and the best epoch. What is lost is the time of the training since it began or
the last checkpoint. After every kill all files are read; copies are cut and changed, and must be
refused.
"""

import argparse
import hashlib
import json
import multiprocessing
import random
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from benchmarks.report import circumstances, table
from skae import (
    AdversarialAE,
    AEOutlierDetector,
    AutoencoderTransformer,
    DenoisingAE,
    EncoderClassifier,
    GANSampler,
    VAETransformer,
)
from skae.training.checkpoint_files import CheckpointFiles
from skae.training.net import AutoencoderNet

# New processes, of a server that has imported this file and done nothing.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["benchmarks.kill"])

# The most kills of one fit, and the mutants of every file.
_MOST_KILLS, _MUTANTS = 3, 10
_MOST_TRAININGS = 8
_READINGS = ("transform", "score_samples", "predict_proba")
_CURVES = ("loss_curve_", "validation_loss_curve_", "best_epoch_", "n_iter_", "distance_curve_")

FITS = {
    "AutoencoderTransformer": lambda: AutoencoderTransformer(2, max_epochs=400),
    "long epochs": lambda: AutoencoderTransformer(2, max_epochs=6, batch_size=1),
    "greedy": lambda: AutoencoderTransformer(2, max_epochs=250, init="greedy"),
    "VAETransformer": lambda: VAETransformer(2, max_epochs=150),
    "AdversarialAE": lambda: AdversarialAE(2, matching="discriminator", max_epochs=60),
    "GANSampler": lambda: GANSampler(AdversarialAE(2, max_epochs=20), max_epochs=30),
    "EncoderClassifier": lambda: EncoderClassifier(DenoisingAE(max_epochs=100), max_epochs=100),
    "AEOutlierDetector": lambda: AEOutlierDetector(novelty=True, max_epochs=200),
}


def rows():
    """Return rows around a bent curve, and labels."""
    rng = np.random.default_rng(0)
    t = rng.uniform(-2, 2, size=(1000, 1))
    X = np.hstack([t, t**2, np.sin(t), 1 - t, 0.3 * t**3]) + 0.05 * rng.normal(size=(1000, 5))
    return X, (t[:, 0] > 0).astype(int)


def fit(name, folder, every, result, says):
    """Fit, and write a digest of all that comes of it: what a process of its own does.

    It says when the fit begins and ends, and when trainings do.
    """
    X, y = rows()
    estimator = FITS[name]().set_params(random_state=0, n_iter_no_change=10_000)
    if folder:
        estimator.set_params(checkpoint=folder, checkpoint_every=every)
    train = AutoencoderNet.partial_fit

    def train_and_say(self, *args, **kwargs):
        says.send("training")
        train(self, *args, **kwargs)
        says.send("trained")

    AutoencoderNet.partial_fit = train_and_say
    says.send("begins")
    start = time.perf_counter()
    estimator.fit(X, y)
    seconds = time.perf_counter() - start
    says.send("ends")
    digest = hashlib.sha256()
    net = getattr(estimator, "net_", None) or estimator.autoencoder_.net_
    for tensor in net.module_.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    for reading in _READINGS:
        if hasattr(estimator, reading):
            digest.update(np.ascontiguousarray(getattr(estimator, reading)(X)).tobytes())
    digest.update(repr([getattr(estimator, curve, None) for curve in _CURVES]).encode())
    Path(result).write_text(json.dumps({"digest": digest.hexdigest(), "seconds": seconds}))


def started(name, folder, every, result):
    """Return a process that fits, once the fit begins, and where it says what it does."""
    heard, says = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=fit, args=(name, str(folder), every, str(result), says))
    process.start()
    says.close()
    heard.recv()
    return process, heard


def fit_and_read(name, folder, every, result):
    """Fit without a kill, and return what came of it."""
    process, _heard = started(name, folder, every, result)
    process.join()
    if process.exitcode != 0:
        raise RuntimeError(f"The fit of {name} failed.")
    return json.loads(Path(result).read_text())


def killed(name, folder, every, result, wait):
    """Fit, kill it after a time, and return the seconds of training that are lost.

    It is None if the fit ended before, and 0 if it was killed between two trainings.
    """
    process, heard = started(name, folder, every, result)
    end, last, begin = time.time() + wait, "begins", time.time()
    while last != "ends" and time.time() < end:
        if heard.poll(max(0.0, end - time.time())):
            last, begin = heard.recv(), time.time()
    if last == "ends":
        process.join()
        return None
    process.kill()
    now = time.time()
    process.join()
    with suppress(EOFError):
        while True:
            last = heard.recv()
    if last == "ends":
        return None
    written = [path.stat().st_mtime for path in Path(folder).glob("*.safetensors")]
    return now - max([begin, *written]) if last == "training" else 0.0


def n_read_in(folder):
    """Return the number of trainings whose state is read from the files of a folder."""
    files = CheckpointFiles(folder)
    assert all(fit["seeds"] for _, fit in files.fits())
    states = [
        files.state_of(training, torch.device("cpu"), is_over=is_over)
        for training in range(1, _MOST_TRAININGS + 1)
        for is_over in (True, False)
    ]
    return sum(state is not None for state in states)


def damaged_that_load(folder, rng):
    """Return how many files were changed, and how many of these were read; the others must be."""
    n_tried = n_read = 0
    assert n_read_in(folder) == len(list(Path(folder).glob("*.safetensors")))
    for path in Path(folder).glob("*.safetensors"):
        data = path.read_bytes()
        with tempfile.TemporaryDirectory() as other:
            for _ in range(_MUTANTS):
                place = rng.randrange(len(data))
                changed = bytes([data[place] ^ 1 << rng.randrange(8)])
                half = data[:place]
                mutant = half if rng.random() < 0.5 else half + changed + data[place + 1 :]
                (Path(other) / path.name).write_bytes(mutant)
                n_tried += 1
                with suppress(ValueError):
                    n_read += n_read_in(other)
    return n_tried, n_read


def trial(name, reference, every, rng):
    """Kill a fit a few times, let it end, and return what was found."""
    losses, n_tried, n_read, n_parts = [], 0, 0, 0
    with tempfile.TemporaryDirectory() as home:
        folder, result = Path(home) / "checkpoint", Path(home) / "result"
        for _ in range(rng.randint(1, _MOST_KILLS)):
            lost = killed(name, folder, every, result, rng.uniform(0, reference["seconds"]))
            if lost is None:
                break
            losses.append(lost / every)
            n_parts += len(list(folder.glob("*.part")))
            tried, read = damaged_that_load(folder, rng) if folder.exists() else (0, 0)
            n_tried, n_read = n_tried + tried, n_read + read
        found = fit_and_read(name, folder, every, result)
        return {
            "losses": losses,
            "equal": found["digest"] == reference["digest"],
            "left": folder.exists(),
            "tried": n_tried,
            "read": n_read,
            "parts": n_parts,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--every", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(circumstances(), flush=True)
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "result"
        references = {name: fit_and_read(name, "", args.every, path) for name in FITS}
    trials = {name: [] for name in FITS}
    names = list(FITS)
    while sum(len(each["losses"]) for found in trials.values() for each in found) < args.kills:
        name = names[sum(map(len, trials.values())) % len(names)]
        trials[name].append(trial(name, references[name], args.every, rng))
        print(name, trials[name][-1], flush=True)
    lines = [_line(name, references[name], found) for name, found in trials.items() if found]
    header = ["fit", "seconds", "fits", "kills", "equal to the bit", "lost at most, intervals"]
    print(table([*header, "half files", "damaged, tried", "of these read"], lines))


def _line(name, reference, found):
    losses = [loss for each in found for loss in each["losses"]]
    totals = [sum(each[key] for each in found) for key in ("parts", "tried", "read")]
    equal = sum(each["equal"] and not each["left"] for each in found)
    worst = f"{max(losses):.2f}" if losses else "-"
    return [name, f"{reference['seconds']:.1f}", len(found), len(losses), equal, worst, *totals]


if __name__ == "__main__":
    main()
