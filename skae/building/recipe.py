"""Recipes of chains, and the building of a chain from its recipe."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from skae.building.components import (
    components_of_pairs,
    find_principal_components,
    residual_of_corrupted,
)
from skae.building.likelihoods import make_one_hot
from skae.building.networks import Architecture, Sizes, make_networks
from skae.nn.bottlenecks import Bottleneck
from skae.nn.chain import Autoencoder
from skae.nn.conditions import ConditionedDecoder, ConditionedEncoder
from skae.nn.initialisation import start_at_mean, start_at_pca
from skae.nn.likelihoods import Likelihood, VarianceLikelihood
from skae.nn.pca import PrincipalComponents
from skae.nn.penalties import Penalty
from skae.nn.quantization import Quantizer
from skae.nn.texts import MeanOfWords, TextSizes
from skae.tables.columns import Columns
from skae.training.rows import Rows

# The smallest variance of numbers in training. In tables it is larger, because beside numbers that
# PCA reconstructs almost exactly the labels would not count.
_SMALLEST_RESIDUAL = 1e-6
_SMALLEST_RESIDUAL_OF_TABLES = 0.05

Start = Callable[[nn.Module, nn.Module, PrincipalComponents, Likelihood, Tensor], None]
Pretraining = Callable[[Autoencoder, Rows, torch.device], None]


@dataclass(frozen=True)
class Facts:
    """The facts about the rows that a chain is built from.

    Attributes
    ----------
    data : Rows
        The encoded rows.
    columns : Columns
        The columns.
    likelihood : str
        The name of the likelihood.
    pca : PrincipalComponents
        All principal components of the one-hot rows.
    n_rows : int
        The number of rows.
    has_pairs : bool, default=False
        Whether targets stand beside the inputs that they are to be found from.
    """

    data: Rows
    columns: Columns
    likelihood: str
    pca: PrincipalComponents
    n_rows: int
    has_pairs: bool = False

    @classmethod
    def of(cls, data: Rows, columns: Columns, likelihood: str, *, has_pairs: bool) -> "Facts":
        """Return the facts of encoded rows."""
        of_all = data.of_all()
        pca = find_principal_components(of_all, make_one_hot(columns), columns.n_encoded)
        return cls(of_all, columns, likelihood, pca, data.n_in_all, has_pairs)

    def one_hot(self, x: Tensor) -> Tensor:
        """Return one-hot rows of encoded ones."""
        return make_one_hot(self.columns).to(x.device)(x)

    @property
    def n_columns(self) -> int:
        """The number of columns of a one-hot row."""
        return len(self.pca.mean)


@dataclass(frozen=True)
class Recipe:
    """The parts of a chain, before it is built.

    Attributes
    ----------
    n_components : int
        The number of units of the code.
    architecture : Architecture
        The architecture of encoder and decoder.
    bottleneck : Bottleneck
        The map from the encoder's output to the code.
    likelihood : Likelihood
        The distribution of a row given the decoder's output.
    has_variance : bool, default=False
        Whether the likelihood already has the variance of the start; if not, it is set to the mean
        residual of PCA.
    penalty : Penalty or None, default=None
        The cost of the code.
    corruption : nn.Module
        The corruption of encoded rows in training. As the chain learns to undo it, the residual of
        PCA is measured on corrupted rows.
    smoothing : nn.Module
        The noise on the encoder's input in training, which smooths the encoder.
    hiding : nn.Module
        The masking of cells of tables in training.
    start : callable
        The function that initialises networks with linear paths as PCA.
    chain : callable
        The class of the chain, or a function that makes one.
    n_conditions : int, default=0
        The number of columns of what rows are conditioned on, as networks have it.
    texts : TextSizes or None, default=None
        The sizes of the texts among that; None where there are none.
    n_bits : int or None, default=None
        The number of bits per unit of the code; None for codes that are not rounded.
    pretrain : callable or None, default=None
        The function that trains the layers of the chain one by one, given rows and a device.
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
    chain: Callable[..., Autoencoder] = Autoencoder
    n_conditions: int = 0
    texts: TextSizes | None = None
    n_bits: int | None = None
    pretrain: Pretraining | None = None

    @property
    def n_beside_codes(self) -> int:
        """The number of inputs that the decoder has beside the code."""
        return self.n_conditions if self.architecture.attends_to is None else 0


