"""Checkpoints: a fit that was killed goes on, and ends as if it had not been."""

import copy
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import make_rows, rows_of_a_shop
from sklearn.base import clone
from skorch.callbacks import Callback, LRScheduler

import skae
from skae import (
    AdversarialAE,
    AEOutlierDetector,
    AutoencoderTransformer,
    DenoisingAE,
    EncoderClassifier,
    GANSampler,
    GenerativeClassifier,
    VAETransformer,
)
from skae.training import checkpoints
from skae.training.net import AutoencoderNet
from skae.training.plain import packed, unpack

SHORT = {"max_epochs": 4, "batch_size": 16, "random_state": 0}
ALWAYS, NEVER = 1e-9, 1e6
READINGS = ("transform", "score_samples", "predict_proba", "sample")
FOUND = ("loss_curve_", "validation_loss_curve_", "best_epoch_", "best_loss_", "n_iter_")
FOUND += ("distance_curve_", "step_curve_", "best_step_", "stop_reason_", "offset_")
FOUND += ("discriminator_accuracy_curve_",)
LABELS = np.arange(60) % 2


class Killed(BaseException):
    """What ends a fit in place of a kill."""


def make(**params):
    return AutoencoderTransformer(2, **{**SHORT, **params})


def all_of(estimator, X):
    """Return all that comes of a fit, as texts and bytes."""
    net = estimator.net_ if hasattr(estimator, "net_") else estimator.autoencoder_.net_
    found = {name: t.numpy().tobytes() for name, t in net.module_.state_dict().items()}
    for name in READINGS:
        if hasattr(estimator, name):
            args = (3, 0) if name == "sample" else (X,)
            read = pd.DataFrame(np.asarray(getattr(estimator, name)(*args)))
            found[name] = read.to_csv(float_format="%.17g")
    return {**found, **{name: repr(getattr(estimator, name, None)) for name in FOUND}}


def number_of_writes(monkeypatch, estimator, *data):
    """Return how often a fit writes while trainings run, and what comes of it."""
    writes = []
    with monkeypatch.context() as patch:
        write = checkpoints.Training._write
        patch.setattr(checkpoints.Training, "_write", lambda *a: (write(*a), writes.append(a))[0])
        estimator.fit(*data)
    return len(writes)


def kill(monkeypatch, estimator, *data, after, error=Killed):
    """Fit, until so many checkpoints have been written."""
    n_left = [after]
    write = checkpoints.Training._write

    def write_and_count(*args):
        write(*args)
        n_left[0] -= 1
        if n_left[0] == 0:
            if error is KeyboardInterrupt:
                signal.raise_signal(signal.SIGINT)
            raise error

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.Training, "_write", write_and_count)
        with pytest.raises(error):
            estimator.fit(*data)


@pytest.fixture
def half(monkeypatch, tmp_path, rows):
    """A folder with the checkpoint of a fit of `make()` to the rows."""
    kill(monkeypatch, make(checkpoint=tmp_path / "c", checkpoint_every=ALWAYS), rows, after=6)
    return tmp_path / "c"


UNITS = (make_rows(60) - make_rows(60).min(0)) / np.ptp(make_rows(60), axis=0)
LAYERS = {"hidden_layer_sizes": (6, 4)}
FITS = {
    "plain": (make(), make_rows(60)),
    "best in between": (
        make(max_epochs=6, learning_rate=0.05, learning_rate_schedule="constant"),
        make_rows(60),
    ),
    "without early stopping": (make(early_stopping=False), make_rows(60)),
    "greedy": (make(init="greedy", **LAYERS), make_rows(60)),
    "machines": (
        make(init="rbm", likelihood="bernoulli", activation="logistic", **LAYERS),
        UNITS,
    ),
    "table": (VAETransformer(2, **SHORT), rows_of_a_shop()[:60]),
    "adversarial": (AdversarialAE(2, matching="discriminator", **SHORT), make_rows(60)),
    "another optimiser": (make(net_params={"optimizer": torch.optim.RMSprop}), make_rows(60)),
    "closure": (make(net_params={"optimizer": torch.optim.LBFGS}, max_epochs=2), make_rows(60)),
    "loader": (
        make(net_params={"iterator_train": torch.utils.data.DataLoader}, early_stopping=False),
        make_rows(60),
    ),
    "game": (GANSampler(AdversarialAE(2, **SHORT), **SHORT), make_rows(60)),
    "head": (EncoderClassifier(DenoisingAE(**SHORT), freeze=2, **SHORT), make_rows(60), LABELS),
    "members": (AEOutlierDetector(**{**SHORT, "n_members": 4}), make_rows(60)),
    "clean members": (AEOutlierDetector(**{**SHORT, "novelty": True}), make_rows(60)),
}


