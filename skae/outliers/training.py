"""The training of the ensemble of autoencoders of an outlier detector."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from skae.building.networks import hidden_sizes
from skae.common.shared_parameters import TrainingParameters
from skae.nn.ensemble import FARTHEST, Ensemble
from skae.nn.networks import ACTIVATIONS
from skae.outliers.coordinates import VIEWS, Coordinates, Points
from skae.outliers.memory import Memory
from skae.training.callbacks import KeepBest
from skae.training.net import AutoencoderNet
from skae.training.reading import check_loss
from skae.training.rows import Rows, on_device
from skae.training.running import make_net, prepare_pass, repeatable, train
from skae.training.schedule import Plan

# The standard deviations of the noise on points; one is drawn for each row.
NOISE = (0.1, 0.3, 0.5)
# The batch size that "auto" stands for.
LARGEST_BATCH = 128
# The largest number of validation rows.
_MAX_SAMPLE = 512


def out_of_fold(rows: Rows, y: None = None) -> tuple[Rows, Rows]:
    """Return all rows to train on, and a sample of them as validation rows.

    In evaluation the loss of a row is that of the members that have not learned from it.
    """
    return rows, rows.sample(_MAX_SAMPLE)


@dataclass(frozen=True)
class EnsembleOptions:
    """The options of the members.

    Attributes
    ----------
    n_members : int
        The number of members, half of them for each view.
    hidden_layer_sizes : "auto" or sequence of int
        The number of units of every hidden layer.
    activation : str
        The activation of the hidden layers.
    steps_per_root_row : int
        The number of training steps per root of the number of rows where `max_epochs` is "auto".
    """

    n_members: int
    hidden_layer_sizes: Any
    activation: str
    steps_per_root_row: int

    def make(self, columns: Coordinates) -> Ensemble:
        """Return an untrained ensemble for the points of a table."""
        hidden = hidden_sizes(self.hidden_layer_sizes, (32, 32))
        activation = ACTIVATIONS[self.activation]
        n_folds = self.n_members // len(VIEWS)
        coordinates = columns.column_of_coordinate.tolist()
        return Ensemble(coordinates, len(VIEWS), n_folds, hidden, activation, NOISE)


def train_members(
    points: Points,
    memory: Memory,
    columns: Coordinates,
    *,
    parameters: TrainingParameters,
    options: EnsembleOptions,
    seed: int,
    device: torch.device,
    net: AutoencoderNet | None = None,
) -> tuple[AutoencoderNet, int]:
    """Train an ensemble on rows, or train an earlier one for one pass over them.

    Parameters
    ----------
    points : dict of str to ndarray of shape (n_rows, n_coordinates)
        The training rows, by view.
    memory : Memory
        The rows, of which the folds and the weights are used.
    columns : Coordinates
        The encoding of rows as points.
    parameters : TrainingParameters
        The estimator, whose parameters are used.
    options : EnsembleOptions
        The options of the members.
    seed : int
        The seed.
    device : torch.device
        The device to train on.
    net : AutoencoderNet or None, default=None
        The net to continue with; None trains a new one.

    Returns
    -------
    net : AutoencoderNet
        The net.
    best_epoch : int
        The epoch whose weights were kept.
    """
    x = [points[view].clip(-FARTHEST, FARTHEST) for view in VIEWS]
    encoded = torch.from_numpy(np.hstack([*x, memory.folds[:, None]]).astype(np.float32))
    weights = None
    if np.ptp(memory.weights) > 0:
        weights = torch.from_numpy(memory.weights.astype(np.float32)).to(device)
    data, is_new = on_device(encoded, device, weights), net is None
    rules = {"steps_per_root_row": options.steps_per_root_row, "largest_batch": LARGEST_BATCH}
    plan = Plan.of(parameters, len(data), one_pass=not is_new, **rules)
    with repeatable(seed, device):
        if net is None:
            split = out_of_fold if parameters.early_stopping else None
            ensemble, n_columns = options.make(columns), columns.n_encoded
            net = make_net(ensemble, parameters, plan, device, n_columns=n_columns, split=split)
            keeper = KeepBest(plan.patience, parameters.tol, plan.warm_up)
            train(net, data, [keeper] if parameters.early_stopping else [])
        else:
            prepare_pass(net, parameters, plan)
            train(net, data)
        check_loss(net, data.sample(_MAX_SAMPLE))
    if not is_new:
        return net, len(net.history)
    net.finish()
    return net, keeper.best_epoch_ if parameters.early_stopping else len(net.history)