def build_chain(recipe: Recipe, facts: Facts) -> Autoencoder:
    """Return the chain that training starts from."""
    pca = _start_components(recipe, facts)
    sizes = Sizes(
        n_in=facts.n_columns,
        n_components=recipe.n_components,
        n_encoded=recipe.bottleneck.n_inputs or recipe.n_components,
        n_out=recipe.likelihood.n_outputs or facts.n_columns,
        n_conditions=recipe.n_beside_codes,
    )
    encoder, decoder = make_networks(recipe.architecture, sizes)
    residual = _find_residual(recipe, facts, pca)
    if isinstance(recipe.likelihood, VarianceLikelihood) and not recipe.has_variance:
        recipe.likelihood.calibrate(_training_variance(facts.columns, residual))
    if recipe.architecture.has_linear_paths and recipe.architecture.is_built:
        recipe.start(encoder, decoder, pca, recipe.likelihood, residual)
    elif recipe.architecture.decoder is None:
        start_at_mean(decoder, pca.mean, recipe.likelihood)
    return _assemble(recipe, facts.columns, *_conditioned(recipe, sizes, encoder, decoder))


def _conditioned(
    recipe: Recipe, sizes: Sizes, encoder: nn.Module, decoder: nn.Module
) -> tuple[nn.Module, nn.Module]:
    """Return networks that are told conditions, if there are any."""
    n_conditions = recipe.n_conditions
    if n_conditions:
        shape = n_conditions, sizes.n_in, sizes.n_encoded
        encoder = ConditionedEncoder(encoder, *shape, _reading(recipe))
    if recipe.n_beside_codes:
        decoder = ConditionedDecoder(decoder, n_conditions, _reading(recipe))
    return encoder, decoder


def _reading(recipe: Recipe) -> MeanOfWords | None:
    return None if recipe.texts is None else MeanOfWords(recipe.texts)


def _start_components(recipe: Recipe, facts: Facts) -> PrincipalComponents:
    """Return the components that networks start from, as many as the code has units."""
    pca = facts.pca.keep(recipe.n_components)
    is_of_numbers = not facts.columns.is_table and not recipe.architecture.tied_weights
    if not facts.has_pairs or not is_of_numbers:
        return pca
    return components_of_pairs(pca, facts.data, recipe.corruption, facts.columns.n_encoded)


def _find_residual(recipe: Recipe, facts: Facts, pca: PrincipalComponents) -> Tensor:
    """Return the mean squared error of every column after PCA of the rows as training sees them."""
    if isinstance(recipe.corruption, nn.Identity) and not facts.has_pairs:
        return pca.residual
    encoding = make_one_hot(facts.columns), facts.columns.n_encoded
    return residual_of_corrupted(pca, facts.data, recipe.corruption, *encoding)


def _training_variance(columns: Columns, residual: Tensor) -> Tensor:
    """Return the variance of numbers in training, the same for all."""
    smallest = _SMALLEST_RESIDUAL_OF_TABLES if columns.is_table else _SMALLEST_RESIDUAL
    of_numbers = residual[: columns.n_numbers]
    return residual.new_tensor(max(float(of_numbers.sum()) / max(1, len(of_numbers)), smallest))


def _assemble(
    recipe: Recipe, columns: Columns, encoder: nn.Module, decoder: nn.Module
) -> Autoencoder:
    """Return the chain of networks and the other parts of a recipe."""
    before = [recipe.corruption]
    one_hot = make_one_hot(columns)
    if not isinstance(one_hot, nn.Identity):
        encoder = nn.Sequential(one_hot, recipe.smoothing, encoder)
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
