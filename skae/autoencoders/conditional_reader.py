"""ConditionalReader: applies a fitted chain to rows whose conditions are known."""

import copy
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch

from skae.autoencoders.reader import Reader
from skae.nn.conditional_chain import ConditionalVariationalAutoencoder


@dataclass(frozen=True)
class ConditionalReader(Reader):
    """The application of a fitted chain to rows or codes, beside their conditions.

    Attributes
    ----------
    conditions : ndarray of shape (n_rows, c)
        The one-hot conditions of the rows.
    """

    conditions: np.ndarray

    @classmethod
    def beside_conditions(cls, reader: Reader, conditions: np.ndarray) -> "ConditionalReader":
        """Return a reader with a chain of its own, so that two may read at a time."""
        chain = copy.deepcopy(reader.chain)
        parts = reader.estimator, reader.columns, chain, reader.device, reader.frame
        return cls(*parts, conditions)

    def beside(self, batch: slice) -> AbstractContextManager:
        """Return the context in which the rows of a batch have their conditions."""
        assert isinstance(self.chain, ConditionalVariationalAutoencoder)
        return self.chain.given(torch.from_numpy(self.conditions[batch]).to(self.device))
