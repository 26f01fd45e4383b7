"""Imputation of missing cells."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Generic, TypeVar

import torch
from torch import Tensor

from skae.nn.chain import Autoencoder
from skae.nn.corruptions import HideCells, Repeated, hide_missing
from skae.nn.hidden_cells import NormalCodes
from skae.nn.likelihoods import Likelihood, NumberLikelihood, VarianceLikelihood
from skae.nn.table_likelihoods import NumbersAndStates
from skae.sampling.linear_expert import LinearExpert
from skae.tables.columns import Columns
from skae.tables.mixed import MixedColumns
from skae.training.net import AutoencoderNet
from skae.training.reading import read
from skae.training.rows import Rows

# The mean share of the cells of validation rows that are hidden to measure the error of imputation.
_HIDDEN = 0.1
# The number of validation rows to hide cells of; fewer ones are repeated.
_N_TRIALS = 1000
# The number of cells that draw the weight of the linear expectation of a number to a half.
_CELLS_OF_HALF = 20
# The number of directions left out by the code of a matrix's rows at which the variance around the
# most probable code is half as much again as around reconstructions; it is at most twice that.
_DIRECTIONS_OF_HALF = 20
Chain = TypeVar("Chain", bound=Autoencoder)


class Imputer(ABC, Generic[Chain]):
    """The imputation of hidden cells by a fitted chain."""

    @classmethod
    @abstractmethod
    def learn(
        cls,
        net: AutoencoderNet,
        data: Rows,
        validation_rows: Rows,
        columns: Columns,
    ) -> "Imputer":
        """Return the imputer of a trained net.

        Parameters
        ----------
        net : AutoencoderNet
            The trained net.
        data, validation_rows : Rows
            The rows to encode, and the rows to hide cells of.
        columns : Columns
            The columns of the rows.
        """

    @abstractmethod
    def expected(self, chain: Chain, x: Tensor) -> Tensor:
        """Return expected rows, $(B, n)$: expected numbers and most probable states.

        Hidden cells are NaN in a matrix of numbers, and have the state -1 in a table.
        """

    @abstractmethod
    def draw(self, chain: Chain, x: Tensor, generator: torch.Generator) -> Tensor:
        """Draw rows given the cells that are not hidden, $(B, n)$."""


def learn_imputer(
    kind: type[Imputer], net: AutoencoderNet, data: Rows, validation_rows: Rows, columns: Columns
) -> Imputer:
    """Return the imputer of a trained net, of a kind for tables and of another for matrices.

    See `Imputer.learn`.
    """
    own = kind if columns.is_table or not issubclass(kind, DecoderImputer) else CodeImputer
    return own.learn(net, data, validation_rows, columns)


@dataclass(frozen=True)
class DecoderImputer(Imputer[Autoencoder]):
    """Imputation by the decoder, from two codes of a row with hidden cells.

    One is the encoder's, the other the most probable code, and the decoder's outputs are averaged:
    the first is better where there are many rows to learn from, the second where there are few.
    Numbers are averaged with their linear expectation, by weights that hidden cells of validation
    rows have found.

    Attributes
    ----------
    codes : NormalCodes
        The distribution of the codes of rows whose missing cells are hidden.
    linear : LinearExpert
        The linear expectation.
    weight : Tensor of shape (n,)
        The weight of the linear expectation of every number.
    variance : Tensor of shape (n,)
        The variance of hidden numbers around their imputations.
    """

    codes: NormalCodes
    linear: LinearExpert
    weight: Tensor
    variance: Tensor

    @classmethod
    def learn(
        cls,
        net: AutoencoderNet,
        data: Rows,
        validation_rows: Rows,
        columns: Columns,
    ) -> "DecoderImputer":
        """Learn the codes of rows, and from validation rows the error of hidden numbers."""
        assert isinstance(columns, MixedColumns)
        places = columns.column_of_number
        encoded = read(net, data, lambda x: net.module_.encode(hide_missing(x, places)))
        codes = NormalCodes.of(torch.from_numpy(encoded))
        linear = _learn_linear(net, data, codes, places)
        hidden, truth = _trials(net, validation_rows, places)
        weight, variance = _errors(_chain_of(net), codes, linear, hidden, truth)
        return cls(codes, linear, weight, variance)

    def expected(self, chain: Autoencoder, x: Tensor) -> Tensor:
        """Return the expected numbers and the most probable states of rows, $(B, n + f)$."""
        return self._likelihood(chain).expected(self._decoded(chain, x))

    def draw(self, chain: Autoencoder, x: Tensor, generator: torch.Generator) -> Tensor:
        """Draw the numbers and states of rows, shape $(B, n + f)$."""
        return self._likelihood(chain).sample(self._decoded(chain, x), generator)

    def _decoded(self, chain: Autoencoder, x: Tensor) -> Tensor:
        output, n = _decoded(chain, self.codes, x), len(self.weight)
        numbers = torch.lerp(output[:, :n], self.linear.expected(x, n), self.weight.to(x))
        return torch.cat([numbers, output[:, n:]], dim=1)

    def _likelihood(self, chain: Autoencoder) -> NumbersAndStates:
        """Return the chain's likelihood, with the variance of hidden numbers."""
        likelihood = copy.deepcopy(_cells_of(chain))
        likelihood.calibrate(self.variance)
        return likelihood


