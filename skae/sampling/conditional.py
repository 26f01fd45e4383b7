"""The distribution of the hidden cells of a row given the others, by importance sampling."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from skae.nn.hidden_cells import NormalCodes
from skae.nn.likelihoods import NumberLikelihood
from skae.nn.mixtures import ScoresAndStates
from skae.nn.table_likelihoods import States
from skae.nn.variational_chain import VariationalAutoencoder, uniforms
from skae.sampling.imputer import Imputer
from skae.tables.columns import Columns
from skae.training.net import AutoencoderNet
from skae.training.rows import Rows

# The size of a block in memory, in decoder outputs.
_CELLS_AT_A_TIME = 2**23
# The number of proposals: four per draw, within bounds.
_FEWEST_PROPOSALS, _MOST_PROPOSALS = 256, 4096
_PROPOSALS_PER_DRAW = 4
# The number of quantiles of a number that its expectation given one code is taken over.
_N_QUANTILES = 2
_GOLDEN_RATIO = 0.618034
# The share of the proposals that is drawn from the prior, as a defence where the approximation of
# the posterior is bad.
_SHARE_OF_PRIOR = 0.25
# The factor on the standard deviations of the normal proposals: proposals that are wider than the
# posterior bound the importance weights.
_WIDER = 1.2


class Conditional:
    r"""The conditional distribution of the hidden cells of a row given the observed ones.

    Codes are proposed from a mixture of an approximation of $p(z \mid x_o)$, given the observed
    cells $x_o$, and of the prior. Their importance weights are $p(x_o \mid z)\, p(z)$ over the
    density of the mixture. The approximation is the encoder's posterior where training masked
    cells, and otherwise a normal distribution around the most probable code.

    Parameters
    ----------
    chain : VariationalAutoencoder
        The trained chain, in evaluation mode.
    is_table : bool
        Whether rows are numbers and states, with hidden states of -1, or only numbers, with NaN
        for hidden ones.
    """

    def __init__(self, chain: VariationalAutoencoder, *, is_table: bool) -> None:
        self.chain = chain
        self.is_table = is_table

    def draw(
        self, x: Tensor, n_draws: int, generator: torch.Generator, *, noise: bool = True
    ) -> Tensor:
        """Draw whole rows, $(B m, n)$, given the observed cells of rows $(B, n)$."""
        n_proposals = min(max(_FEWEST_PROPOSALS, _PROPOSALS_PER_DRAW * n_draws), _MOST_PROPOSALS)
        drawn = []
        for part in self._split(x, n_proposals):
            z, weights = self._propose(part, n_proposals, self._seed(generator))
            chosen = torch.multinomial(
                weights.T.cpu(), n_draws, replacement=True, generator=generator
            ).to(x.device)
            codes = z.transpose(0, 1).gather(1, chosen[:, :, None].expand(-1, -1, z.shape[2]))
            output = self._output(codes.flatten(0, 1))
            likelihood = self.chain.likelihood
            rows = likelihood.sample(output, generator) if noise else likelihood.mean(output)
            drawn.append(self._with_seen(rows, part.repeat_interleave(n_draws, dim=0)))
        return torch.cat(drawn)

    def expected(self, x: Tensor) -> Tensor:
        """Return expected numbers and most probable states given observed cells."""
        expected = []
        for part in self._split(x, _FEWEST_PROPOSALS):
            z, weights = self._propose(part, _FEWEST_PROPOSALS, seed=0)
            expected.append(self._with_seen(self._mean(z, weights), part))
        return torch.cat(expected)

    def _mean(self, z: Tensor, weights: Tensor) -> Tensor:
        """Return the expected rows of weighted codes $(S, B, k)$."""
        likelihood, weights = self.chain.likelihood, weights.to(z)[:, :, None]
        numbers, shares = torch.zeros(()), torch.zeros(())
        for i, (codes, weight) in enumerate(zip(z, weights, strict=True)):
            output = self._output(codes)
            if not isinstance(likelihood, ScoresAndStates):
                numbers = numbers + weight * likelihood.mean(output)
                continue
            # Few quantiles of each code, but others for the next one.
            steps = (i * _GOLDEN_RATIO % 1 + torch.arange(_N_QUANTILES).to(z)) / _N_QUANTILES
            numbers = numbers + weight * likelihood.expected_numbers(output, steps)
            shares = shares + weight[:, :, None] * likelihood.logits(output).softmax(2)
        if not isinstance(likelihood, ScoresAndStates):
            return numbers
        return torch.cat([likelihood.scores_of(numbers), likelihood.likeliest(shares.log())], dim=1)

    def _output(self, z: Tensor) -> Tensor:
        output, likelihood = self.chain.decoder(z), self.chain.likelihood
        return likelihood.without_missing(output) if isinstance(likelihood, States) else output

    def _propose(self, x: Tensor, n_proposals: int, seed: int) -> tuple[Tensor, Tensor]:
        """Return codes $(S, B, k)$ and their importance weights $(S, B)$, which add up to one."""
        posterior = self.chain.posterior
        has_near = self.is_table or posterior.is_normal
        n_prior = math.ceil((_SHARE_OF_PRIOR if has_near else 1) * n_proposals)
        generator = torch.Generator().manual_seed(seed)
        from_prior = posterior.draw_prior(n_prior, generator).to(x.device)
        z = from_prior[:, None].expand(-1, len(x), -1)
        log_density = posterior.log_prior
        if has_near:
            near, log_near = self._near(x, posterior.sobol_points(n_proposals - n_prior, seed))
            z = torch.cat([z, near])
            log_share = math.log(n_prior / n_proposals), math.log1p(-n_prior / n_proposals)

            def log_density(z: Tensor) -> Tensor:
                return torch.logaddexp(
                    posterior.log_prior(z) + log_share[0], log_near(z) + log_share[1]
                )

        losses = self._losses(self.chain.decoder(z.flatten(0, 1)), x.repeat(len(z), 1))
        log_weights = posterior.log_prior(z) - log_density(z) - losses.view(len(z), -1)
        return z, log_weights.double().softmax(0)

    def _near(self, x: Tensor, points: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return codes drawn from the approximation of the posterior, and its log density."""
        posterior = self.chain.posterior
        uniform = uniforms(x, points)
        if self.is_table:
            h = self.chain.encoder(x)
            return posterior.quantile(h, uniform), lambda z: posterior.log_prob_quantile(h, z)
        mode, factor = self._normal_of(x)
        z = mode + torch.einsum("bij,sbj->sbi", factor, torch.special.ndtri(uniform))

        def log_density(z: Tensor) -> Tensor:
            u = torch.linalg.solve_triangular(factor, (z - mode).unsqueeze(-1), upper=False)
            log_volume = factor.diagonal(dim1=1, dim2=2).log().sum(1)
            return posterior.log_prior(u[..., 0]) - log_volume

        return z, log_density

    def _normal_of(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the most probable codes and a root of the covariance of Laplace's approximation.

        The curvature is that of the likelihood in a linearised decoder.
        """
        k, likelihood = self.chain.posterior.n_components, self.chain.likelihood
        assert isinstance(likelihood, NumberLikelihood)
        prior = NormalCodes(x.new_zeros(k), torch.eye(k).to(x))

        mode = prior.most_probable_of_numbers(self.chain.decoder, likelihood, x)
        precision = prior.precision(self.chain.decoder, likelihood, x, mode)
        covariance = torch.linalg.inv(precision.double())
        return mode, _WIDER * torch.linalg.cholesky(covariance).to(x)

    def _losses(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the negative log-probability of the observed cells of rows, $(B,)$."""
        if self.is_table:
            return self.chain.likelihood.negative_log_prob(output, x)
        cells = self.chain.likelihood.log_prob(output, torch.nan_to_num(x))
        return -(cells * ~torch.isnan(x)).sum(1)

    def _with_seen(self, rows: Tensor, x: Tensor) -> Tensor:
        """Replace cells of rows by the observed cells of $x$."""
        likelihood = self.chain.likelihood
        if not isinstance(likelihood, States):
            return torch.where(torch.isnan(x), rows, x)
        hidden = x[:, likelihood.n_numbers :] < 0
        hidden = torch.cat([hidden[:, likelihood.column_of_number], hidden], dim=1)
        return torch.where(hidden, rows, x)

    def _split(self, x: Tensor, n_proposals: int) -> tuple[Tensor, ...]:
        n_out = self.chain.likelihood.n_outputs or x.shape[1]
        return x.split(max(1, _CELLS_AT_A_TIME // (n_proposals * n_out)))

    def _seed(self, generator: torch.Generator) -> int:
        return int(torch.randint(2**31, (), generator=generator))


class ImportanceImputer(Imputer[VariationalAutoencoder]):
    """The imputation by a variational autoencoder; see `Conditional`."""

    @classmethod
    def learn(
        cls,
        net: AutoencoderNet,
        data: Rows,
        validation_rows: Rows,
        columns: Columns,
    ) -> "ImportanceImputer":
        """Return an imputer, which has nothing to learn."""
        return cls()

    def expected(self, chain: VariationalAutoencoder, x: Tensor) -> Tensor:
        """Return expected rows, $(B, n)$."""
        return self._conditional(chain).expected(x)

    def draw(self, chain: VariationalAutoencoder, x: Tensor, generator: torch.Generator) -> Tensor:
        """Draw rows given the cells that are not hidden, $(B, n)$."""
        return self._conditional(chain).draw(x, 1, generator)

    def _conditional(self, chain: VariationalAutoencoder) -> Conditional:
        return Conditional(chain, is_table=isinstance(chain.likelihood, States))
