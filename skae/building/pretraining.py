"""Pre-training: greedy, layer-wise initialisation of the weights of a deep network."""

import math
from dataclasses import replace

import torch
from sklearn import config_context
from sklearn.neural_network import BernoulliRBM
from torch import nn

from skae.building.networks import Architecture
from skae.common.shared_parameters import TrainingParameters
from skae.nn.bottlenecks import Identity
from skae.nn.chain import Autoencoder
from skae.nn.corruptions import MaskCells
from skae.nn.initialisation import start_at_pca
from skae.nn.likelihoods import Gaussian
from skae.nn.networks import Transposed, stages
from skae.nn.one_hot import split_at_one_hot
from skae.nn.pca import principal_components
from skae.nn.penalties import Contraction
from skae.training.net import AutoencoderNet
from skae.training.reading import encode
from skae.training.rows import Batches, Rows, on_device
from skae.training.running import make_net, train
from skae.training.schedule import Plan

# The settings of restricted Boltzmann machines.
_RBM_LEARNING_RATE = 0.3
_RBM_BATCH = 30
# The smallest variance of the output of a hidden layer.
_LEAST_VARIANCE = 1e-6


def pretrain_greedily(
    chain: Autoencoder,
    data: Rows,
    parameters: TrainingParameters,
    device: torch.device,
    *,
    n_epochs: int,
    hidden_masking: float,
) -> None:
    """Train the layers of an encoder one by one, each as an autoencoder with its decoder layer.

    Parameters
    ----------
    chain : Autoencoder
        The chain, whose weights are set.
    data : Rows
        The encoded rows.
    parameters : TrainingParameters
        The estimator, whose parameters are used.
    device : torch.device
        The device to train on.
    n_epochs : int
        The number of epochs for every layer.
    hidden_masking : float
        The share of the units of a hidden layer that are masked in the input of the next one.
    """
    before, encoder = split_at_one_hot(chain.encoder)
    pairs = list(zip(stages(encoder), stages(chain.decoder)[::-1], strict=True))
    plan = replace(Plan.of(parameters, len(data)), max_epochs=n_epochs)
    layer, undo = pairs[0]
    pair = Autoencoder(
        nn.Sequential(*before, layer),
        undo,
        chain.likelihood,
        corruption=chain.corruption,
        n_columns=chain.n_columns,
    )
    for i in range(len(pairs)):
        last = i == len(pairs) - 1
        pair.bottleneck = chain.bottleneck if last else Identity()
        pair.penalty = chain.penalty if last or isinstance(chain.penalty, Contraction) else None
        net = make_net(pair, parameters, plan, device, n_columns=data.n_columns)
        train(net, data)
        if not last:
            data, shape = _represent(net, data, device)
            pair = _hidden_pair(*pairs[i + 1], data, shape)
            if hidden_masking:
                pair.corruption = MaskCells(hidden_masking, torch.zeros(data.n_columns))


def n_layers(chain: Autoencoder) -> int:
    """Return the number of layers of a chain's encoder."""
    return len(stages(split_at_one_hot(chain.encoder)[1]))


def _represent(net: AutoencoderNet, data: Rows, device: torch.device) -> tuple[Rows, tuple]:
    """Return the outputs of a layer as flat rows, and their shape before flattening."""
    codes = torch.from_numpy(encode(net, data))
    return on_device(codes.flatten(1), device, data.weights), tuple(codes.shape[1:])


def _hidden_pair(layer: nn.Module, undo: nn.Module, data: Rows, shape: tuple) -> Autoencoder:
    rows = data.source
    if len(shape) > 1:
        layer, undo = (
            nn.Sequential(nn.Unflatten(1, shape), layer),
            nn.Sequential(undo, nn.Flatten()),
        )
    no_bound = torch.full((rows.shape[1],), math.inf)
    variance = max(float(rows.var(0).mean()), _LEAST_VARIANCE)
    return Autoencoder(layer, undo, Gaussian(-no_bound, no_bound, variance))


def pretrain_machines(chain: Autoencoder, data: Rows, *, n_epochs: int) -> None:
    """Train a stack of restricted Boltzmann machines, each on the hidden units of the one before.

    A linear code starts at the principal components of the last hidden layer.

    Parameters
    ----------
    chain : Autoencoder
        The chain, whose weights are set; its networks must pass `check_machines`.
    data : Rows
        The encoded rows.
    n_epochs : int
        The number of epochs for every layer.
    """
    sample = Batches(data.resample(len(data)), 4096)
    rows = torch.cat([chain.input_and_target(x)[0] for x, _ in sample]).cpu()
    layers = [stage[0] for stage in stages(chain.encoder)]
    undoing = [stage[0] for stage in stages(chain.decoder)[::-1]]
    for layer, undo in zip(layers, undoing, strict=True):
        assert isinstance(layer, nn.Linear)
        if layer is layers[-1] and isinstance(chain.bottleneck, Identity):
            pca = principal_components([(rows, None)]).keep(layer.out_features)
            start_at_pca(layer, undo, pca, chain.row_likelihood)
        else:
            rows = _train_machine(layer, undo, rows, n_epochs)


@torch.no_grad()
def _train_machine(
    layer: nn.Linear, undo: nn.Module, rows: torch.Tensor, n_epochs: int
) -> torch.Tensor:
    """Set the weights of a layer and its decoder layer, and return the layer's output."""
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
    undo.get_parameter("bias").copy_(torch.from_numpy(machine.intercept_visible_))
    if not isinstance(undo, Transposed):
        undo.get_parameter("weight").copy_(weight.T)
    return torch.from_numpy(hidden).float()


def check_machines(architecture: Architecture, likelihood: str) -> None:
    """Raise ValueError if an autoencoder cannot be pre-trained as a stack of RBMs.

    Parameters
    ----------
    architecture : Architecture
        The architecture of the networks.
    likelihood : str
        The name of the likelihood.
    """
    is_dense = architecture.image_shape is None
    if likelihood == "gaussian" or not is_dense or architecture.activation != "logistic":
        raise ValueError(
            "The 'init' parameter may be 'rbm' for dense networks with activation='logistic', "
            "without image_shape, and for rows of values in [0, 1] with likelihood='bernoulli' or "
            f"'continuous_bernoulli'. Got 'rbm' with activation={architecture.activation!r}, "
            f"image_shape={architecture.image_shape!r} and a likelihood that is {likelihood!r}."
        )
