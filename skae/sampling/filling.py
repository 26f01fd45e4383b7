"""What stands in the holes of a table."""

import copy
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor, nn

from skae.nn.corruptions import HideCells, Repeated, hide_missing
from skae.nn.hidden_cells import NormalCodes
from skae.training.net import AutoencoderNet
from skae.training.reading import read
from skae.training.rows import Rows

_HIDDEN = 0.1
_N_TRIALS = 1000


@dataclass(frozen=True)
class Filling:
    """How a fitted chain fills hidden cells.

    The decoder is asked about two codes, the encoder's and the most probable one, and its two
    answers are averaged: the first is better where there are many rows to learn from, the second
    where there are few.

    Attributes
    ----------
    codes : NormalCodes
        The codes of rows whose missing cells are hidden.
    likelihood : nn.Module
        That of the chain, with the variance that numbers have where they are hidden.
    """

    codes: NormalCodes
    likelihood: nn.Module

    @classmethod
    def learn(
        cls, net: AutoencoderNet, data: Rows, judges: Rows, column_of_number: list[int]
    ) -> "Filling":
        """Read off the codes of rows, and from those that judged how far hidden numbers are off.

        Parameters
        ----------
        net : AutoencoderNet
            The trained net.
        data, judges : Rows
            Rows to encode, and rows to hide cells of.
        column_of_number : list of int
            For every number, the position of its state among the states.
        """
        codes = read(net, data, lambda x: net.module_.encode(hide_missing(x, column_of_number)))
        codes = NormalCodes.of(torch.from_numpy(codes).to(net.device))
        filling = cls(codes, copy.deepcopy(net.module_.likelihood))
        filling.likelihood.calibrate(filling._error(net, judges, column_of_number))
        return filling

    def expected(self, chain: nn.Module, x: Tensor) -> Tensor:
        """Return the expected numbers and the likeliest states of rows, shape $(B, n + f)$."""
        return self.likelihood.expected(self._output(chain, x))

    def draw(self, chain: nn.Module, x: Tensor, generator: torch.Generator) -> Tensor:
        """Draw the numbers and states of rows, shape $(B, n + f)$."""
        return self.likelihood.sample(self._output(chain, x), generator)

    def _output(self, chain: nn.Module, x: Tensor) -> Tensor:
        start = chain.encode(x)
        outputs = chain.decoder(start), chain.decoder(self.codes.most_probable(chain, x, start))
        return self.likelihood.without_missing((outputs[0] + outputs[1]) / 2)

    @torch.no_grad()
    def _error(self, net: AutoencoderNet, judges: Rows, column_of_number: list[int]) -> Tensor:
        """Return the mean squared error of numbers that are hidden, 1 where none was, (n,)."""
        x, _ = judges.sample(_N_TRIALS).take(torch.arange(min(_N_TRIALS, len(judges))))
        x = x.to(net.device).repeat(ceil(_N_TRIALS / len(x)), 1)
        chain = net.module_.eval()
        source, target = chain.views(x)
        hidden = Repeated(HideCells(_HIDDEN, column_of_number)).to(x.device).eval()(source)
        squared = self.likelihood.squared_error(self._output(chain, hidden), target)
        seen = ~torch.isnan(hidden[:, : len(column_of_number)])
        return squared.masked_fill(seen, torch.nan).nanmean(0).nan_to_num(nan=1.0)
