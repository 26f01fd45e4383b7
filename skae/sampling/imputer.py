"""What fills the missing cells of a table."""

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

_HIDDEN = 0.1
_N_TRIALS = 1000
Chain = TypeVar("Chain", bound=Autoencoder)


class Imputer(ABC, Generic[Chain]):
    """What a fitted chain puts into hidden cells."""

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
            Rows to encode, and rows to hide cells of.
        column_of_number : sequence of int
            The column of every number.
        """

    @abstractmethod
    def expected(self, chain: Chain, x: Tensor) -> Tensor:
        """Return the expected numbers and the likeliest states of rows, shape $(B, n + f)$."""

    @abstractmethod
    def draw(self, chain: Chain, x: Tensor, generator: torch.Generator) -> Tensor:
        """Draw the numbers and states of rows, shape $(B, n + f)$."""


@dataclass(frozen=True)
class DecoderImputer(Imputer[Autoencoder]):
    """What the decoder makes of two codes of a row with hidden cells.

    One is the encoder's, the other the most probable code, and the decoder's outputs are averaged:
    the first is better where there are many rows to learn from, the second where there are few.

    Attributes
    ----------
    codes : NormalCodes
        The codes of rows whose missing cells are hidden.
    likelihood : NumbersAndStates
        That of the chain, with the variance that numbers have where they are hidden.
    """

    codes: NormalCodes
    likelihood: NumbersAndStates

    @classmethod
    def learn(
        cls,
        net: AutoencoderNet,
        data: Rows,
        validation_rows: Rows,
        column_of_number: Sequence[int],
    ) -> "DecoderImputer":
        """Learn the codes of rows, and from validation rows the error of hidden numbers."""
        found = read(net, data, lambda x: net.module_.encode(hide_missing(x, column_of_number)))
        codes = NormalCodes.of(torch.from_numpy(found).to(net.device))
        imputer = cls(codes, copy.deepcopy(net.module_.likelihood))
        imputer.likelihood.calibrate(imputer._error(net, validation_rows, column_of_number))
        return imputer

    def expected(self, chain: Autoencoder, x: Tensor) -> Tensor:
        """Return the expected numbers and the likeliest states of rows, shape $(B, n + f)$."""
        return self.likelihood.expected(self._output(chain, x))

    def draw(self, chain: Autoencoder, x: Tensor, generator: torch.Generator) -> Tensor:
        """Draw the numbers and states of rows, shape $(B, n + f)$."""
        return self.likelihood.sample(self._output(chain, x), generator)

    def _output(self, chain: Autoencoder, x: Tensor) -> Tensor:
        def losses(z: Tensor, x: Tensor) -> Tensor:
            return chain.likelihood.negative_log_prob(chain.decoder(z), x)

        start = chain.encode(x)
        codes = start, self.codes.most_probable(losses, x, start)
        outputs = [chain.decoder(z) for z in codes]
        return self.likelihood.without_missing((outputs[0] + outputs[1]) / 2)

    @torch.no_grad()
    def _error(
        self, net: AutoencoderNet, validation_rows: Rows, column_of_number: Sequence[int]
    ) -> Tensor:
        """Return the mean squared error of numbers that are hidden, 1 where none was, (n,)."""
        x, _ = validation_rows.sample(_N_TRIALS).take(
            torch.arange(min(_N_TRIALS, len(validation_rows)))
        )
        x = x.to(net.device).repeat(ceil(_N_TRIALS / len(x)), 1)
        chain = net.module_.eval()
        source, target = chain.input_and_target(x)
        hidden = Repeated(HideCells(_HIDDEN, column_of_number)).to(x.device).eval()(source)
        squared = self.likelihood.squared_error(self._output(chain, hidden), target)
        seen = ~torch.isnan(hidden[:, : len(column_of_number)])
        return squared.masked_fill(seen, torch.nan).nanmean(0).nan_to_num(nan=1.0)
