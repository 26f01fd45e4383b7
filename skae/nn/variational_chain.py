"""The variational chain: codes are drawn, and their cost is the divergence from the prior."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from skae.nn.bottlenecks import Bottleneck, Code
from skae.nn.chain import Autoencoder
from skae.nn.likelihoods import Likelihood, VarianceLikelihood
from skae.nn.posteriors import Posterior
from skae.nn.seeding import seeded

# The size of a block in memory, in decoder outputs, and in codes whose densities are computed under
# the posteriors of all rows.
_CELLS_AT_A_TIME = 2**22
_CODES_AT_A_TIME = 64
# The largest number of rows that mutual information is estimated from.
_MOST_ROWS = 2000
# The number of draws of the code that a squared error is the mean of.
_N_DRAWS = 16
# The number that stands for NaN when a row is hashed.
_NO_NUMBER = 1e30
# An odd 64-bit multiplier, that of Knuth's MMIX generator: a product with it carries the low bits
# of a hash into the high ones.
_MIXER = 0x5851F42D4C957F2D
# The distance that uniforms keep from 0 and 1.
_NEAR = 1e-6


class Mean(Bottleneck):
    """A bottleneck that takes the mean of the posterior.

    Parameters
    ----------
    posterior : Posterior
        The distribution of codes that the encoder's output parametrises.
    """

    def __init__(self, posterior: Posterior) -> None:
        super().__init__()
        self.posterior = posterior
        self.n_inputs = posterior.n_outputs

    def forward(self, h: Tensor) -> Code:
        """Take the means of $(B, m)$."""
        return Code(self.encode_mean(h))

    def encode_mean(self, h: Tensor) -> Tensor:
        """Return the means of the codes of $(B, m)$."""
        return self.posterior.moments(h)[0]

    def constrain(self, z: Tensor) -> Tensor:
        """Project $(B, k)$ onto the support of the prior."""
        return self.posterior.constrain(z)


class Variational(Mean):
    r"""A bottleneck that draws codes from a posterior.

    Its penalty is $\beta\,KL(q(z \mid x) \parallel p(z))$; with several draws of each row, stacked
    one set after the other, it is $\beta\,(\log q(z \mid x) - \log p(z))$ of each draw.

    Parameters
    ----------
    posterior : Posterior
        The distribution of codes that the encoder's output parametrises; see
        `skae.nn.posteriors`.
    beta : float, default=1.0
        The weight $\beta$; in evaluation, `schedule` does not scale it.
    schedule : callable or None, default=None
        A map from the share of the training that is done to a factor on the weight.
    free_bits : float, default=0.0
        The divergence of a unit, in nats and averaged over a batch, below which it is not
        penalised.
    n_draws : int, default=1
        The number of draws per row.
    """

    def __init__(
        self,
        posterior: Posterior,
        beta: float = 1.0,
        schedule: Callable[[float], float] | None = None,
        free_bits: float = 0.0,
        n_draws: int = 1,
    ) -> None:
        super().__init__(posterior)
        self.beta = beta
        self.schedule = schedule
        self.free_bits = free_bits
        self.n_draws = n_draws
        self.set_progress(1.0)

    def set_progress(self, progress: float) -> None:
        """Set the share of the training that is done, in [0, 1]."""
        self.weight = self.beta * (1.0 if self.schedule is None else self.schedule(progress))

    def forward(self, h: Tensor) -> Code:
        """Draw codes of $(B, m)$; in evaluation the same ones every time."""
        h = h.repeat(self.n_draws, 1)
        if self.training:
            return self._code(h, self.posterior.draw(h), self.weight)
        with seeded(0, h.device):
            return self._code(h, self.posterior.draw(h), self.beta)

    def _code(self, h: Tensor, z: Tensor, weight: float) -> Code:
        if self.n_draws > 1:
            return Code(z, weight * (self.posterior.log_prob(h, z) - self.posterior.log_prior(z)))
        divergence = self.posterior.divergence(h)
        if self.free_bits:
            is_penalised = divergence.detach().mean(0) > self.free_bits
            divergence = torch.where(is_penalised, divergence, self.free_bits)
        return Code(z, weight * divergence.sum(1))

    def deterministic(self) -> Mean:
        """Return the bottleneck that takes the posterior's mean."""
        return Mean(self.posterior)


