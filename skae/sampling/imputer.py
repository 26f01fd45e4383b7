"""Imputation of the missing cells of a table."""

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
from skae.nn.table_likelihoods import NumbersAndStates
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
        column_of_number: Sequence[int],
    ) -> "Imputer":
        """Return the imputer of a trained net.

        Parameters
        ----------
        net : AutoencoderNet
            The trained net.
        data, validation_rows : Rows
            The rows to encode, and the rows to hide cells of.
        column_of_number : sequence of int
            For every number, the position of its state among the states.
        """

    @abstractmethod
    def expected(self, chain: Chain, x: Tensor) -> Tensor:
        """Return the expected numbers and the most probable states of rows, $(B, n + f)$."""

    @abstractmethod
    def draw(self, chain: Chain, x: Tensor, generator: torch.Generator) -> Tensor:
        """Draw the numbers and states of rows, shape $(B, n + f)$."""


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
        column_of_number: Sequence[int],
    ) -> "DecoderImputer":
        """Learn the codes of rows, and from validation rows the error of hidden numbers."""
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
