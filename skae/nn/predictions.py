"""Predictions: the distribution of labels or targets that the head's output parametrises."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional


class Prediction(nn.Module, ABC):
    """The distribution of the output of a chain: a row, a label or targets.

    Attributes
    ----------
    n_outputs : int or None
        The number of outputs that it needs; None for one per column.
    """

    n_outputs: int | None = None

    @abstractmethod
    def negative_log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the negative log-probability of every row, shape $(B,)$."""

    def loss_and_gradient(
        self, output: Tensor, x: Tensor, shares: Tensor | float
    ) -> tuple[Tensor, Tensor]:
        """Return the weighted mean of `negative_log_prob`, and its gradient for the output.

        Parameters
        ----------
        output, x : Tensor of shape (B, m) and (B, n)
            The output of the decoder and its target.
        shares : Tensor of shape (B,) or float
            The weights of the rows, whose sum is one; a number for equal weights.
        """
        with torch.enable_grad():
            leaf = output.detach().requires_grad_()
            losses = self.negative_log_prob(leaf, x)
            if not isinstance(shares, Tensor):
                shares = losses.new_full(losses.shape, shares)
            loss = torch.dot(losses, shares)
            (gradient,) = torch.autograd.grad(loss, leaf)
        return loss.detach(), gradient

    @abstractmethod
    def mean(self, output: Tensor) -> Tensor:
        """Return the expectation of every row."""


class Labels(Prediction):
    """A categorical distribution: the head gives logits, and a row is the index of its class.

    Parameters
    ----------
    n_classes : int
        The number of classes.
    """

    n_outputs: int

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.n_outputs = n_classes

    def negative_log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the cross-entropy of every row of $(B, 1)$, shape $(B,)$."""
        return functional.cross_entropy(output, x[:, 0].long(), reduction="none")

    def mean(self, output: Tensor) -> Tensor:
        """Return the probabilities of the classes, shape $(B, C)$."""
        return torch.softmax(output, dim=1)


class Targets(Prediction):
    """Standardised targets with unit variance: the loss is half the squared error.

    Parameters
    ----------
    n_targets : int
        The number of targets.
    """

    n_outputs: int

    def __init__(self, n_targets: int) -> None:
        super().__init__()
        self.n_outputs = n_targets

    def negative_log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return half the squared error of every row of $(B, m)$, shape $(B,)$."""
        return 0.5 * (output - x).square().sum(1)

    def mean(self, output: Tensor) -> Tensor:
        """Return the expected numbers, shape $(B, m)$."""
        return output
