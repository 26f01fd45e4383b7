"""The variational chain of rows that are conditioned on something."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from skae.nn.bottlenecks import Code
from skae.nn.conditions import Conditioned
from skae.nn.one_hot import OneHot
from skae.nn.variational_chain import VariationalAutoencoder

# The share of the rows whose conditions are hidden in a training step.
_SHARE_HIDDEN = 0.1


class ConditionalVariationalAutoencoder(VariationalAutoencoder):
    r"""The chain whose loss is minus a bound on $\log p(x \mid c)$.

    In training, rows stand behind their encoded conditions, $(B, e + n)$, and the conditions of one
    row in ten are hidden, so that the chain is also one of rows whose conditions are unknown. In
    inference, rows stand alone, and `given` says what the conditions of a batch are.

    Parameters
    ----------
    *parts
        The parts of the chain, of which encoder and decoder hold networks with conditions.
    one_hot : OneHot
        The one-hot encoding of encoded conditions.
    **options
        The options of the chain.
    """

    n_columns: int

    def __init__(self, *parts: Any, one_hot: OneHot, **options: Any) -> None:
        super().__init__(*parts, **options)
        self.one_hot = one_hot

    @contextmanager
    def given(self, conditions: Tensor | None) -> Iterator[None]:
        """Set the one-hot conditions of a batch inside the block; None for unknown ones."""
        networks = [each for each in self.modules() if isinstance(each, Conditioned)]
        try:
            for network in networks:
                network.conditions = conditions
            yield
        finally:
            for network in networks:
                network.conditions = None

    def conditions_of(self, x: Tensor) -> Tensor:
        """Return the one-hot conditions of training rows, $(B, c)$."""
        return self.one_hot(x[:, : -self.n_columns])

    def input_and_target(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return training rows, and the rows behind their conditions."""
        return x, x[:, -self.n_columns :]

    def forward(self, x: Tensor) -> tuple[Tensor, Code]:
        """Return the likelihood's parameters and the draws of the code of training rows."""
        conditions = self.conditions_of(x)
        if self.training:
            is_seen = torch.rand(len(x), 1, device=x.device) >= _SHARE_HIDDEN
            conditions = conditions * is_seen
        with self.given(conditions):
            return super().forward(x[:, -self.n_columns :])

    def loss(self, output: Tensor, code: Code, x: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the negative bound of every training row in nats, $(B,)$."""
        return super().loss(output, code, x[:, -self.n_columns :], weights)

    def latent(self, x: Tensor) -> Tensor:
        """Return the parameters of the posterior of rows, of training or alone, $(B, m)$."""
        if x.shape[1] == self.n_columns:
            return super().latent(x)
        with self.given(self.conditions_of(x)):
            return super().latent(x[:, -self.n_columns :])

    def squared_error(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the mean squared error of every cell over draws of the code, $(B, n)$."""
        with self.given(self.conditions_of(source)):
            return super().squared_error(source[:, -self.n_columns :], target)
