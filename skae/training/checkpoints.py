"""Checkpoints: a fit that was killed goes on where it was, and ends as if it had not been."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Any

import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from skae.common.seeds import draw_seed
from skae.saving.errors import FileError
from skae.training.checkpoint_files import CheckpointFiles, Packed
from skae.training.fingerprint import Fingerprint, difference, fingerprint_of
from skae.training.generators import generator_states, set_generators
from skae.training.mode import Mode
from skae.training.net import AutoencoderNet
from skae.training.rows import Batches, Rows
from skae.training.snapshot import digest_of, go_on, snapshot

_FAILED = "The checkpoint in {folder} does not fit this fit: {error}. Remove it to start anew."


class Checkpoint:
    """The checkpoint of a fit, whose trainings are numbered in the order in which they run.

    Parameters
    ----------
    files : CheckpointFiles
        The files.
    every : float
        The fewest seconds between two times of writing.
    fingerprint : dict
        What tells the fit.

    Raises
    ------
    ValueError
        If there are files of another fit, or damaged ones.
    """

    def __init__(self, files: CheckpointFiles, every: float, fingerprint: Fingerprint) -> None:
        self.files = files
        self.every = every
        self.fingerprint = fingerprint
        self._known_seeds: list[int] = []
        self._seeds: list[int] = []
        self._n_trainings = 0
        self._ended: list[Packed] = []
        for path, fit in files.fits():
            how = difference(fit["fingerprint"], fingerprint)
            if how is not None:
                raise files.different(path, how)
            self._known_seeds = max(self._known_seeds, fit["seeds"], key=len)
        self._written = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether it is time to write."""
        return time.monotonic() - self._written >= self.every

    def seed(self, random_state: Any) -> int:
        """Draw a seed, or return the one that was drawn in its place before."""
        drawn, place = draw_seed(random_state), len(self._seeds)
        known = self._known_seeds[place] if place < len(self._known_seeds) else drawn
        self._seeds.append(known)
        return known

    def run(self, net: AutoencoderNet, rows: Rows) -> None:
        """Train a net; go on where an earlier training of the same number was."""
        self._n_trainings += 1
        training = Training(self, self._n_trainings, rows, digest_of(net))
        training.run(net)

    def write(self, running: Packed) -> None:
        """Write the states of the trainings that ended since the last time, and of this one."""
        fit = {"fingerprint": self.fingerprint, "seeds": self._seeds}
        for each in [*self._ended, running]:
            self.files.write(each, fit)
        self._ended = []
        self._written = time.monotonic()

    def end(self, ended: Packed) -> None:
        """Keep the state of a training that is over until it is time to write."""
        if self.is_due:
            self.write(ended)
        else:
            self._ended.append(ended)


