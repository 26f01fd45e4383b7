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
from skae.nn.likelihoods import Likelihood
from skae.nn.table_likelihoods import NumbersAndStates
from skae.tables.columns import Columns
from skae.tables.mixed import MixedColumns
from skae.training.net import AutoencoderNet
from skae.training.reading import read
from skae.training.rows import Rows

# The mean share of the cells of validation rows that are hidden to measure the error of imputation.
_HIDDEN = 0.1
# The number of validation rows to hide cells of; fewer ones are repeated.
_N_TRIALS = 1000
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

    Attributes
    ----------
    codes : NormalCodes
        The distribution of the codes of rows whose missing cells are hidden.
    variance : Tensor of shape (n,)
        The variance of hidden numbers around their imputations.
    """

    codes: NormalCodes
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
        column_of_number = columns.column_of_number
        encoded = read(net, data, lambda x: net.module_.encode(hide_missing(x, column_of_number)))
        codes = NormalCodes.of(torch.from_numpy(encoded))
        return cls(codes, _error_of_hidden(net, codes, validation_rows, column_of_number))

    def expected(self, chain: Autoencoder, x: Tensor) -> Tensor:
        """Return the expected numbers and the most probable states of rows, $(B, n + f)$."""
        return self._likelihood(chain).expected(_decoded(chain, self.codes, x))

    def draw(self, chain: Autoencoder, x: Tensor, generator: torch.Generator) -> Tensor:
        """Draw the numbers and states of rows, shape $(B, n + f)$."""
        return self._likelihood(chain).sample(_decoded(chain, self.codes, x), generator)

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
        codes, likelihood = self.codes.to(x.device), chain.likelihood
        assert isinstance(likelihood, Likelihood)

        def losses(z: Tensor, x: Tensor) -> Tensor:
            cells = likelihood.log_prob(chain.decoder(z), torch.nan_to_num(x))
            return -(cells * ~torch.isnan(x)).sum(1)

        start = codes.mean.expand(len(x), -1)
        return chain.decoder(codes.most_probable(losses, x, start))


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
def _error_of_hidden(
    net: AutoencoderNet, codes: NormalCodes, validation_rows: Rows, column_of_number: Sequence[int]
) -> Tensor:
    """Return the mean squared error of hidden numbers, $(n,)$; 1 for columns without any."""
    x, _ = validation_rows.sample(_N_TRIALS).take(
        torch.arange(min(_N_TRIALS, len(validation_rows)))
    )
    x = x.to(net.device).repeat(ceil(_N_TRIALS / len(x)), 1)
    chain = net.module_.eval()
    source, target = chain.input_and_target(x)
    hidden = Repeated(HideCells(_HIDDEN, column_of_number)).to(x.device).eval()(source)
    squared = _cells_of(chain).squared_error(_decoded(chain, codes, hidden), target)
    seen = ~torch.isnan(hidden[:, : len(column_of_number)])
    return squared.masked_fill(seen, torch.nan).nanmean(0).nan_to_num(nan=1.0).cpu()