class TestGoingOn:
    """A fit that goes on is the one that was not killed, to the bit."""

    @pytest.mark.parametrize("name", FITS)
    def test_same_to_the_bit(self, monkeypatch, tmp_path, name):
        estimator, *data = FITS[name]
        whole = all_of(clone(estimator).fit(*data), data[0])
        always = {"checkpoint": tmp_path / "all", "checkpoint_every": ALWAYS}
        counted = clone(estimator).set_params(**always)
        n = number_of_writes(monkeypatch, counted, *data)
        assert all_of(counted, data[0]) == whole
        assert not (tmp_path / "all").exists()
        for after in (1, n // 2, n - 1, n):
            always["checkpoint"] = folder = tmp_path / str(after)
            kill(monkeypatch, clone(estimator).set_params(**always), *data, after=after)
            assert folder.exists()
            again = clone(estimator).set_params(checkpoint=str(folder), checkpoint_every=NEVER)
            assert all_of(again.fit(*data), data[0]) == whole
            assert not folder.exists()

    def test_killed_again_and_again(self, monkeypatch, tmp_path, rows):
        whole = all_of(make().fit(rows), rows)
        params = {"checkpoint": tmp_path / "c", "checkpoint_every": ALWAYS}
        for _ in range(4):
            kill(monkeypatch, make(**params), rows, after=3)
        assert all_of(make(**params).fit(rows), rows) == whole

    def test_process_that_is_killed(self, tmp_path, rows):
        script = (
            "import sys, numpy, skae\n"
            "skae.AutoencoderTransformer(2, max_epochs=300, batch_size=16, random_state=0,"
            " checkpoint=sys.argv[1], checkpoint_every=0.02).fit(numpy.load(sys.argv[2]))"
        )
        np.save(tmp_path / "rows.npy", rows)
        command = [sys.executable, "-c", script, tmp_path / "c", tmp_path / "rows.npy"]
        root = str(Path(skae.__file__).parents[1])
        process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": root})
        running = tmp_path / "c" / "skae-running.safetensors"
        while not running.exists():
            assert process.poll() is None
            time.sleep(0.001)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        whole = make(max_epochs=300).fit(rows)
        again = make(max_epochs=300, checkpoint=tmp_path / "c", checkpoint_every=NEVER).fit(rows)
        assert all_of(again, rows) == all_of(whole, rows)

    def test_work_that_is_done_is_not_done_again(self, monkeypatch, tmp_path, rows):
        made = EncoderClassifier(DenoisingAE(**SHORT), freeze=2, early_stopping=False, **SHORT)
        made.set_params(checkpoint=tmp_path / "c", checkpoint_every=ALWAYS)
        last = number_of_writes(monkeypatch, clone(made), rows, LABELS)
        kill(monkeypatch, clone(made), rows, LABELS, after=last)
        assert len(list(tmp_path.glob("c/skae-training-*"))) == 2
        steps, step = [], AutoencoderNet.train_step
        monkeypatch.setattr(
            AutoencoderNet, "train_step", lambda *a, **k: (steps.append(1), step(*a, **k))[1]
        )
        made.fit(rows, LABELS)
        assert len(steps) <= 1

    def test_goes_on_within_an_epoch(self, half):
        (_, fit), *_ = checkpoints.CheckpointFiles(half).fits()
        state = checkpoints.CheckpointFiles(half).state_of(1, torch.device("cpu"), is_over=False)
        assert len(fit["seeds"]) == 1
        # An epoch has three steps, and a checkpoint at its start and after each.
        assert (state["n_epochs"], state["n_done"], len(state["losses"])) == (1, 1, 1)

    def test_seed_is_that_of_the_checkpoint(self, monkeypatch, tmp_path, rows):
        params = {"random_state": None, "checkpoint": tmp_path / "c", "checkpoint_every": ALWAYS}
        kill(monkeypatch, make(**params), rows, after=6)
        shutil.copytree(tmp_path / "c", tmp_path / "d")
        fits = [make(**{**params, "checkpoint": tmp_path / name}).fit(rows) for name in "cd"]
        assert all_of(fits[0], rows) == all_of(fits[1], rows)
        assert all_of(fits[0], rows) != all_of(make(**params).fit(rows), rows)

    def test_rows_that_do_not_fit_into_memory(self, monkeypatch, tmp_path):
        source = skae.stream([pd.DataFrame(make_rows(5000) + i) for i in (0, 1)], buffer_rows=4096)
        whole = make(batch_size=1000).fit(source)
        params = {"batch_size": 1000, "checkpoint": tmp_path / "c", "checkpoint_every": ALWAYS}
        kill(monkeypatch, make(**params), source, after=19)
        again = make(**{**params, "checkpoint_every": NEVER}).fit(source)
        assert all_of(again, make_rows(60)) == all_of(whole, make_rows(60))

    def test_warm_start(self, monkeypatch, tmp_path, rows):
        first = make(warm_start=True).fit(rows)
        whole = copy.deepcopy(first).fit(rows)
        kept = copy.deepcopy(first).set_params(checkpoint=tmp_path / "c", checkpoint_every=ALWAYS)
        kill(monkeypatch, copy.deepcopy(kept), rows, after=6)
        assert all_of(kept.fit(rows), rows) == all_of(whole, rows)

    def test_callbacks_of_the_user(self, monkeypatch, tmp_path, rows):
        class Slower(Callback):
            def on_epoch_begin(self, net, **kwargs):
                self.n_ = vars(self).get("n_", 0) + 1
                net.lr = 0.01 / self.n_

        def with_callback():
            return make(net_params={"callbacks": [Slower()]}, learning_rate_schedule="one_cycle")

        whole = with_callback().fit(rows)
        kept = {"checkpoint": tmp_path / "c", "checkpoint_every": ALWAYS}
        kill(monkeypatch, with_callback().set_params(**kept), rows, after=9)
        again = with_callback().set_params(**kept).fit(rows)
        assert all_of(again, rows) == all_of(whole, rows)


class TestFiles:
    """Files are whole, are written now and then, and are gone after a fit."""

    def test_at_most_every_few_seconds(self, monkeypatch, tmp_path, rows):
        seconds = iter(range(10_000))
        monkeypatch.setattr(checkpoints.time, "monotonic", lambda: next(seconds))
        made = make(checkpoint=tmp_path / "c", checkpoint_every=5)
        n_steps = 4 * 4
        assert 2 <= number_of_writes(monkeypatch, made, rows) <= n_steps // 4
        seconds = iter([0.0] * 1000)
        assert number_of_writes(monkeypatch, made, rows) == 0

    def test_own_folder_is_removed_and_others_stay(self, monkeypatch, half, tmp_path, rows):
        (half / "note.txt").write_text("mine")
        (half / "skae-running.safetensors.part").write_bytes(b"half a file")
        make(checkpoint=half).fit(rows)
        assert [path.name for path in half.iterdir()] == ["note.txt"]
        (tmp_path / "there").mkdir()
        make(checkpoint=tmp_path / "there", checkpoint_every=ALWAYS).fit(rows)
        assert list((tmp_path / "there").iterdir()) == []

    def test_ctrl_c_leaves_it(self, monkeypatch, tmp_path, rows):
        made = make(checkpoint=tmp_path / "c", checkpoint_every=ALWAYS)
        kill(monkeypatch, made, rows, after=6, error=KeyboardInterrupt)
        assert not hasattr(made, "net_")
        assert all_of(made.fit(rows), rows) == all_of(make().fit(rows), rows)

    def test_passes_write_none(self, monkeypatch, tmp_path, rows):
        def refuse(*args):
            raise AssertionError("A pass wrote a checkpoint.")

        monkeypatch.setattr(checkpoints.CheckpointFiles, "write", refuse)
        params = {"checkpoint": tmp_path / "c", "checkpoint_every": ALWAYS, "max_epochs": 2}
        for made in (AutoencoderTransformer(2, **params), AEOutlierDetector(**params)):
            made.partial_fit(rows).partial_fit(rows)

    @pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
    def test_half_files_are_refused(self, half, rows, share):
        path = half / "skae-running.safetensors"
        data = path.read_bytes()
        path.write_bytes(data[: int(share * len(data))])
        with pytest.raises(ValueError, match=f"{path} cannot be read.*Remove the folder"):
            make(checkpoint=half).fit(rows)

    def test_changed_files_are_refused(self, half, rows):
        path = half / "skae-running.safetensors"
        data = bytearray(path.read_bytes())
        data[-100] ^= 1
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"skae-running.safetensors cannot be read: sha256"):
            make(checkpoint=half).fit(rows)

    def test_folders_that_are_none(self, monkeypatch, tmp_path, rows):
        (tmp_path / "file").write_text("")
        for folder in (tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(NotADirectoryError, match=r"'checkpoint'.*is no folder"):
                make(checkpoint=folder).fit(rows)

        def refuse(**kwargs):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("skae.training.checkpoint_files.tempfile.TemporaryFile", refuse)
        with pytest.raises(PermissionError, match="'checkpoint' parameter must be a folder that"):
            make(checkpoint=tmp_path / "c").fit(rows)

    def test_disks_that_are_full(self, monkeypatch, half, rows):
        def refuse(*args):
            raise OSError(28, "No space left on device")

        before = (half / "skae-running.safetensors").read_bytes()
        monkeypatch.setattr("skae.training.checkpoint_files.os.fsync", refuse)
        with pytest.raises(OSError, match=r"skae-running.safetensors cannot be written: No space"):
            make(checkpoint=half, checkpoint_every=ALWAYS).fit(rows)
        assert (half / "skae-running.safetensors").read_bytes() == before


class TestOtherFits:
    """A checkpoint of another fit raises an error that says how it differs."""

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"learning_rate": 0.02}, "learning_rate was 0.003 and is 0.02"),
            ({"random_state": 1}, "random_state was 0 and is 1"),
            ({"n_components": 1}, "n_components was 2 and is 1"),
            ({"net_params": {"lr": 0.1}}, "net_params was None and is {'lr': 0.1}"),
        ],
    )
    def test_parameters(self, half, rows, params, message):
        default = clone(make()).get_params()["learning_rate"]
        with pytest.raises(ValueError, match=message.replace("0.003", str(default))) as caught:
            make(checkpoint=half).set_params(**params).fit(rows)
        assert "Remove the folder to start anew, or name another" in str(caught.value)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda x: x[:-1], "number of rows was 60 and is 59"),
            (lambda x: x[:, :-1], "number of columns was 5 and is 4"),
            (lambda x: x + np.eye(60, 5), "the rows are others"),
            (lambda x: pd.DataFrame(x), "the rows are others"),
        ],
    )
    def test_rows(self, half, rows, change, message):
        with pytest.raises(ValueError, match=message):
            make(checkpoint=half).fit(change(rows))

    def test_weights_and_labels(self, monkeypatch, half, rows, tmp_path):
        with pytest.raises(ValueError, match="the weights are others"):
            make(checkpoint=half).fit(rows, sample_weight=np.ones(60))
        made = EncoderClassifier(DenoisingAE(**SHORT), **SHORT)
        made.set_params(checkpoint=tmp_path / "d", checkpoint_every=ALWAYS)
        kill(monkeypatch, made, rows, LABELS, after=3)
        with pytest.raises(ValueError, match="the labels are others"):
            made.fit(rows, 1 - LABELS)
        with pytest.raises(ValueError, match=r"autoencoder__tol was 0.0001 and is 0.1"):
            made.set_params(autoencoder__tol=0.1).fit(rows, LABELS)

    def test_class_and_version(self, monkeypatch, half, rows):
        with pytest.raises(ValueError, match="class was AutoencoderTransformer and is DenoisingAE"):
            DenoisingAE(2, checkpoint=half, **SHORT).fit(rows)
        monkeypatch.setattr(skae, "__version__", "99")
        with pytest.raises(ValueError, match=r"version of skae was .* and is 99"):
            make(checkpoint=half).fit(rows)

    def test_rows_beyond_those_that_are_compared(self, monkeypatch, half, rows):
        monkeypatch.setattr(checkpoints, "digest_of", lambda net: "another")
        with pytest.raises(ValueError, match="training 1 starts from other weights"):
            make(checkpoint=half).fit(rows)

    def test_what_may_differ(self, half, rows):
        make(checkpoint=half, checkpoint_every=3, verbose=0).fit(rows)
        assert not half.exists()


