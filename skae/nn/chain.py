"""The chain: corruption, encoder, bottleneck, decoder, likelihood."""

import torch
from torch import Tensor, nn

from skae.nn.bottlenecks import Bottleneck, Code, Identity
from skae.nn.likelihoods import Likelihood, VarianceLikelihood
from skae.nn.penalties import Penalty
from skae.nn.posteriors import Posterior
from skae.nn.predictions import Prediction
from skae.nn.quantization import Quantizer, Unquantized


class Autoencoder(nn.Module):
    r"""The chain from a row to its probability, and all inference by it.

    $x \to \tilde x \to h = e(\tilde x) \to z = b(h) \to d(z) \to p(x \mid z)$

    and the loss of a row is $-\log p(x \mid z) + \text{penalty}(\tilde x, z)$.

    Parameters
    ----------
    encoder : nn.Module
        A map from $(B, n)$ to $(B, k)$.
    decoder : nn.Module
        A map from $(B, k)$ to the parameters of the likelihood, $(B, m)$.
    likelihood : Likelihood or Prediction
        The distribution of a row, or of a prediction.
    bottleneck : Bottleneck, default=Identity()
        A map from the encoder's output to a `Code`.
    corruption : nn.Module, default=nn.Identity()
        The corruption of the encoder's input in training; the loss is that of the clean rows.
    penalty : Penalty or None, default=None
        A cost of the code, added to that of the bottleneck; see `skae.nn.penalties`.
    quantizer : Quantizer or None, default=None
        The rounding of codes in inference; training does not round them.
    n_columns : int or None, default=None
        The number of columns $n$ of a row. Training then also takes pairs of rows side by side,
        $(B, 2n)$: the input of the encoder and the target of the decoder.
    """

    corruption: nn.Module
    bottleneck: Bottleneck
    likelihood: Prediction
    quantizer: Quantizer | Unquantized

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood | Prediction,
        bottleneck: Bottleneck | None = None,
        corruption: nn.Module | None = None,
        penalty: Penalty | None = None,
        quantizer: Quantizer | None = None,
        n_columns: int | None = None,
    ) -> None:
        super().__init__()
        self.corruption = nn.Identity() if corruption is None else corruption
        self.encoder = encoder
        self.bottleneck = Identity() if bottleneck is None else bottleneck
        self.decoder = decoder
        self.likelihood = likelihood
        self.penalty = penalty
        self.quantizer = Unquantized() if quantizer is None else quantizer
        self.n_columns = n_columns

    def input_and_target(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the input of the encoder and the target of the decoder; mostly the same."""
        if self.n_columns is None or x.shape[1] == self.n_columns:
            return x, x
        return x[:, : self.n_columns], x[:, self.n_columns :]

    def forward(self, x: Tensor) -> tuple[Tensor, Code]:
        """Return the likelihood's parameters $(B, m)$ and the code of rows $(B, n)$."""
        source, _ = self.input_and_target(x)
        seen = self.corruption(source)
        code = self.bottleneck(self.encoder(seen))
        if self.penalty is not None:
            cost = self.penalty(self, seen, code.z)
            code = Code(code.z, cost if code.penalty is None else code.penalty + cost)
        return self.decoder(code.z), code

    @property
    def posterior(self) -> Posterior | None:
        """The posterior of the code, None for chains without one."""
        return None

    @property
    def row_likelihood(self) -> Likelihood:
        """The likelihood of chains that reconstruct rows rather than predict a target."""
        assert isinstance(self.likelihood, Likelihood)
        return self.likelihood

    def prepare(self) -> None:
        """Reset the state of an earlier training before the next one."""
        self.set_progress(1.0)
        self.quantizer.forget()

    def set_progress(self, progress: float) -> None:
        """Set the share of the training that is done, in [0, 1], of the parts that depend on it."""
        self.bottleneck.set_progress(progress)
        if self.penalty is not None:
            self.penalty.set_progress(progress)

    def loss(self, output: Tensor, code: Code, x: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the loss of every row in nats, shape $(B,)$, given the outputs of `forward`.

        The weights of the rows, $(B,)$, are for likelihoods that are updated in training.
        """
        _, target = self.input_and_target(x)
        loss = self.likelihood.negative_log_prob(output, target)
        return loss if code.penalty is None else loss + code.penalty

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes $(B, k)$ of rows $(B, n)$."""
        return self.quantizer(self.bottleneck.encode_mean(self.encoder(x)))

    def latent(self, x: Tensor) -> Tensor:
        """Return the parameters that codes of rows $(B, n)$ are drawn by; here the codes."""
        return self.encode(x)

    def draw_codes(self, latent: Tensor) -> Tensor:
        """Draw codes $(B, k)$, given the output of `latent`."""
        return latent

    def decode(self, z: Tensor) -> Tensor:
        """Return the expected rows $(B, n)$ of codes $(B, k)$."""
        return self.likelihood.mean(self.decoder(z))

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the reconstructions of rows $(B, n)$."""
        return self.decode(self.encode(x))

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the log-probability of every cell of rows given their codes, $(B, n)$."""
        return self.row_likelihood.log_prob(self.decoder(self.encode(x)), x)

    def squared_error(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the squared error of every cell between reconstructed sources and targets."""
        assert isinstance(self.likelihood, VarianceLikelihood)
        return self.likelihood.squared_error(self.decoder(self.encode(source)), target)

    def draw(self, z: Tensor, generator: torch.Generator) -> Tensor:
        """Draw rows $(B, n)$ from the likelihood, given numbers $(B, k)$ near codes."""
        codes = self.quantizer(self.bottleneck.constrain(z))
        return self.row_likelihood.sample(self.decoder(codes), generator)
