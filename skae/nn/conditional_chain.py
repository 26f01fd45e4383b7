"""The variational chain of rows that are conditioned on something."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor

from skae.nn.accompanied import Accompanied
from skae.nn.attention import AttentiveDecoder
from skae.nn.conditions import Conditioned, ConditionedEncoder
from skae.nn.one_hot import OneHot
from skae.nn.texts import OneHotAndTokens
from skae.nn.variational_chain import VariationalAutoencoder

# The share of the rows whose conditions are hidden in a training step.
_SHARE_HIDDEN = 0.1


class ConditionalVariationalAutoencoder(Accompanied, VariationalAutoencoder):
    r"""The chain whose loss is minus a bound on $\log p(x \mid c)$.

    In training, rows stand behind their encoded conditions, $(B, e + n)$, and the conditions of one
    row in ten are hidden, so that the chain is also one of rows whose conditions are unknown. In
    inference, rows stand alone, and `given` says what the conditions of a batch are.

    Parameters
    ----------
    *parts
        The parts of the chain, of which encoder and decoder hold networks with conditions.
    one_hot : OneHot or OneHotAndTokens
        The one-hot encoding of encoded conditions, behind which there may be tokens.
    **options
        The options of the chain.
    """

    def __init__(self, *parts: Any, one_hot: OneHot | OneHotAndTokens, **options: Any) -> None:
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

    def told(self, beside: Tensor) -> AbstractContextManager:
        """Return the context in which a batch has its conditions, of which training hides some."""
        conditions = self.one_hot(beside)
        if self.training:
            is_seen = torch.rand(len(beside), 1, device=beside.device) >= _SHARE_HIDDEN
            conditions = conditions * is_seen
        return self.given(conditions)

    def conditions_of(self, x: Tensor) -> Tensor:
        """Return the one-hot conditions of training rows, $(B, c)$."""
        return self.one_hot(self.beside(x))

    def summary(self, conditions: Tensor) -> Tensor:
        """Return one-hot conditions as vectors, in which texts are the mean of their words."""
        networks = (each for each in self.modules() if isinstance(each, ConditionedEncoder))
        vectors: Tensor = next(networks).reading(conditions)
        return vectors

    @property
    def attends(self) -> bool:
        """Whether places of images attend to words."""
        return any(isinstance(each, AttentiveDecoder) for each in self.modules())

    def attention(self, x: Tensor) -> Tensor:
        """Return how much places attend to words in reconstructions of $(B, n)$, $(B, h, w, T)$.

        What a place does not attend to words, it attends to none.
        """
        decoder = next(each for each in self.modules() if isinstance(each, AttentiveDecoder))
        decoder.keeps_attention = True
        try:
            self.reconstruct(x)
            assert decoder.attention is not None
            return decoder.attention[..., 1:]
        finally:
            decoder.keeps_attention, decoder.attention = False, None
