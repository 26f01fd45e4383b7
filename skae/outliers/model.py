"""Model: the fitted state of an outlier detector, and the surprisals of rows."""

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
# The part that is used in explanations even if it is no part of the score.
_EXPLAINS = "reconstruction"
_ROWS_AT_A_TIME = 8192

Encoded = tuple[np.ndarray, np.ndarray]


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
        The parts that are used in explanations, by name.
    part_names : tuple of str
        The names of the parts of the score, which are among them.
    held_out : ndarray of shape (n_rows,)
        The surprisals of the rows in the memory, as if nothing had been learned from them.
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
        """Yield rows as numbers and states, in batches."""
        return encode_in_batches(self.table, frame)

    def surprisals(
        self, batches: Iterable[Encoded], parts: dict[str, Part] | None = None
    ) -> dict[str, np.ndarray]:
        """Return the surprisals of new rows by part, each of shape (n_quantities, n_rows)."""
        parts = self.parts if parts is None else parts
        return _surprisals(self.columns, parts, batches)

    def mean(
        self, surprisals: dict[str, np.ndarray], names: Iterable[str] | None = None
    ) -> np.ndarray:
        """Return the mean surprisal of rows over all parts, or over those with the given names."""
        return _mean(surprisals, surprisals if names is None else names)


@dataclass(frozen=True)
class Regime:
    """The settings that depend on whether training rows are clean.

    Attributes
    ----------
    part_names : tuple of str
        The names of the parts of the score.
    n_neighbors : int
        The rank of the nearest neighbour whose distance is used.
    trim_fraction : float
        The share of the rows that are trimmed.
    steps_per_root_row : int
        The number of training steps per root of the number of rows where `max_epochs` is "auto".
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
    """Trim the rows in a memory, train the members and fit the parts of the score.

    Parameters
    ----------
    table : Table
        The columns of the table.
    memory : Memory
        The rows.
    parameters : TrainingParameters
        The estimator, whose parameters are used.
    options : EnsembleOptions
        The options of the members.
    regime : Regime
        The settings of the regime.
    seed : int
        The seed.
    device : torch.device
        The device to train on.
    net : AutoencoderNet or None, default=None
        The net to continue with; None trains a new one.

    Returns
    -------
    model : Model
        The model.
    best_epoch : int
        The epoch whose weights were kept.
    n_trimmed : int
        The number of rows that were trimmed.
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
    surprisals = {name: part.learn(held_out, kept.folds) for name, part in explaining.items()}
    scores = np.empty(len(is_kept))
    scores[is_kept] = _mean(surprisals, regime.part_names)
    if not is_kept.all():
        trimmed, parts = memory.take(~is_kept), {n: explaining[n] for n in regime.part_names}
        surprisals = _surprisals(columns, parts, [(trimmed.numbers, trimmed.states)])
        scores[~is_kept] = _mean(surprisals, parts)
    model = Model(table, columns, members, explaining, regime.part_names, scores)
    return model, trained[1], int((~is_kept).sum())


def encode_in_batches(table: Table, frame: nw.DataFrame) -> Iterator[Encoded]:
    """Yield rows as numbers and states, in batches."""
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
    by_batch = [[part(each) for part in parts.values()] for each in points]
    joined = (np.concatenate(part, axis=1) for part in zip(*by_batch, strict=True))
    return dict(zip(parts, joined, strict=True))


def _mean(surprisals: dict[str, np.ndarray], names: Iterable[str]) -> np.ndarray:
    return np.mean([surprisals[name].mean(0) for name in names], axis=0)
