"""The ensemble of autoencoders of an outlier detector: its training and inference."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from sklearn.utils import gen_batches
from torch import Tensor

from skae.building.networks import hidden_sizes
from skae.common.shared_parameters import TrainingParameters
from skae.nn.ensemble import FARTHEST, Ensemble
from skae.nn.networks import ACTIVATIONS
from skae.outliers.coordinates import VIEWS, Coordinates, Points
from skae.training.callbacks import KeepBest
from skae.training.net import AutoencoderNet
from skae.training.reading import check_loss, in_double
from skae.training.rows import Rows, on_device
from skae.training.running import make_net, prepare_pass, repeatable, train
from skae.training.schedule import Plan

# The standard deviations of the noise on points; one is drawn for each row.
NOISE = (0.1, 0.3, 0.5)
# The largest number of validation rows.
_MAX_SAMPLE = 1024
# The size of a batch in inference, in coordinates.
_CELLS_AT_A_TIME = 2**18


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
    """

    n_members: int
    hidden_layer_sizes: Any
    activation: str

    def make(self, columns: Coordinates) -> Ensemble:
        """Return an untrained ensemble for the points of a table."""
        hidden = hidden_sizes(self.hidden_layer_sizes, (64, 64))
        activation = ACTIVATIONS[self.activation]
        n_folds = self.n_members // len(VIEWS)
        coordinates = columns.column_of_coordinate.tolist()
        return Ensemble(coordinates, len(VIEWS), n_folds, hidden, activation, NOISE)


class Members:
    """Inference with a trained ensemble.

    Parameters
    ----------
    net : AutoencoderNet
        The net of the ensemble.
    """

    def __init__(self, net: AutoencoderNet) -> None:
        self.net = net

    @property
    def n_folds(self) -> int:
        """The number of members for each view."""
        return self._ensemble.n_folds

    def errors(self, points: Points) -> np.ndarray:
        """Return the norms of the errors of new rows, shape (n_views, n_folds, n_rows)."""

        def norms(module: Ensemble, x: Tensor) -> Tensor:
            return (module.reconstruct(x, _none(module, x)) - x).square().sum(2).sqrt()

        errors = self._read(norms, points)
        return errors.reshape(len(VIEWS), self.n_folds, -1)

    def expected(self, points: Points, column: int | None = None) -> np.ndarray:
        """Return expected points in the view "standard", shape (n_rows, n_coordinates).

        If a column is given, it is hidden from the members.
        """

        def mean(module: Ensemble, x: Tensor) -> Tensor:
            hidden = _none(module, x)
            if column is not None:
                hidden[:, :, column] = 1
            return module.reconstruct(x, hidden)[: module.n_folds].mean(0)[None]

        return self._read(mean, points)[0]

    def codes(self, points: Points) -> np.ndarray:
        """Return the codes of all members, shape (n_views, n_folds, n_rows, n_units)."""
        codes = self._read(lambda module, x: module.encode(x), points)
        return codes.reshape(len(VIEWS), self.n_folds, *codes.shape[1:])

    @property
    def _ensemble(self) -> Ensemble:
        return cast(Ensemble, self.net.chain)

    @torch.inference_mode()
    def _read(self, function: Callable[[Ensemble, Tensor], Tensor], points: Points) -> np.ndarray:
        """Apply a function of the ensemble and its members' points in batches of rows."""
        module, dtype = in_double(self._ensemble, self.net.device)
        x = np.hstack([points[view] for view in VIEWS])
        parts = []
        for batch in gen_batches(len(x), max(1, _CELLS_AT_A_TIME // x.shape[1])):
            rows = torch.from_numpy(x[batch]).to(self.net.device, dtype)
            parts.append(function(module, module.points(rows)).cpu().double().numpy())
        return np.concatenate(parts, axis=1)


def train_members(
    parameters: TrainingParameters,
    options: EnsembleOptions,
    points: Points,
    folds: np.ndarray,
    columns: Coordinates,
    *,
    steps_per_root_row: int,
    seed: int,
    device: torch.device,
    net: AutoencoderNet | None = None,
) -> tuple[AutoencoderNet, int]:
    """Train an ensemble on rows, or train an earlier one for one pass over them.

    Parameters
    ----------
    parameters : TrainingParameters
        The estimator, whose parameters are used.
    options : EnsembleOptions
        The options of the members.
    points : dict of str to ndarray of shape (n_rows, n_coordinates)
        The training rows, by view.
    folds : ndarray of int of shape (n_rows,)
        The folds of the rows.
    columns : Coordinates
        The encoding of rows as points.
    steps_per_root_row : int
        The number of training steps per root of the number of rows where `max_epochs` is "auto".
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
    encoded = torch.from_numpy(np.hstack([*x, folds[:, None]]).astype(np.float32))
    data, is_new = on_device(encoded, device), net is None
    plan = Plan.of(
        parameters, len(data), one_pass=not is_new, steps_per_root_row=steps_per_root_row
    )
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


def _none(module: Ensemble, x: Tensor) -> Tensor:
    """Return an all-zero mask: no column is hidden."""
    return x.new_zeros(*x.shape[:2], module.n_columns)
