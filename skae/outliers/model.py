"""Model: what an outlier detector has learned from rows, and what it says of others."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import torch
from sklearn.utils import gen_batches

from skae.common.shared_parameters import TrainingParameters
from skae.outliers.coordinates import Coordinates
from skae.outliers.members import EnsembleOptions, Members, train_members
from skae.outliers.memory import Memory
from skae.outliers.parts import Center, NearCodes, NearRows, Part, Reconstruction
from skae.outliers.trimming import far_rows
from skae.tables.table import Table
from skae.training.net import AutoencoderNet

PARTS = ("reconstruction", "latent", "neighbors", "center")
_EXPLAINS = "reconstruction"
_ROWS_AT_A_TIME = 8192

Encoded = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Model:
    """The parts of a score, and the scores of rows that nothing was learned from.

    Attributes
    ----------
    table : Table
        What the columns are.
    columns : Coordinates
        The way from rows to points.
    members : Members
        The ensemble.
    explaining : dict of str to Part
        The parts that explain a score, by name.
    part_names : tuple of str
        Those of them that make the score.
    held_out : ndarray of shape (n_rows,)
        The surprisals of the rows in the memory, as if nothing knew of them.
    """

    table: Table
    columns: Coordinates
    members: Members
    explaining: dict[str, Part]
    part_names: tuple[str, ...]
    held_out: np.ndarray

    @property
    def parts(self) -> dict[str, Part]:
        """The parts of the score, by name."""
        return {name: self.explaining[name] for name in self.part_names}

    def encode(self, frame: nw.DataFrame) -> Iterator[Encoded]:
        """Yield rows as numbers and states, some at a time."""
        return encode_in_batches(self.table, frame)

    def surprisals(
        self, batches: Iterable[Encoded], parts: dict[str, Part] | None = None
    ) -> dict[str, np.ndarray]:
        """Return the surprisals of new rows by part, each of shape (n_readings, n_rows)."""
        parts = self.parts if parts is None else parts
        return _surprisals(self.columns, parts, batches)

    def mean(
        self, surprisals: dict[str, np.ndarray], names: Iterable[str] | None = None
    ) -> np.ndarray:
        """Return the mean of parts, each of shape (n_readings, n_rows): of all, or of some."""
        return _mean(surprisals, surprisals if names is None else names)


@dataclass(frozen=True)
class Regime:
    """What is learned from rows, and how.

    Attributes
    ----------
    part_names : tuple of str
        The parts of the score.
    n_neighbors : int
        Which of the nearest rows counts.
    trim_fraction : float
        The share of the rows that nothing is learned from.
    steps_per_root_row : int
        The number of training steps for the root of the number of rows where it is "auto".
    """

    part_names: tuple[str, ...]
    n_neighbors: int
    trim_fraction: float
    steps_per_root_row: int


def learn_model(
    table: Table,
    memory: Memory,
    parameters: TrainingParameters,
    options: EnsembleOptions,
    regime: Regime,
    *,
    seed: int,
    device: torch.device,
    net: AutoencoderNet | None = None,
) -> tuple[Model, int, int]:
    """Learn all that there is to learn from the rows in a memory.

    Parameters
    ----------
    table : Table
        What the columns are.
    memory : Memory
        The rows.
    parameters : TrainingParameters
        An estimator, whose parameters are read.
    options : EnsembleOptions
        The members.
    regime : Regime
        What is learned from the rows.
    seed : int
        The seed.
    device : torch.device
        Where to train.
    net : AutoencoderNet or None, default=None
        What was trained before; None trains a new one.

    Returns
    -------
    model : Model
        The model.
    best_epoch : int
        The epoch whose weights it has.
    n_trimmed : int
        The number of rows that nothing was learned from.
    """
    is_kept = ~_are_far(table, memory, regime.trim_fraction)
    kept = memory.take(is_kept)
    columns = Coordinates.learn(table, kept.numbers, kept.states)
    points = columns.points(kept.numbers, kept.states)
    trained = train_members(
        parameters,
        options,
        points,
        kept.folds,
        columns,
        steps_per_root_row=regime.steps_per_root_row,
        seed=seed,
        device=device,
        net=net,
    )
    members = Members(trained[0])
    explaining = _make_parts(members, points, kept.folds, regime)
    held_out = columns.points(kept.numbers, kept.states, held_out=True)
    found = {name: part.learn(held_out, kept.folds) for name, part in explaining.items()}
    scores = np.empty(len(is_kept))
    scores[is_kept] = _mean(found, regime.part_names)
    if not is_kept.all():
        rest, parts = memory.take(~is_kept), {name: explaining[name] for name in regime.part_names}
        found = _surprisals(columns, parts, [(rest.numbers, rest.states)])
        scores[~is_kept] = _mean(found, parts)
    model = Model(table, columns, members, explaining, regime.part_names, scores)
    return model, trained[1], int((~is_kept).sum())


def encode_in_batches(table: Table, frame: nw.DataFrame) -> Iterator[Encoded]:
    """Yield rows as numbers and states, some at a time."""
    for batch in gen_batches(len(frame), _ROWS_AT_A_TIME):
        yield table.encode(frame[batch])


def _are_far(table: Table, memory: Memory, share: float) -> np.ndarray:
    """Return a mask of the rows that are trimmed, the farthest from the rest."""
    numbers, states = memory.numbers, memory.states
    n_far = min(int(share * len(states)), len(states) - 2)
    if share == 0:
        return np.zeros(len(states), dtype=bool)
    return far_rows(Coordinates.learn(table, numbers, states), numbers, states, n_far)


def _make_parts(
    members: Members, points: dict[str, np.ndarray], folds: np.ndarray, regime: Regime
) -> dict[str, Part]:
    makers = {
        "reconstruction": lambda: Reconstruction(members),
        "latent": lambda: NearCodes(members, points, folds, regime.n_neighbors),
        "neighbors": lambda: NearRows(points, regime.n_neighbors),
        "center": lambda: Center(points),
    }
    return {name: makers[name]() for name in dict.fromkeys([*regime.part_names, _EXPLAINS])}


def _surprisals(
    columns: Coordinates, parts: dict[str, Part], batches: Iterable[Encoded]
) -> dict[str, np.ndarray]:
    points = (columns.points(*rows) for rows in batches)
    found = [[part(each) for part in parts.values()] for each in points]
    joined = (np.concatenate(part, axis=1) for part in zip(*found, strict=True))
    return dict(zip(parts, joined, strict=True))


def _mean(surprisals: dict[str, np.ndarray], names: Iterable[str]) -> np.ndarray:
    return np.mean([surprisals[name].mean(0) for name in names], axis=0)