class VariationalAutoencoder(Autoencoder):
    r"""The chain whose loss is minus a bound on $\log p(x) = \log \int p(x \mid z) p(z) dz$.

    With one draw of the code it is the evidence lower bound, and with $K$ draws

    $\log \frac{1}{K} \sum_k p(x \mid z_k) p(z_k) / q(z_k \mid x), \quad z_k \sim q(z \mid x).$

    Cells that the corruption masks are not in the loss, which is then a bound on the
    log-probability of the other cells.
    """

    bottleneck: Variational
    likelihood: Likelihood

    def forward(self, x: Tensor) -> tuple[Tensor, Code]:
        """Return the likelihood's parameters and the draws of the code of rows $(B, n)$."""
        seen = self.corruption(x)
        code = self.bottleneck(self.encoder(seen))
        return self.decoder(code.z), code._replace(target=seen)

    def loss(self, output: Tensor, code: Code, x: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the negative bound of every row in nats, $(B,)$.

        In training, also update the variance of the likelihood if it learns one.
        """
        n_draws = len(output) // len(x)
        target = x if code.target is None else code.target
        target = target if n_draws == 1 else target.repeat(n_draws, 1)
        losses = self.likelihood.negative_log_prob(output, target)
        losses = losses if code.penalty is None else losses + code.penalty
        shares = weights
        if n_draws > 1:
            shares = torch.softmax(-losses.detach().view(n_draws, -1), dim=0)
            shares = (shares if weights is None else shares * weights).flatten()
            losses = math.log(n_draws) - torch.logsumexp(-losses.view(n_draws, -1), dim=0)
        if self.training and self.likelihood.learns_variance:
            self.likelihood.update_variance(output, target, shares)
        return losses

    @property
    def posterior(self) -> Posterior:
        """The posterior of the code."""
        return self.bottleneck.posterior

    def latent(self, x: Tensor) -> Tensor:
        """Return the parameters of the posterior of rows $(B, n)$, $(B, m)$."""
        return self.encoder(x)

    def draw_codes(self, latent: Tensor) -> Tensor:
        """Draw codes $(B, k)$ from the posterior."""
        return self.posterior.draw(latent)

    def decode(self, z: Tensor) -> Tensor:
        """Return the expected rows $(B, n)$ of codes $(B, k)$, projected onto valid ones."""
        return super().decode(self.bottleneck.constrain(z))

    def squared_error(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the mean squared error of every cell over draws of the code, $(B, n)$.

        The mean is importance-weighted where the training was.
        """
        assert isinstance(self.likelihood, VarianceLikelihood)
        h, posterior = self.encoder(source), self.posterior
        points = posterior.sobol_points(_N_DRAWS)
        shares = torch.full((_N_DRAWS, len(source)), 1 / _N_DRAWS).to(h)
        if self.bottleneck.n_draws > 1:
            shares = self.log_weights(source, points).softmax(0)
        squared = torch.zeros(())
        for z, share in zip(posterior.quantile(h, uniforms(source, points)), shares, strict=True):
            error = self.likelihood.squared_error(self.decoder(z), target)
            squared = squared + share[:, None] * error
        return squared

    def log_weights(self, x: Tensor, points: Tensor) -> Tensor:
        r"""Return log importance weights $\log p(x \mid z_k) p(z_k) / q(z_k \mid x)$, $(K, B)$.

        Parameters
        ----------
        x : Tensor of shape (B, n)
            The rows.
        points : Tensor of shape (K, k)
            The points of the unit cube that are turned into draws of the code; see
            `sobol_points` of the posterior.
        """
        h, posterior = self.encoder(x), self.posterior
        n_cells = len(x) * (self.likelihood.n_outputs or x.shape[1])
        weights = []
        for part in points.split(max(1, _CELLS_AT_A_TIME // n_cells)):
            z = posterior.quantile(h, uniforms(x, part))
            losses = self.likelihood.negative_log_prob(
                self.decoder(z.flatten(0, 1)), x.repeat(len(part), 1)
            )
            log_ratio = posterior.log_prior(z) - posterior.log_prob_quantile(h, z)
            weights.append(log_ratio - losses.view(len(part), -1))
        return torch.cat(weights)

    def bound(self, x: Tensor, points: Tensor) -> Tensor:
        r"""Return the importance-weighted bound on $\log p(x)$ of rows $(B, n)$, $(B,)$."""
        return torch.logsumexp(self.log_weights(x, points), dim=0) - math.log(len(points))

    def cells(self, x: Tensor, points: Tensor) -> Tensor:
        """Return the bound split into cells, $(B, n)$; the cost of the code is split equally."""
        h, posterior = self.encoder(x), self.posterior
        log_weights = self.log_weights(x, points)
        cells = torch.zeros(())
        for part, share in zip(points, log_weights.softmax(0), strict=True):
            output = self.decoder(posterior.quantile(h, uniforms(x, part[None]))[0])
            cells = cells + share[:, None] * self.likelihood.log_prob(output, x)
        bound = torch.logsumexp(log_weights, dim=0) - math.log(len(points))
        # In tables the numbers come first, and each is one cell together with its state.
        first = self.likelihood.n_numbers
        cost = (bound - cells.sum(1))[:, None] / (cells.shape[1] - first)
        return torch.cat([cells[:, :first], cells[:, first:] + cost], dim=1)


def mutual_information(posterior: Posterior, h: Tensor) -> float:
    r"""Return $E[\log q(z \mid x) - \log q(z)]$ in nats, with $q(z)$ the mean over the rows.

    Parameters
    ----------
    posterior : Posterior
        The distribution of codes that the encoder's output parametrises.
    h : Tensor of shape (B, m)
        The encoder's output, of which at most 2,000 rows are used; the estimate cannot exceed the
        logarithm of their number.

    References
    ----------
    Hoffman, M. D. and Johnson, M. J. (2016). ELBO surgery: yet another way to carve up the
    variational evidence lower bound. Workshop in Advances in Approximate Bayesian Inference.
    """
    h = h.unique(dim=0)
    h = h[torch.randperm(len(h))[:_MOST_ROWS]]
    z = posterior.draw(h)
    log_sums = [
        torch.logsumexp(posterior.log_prob(h, part[:, None]), dim=1)
        for part in z.split(_CODES_AT_A_TIME)
    ]
    return float((posterior.log_prob(h, z) - torch.cat(log_sums)).mean()) + math.log(len(h))


def uniforms(x: Tensor, points: Tensor) -> Tensor:
    """Shift points of the unit cube, modulo 1, by a hash of each row, $(K, B, k)$.

    So the draws of a row are the same in every call and every batch, but differ between rows: with
    the same points for all rows, their errors would be the same and would not average out.

    Parameters
    ----------
    x : Tensor of shape (B, n)
        The rows.
    points : Tensor of shape (K, k)
        The points.
    """
    # The hash is the inner product of a row's bits with odd numbers, mixed, once for each unit.
    bits = (torch.nan_to_num(x, nan=_NO_NUMBER) + 0.0).float().contiguous().view(torch.int32)
    generator = torch.Generator().manual_seed(0)
    key = (bits.long() * _odd_numbers(bits.shape[1], generator).to(x.device)).sum(1)
    key = (key ^ (key >> 29)) * _MIXER
    multipliers = _odd_numbers(points.shape[1], generator).to(x.device)
    mixed = (key[:, None] ^ (key[:, None] >> 32)) * multipliers
    shift = ((mixed >> 32) & (2**24 - 1)).to(x.dtype) / 2**24
    return (points[:, None].to(x) + shift).frac().clamp(_NEAR, 1 - _NEAR)


def _odd_numbers(n: int, generator: torch.Generator) -> Tensor:
    """Return random odd multipliers of 63 bits, shape $(n,)$."""
    return torch.randint(2**62, (n,), generator=generator) * 2 + 1
