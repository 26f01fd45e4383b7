"""What a chain is made of, and the chain that is made of it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from skae.building.components import find_principal_components, residual_of_corrupted
from skae.building.likelihoods import make_one_hot
from skae.building.networks import Architecture, Sizes, make_networks
from skae.nn.bottlenecks import Bottleneck
from skae.nn.chain import Autoencoder
from skae.nn.initialisation import start_at_mean, start_at_pca
from skae.nn.likelihoods import Likelihood, VarianceLikelihood
from skae.nn.pca import PrincipalComponents
from skae.nn.penalties import Penalty
from skae.nn.quantization import Quantizer
from skae.tables.columns import Columns
from skae.training.rows import Rows

_SMALLEST_RESIDUAL = 1e-6
# Smaller, and labels would count for nothing beside numbers that PCA reconstructs almost exactly.
_SMALLEST_RESIDUAL_OF_TABLES = 0.05

Start = Callable[[nn.Module, nn.Module, PrincipalComponents, Likelihood, Tensor], None]
Pretraining = Callable[[Autoencoder, Rows, torch.device], None]


@dataclass(frozen=True)
class Facts:
    """What is known of the rows before a chain is built.

    Attributes
    ----------
    data : Rows
        The encoded rows.
    columns : Columns
        The columns.
    likelihood : str
        The name of the likelihood.
    pca : PrincipalComponents
        All principal components of the rows, one-hot.
    """

    data: Rows
    columns: Columns
    likelihood: str
    pca: PrincipalComponents

    @classmethod
    def of(cls, data: Rows, columns: Columns, likelihood: str) -> "Facts":
        """Return the facts of encoded rows."""
        pca = find_principal_components(data, make_one_hot(columns), columns.n_encoded)
        return cls(data, columns, likelihood, pca)

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.data)

    @property
    def n_columns(self) -> int:
        """The number of columns, one-hot."""
        return len(self.pca.mean)


@dataclass(frozen=True)
class Recipe:
    """What a chain is made of.

    Attributes
    ----------
    n_components : int
        The number of units of the code.
    architecture : Architecture
        Encoder and decoder.
    bottleneck : Bottleneck
        From the encoder's output to the code.
    likelihood : Likelihood
        The distribution of a row given the decoder's output.
    has_variance : bool, default=False
        Whether the likelihood has the variance that training is to begin with; if not, it is what
        PCA leaves of a number.
    penalty : Penalty or None, default=None
        What the code costs.
    corruption : nn.Module
        What training does to encoded rows; as it should be undone, PCA's error is that of corrupted
        rows.
    smoothing : nn.Module
        What training does to the encoder's input to smooth the encoder.
    hiding : nn.Module
        What hides cells of tables from the encoder.
    start : callable
        What makes networks with linear paths PCA.
    chain : type of Autoencoder
        The chain.
    n_bits : int or None, default=None
        The number of bits of a unit of the code; None rounds no codes.
    pretrain : callable or None, default=None
        What trains the chain's layers one after another, on encoded rows and a device.
    """

    n_components: int
    architecture: Architecture
    bottleneck: Bottleneck
    likelihood: Likelihood
    has_variance: bool = False
    penalty: Penalty | None = None
    corruption: nn.Module = field(default_factory=nn.Identity)
    smoothing: nn.Module = field(default_factory=nn.Identity)
    hiding: nn.Module = field(default_factory=nn.Identity)
    start: Start = start_at_pca
    chain: type[Autoencoder] = Autoencoder
    n_bits: int | None = None
    pretrain: Pretraining | None = None


def build_chain(recipe: Recipe, facts: Facts) -> Autoencoder:
    """Return the chain that training starts from."""
    pca = facts.pca.keep(recipe.n_components)
    sizes = Sizes(
        n_in=facts.n_columns,
        n_components=recipe.n_components,
        n_encoded=recipe.bottleneck.n_inputs or recipe.n_components,
        n_out=recipe.likelihood.n_outputs or facts.n_columns,
    )
    encoder, decoder = make_networks(recipe.architecture, sizes)
    residual = _find_residual(recipe, facts, pca)
    if isinstance(recipe.likelihood, VarianceLikelihood) and not recipe.has_variance:
        recipe.likelihood.calibrate(_training_variance(facts.columns, residual))
    if recipe.architecture.has_linear_paths and recipe.architecture.is_built:
        recipe.start(encoder, decoder, pca, recipe.likelihood, residual)
    elif recipe.architecture.decoder is None:
        start_at_mean(decoder, pca.mean, recipe.likelihood)
    return _assemble(recipe, facts.columns, encoder, decoder)


def _find_residual(recipe: Recipe, facts: Facts, pca: PrincipalComponents) -> Tensor:
    """Return the squared error by column that PCA leaves in training."""
    if isinstance(recipe.corruption, nn.Identity):
        return pca.residual
    rest = make_one_hot(facts.columns), facts.columns.n_encoded
    return residual_of_corrupted(pca, facts.data, recipe.corruption, *rest)


def _training_variance(columns: Columns, residual: Tensor) -> Tensor:
    """Return the variance that all numbers have in training."""
    smallest = _SMALLEST_RESIDUAL_OF_TABLES if columns.is_table else _SMALLEST_RESIDUAL
    of_numbers = residual[: columns.n_numbers]
    return residual.new_tensor(max(float(of_numbers.sum()) / max(1, len(of_numbers)), smallest))


def _assemble(
    recipe: Recipe, columns: Columns, encoder: nn.Module, decoder: nn.Module
) -> Autoencoder:
    """Return the chain of networks and the other parts of a recipe."""
    before = [recipe.corruption]
    if columns.is_table:
        encoder = nn.Sequential(make_one_hot(columns), recipe.smoothing, encoder)
        before.append(recipe.hiding)
    else:
        before.append(recipe.smoothing)
    before = [part for part in before if not isinstance(part, nn.Identity)]
    quantizer = None if recipe.n_bits is None else Quantizer(recipe.n_bits, recipe.n_components)
    return recipe.chain(
        encoder,
        decoder,
        recipe.likelihood,
        recipe.bottleneck,
        before[0] if len(before) == 1 else nn.Sequential(*before),
        recipe.penalty,
        quantizer,
        n_columns=columns.n_encoded,
    ).float()
