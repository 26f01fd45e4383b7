"""The likelihood of tables whose numbers are normal scores: mixtures of logistics."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from skae.nn.table_likelihoods import States, draw_index

# The number of components of the mixture of a number.
_N_MIXTURE = 5
# The bounds of the logarithm of a component's width.
_LOG_WIDTHS = (-7.0, 3.0)
# The width of a component at the start, as a share of the residual standard deviation.
_WIDTH_OF_SPREAD = 0.3
# The smallest residual standard deviation at the start.
_SMALLEST_SPREAD = 0.05
# The bound, from 0 and from 1, of uniforms that are turned into logistic draws.
_SMALLEST_UNIFORM = 1e-6
# The number of quantiles of a component that its mean is taken over.
_N_QUANTILES = 16
# The bound of the outermost edges, as a normal score.
_FARTHEST = 6.0


class ScoresAndStates(States):
    r"""Independent cells, each a state and, where the state says that there is one, a number.

    The range of a number is divided into intervals, and the number has the probability of its
    interval under a mixture of logistic densities,

    $p(x_j) = \pi_{c_j} \sum_k w_k [F((b - \mu_k) / s_k) - F((a - \mu_k) / s_k)]$

    between the edges $a$ and $b$, with $F$ the logistic function. So a distribution can have any
    shape, and its likelihood is bounded. Absent numbers are NaN, hidden states -1, and both have
    the log-probability 0. The decoder gives, for all numbers, the logits of the weights $w$, the
    centres $\mu$ and the logarithms of the widths $s$, and then the logits of the states.

    Parameters
    ----------
    n_states, column_of_number : sequence of int
        As in `States`.
    edges : sequence of array-like
        The edges of the intervals of every number, from the lowest to the highest.
    numbers : sequence of array-like
        The values that the intervals of every number stand for, in ascending order.
    seen : sequence of array-like of bool
        A mask, for every state, of the values that may be drawn; the others have a probability as
        well.
    log_largest : array-like of shape (f,) or None, default=None
        As in `States`.

    References
    ----------
    Salimans, T., Karpathy, A., Chen, X. and Kingma, D. P. (2017). PixelCNN++: improving the
    PixelCNN with discretized logistic mixture likelihood and other modifications. International
    Conference on Learning Representations.
    """

    edges: Tensor
    numbers: Tensor
    last: Tensor
    drawn: Tensor

    def __init__(
        self,
        n_states: Sequence[int],
        column_of_number: Sequence[int],
        edges: Sequence[np.ndarray],
        numbers: Sequence[np.ndarray],
        seen: Sequence[np.ndarray],
        log_largest: np.ndarray | None = None,
    ) -> None:
        n_before = 3 * _N_MIXTURE * len(column_of_number)
        super().__init__(n_states, column_of_number, n_before, log_largest)
        self.register_buffer("edges", _table(edges))
        self.register_buffer("numbers", _table(numbers))
        last = [len(each) - 1 for each in numbers]
        self.register_buffer("last", torch.tensor(last, dtype=torch.long))
        drawn = torch.cat([torch.as_tensor(each, dtype=torch.bool) for each in seen])
        before = torch.ones(self.n_before, dtype=torch.bool)
        self.register_buffer("drawn", torch.cat([before, drawn]))

    def expand_to_parameters(
        self, weight: Tensor, bias: Tensor, spread: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Turn a linear map to expected one-hot rows into one to the likelihood's parameters."""
        n, k = self.n_numbers, _N_MIXTURE
        wide = spread[:n].clamp_min(_SMALLEST_SPREAD)
        steps = torch.special.ndtri((torch.arange(k).to(bias) + 0.5) / k)
        centres = (bias[:n, None] + wide[:, None] * steps).flatten()
        widths = (wide * _WIDTH_OF_SPREAD).log().repeat_interleave(k)
        repeated = weight[:n].repeat_interleave(k, dim=0)
        weights = [torch.zeros_like(repeated), repeated, torch.zeros_like(repeated), weight[n:]]
        biases = [torch.zeros_like(widths), centres, widths, bias[n:]]
        ones = torch.ones_like(widths)
        spreads = [ones, wide.repeat_interleave(k), ones, spread[n:]]
        return torch.cat(weights), torch.cat(biases), torch.cat(spreads)

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the log-probability of every number and of every state."""
        return torch.cat([self._log_mass(output, x), self._log_probability(output, x)], dim=1)

    def negative_log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the negative log-probability of every row, shape $(B,)$."""
        return -self._log_mass(output, x).sum(1) - self._log_probability(output, x).sum(1)

    def mean(self, output: Tensor) -> Tensor:
        """Return the expected numbers, as scores, and the most probable states, $(B, n + f)$."""
        numbers = self.scores_of(self.expected_numbers(output))
        return torch.cat([numbers, self.likeliest(self.logits(output))], dim=1)

    def expected_numbers(self, output: Tensor, steps: Tensor | None = None) -> Tensor:
        """Return the expected numbers, standardised rather than as normal scores, $(B, n)$.

        Parameters
        ----------
        output : Tensor of shape (B, m)
            The decoder's output.
        steps : Tensor of shape (q,) or None, default=None
            The probabilities, in (0, 1), of the quantiles of each component that the mean is taken
            over; None for 16 at even steps.
        """
        weights, centres, widths = self._mixtures(output)
        if steps is None:
            steps = (torch.arange(_N_QUANTILES).to(output) + 0.5) / _N_QUANTILES
        scores = centres[..., None] + widths[..., None] * torch.logit(steps, _SMALLEST_UNIFORM)
        scores = scores.permute(1, 0, 2, 3).flatten(1)
        place = torch.searchsorted(self.edges, scores).sub(1).clamp_min(0)
        numbers = self.numbers.gather(1, place.minimum(self.last[:, None]))
        means = numbers.view(self.n_numbers, output.shape[0], _N_MIXTURE, len(steps)).mean(3)
        return (weights.softmax(2) * means.transpose(0, 1)).sum(2)

    def scores_of(self, numbers: Tensor) -> Tensor:
        """Return the normal scores of the intervals that are nearest to standardised numbers."""
        between = (self.numbers[:, :-1] + self.numbers[:, 1:]) / 2
        place = torch.searchsorted(between, numbers.T.contiguous()).minimum(self.last[:, None])
        low, high = (self.edges.gather(1, place + i).clamp(-_FARTHEST, _FARTHEST) for i in (0, 1))
        return torch.special.ndtri((torch.special.ndtr(low) + torch.special.ndtr(high)) / 2).T

    def sample(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw numbers and states, shape $(B, n + f)$."""
        weights, centres, widths = self._mixtures(output)
        chosen = draw_index(weights, generator)[..., None]
        uniform = torch.rand(chosen.shape, generator=generator).to(output)
        logistic = torch.logit(uniform, eps=_SMALLEST_UNIFORM)
        numbers = centres.gather(2, chosen) + widths.gather(2, chosen) * logistic
        output = output.masked_fill(~self.drawn, -torch.inf)
        return torch.cat([numbers[..., 0], self.draw_states(output, generator)], dim=1)

    def _mixtures(self, output: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logits of the weights, the centres and the widths, $(B, n, K)$ each."""
        parts = output[:, : self.n_before].view(output.shape[0], 3, self.n_numbers, _N_MIXTURE)
        weights, centres, log_widths = parts.unbind(1)
        return weights, centres, log_widths.clamp(*_LOG_WIDTHS).exp()

    def _log_mass(self, output: Tensor, x: Tensor) -> Tensor:
        numbers = x[:, : self.n_numbers]
        is_number = ~torch.isnan(numbers)
        numbers = torch.nan_to_num(numbers)
        weights, centres, widths = self._mixtures(output)
        right = torch.searchsorted(self.edges, numbers.T.contiguous()).clamp_min(1)
        low, high = (self.edges.gather(1, i).T[:, :, None] for i in (right - 1, right))
        a, b = (low - centres) / widths, (high - centres) / widths
        # log(F(b) - F(a)), in a form that is accurate for all a and b.
        mass = functional.logsigmoid(b) + functional.logsigmoid(-a)
        mass = mass + torch.log(-torch.expm1(torch.clamp_max(a - b, -1e-6)))
        log_mass = torch.logsumexp(torch.log_softmax(weights, dim=2) + mass, dim=2)
        return torch.where(is_number, log_mass, 0.0)


def _table(rows: Sequence[np.ndarray]) -> Tensor:
    """Return rows of different lengths as a matrix, padded with infinity."""
    table = torch.full((len(rows), max(map(len, rows), default=0)), torch.inf)
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = torch.as_tensor(row)
    return table