@dataclass(frozen=True)
class CodeImputer(Imputer[Autoencoder]):
    """Imputation of a matrix of numbers by the decoder, from the most probable code of a row.

    Attributes
    ----------
    codes : NormalCodes
        The distribution of the codes of rows.
    """

    codes: NormalCodes

    @classmethod
    def learn(
        cls,
        net: AutoencoderNet,
        data: Rows,
        validation_rows: Rows,
        columns: Columns,
    ) -> "CodeImputer":
        """Learn the codes of rows."""
        return cls(NormalCodes.of(torch.from_numpy(read(net, data, net.module_.encode))))

    def expected(self, chain: Autoencoder, x: Tensor) -> Tensor:
        """Return expected rows, $(B, n)$."""
        mean = chain.likelihood.mean(self._decoded(chain, x))
        return torch.where(torch.isnan(x), mean, x)

    def draw(self, chain: Autoencoder, x: Tensor, generator: torch.Generator) -> Tensor:
        """Draw rows given the cells that are not hidden, $(B, n)$."""
        likelihood = chain.likelihood
        assert isinstance(likelihood, Likelihood)
        drawn = likelihood.sample(self._decoded(chain, x), generator)
        return torch.where(torch.isnan(x), drawn, x)

    def _decoded(self, chain: Autoencoder, x: Tensor) -> Tensor:
        likelihood = chain.likelihood
        assert isinstance(likelihood, NumberLikelihood)
        likelihood = _around_most_probable(likelihood, x.shape[1], len(self.codes.mean))
        codes = self.codes.to(x.device)
        return chain.decoder(codes.most_probable_of_numbers(chain.decoder, likelihood, x))


@torch.inference_mode(False)
def _around_most_probable(
    likelihood: NumberLikelihood, n_columns: int, n_components: int
) -> NumberLikelihood:
    """Return a likelihood of a larger variance, in which cells say less.

    The errors of cells that a code leaves out go together, so they say less than as many that are
    independent, the more there are of them.
    """
    n_left_out = n_columns - n_components
    if not isinstance(likelihood, VarianceLikelihood) or n_left_out <= 0:
        return likelihood
    likelihood = copy.deepcopy(likelihood)
    factor = 1 + n_left_out / (n_left_out + _DIRECTIONS_OF_HALF)
    likelihood.calibrate(factor * likelihood.variance.clone())
    return likelihood


def _chain_of(net: AutoencoderNet) -> Autoencoder:
    chain = net.chain.eval()
    assert isinstance(chain, Autoencoder)
    return chain


def _cells_of(chain: Autoencoder) -> NumbersAndStates:
    assert isinstance(chain.likelihood, NumbersAndStates)
    return chain.likelihood


def _decoded(chain: Autoencoder, codes: NormalCodes, x: Tensor) -> Tensor:
    """Return the mean of the decoder's outputs for the two codes of rows."""

    def losses(z: Tensor, x: Tensor) -> Tensor:
        return chain.likelihood.negative_log_prob(chain.decoder(z), x)

    start = chain.encode(x)
    both = start, codes.to(x.device).most_probable(losses, x, start)
    first, second = (chain.decoder(z) for z in both)
    return _cells_of(chain).without_missing((first + second) / 2)


@torch.no_grad()
def _learn_linear(
    net: AutoencoderNet, data: Rows, codes: NormalCodes, places: Sequence[int]
) -> LinearExpert:
    """Return the linear expert of rows whose holes the decoder has filled."""
    x, _ = data.take(torch.arange(len(data)))
    chain = _chain_of(net)
    x = hide_missing(chain.input_and_target(x.to(net.device))[1], places)
    likelihood = _cells_of(chain)
    filled = x.clone()
    holes = (x[:, likelihood.n_numbers :] < 0).any(1)
    if holes.any():
        output = _decoded(chain, codes, x[holes])
        seen = torch.cat([torch.isnan(x[holes, : len(places)]), x[holes, len(places) :] < 0], dim=1)
        filled[holes] = torch.where(seen, likelihood.expected(output), x[holes])
    return LinearExpert.learn(x.cpu(), filled.cpu(), likelihood)


@torch.no_grad()
def _trials(
    net: AutoencoderNet, validation_rows: Rows, places: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Return validation rows of which some cells are hidden, and the same rows without."""
    x, _ = validation_rows.sample(_N_TRIALS).take(
        torch.arange(min(_N_TRIALS, len(validation_rows)))
    )
    x = x.to(net.device).repeat(ceil(_N_TRIALS / len(x)), 1)
    source, target = _chain_of(net).input_and_target(x)
    return Repeated(HideCells(_HIDDEN, places)).to(x.device).eval()(source), target


@torch.no_grad()
def _errors(
    chain: Autoencoder, codes: NormalCodes, linear: LinearExpert, hidden: Tensor, truth: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the best weights of linear expectations, and the mean squared errors with them.

    Where no number was hidden, the weight is a half and the error 1.
    """
    likelihood = _cells_of(chain)
    n = likelihood.n_numbers
    is_hidden = torch.isnan(hidden[:, :n]) & ~torch.isnan(truth[:, :n])
    output = _decoded(chain, codes, hidden)[:, :n]
    error = torch.where(is_hidden, truth[:, :n] - output, 0.0)
    gap = torch.where(is_hidden, linear.expected(hidden, n) - output, 0.0)
    # Least squares for the weight, drawn to a half as if some more cells had said so.
    prior = _CELLS_OF_HALF * gap.square().sum(0) / is_hidden.sum(0).clamp_min(1)
    weight = ((error * gap).sum(0) + 0.5 * prior) / (gap.square().sum(0) + prior).clamp_min(1e-12)
    weight = torch.where(is_hidden.any(0), weight.clamp(0, 1), 0.5)
    squared = (error - weight * gap).square().sum(0) / is_hidden.sum(0)
    return weight.cpu(), squared.nan_to_num(nan=1.0).cpu()
