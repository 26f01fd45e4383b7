"""Model: the fitted state of an outlier detector, and the surprisals of rows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skae.outliers.coordinates import Coordinates, Points
from skae.outliers.encoding import Encoded, are_plain
from skae.outliers.joining import join
from skae.outliers.known import Known
from skae.outliers.members import Members, Reading
from skae.outliers.memory import Memory, mean_of_equal
from skae.outliers.parts import Center, NearCodes, NearRows, Part, Reconstruction, References
from skae.outliers.trimming import Trimming
from skae.outliers.whitening import Whitening
from skae.tables.table import Table
from skae.training.net import AutoencoderNet

PARTS = ("neighbors", "reconstruction", "center", "latent")
# Explanations are by this part, even if it is no part of the score.
EXPLAINS = "reconstruction"
# The rows of a call beyond which they are read in single precision.
MOST_EXACT = 4096
# What is added to the sizes of residuals, which may be zero.
_LEAST_SCALE = 1e-3

Surprisals = dict[str, list[np.ndarray]]
Training = Callable[[Points, Memory, Coordinates], tuple[AutoencoderNet, int]]


@dataclass(frozen=True)
class Model:
    """The parts of a score, and the held-out surprisals of the training rows.

    Attributes
    ----------
    table : Table
        The columns of the table.
    columns : Coordinates
        The encoding of rows as points.
    members : Members
        The ensemble.
    explaining : dict of str to Part
        The parts of the score and the one that explanations need, by name.
    part_names : tuple of str
        The names of the parts of the score, which are among them.
    residual_scales : ndarray of shape (n_views, n_coordinates)
        The standard deviations of the errors of the reconstructions.
    held_out : ndarray of shape (n_rows,)
        The joint surprisals of the rows in the memory, as if nothing had been learned from them.
    is_far : ndarray of bool of shape (n_rows,)
        The rows in the memory that a gap parts from the others.
    memory : Memory
        The training rows.
    """

    table: Table
    columns: Coordinates
    members: Members
    explaining: dict[str, Part]
    part_names: tuple[str, ...]
    residual_scales: np.ndarray
    held_out: np.ndarray
    is_far: np.ndarray
    memory: Memory

    @property
    def parts(self) -> dict[str, Part]:
        """The parts of the score, by name."""
        return {name: self.explaining[name] for name in self.part_names}

    def read(self, rows: Encoded, *, is_exact: bool = True) -> Reading:
        """Return what is known of new rows before they are compared with others.

        In single precision, where `is_exact` is False, the last digits of a row's score depend on
        the other rows of its batch.
        """
        return self.members.read(self.columns.points(*rows, is_exact=is_exact))

    def surprisals(self, reading: Reading) -> Surprisals:
        """Return the surprisals of the quantities of all parts, by part and member."""
        return {name: part(reading) for name, part in self.parts.items()}

    def joint_by_member(self, reading: Reading) -> np.ndarray:
        """Return the joint surprisals of new rows by each member, shape (n_rows, n_reading).

        Each of them reads a row as the one that has not learned from it reads a training row, whose
        surprisals the thresholds are from.
        """
        surprisals = self.surprisals(reading)
        by_member = [
            {name: [each[m % len(each)] for each in part] for name, part in surprisals.items()}
            for m in range(self.members.n_reading)
        ]
        return np.stack([_joint(self.parts, each) for each in by_member], axis=1)

    @cached_property
    def known(self) -> Known:
        """The scores of the training rows."""
        return Known(self.memory.rounding, self.memory.keys, self.held_out)

    @cached_property
    def is_plain(self) -> bool:
        """Whether the cells of an array are the numbers that they are encoded as."""
        return are_plain(self.table)

    def __getstate__(self) -> dict:
        return {name: value for name, value in vars(self).items() if name != "known"}


@dataclass(frozen=True)
class Regime:
    """The settings that depend on whether training rows are clean.

    Attributes
    ----------
    part_names : tuple of str
        The names of the parts of the score.
    references : References
        How many rows the parts compare others with, and how.
    trimming : Trimming
        Which rows are trimmed.
    """

    part_names: tuple[str, ...]
    references: References
    trimming: Trimming


def learn_model(
    table: Table, memory: Memory, regime: Regime, train: Training
) -> tuple[Model, int, int]:
    """Trim the rows in a memory, train the members and fit the parts of the score.

    Parameters
    ----------
    table : Table
        The columns of the table.
    memory : Memory
        The rows.
    regime : Regime
        The settings of the regime.
    train : callable
        The training: from points, the rows that they are of, and the encoding, to a net and the
        epoch whose weights were kept.

    Returns
    -------
    model : Model
        The model.
    best_epoch : int
        The epoch whose weights were kept.
    n_trimmed : int
        The number of rows that were trimmed.
    """
    is_trimmed, is_far = regime.trimming.look(table, memory)
    is_kept = ~is_trimmed
    kept = memory.take(is_kept)
    columns = Coordinates.learn(table, kept.numbers, kept.states, kept.weights)
    net, best_epoch = train(columns.points(kept.numbers, kept.states), kept, columns)
    members, scores = Members(net), np.empty(len(is_kept))
    explaining, scales, scores[is_kept] = _learn_parts(columns, members, kept, regime)
    names = regime.part_names
    model = Model(table, columns, members, explaining, names, scales, scores, is_far, memory)
    if not is_kept.all():
        trimmed = memory.take(~is_kept)
        reading = model.read((trimmed.numbers, trimmed.states))
        scores[~is_kept] = model.joint_by_member(reading).mean(1)
    # Equal rows, which may be in different folds, have one score.
    scores[:] = mean_of_equal(memory, scores)
    return model, best_epoch, int((~is_kept).sum())


def _learn_parts(
    columns: Coordinates, members: Members, kept: Memory, regime: Regime
) -> tuple[dict[str, Part], np.ndarray, np.ndarray]:
    """Return the parts, the sizes of residuals, and the held-out joint surprisals of the rows."""
    points = columns.points(kept.numbers, kept.states)
    held_out = columns.points(kept.numbers, kept.states, held_out=True)
    reading = members.read_held_out(held_out, kept.folds)
    residuals = [view[0].numpy() for view in reading.residuals]
    scales = np.sqrt([np.average(each**2, axis=0, weights=kept.weights) for each in residuals])
    groups = columns.group_of_coordinate
    whitenings = [Whitening.learn(each, kept.weights, groups) for each in residuals]
    makers = {
        "neighbors": lambda: NearRows(points, regime.references),
        "reconstruction": lambda: Reconstruction(whitenings, kept.weights),
        "center": lambda: Center(points),
        "latent": lambda: NearCodes(members, points, kept.folds, regime.references),
    }
    parts = {name: makers[name]() for name in dict.fromkeys([*regime.part_names, EXPLAINS])}
    surprisals = {name: part.learn(reading, kept.weights) for name, part in parts.items()}
    chosen = {name: parts[name] for name in regime.part_names}
    joint = _joint(chosen, {name: surprisals[name] for name in chosen})
    return parts, scales + _LEAST_SCALE, joint


def _joint(parts: dict[str, Part], surprisals: Surprisals) -> np.ndarray:
    return join(surprisals, {name: part.alone for name, part in parts.items()})
