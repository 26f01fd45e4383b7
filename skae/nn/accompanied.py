"""Chains whose training rows stand behind columns of something else."""

from abc import abstractmethod
from contextlib import AbstractContextManager, nullcontext

from torch import Tensor

from skae.nn.bottlenecks import Code
from skae.nn.chain import Autoencoder


class Accompanied(Autoencoder):
    """A chain that is told something of its training rows, which is no part of them.

    In training, rows stand behind columns of that, $(B, e + n)$. In inference, they stand alone.
    """

    n_columns: int

    @abstractmethod
    def told(self, beside: Tensor) -> AbstractContextManager:
        """Return the context in which the chain knows what stands beside a batch, $(B, e)$."""

    def beside(self, x: Tensor) -> Tensor:
        """Return what stands beside training rows, $(B, e)$."""
        return x[:, : -self.n_columns]

    def input_and_target(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return training rows, and the rows behind what stands beside them."""
        return x, x[:, -self.n_columns :]

    def forward(self, x: Tensor) -> tuple[Tensor, Code]:
        """Return the likelihood's parameters and the code of training rows."""
        with self._telling(x):
            return super().forward(x[:, -self.n_columns :])

    def loss(self, output: Tensor, code: Code, x: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the loss of every training row in nats, $(B,)$."""
        return super().loss(output, code, x[:, -self.n_columns :], weights)

    def latent(self, x: Tensor) -> Tensor:
        """Return what codes are drawn by, of training rows or of rows alone, $(B, m)$."""
        with self._telling(x):
            return super().latent(x[:, -self.n_columns :])

    def squared_error(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the squared error of every cell between training rows and targets, $(B, n)$."""
        with self._telling(source):
            return super().squared_error(source[:, -self.n_columns :], target)

    def _telling(self, x: Tensor) -> AbstractContextManager:
        """Return the context in which the chain knows what stands beside rows, if anything does."""
        return nullcontext() if x.shape[1] == self.n_columns else self.told(self.beside(x))
