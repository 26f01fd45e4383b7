"""The variational chain of sequences: the decoder sees the steps before each."""

import math

import torch
from torch import Tensor

from skae.nn.bottlenecks import Code
from skae.nn.recurrent import State
from skae.nn.sequence_heads import PADDING, Head
from skae.nn.sequence_networks import SequenceDecoder
from skae.nn.variational_chain import VariationalAutoencoder, uniforms

# The number of sums that a row is hashed by.
_N_SUMS = 64


class SequenceAutoencoder(VariationalAutoencoder):
    r"""The chain whose loss is minus a bound on $\log p(x)$ of sequences $x = (x_1, ..., x_T)$.

    $\log p(x \mid z) = \sum_t \log p(x_t \mid x_1, ..., x_{t-1}, z)$. Rows are padded sequences,
    flattened. The corruption changes both what is encoded and what is decoded.
    """

    decoder: SequenceDecoder
    likelihood: Head  # type: ignore[assignment]

    def forward(self, x: Tensor) -> tuple[Tensor, Code]:
        """Return the log-probabilities $(B,)$ of rows $(B, n)$ given draws of the code."""
        seen = self.corruption(x)
        code = self.bottleneck(self.encoder(seen))
        return self.log_prob_given(code.z, seen), code

    def loss(self, output: Tensor, code: Code, x: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the negative bound of every row in nats, $(B,)$."""
        return -output if code.penalty is None else code.penalty - output

    def log_prob_given(self, z: Tensor, x: Tensor) -> Tensor:
        """Return the log-probability of rows $(B, n)$ given codes $(B, k)$, $(B,)$."""
        output, packing, _ = self.decoder(z, x)
        steps, _ = self.likelihood.steps(x)
        return packing.sums(self.likelihood.log_prob(output, packing.pack(steps)))

    def log_weights(self, x: Tensor, points: Tensor) -> Tensor:
        r"""Return log importance weights $\log p(x \mid z_k) p(z_k) / q(z_k \mid x)$, $(K, B)$."""
        h, posterior = self.encoder(x), self.posterior
        z = posterior.quantile(h, uniforms(_sums(x), points))
        log_ratio = posterior.log_prior(z) - posterior.log_prob_quantile(h, z)
        return log_ratio + torch.stack([self.log_prob_given(each, x) for each in z])

    def bound(self, x: Tensor, points: Tensor) -> Tensor:
        r"""Return the bound on $\log p(x)$ of rows $(B, n)$, $(B,)$; without a code, its value."""
        if self.posterior.n_components == 0:
            return self.log_prob_given(self.encoder(x), x)
        return torch.logsumexp(self.log_weights(x, points), dim=0) - math.log(len(points))

    def generate(
        self, z: Tensor, max_length: int, temperature: float, generator: torch.Generator
    ) -> Tensor:
        """Draw rows of at most a number of steps, given codes $(B, k)$, $(B, n)$."""
        return self._go_on(z, self.decoder.begin(z), None, max_length, temperature, generator)

    def complete(
        self,
        z: Tensor,
        begun: Tensor,
        max_length: int,
        temperature: float,
        generator: torch.Generator,
    ) -> Tensor:
        """Draw what follows rows that are begun $(B, n)$, given codes $(B, k)$: rows $(B, m)$."""
        _, _, state = self.decoder(z, begun)
        steps, lengths = self.likelihood.steps(begun)
        last = steps[torch.arange(len(steps), device=steps.device), lengths - 1]
        return self._go_on(z, state, last, max_length, temperature, generator)

    def _go_on(
        self,
        z: Tensor,
        state: State,
        step: Tensor | None,
        max_length: int,
        temperature: float,
        generator: torch.Generator,
    ) -> Tensor:
        head = self.likelihood
        steps = z.new_full((len(z), max_length, head.width), PADDING)
        is_running = torch.ones(len(z), dtype=torch.bool, device=z.device)
        for time in range(max_length):
            output, state = self.decoder.step(z, step, state)
            step = head.draw(output, step, temperature, generator)
            step = head.end(step) if time == max_length - 1 else step
            steps[is_running, time] = step[is_running]
            is_running = is_running & ~head.is_end(step)
            if not is_running.any():
                break
        return steps.flatten(1)


def _sums(x: Tensor) -> Tensor:
    """Return sums of rows' cells $(B, 64)$, which do not depend on how far rows are padded."""
    n_blocks = -(-x.shape[1] // _N_SUMS)
    padded = torch.nn.functional.pad(x, (0, n_blocks * _N_SUMS - x.shape[1]))
    weights = torch.arange(1, n_blocks + 1, device=x.device, dtype=x.dtype)
    return torch.einsum("nbc,b->nc", padded.unflatten(1, (n_blocks, -1)), weights)