class TestRefusals:
    """What cannot be kept is refused at the start, by name."""

    def test_callbacks(self, tmp_path, rows):
        made = make(checkpoint=tmp_path / "c")
        made.set_params(net_params={"callbacks": [LRScheduler(policy="StepLR", step_size=2)]})
        message = r"'lr_scheduler_' of the callback LRScheduler in net_params\['callbacks'\]"
        with pytest.raises(ValueError, match=message):
            made.fit(rows)

    def test_densities_of_classes(self, tmp_path, rows):
        density = VAETransformer(2, max_epochs=2, checkpoint=tmp_path / "c")
        with pytest.raises(ValueError, match="'checkpoint' parameter of an autoencoder"):
            GenerativeClassifier(density).fit(rows, LABELS)


def test_attributes_of_modules():
    state = {
        "numpy": np.random.default_rng(0),
        "older": np.random.RandomState(0),
        "torch": torch.Generator().manual_seed(0),
        "shares": [torch.tensor(0.1 * i) for i in range(40)],
        "pair": (1, [2.0, "three"]),
        "function": len,
    }
    kept = packed(state)
    assert "function" not in kept
    kept = copy.deepcopy(kept)
    draws = [
        state["numpy"].random(),
        state["older"].rand(),
        torch.rand(2, generator=state["torch"]),
    ]
    others = {**state, "shares": [], "pair": None}
    unpack(kept, others)
    assert others["shares"] == state["shares"]
    assert others["pair"] == (1, [2.0, "three"])
    again = [others["numpy"].random(), others["older"].rand()]
    assert [*again, *torch.rand(2, generator=others["torch"])] == [*draws[:2], *draws[2]]
