"""The game of a generator and a discriminator."""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import softplus

from skae.nn.chain import Autoencoder
from skae.nn.laws import Law

# The averaging of weights: the share of the past in a step, and how fast it gets there.
_MOST_OF_PAST = 0.999
_STEPS_OF_RISE = 10


class Generator(nn.Module):
    """The generator of expected rows that a chain's decoder is.

    Parameters
    ----------
    chain : Autoencoder
        The chain, whose parts it holds.
    """

    def __init__(self, chain: Autoencoder) -> None:
        super().__init__()
        self.decoder = chain.decoder
        self.likelihood = chain.row_likelihood
        self.bottleneck = chain.bottleneck

    def forward(self, z: Tensor) -> Tensor:
        """Return rows $(B, n)$ of codes $(B, k)$."""
        return self.likelihood.mean(self.decoder(self.bottleneck.constrain(z)))


class Game(nn.Module):
    r"""A generator and a discriminator that learn from each other.

    With the logits $D$ of a row $x$ and of a generated one $\hat x = G(z)$, the discriminator
    minimises

    $\log(1 + e^{D(\hat x) - D(x)}) + \frac\gamma2 (\lVert \nabla D(x) \rVert^2 +
    \lVert \nabla D(\hat x) \rVert^2)$

    and the generator $\log(1 + e^{D(x) - D(\hat x)})$. Both losses are added, and their gradients
    kept apart, so that one optimiser makes a step of each at a time.

    Parameters
    ----------
    generator : Generator
        The generator.
    discriminator : nn.Module
        A map from rows to logits $(B, 1)$.
    law : Law
        The law of the codes.
    gradient_penalty : float
        The strength $\gamma$ of the penalty on the discriminator's gradients.

    Attributes
    ----------
    averaged : Generator
        The generator with the exponentially averaged weights of the last thousand steps.

    References
    ----------
    Huang, Y., Gokaslan, A., Kuleshov, V. and Tompkin, J. (2024). The GAN is dead; long live the
    GAN! A modern GAN baseline. Advances in Neural Information Processing Systems 37.
    """

    def __init__(
        self, generator: Generator, discriminator: nn.Module, law: Law, gradient_penalty: float
    ) -> None:
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.law = law
        self.gradient_penalty = gradient_penalty
        self.averaged = copy.deepcopy(generator).requires_grad_(False)
        self.n_steps = 0

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return generated rows, as many as rows $(B, n)$ are given."""
        if self.training:
            self._average()
        return (self.generator(self.law.draw(x.new_empty(len(x), self.law.n_components))),)

    def loss(self, generated: Tensor, x: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the losses of both players for every pair of rows, $(B,)$."""
        real, fake = (each.detach().requires_grad_() for each in (x, generated))
        logits = self.discriminator(real)[:, 0], self.discriminator(fake)[:, 0]
        penalty = sum(
            _squared_slopes(logit, each) for logit, each in zip(logits, (real, fake), strict=True)
        )
        of_discriminator = softplus(logits[1] - logits[0]) + self.gradient_penalty / 2 * penalty
        held = {name: each.detach() for name, each in self.discriminator.named_parameters()}
        seen = functional_call(self.discriminator, held, (generated,))[:, 0]
        return of_discriminator + softplus(logits[0].detach() - seen)

    def set_progress(self, progress: float) -> None:
        """Set the share of the training that is done; nothing depends on it."""

    @torch.no_grad()
    def _average(self) -> None:
        """Take the weights of the last step into the averaged ones."""
        self.n_steps += 1
        past = min(_MOST_OF_PAST, self.n_steps / (_STEPS_OF_RISE + self.n_steps))
        averaged: list[Tensor] = [*self.averaged.parameters()]
        own: list[Tensor] = [*self.generator.parameters()]
        torch._foreach_lerp_(averaged, own, 1 - past)


def _squared_slopes(logits: Tensor, x: Tensor) -> Tensor:
    """Return the squared gradient of every row's logit, $(B,)$."""
    options: dict[str, Any] = {"create_graph": True}
    (slopes,) = torch.autograd.grad(logits.sum(), x, **options)
    return slopes.square().sum(1)
