"""Pre-training: where the weights of a deep network start, layer by layer."""

import math

import torch
from sklearn import config_context
from sklearn.neural_network import BernoulliRBM
from torch import nn

from skae.common.devices import has_room
from skae.nn.bottlenecks import Identity
from skae.nn.chain import Autoencoder
from skae.nn.initialisation import start_at_pca
from skae.nn.likelihoods import Gaussian
from skae.nn.networks import Transposed, stages
from skae.nn.one_hot import split_at_widening
from skae.nn.pca import principal_components
from skae.nn.penalties import Contraction
from skae.training.net import AutoencoderNet
from skae.training.reading import encode
from skae.training.rows import Batches, Rows
from skae.training.running import make_net, train
from skae.training.schedule import Plan

_RBM_LEARNING_RATE = 0.3
_RBM_BATCH = 30
_LEAST_VARIANCE = 1e-6


def pretrain(estimator, chain: Autoencoder, data: Rows, device: torch.device) -> None:
    """Train the layers of a chain one after another, each with the layer that undoes it.

    Parameters
    ----------
    estimator : BaseAutoencoder
        Its ``init`` says how, ``pretraining_epochs`` how long.
    chain : Autoencoder
        The chain, whose weights are set.
    data : Rows
        The encoded rows.
    device : torch.device
        Where to train.

    """
    before, encoder = split_at_widening(chain.encoder)
    there, back = stages(encoder), stages(chain.decoder)[::-1]
    plan = Plan.of(estimator, len(data), one_pass=False)
    n_epochs = estimator.pretraining_epochs
    n_epochs = math.ceil(plan.max_epochs / len(there)) if n_epochs == "auto" else n_epochs
    if estimator.init == "rbm":
        return _stack_machines(estimator, chain, data, there, back, n_epochs)
    pairs = list(zip(there, back, strict=True))
    parts = {"corruption": chain.corruption, "n_columns": chain.n_columns}
    pair = Autoencoder(nn.Sequential(*before, there[0]), back[0], chain.likelihood, **parts)
    for i in range(len(pairs)):
        last = i == len(pairs) - 1
        pair.bottleneck = chain.bottleneck if last else Identity()
        pair.penalty = chain.penalty if last or isinstance(chain.penalty, Contraction) else None
        net = make_net(estimator, pair, device, plan)
        net.set_params(train_split=None, max_epochs=n_epochs)
        train(net, data)
        if not last:
            data, shape = _represent(net, data, device)
            pair = _hidden_pair(*pairs[i + 1], data, shape)
            pair.corruption = estimator._make_hidden_corruption(data.source.shape[1])
    return None


def _represent(net: AutoencoderNet, data: Rows, device: torch.device) -> tuple[Rows, tuple]:
    """Return what a layer makes of rows, in a line each, and the shape that it had."""
    codes = torch.from_numpy(encode(net, data))
    rows = codes.flatten(1)
    rows = rows.to(device) if has_room(device, rows) else rows
    return Rows(rows, weights=data.weights), tuple(codes.shape[1:])


def _hidden_pair(layer: nn.Module, undo: nn.Module, data: Rows, shape: tuple) -> Autoencoder:
    rows = data.source
    if len(shape) > 1:
        layer, undo = (
            nn.Sequential(nn.Unflatten(1, shape), layer),
            nn.Sequential(undo, nn.Flatten()),
        )
    anything = torch.full((rows.shape[1],), math.inf)
    variance = max(float(rows.var(0).mean()), _LEAST_VARIANCE)
    return Autoencoder(layer, undo, Gaussian(-anything, anything, variance))


def _stack_machines(
    estimator,
    chain: Autoencoder,
    data: Rows,
    there: list[nn.Sequential],
    back: list[nn.Sequential],
    n_epochs: int,
) -> None:
    """Train restricted Boltzmann machines, each on what the one before makes of the rows.

    A linear code is the principal components of the last of them.
    """
    _check_machines(estimator)
    rows = torch.cat([chain.views(x)[0] for x, _ in Batches(data.resample(len(data)), 4096)]).cpu()
    for layer, undo in zip(there, back, strict=True):
        if layer is there[-1] and isinstance(chain.bottleneck, Identity):
            pca = principal_components([(rows, None)]).keep(estimator.n_components_)
            return start_at_pca(layer[0], undo[0], pca, logits=True)
        rows = _train_machine(layer[0], undo[0], rows, n_epochs)
    return None


@torch.no_grad()
def _train_machine(
    layer: nn.Linear, undo: nn.Module, rows: torch.Tensor, n_epochs: int
) -> torch.Tensor:
    """Set the weights of a layer and the one that undoes it, and return the layer's output."""
    machine = BernoulliRBM(
        layer.out_features,
        learning_rate=_RBM_LEARNING_RATE,
        batch_size=_RBM_BATCH,
        n_iter=n_epochs,
        random_state=int(torch.randint(2**31, (1,))),
    )
    with config_context(array_api_dispatch=False):
        hidden = machine.fit_transform(rows.numpy())
    weight = torch.from_numpy(machine.components_)
    layer.weight.copy_(weight)
    layer.bias.copy_(torch.from_numpy(machine.intercept_hidden_))
    undo.bias.copy_(torch.from_numpy(machine.intercept_visible_))
    if not isinstance(undo, Transposed):
        undo.weight.copy_(weight.T)
    return torch.from_numpy(hidden).float()


def _check_machines(estimator) -> None:
    """Say so where an autoencoder is no stack of machines with units of 0 or 1."""
    if (
        estimator.likelihood_ == "gaussian"
        or estimator.image_shape is not None
        or estimator.activation != "logistic"
    ):
        raise ValueError(
            "The 'init' parameter may be 'rbm' for dense networks with activation='logistic', "
            "without image_shape, and for rows of values in [0, 1] with likelihood='bernoulli' or "
            f"'continuous_bernoulli'. Got 'rbm' with activation={estimator.activation!r}, "
            f"image_shape={estimator.image_shape!r} and a likelihood that is "
            f"{estimator.likelihood_!r}."
        )
