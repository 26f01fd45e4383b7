"""The inversion of a generator: an encoder that finds the codes of rows."""

import torch
from torch import Tensor, nn

from skae.common.shared_parameters import TrainingParameters
from skae.nn.chain import Autoencoder
from skae.nn.laws import Law
from skae.training.rows import Rows
from skae.training.running import make_net, train
from skae.training.schedule import Plan

# The length of the training, in steps per root of the number of rows, and its learning rate.
_STEPS, _RATE = 10, 0.001


class Inversion(nn.Module):
    r"""An encoder $E$ that learns to invert a generator $G$, which stays as it is.

    $\frac1k \lVert E(G(z)) - z \rVert^2 + \frac1n \lVert G(E(x)) - x \rVert^2$

    of draws $z$ of the law of codes and of rows $x$.

    Parameters
    ----------
    chain : Autoencoder
        The chain, whose decoder is the generator.
    law : Law
        The law of the codes.
    """

    def __init__(self, chain: Autoencoder, law: Law) -> None:
        super().__init__()
        self.encoder = chain.encoder
        self.bottleneck = chain.bottleneck.deterministic()
        # In a tuple, so that the generator is no part that learns.
        self.generator = chain.decoder.requires_grad_(False), chain.row_likelihood
        self.law = law

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return drawn codes, the codes that are found for them, and reconstructions of rows."""
        codes = self.bottleneck.constrain(self.law.draw(x.new_empty(len(x), self.law.n_components)))
        return codes, self._encode(self._generate(codes)), self._generate(self._encode(x))

    def loss(
        self, codes: Tensor, found: Tensor, back: Tensor, x: Tensor, weights: Tensor | None = None
    ) -> Tensor:
        """Return the loss of every row, $(B,)$."""
        return (found - codes).square().mean(1) + (back - x).square().mean(1)

    def set_progress(self, progress: float) -> None:
        """Set the share of the training that is done; nothing depends on it."""

    def _encode(self, x: Tensor) -> Tensor:
        return self.bottleneck.encode_mean(self.encoder(x))

    def _generate(self, z: Tensor) -> Tensor:
        decoder, likelihood = self.generator
        return likelihood.mean(decoder(z))


def invert(chain: Autoencoder, law: Law, data: Rows, device: torch.device) -> None:
    """Train the encoder of a chain to invert its decoder."""
    options = TrainingParameters(learning_rate=_RATE)
    plan = Plan.of(options, len(data), steps_per_root_row=_STEPS)
    inversion = Inversion(chain, law)
    train(make_net(inversion, options, plan, device, n_columns=data.n_columns), data)
    chain.eval().decoder.requires_grad_(True)