class Training:
    """One training of a fit with a checkpoint.

    Parameters
    ----------
    checkpoint : Checkpoint
        The checkpoint.
    number : int
        The number of the training.
    rows : Rows
        The rows.
    start : str
        A digest of what it starts from.
    """

    def __init__(self, checkpoint: Checkpoint, number: int, rows: Rows, start: str) -> None:
        self.checkpoint = checkpoint
        self.number = number
        self.rows = rows
        self.start = start
        self._earlier: dict[str, Any] | None = None
        self._has_begun = False

    def run(self, net: AutoencoderNet) -> None:
        """Train a net, from the start or from where it was, or restore the end."""
        state = self._state(net, is_over=True)
        if state is not None:
            net.on_train_begin(net)
            self._go_on(net, state)
            return
        state = self._earlier = self._state(net, is_over=False)
        n_done = 0 if state is None else state["n_epochs"]
        net.watch_ = self.watch
        try:
            net.partial_fit(self.rows, epochs=net.max_epochs - n_done)
        finally:
            del net.watch_
        end = {
            **snapshot(net, self.rows, is_over=True),
            "start": self.start,
            "device": str(net.device),
            "now": generator_states(torch.device(net.device)),
        }
        self.checkpoint.end(Packed.of(self.number, end, is_over=True))

    def watch(
        self, net: AutoencoderNet, iterator: Iterable, losses: list[Tensor], weights: list
    ) -> Iterator[Any]:
        """Return the batches of an epoch that are left, and write what is due between them.

        Parameters
        ----------
        net : AutoencoderNet
            The net, which is put back to where it was if an earlier training goes on.
        iterator : iterable
            All batches of the epoch.
        losses, weights : list
            The losses and weights of the batches that are done, to which others add.
        """
        device, state = torch.device(net.device), self._earlier
        start = generator_states(device)
        n_done = 0
        if state is not None:
            self._earlier = None
            start, n_done = state["epoch"], state["n_done"]
            losses.extend(state["losses"].clone().unbind() if n_done else [])
            weights.extend(state["weights"])
            # The order of the rows is drawn again, and what is drawn after it as it was.
            set_generators(start, device)
            left = _left(iterator, n_done)
            self._go_on(net, state)
        else:
            left = _left(iterator, 0)
        if not self._has_begun:
            # What cannot be kept is refused now rather than at the first time of writing.
            Packed.of(self.number, snapshot(net, self.rows), is_over=False)
            self._has_begun = True
        return self._watched(net, left, isinstance(iterator, Batches), start, losses, weights)

    def _watched(
        self,
        net: AutoencoderNet,
        batches: Iterator,
        draws_at_start: bool,
        start: dict[str, Any],
        losses: list[Tensor],
        weights: list,
    ) -> Iterator[Any]:
        # Other iterators may draw between batches, so that only the start of an epoch is kept.
        if self.checkpoint.is_due and (draws_at_start or not losses):
            self._write(net, start, losses, weights)
        for batch in batches:
            yield batch
            if self.checkpoint.is_due and draws_at_start:
                self._write(net, start, losses, weights)

    def _write(
        self, net: AutoencoderNet, start: dict[str, Any], losses: list[Tensor], weights: list
    ) -> None:
        state = {
            **snapshot(net, self.rows),
            "start": self.start,
            "device": str(net.device),
            "now": generator_states(torch.device(net.device)),
            "epoch": start,
            "n_epochs": len(net.history) - 1,
            "n_done": len(losses),
            "losses": torch.stack(losses) if losses else None,
            "weights": [float(each) for each in weights],
        }
        self.checkpoint.write(Packed.of(self.number, state, is_over=False))

    def _state(self, net: AutoencoderNet, *, is_over: bool) -> dict[str, Any] | None:
        """Return what was kept of the training, if it started as this one does."""
        state = self.checkpoint.files.state_of(
            self.number, torch.device(net.device), is_over=is_over
        )
        if state is None:
            return None
        if state["device"] != str(net.device):
            raise self._refusal(f"the device was {state['device']} and is {net.device}")
        if state["start"] != self.start:
            raise self._refusal(
                f"training {self.number} starts from other weights than it did. The rows beyond "
                f"those that are compared, a given autoencoder, or packages are others"
            )
        return state

    def _go_on(self, net: AutoencoderNet, state: dict[str, Any]) -> None:
        try:
            go_on(net, self.rows, state)
        except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
            raise self._refusal(str(error)) from error
        set_generators(state["now"], torch.device(net.device))

    def _refusal(self, error: str) -> FileError:
        return FileError(_FAILED.format(folder=self.checkpoint.files.folder, error=error))


def _left(iterator: Iterable, n_done: int) -> Iterator:
    """Return the batches of an epoch without the first ones."""
    if isinstance(iterator, Batches):
        return iterator.after(n_done)
    return islice(iter(iterator), n_done, None)


_CURRENT: ContextVar[Checkpoint | None] = ContextVar("checkpoint", default=None)


@contextmanager
def checkpointed(
    estimator: Any, X: Any, y: Any, sample_weight: Any, mode: Mode = Mode.FIT
) -> Iterator[None]:
    """Keep a checkpoint of the trainings inside the block, if the estimator asks for one.

    A single pass keeps none. Inside the fit of an estimator with a checkpoint, the trainings of
    others belong to that one. At the end of the block the files are removed; they stay if it raises
    an error.
    """
    asks = estimator.checkpoint is not None and not mode.is_pass
    if not asks or _CURRENT.get() is not None:
        yield
        return
    assert isinstance(estimator, BaseEstimator)
    files = CheckpointFiles(estimator.checkpoint)
    fingerprint = fingerprint_of(estimator, X, y, sample_weight, mode.value)
    checkpoint = Checkpoint(files, estimator.checkpoint_every, fingerprint)
    token = _CURRENT.set(checkpoint)
    try:
        yield
    finally:
        _CURRENT.reset(token)
    files.remove()


def draw_fit_seed(random_state: Any) -> int:
    """Draw the seed of a fit, or return that of the fit which goes on."""
    checkpoint = _CURRENT.get()
    return draw_seed(random_state) if checkpoint is None else checkpoint.seed(random_state)


def run_training(net: AutoencoderNet, rows: Rows) -> None:
    """Train a net, with a checkpoint if the fit has one."""
    checkpoint = _CURRENT.get()
    if checkpoint is None:
        net.partial_fit(rows)
    else:
        checkpoint.run(net, rows)
