"""The ensemble of autoencoders of an outlier detector: trained, and read."""

import copy

import numpy as np
import torch
from sklearn.utils import gen_batches

from skae.building.networks import hidden_sizes
from skae.common.devices import has_room
from skae.nn.ensemble import FARTHEST, Ensemble
from skae.nn.networks import ACTIVATIONS
from skae.nn.seeding import seeded
from skae.outliers.points import VIEWS
from skae.training.callbacks import KeepBest
from skae.training.reading import check_loss
from skae.training.rows import Rows
from skae.training.running import make_net, prepare_pass, train
from skae.training.schedule import Plan

NOISE = (0.1, 0.3, 0.5)
_MOST_JUDGES = 1024
_CELLS_AT_A_TIME = 2**18


def out_of_fold(rows, y=None):
    """Return all rows to train on, and a sample of them to judge by.

    In evaluation the loss of a row is that of members which have not learned from it.
    """
    return rows, rows.sample(_MOST_JUDGES)


def make_ensemble(estimator, points):
    """Return an untrained ensemble for the points of a table."""
    hidden = hidden_sizes(estimator.hidden_layer_sizes, (64, 64))
    activation = ACTIVATIONS[estimator.activation]
    n_folds = estimator.n_members // len(VIEWS)
    return Ensemble(
        points.column_of_coordinate.tolist(), len(VIEWS), n_folds, hidden, activation, NOISE
    )


class Members:
    """A trained ensemble and what it says of points.

    Parameters
    ----------
    net : AutoencoderNet
        The net that holds it.
    """

    def __init__(self, net):
        self.net = net

    @property
    def n_folds(self):
        """The number of members for each view."""
        return self.net.module_.n_folds

    def errors(self, points):
        """Return the norms of the errors of new rows, shape (n_views, n_folds, n_rows)."""

        def norms(module, x):
            return (module.reconstruct(x, _none(module, x)) - x).square().sum(2).sqrt()

        found = self._read(norms, points)
        return found.reshape(len(VIEWS), self.n_folds, -1)

    def expected(self, points, column=None):
        """Return what rows should be, in the view "standard", shape (n_rows, n_coordinates).

        A column that is given is hidden from the members.
        """

        def mean(module, x):
            hidden = _none(module, x)
            if column is not None:
                hidden[:, :, column] = 1
            return module.reconstruct(x, hidden)[: module.n_folds].mean(0)[None]

        return self._read(mean, points)[0]

    def codes(self, points):
        """Return the units of all members, shape (n_views, n_folds, n_rows, n_units)."""
        found = self._read(lambda module, x: module.encode(x), points)
        return found.reshape(len(VIEWS), self.n_folds, *found.shape[1:])

    @torch.inference_mode()
    def _read(self, function, points):
        """Apply a function of the module and its members' points, and join along the rows."""
        # In float32 the last digits of a row's output depend on the rows beside it.
        device = torch.device(self.net.device)
        dtype = torch.float32 if device.type == "mps" else torch.float64
        module = copy.deepcopy(self.net.module_).to(dtype).eval()
        x = np.hstack([points[view] for view in VIEWS])
        found = []
        for batch in gen_batches(len(x), max(1, _CELLS_AT_A_TIME // x.shape[1])):
            rows = torch.from_numpy(x[batch]).to(device, dtype)
            found.append(function(module, module.points(rows)).cpu().double().numpy())
        return np.concatenate(found, axis=1)


def train_members(estimator, points, folds, columns, *, seed, device, net=None):
    """Train an ensemble on rows, or pass once over them with one that was trained before.

    Parameters
    ----------
    estimator : AEOutlierDetector
        Its parameters of the training are read.
    points : dict of str to ndarray of shape (n_rows, n_coordinates)
        The training rows, by view.
    folds : ndarray of int of shape (n_rows,)
        The folds of the rows.
    columns : Points
        What made the points.
    seed : int
        The seed.
    device : torch.device
        Where.
    net : AutoencoderNet or None, default=None
        What was trained before; None trains a new one.

    Returns
    -------
    net : AutoencoderNet
        The net.
    best_epoch : int
        The epoch whose weights it has.
    """
    x = [points[view].clip(-FARTHEST, FARTHEST) for view in VIEWS]
    data = torch.from_numpy(np.hstack([*x, folds[:, None]]).astype(np.float32))
    data = Rows(data.to(device) if has_room(device, data) else data)
    plan = Plan.of(estimator, len(data), one_pass=net is not None)
    with seeded(seed, device), torch.inference_mode(False), torch.enable_grad():
        if net is not None:
            prepare_pass(net, estimator, plan)
            train(net, data, [])
            check_loss(net, data.sample(_MOST_JUDGES))
            return net, len(net.history)
        net = make_net(estimator, make_ensemble(estimator, columns), device, plan)
        keeper = KeepBest(plan.patience, estimator.tol, plan.warm_up)
        train(net, data, [keeper] if estimator.early_stopping else [])
        check_loss(net, data.sample(_MOST_JUDGES))
    net.finish()
    return net, keeper.best_epoch_ if estimator.early_stopping else len(net.history)


def _none(module, x):
    """Return that no column is hidden."""
    return x.new_zeros(*x.shape[:2], module.n_columns)
