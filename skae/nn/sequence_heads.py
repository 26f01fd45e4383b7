"""Heads of sequences: the distribution of the next step, given the output of a decoder."""

from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn import functional

from skae.nn.predictions import Prediction

# The cells of rows that are beyond the end of their sequence.
PADDING = 0.0
# The first tokens: the end of a text, and a character that is not known.
END, UNKNOWN = 1, 2


class Head(Prediction):
    """The distribution of a step of a sequence; rows are padded sequences, flattened.

    Attributes
    ----------
    width : int
        The number of cells of a step.
    n_features : int
        The number of features that networks see of a step.
    n_outputs : int
        The number of outputs that a decoder has for a step.
    """

    width: int
    n_features: int
    n_outputs: int

    def steps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return rows $(B, n)$ as steps $(B, T, w)$, up to the longest, and lengths $(B,)$."""
        steps = x.unflatten(1, (-1, self.width))
        lengths = (steps[:, :, -1] != PADDING).sum(1)
        return steps[:, : int(lengths.max())], lengths

    @abstractmethod
    def features(self, steps: Tensor) -> Tensor:
        """Return what networks see of steps $(..., w)$, $(..., f)$."""

    @abstractmethod
    def log_prob(self, output: Tensor, steps: Tensor) -> Tensor:
        """Return the log-probability of steps $(N, w)$, $(N,)$."""

    @abstractmethod
    def draw(
        self,
        output: Tensor,
        previous: Tensor | None,
        temperature: float,
        generator: torch.Generator,
    ) -> Tensor:
        """Draw the steps after others, $(N, w)$; at a temperature of zero, take the likeliest.

        Parameters
        ----------
        output : Tensor of shape (N, m)
            The output of the decoder.
        previous : Tensor of shape (N, w) or None
            The steps before; None at the start.
        temperature : float
            The temperature.
        generator : torch.Generator
            The source of chance, on the CPU.
        """

    @abstractmethod
    def is_end(self, steps: Tensor) -> Tensor:
        """Tell which of steps $(N, w)$ end their sequence, $(N,)$."""

    @abstractmethod
    def end(self, steps: Tensor) -> Tensor:
        """Return steps $(N, w)$ such that they end their sequences."""

    def negative_log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the negative log-probability of every step, $(N,)$."""
        return -self.log_prob(output, x)

    def mean(self, output: Tensor) -> Tensor:
        """Return the likeliest steps, $(N, w)$."""
        return self.draw(output, None, 0.0, torch.Generator())


class Tokens(Head):
    """A categorical distribution of characters: a step is the number of one, from 1 on.

    Token 1 ends a text, and token 2 is any character that is not known, which is never drawn.

    Parameters
    ----------
    n_tokens : int
        The number of tokens.
    """

    width = 1

    def __init__(self, n_tokens: int) -> None:
        super().__init__()
        self.n_features = self.n_outputs = n_tokens

    def features(self, steps: Tensor) -> Tensor:
        """Return one-hot tokens; zeros for padding."""
        return one_hot_from_one(steps[..., 0], self.n_features)

    def log_prob(self, output: Tensor, steps: Tensor) -> Tensor:
        """Return the log-probability of tokens $(N, 1)$, $(N,)$."""
        return -functional.cross_entropy(output, steps[:, 0].long() - 1, reduction="none")

    def draw(
        self,
        output: Tensor,
        previous: Tensor | None,
        temperature: float,
        generator: torch.Generator,
    ) -> Tensor:
        """Draw tokens $(N, 1)$: not the unknown one, and no end at the start."""
        known = output.clone()
        known[:, UNKNOWN - 1] = -torch.inf
        if previous is None:
            known[:, END - 1] = -torch.inf
        return draw_class(known, temperature, generator)[:, None].to(output) + 1

    def is_end(self, steps: Tensor) -> Tensor:
        """Tell which tokens end their text, $(N,)$."""
        return steps[:, 0] == END

    def end(self, steps: Tensor) -> Tensor:
        """Return tokens that end texts."""
        return torch.full_like(steps, END)


def one_hot_from_one(classes: Tensor, n_classes: int) -> Tensor:
    """Return one-hot classes from 1 on, zeros for 0, in the type of the classes."""
    return functional.one_hot(classes.long(), n_classes + 1)[..., 1:].to(classes)


def draw_class(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """Draw classes $(N,)$ by logits divided by a temperature; at zero, take the likeliest."""
    if temperature == 0:
        return logits.argmax(1)
    shares = torch.softmax(logits / temperature, dim=1).cpu()
    return torch.multinomial(shares, 1, generator=generator)[:, 0].to(logits.device)
