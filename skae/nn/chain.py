"""The chain: corruption, encoder, bottleneck, decoder, likelihood."""

import torch
from torch import Tensor, nn

from skae.nn.bottlenecks import Code, Identity


class Autoencoder(nn.Module):
    r"""One line from a row to its probability, and every reading of it.

    $x \to \tilde x \to h = e(\tilde x) \to z = b(h) \to d(z) \to p(x \mid z)$

    and the loss of a row is $-\log p(x \mid z) + \text{penalty}(\tilde x, z)$.

    Parameters
    ----------
    encoder : nn.Module
        From $(B, n)$ to $(B, k)$.
    decoder : nn.Module
        From $(B, k)$ to the parameters of the likelihood, $(B, m)$.
    likelihood : nn.Module
        What the parameters say of a row; see `skae.nn.likelihoods`.
    bottleneck : nn.Module, default=Identity()
        From the encoder's output to a `Code`.
    corruption : nn.Module, default=nn.Identity()
        What training does to the rows that the encoder sees; the loss sees them clean.
    penalty : nn.Module or None, default=None
        What the code costs beside what the bottleneck says; see `skae.nn.penalties`.
    quantizer : nn.Module, default=nn.Identity()
        What rounds codes when the chain is read; training sees them as they are.
    n_columns : int or None, default=None
        The number of columns $n$ of a row. Training then also takes rows of two views side by
        side, $(B, 2n)$: one for the encoder, and what the decoder should make of it.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: nn.Module,
        bottleneck: nn.Module | None = None,
        corruption: nn.Module | None = None,
        penalty: nn.Module | None = None,
        quantizer: nn.Module | None = None,
        n_columns: int | None = None,
    ) -> None:
        super().__init__()
        self.corruption = nn.Identity() if corruption is None else corruption
        self.encoder = encoder
        self.bottleneck = Identity() if bottleneck is None else bottleneck
        self.decoder = decoder
        self.likelihood = likelihood
        self.penalty = penalty
        self.quantizer = nn.Identity() if quantizer is None else quantizer
        self.n_columns = n_columns

    def views(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the encoder sees and what the decoder should give; mostly the same."""
        if self.n_columns is None or x.shape[1] == self.n_columns:
            return x, x
        return x[:, : self.n_columns], x[:, self.n_columns :]

    def forward(self, x: Tensor) -> tuple[Tensor, Code]:
        """Return the likelihood's parameters $(B, m)$ and the code of rows $(B, n)$."""
        source, _ = self.views(x)
        seen = self.corruption(source)
        code = self.bottleneck(self.encoder(seen))
        if self.penalty is not None:
            cost = self.penalty(self, seen, code.z)
            code = Code(code.z, cost if code.penalty is None else code.penalty + cost)
        return self.decoder(code.z), code

    def at(self, progress: float) -> None:
        """Tell the parts that ask for it how much of the training is done, in [0, 1]."""
        for part in (self.bottleneck, self.penalty):
            if hasattr(part, "at"):
                part.at(progress)

    def loss(self, output: Tensor, code: Code, x: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the loss of every row in nats, shape $(B,)$, given what `forward` returned.

        Weights of the rows, $(B,)$, are for likelihoods that learn of them in training.
        """
        _, target = self.views(x)
        loss = self.likelihood.negative_log_prob(output, target)
        return loss if code.penalty is None else loss + code.penalty

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes $(B, k)$ of rows $(B, n)$."""
        return self.quantizer(self.bottleneck.read(self.encoder(x)))

    def decode(self, z: Tensor) -> Tensor:
        """Return the expected rows $(B, n)$ of codes $(B, k)$."""
        return self.likelihood.mean(self.decoder(z))

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return what is left of rows $(B, n)$ after the code."""
        return self.decode(self.encode(x))

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the log-probability of every cell of rows given their codes, $(B, n)$."""
        return self.likelihood.log_prob(self.decoder(self.encode(x)), x)

    def squared_error(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the squared error of every cell where some rows stand for others, $(B, n)$."""
        return self.likelihood.squared_error(self.decoder(self.encode(source)), target)

    def draw(self, z: Tensor, generator: torch.Generator) -> Tensor:
        """Draw rows $(B, n)$ from the likelihood given codes $(B, k)$."""
        return self.likelihood.sample(self.decoder(z), generator)
