"""The likelihood of tables: numbers that may be absent, and states."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from skae.nn.likelihoods import Likelihood, VarianceLikelihood

# The smallest variance of a number, which is standardised.
_SMALLEST_VARIANCE = 1e-6
# The standard deviation, beside that of the number, within which a mean is near a point mass.
_POINT_MASS_WIDTH = 0.1
# The state of a missing cell.
_MISSING = 1
# The bound, from 0, of uniforms that are turned into Gumbel noise.
_SMALLEST_UNIFORM = 1e-20


class States(Likelihood):
    """Rows of numbers and states: the logits of the states come last in the decoder's output.

    Parameters
    ----------
    n_states : sequence of int
        The number of values of every state.
    column_of_number : sequence of int
        For every number, the position of its state among the states.
    n_before : int
        The number of outputs before the logits.
    log_largest : array-like of shape (f,) or None, default=None
        For every state, the log share of the commonest of what its value 0 stands for; None says
        that it stands for one thing.
    """

    fields: Tensor
    membership: Tensor
    places: Tensor
    column_of_number: Tensor
    log_largest: Tensor

    def __init__(
        self,
        n_states: Sequence[int],
        column_of_number: Sequence[int],
        n_before: int,
        log_largest: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.n_numbers = len(column_of_number)
        self.n_before = n_before
        self.sizes = tuple(map(int, n_states))
        sizes = torch.tensor(tuple(n_states), dtype=torch.long)
        places = torch.arange(int(sizes.max()))
        starts = sizes.cumsum(0) - sizes
        places = torch.where(places < sizes[:, None], starts[:, None] + places, sizes.sum())
        self.n_outputs = n_before + int(sizes.sum())
        fields = torch.arange(len(sizes)).repeat_interleave(sizes)
        self.register_buffer("fields", fields)
        self.register_buffer("membership", torch.nn.functional.one_hot(fields).float())
        self.register_buffer("places", places)
        self.register_buffer(
            "column_of_number", torch.tensor(tuple(column_of_number), dtype=torch.long)
        )
        log_largest = np.zeros(len(sizes)) if log_largest is None else log_largest
        self.register_buffer("log_largest", torch.as_tensor(log_largest, dtype=torch.float32))

    def are_logits(self, n_columns: int) -> Tensor:
        """Return a mask of all columns except the numbers."""
        return torch.arange(n_columns) >= self.n_numbers

    def without_missing(self, output: Tensor) -> Tensor:
        """Return the decoder's output given that no cell is missing, shape $(B, m)$."""
        return output.index_fill(1, self.n_before + self.places[:, _MISSING], -math.inf)

    def logits(self, output: Tensor) -> Tensor:
        """Return the logits of every state, padded with minus infinity, $(B, f, k)$.

        So one softmax serves all states, whatever their number of values.
        """
        beyond = output.new_full((output.shape[0], 1), -math.inf)
        return torch.cat([output[:, self.n_before :], beyond], dim=1)[:, self.places]

    def likeliest(self, logits: Tensor) -> Tensor:
        """Return the states whose likeliest cell is the likeliest of all, $(B, f)$.

        Parameters
        ----------
        logits : Tensor of shape (B, f, k)
            The logits of the states.
        """
        one = logits[:, :, :1] + self.log_largest[:, None]
        return torch.cat([one, logits[:, :, 1:]], dim=2).argmax(2).to(logits)

    def draw_states(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw states, shape $(B, f)$."""
        return draw_index(self.logits(output), generator).to(output)

    def _log_probability(self, output: Tensor, x: Tensor) -> Tensor:
        states = x[:, self.n_numbers :].long()
        logits = output[:, self.n_before :]
        parts = logits.detach().split(self.sizes, dim=1)
        peaks = torch.stack([part.amax(1) for part in parts], dim=1)
        # A product with one-hot vectors sums over each state's values faster than a padded softmax.
        total = torch.exp(logits - peaks[:, self.fields]) @ self.membership
        chosen = logits.gather(1, self.places[:, 0] + states.clamp_min(0))
        return (chosen - peaks - torch.log(total)).masked_fill(states < 0, 0.0)


class NumbersAndStates(States, VarianceLikelihood):
    r"""Independent cells, each a state and, where the state says that there is one, a number.

    A row has $n$ numbers, NaN where there is none, and $f$ states, -1 where they are hidden; hidden
    cells have the log-probability 0. The decoder gives the means of the numbers and then the logits
    of the states, side by side: $p(x_j) = \pi_{c_j}$, times $N(x_j; \mu_j, \sigma_j^2)$ where the
    state $c_j$ is 0. In training, the mean of a number also counts where its state is a point mass,
    so that it is right where the state is predicted wrongly.

    Parameters
    ----------
    n_states : sequence of int
        The number of values of each of the $f$ states.
    column_of_number : sequence of int
        For every number, the position of its state among the states.
    point_masses : sequence of array-like
        The point masses of every number, which its states from 2 on stand for.
    variance : float
        The variance of all numbers in training; `calibrate` sets that of each afterwards.
    log_largest : array-like of shape (f,) or None, default=None
        As in `States`.
    """

    point_masses: Tensor

    def __init__(
        self,
        n_states: Sequence[int],
        column_of_number: Sequence[int],
        point_masses: Sequence[np.ndarray],
        variance: float,
        log_largest: np.ndarray | None = None,
    ) -> None:
        super().__init__(n_states, column_of_number, len(column_of_number), log_largest)
        table = torch.full((len(column_of_number), self.places.shape[1]), torch.nan)
        for row, numbers in zip(table, point_masses, strict=True):
            row[2 : 2 + len(numbers)] = torch.as_tensor(numbers)
        self.register_buffer("point_masses", table)
        self.register_buffer("variance", torch.empty(len(column_of_number)))
        self.calibrate(torch.full((len(column_of_number),), variance))

    def calibrate(self, variance: Tensor) -> None:
        """Set the variance of every number, shape $(n,)$."""
        self.variance.copy_(variance.clamp_min(_SMALLEST_VARIANCE))

    def squared_error(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the squared error of every number, NaN where there is no number, $(B, n)$."""
        squared = (output[:, : self.n_numbers] - x[:, : self.n_numbers]).square()
        squared = squared.nan_to_num(nan=math.inf)
        return torch.where(self._are_numbers(x), squared, torch.nan)

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the log density of every number and the log-probability of every state."""
        numbers = self._log_density(output, x) * self._are_numbers(x)
        return torch.cat([numbers, self._log_probability(output, x)], dim=1)

    def negative_log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the loss of every row, shape $(B,)$; numbers count whatever their state."""
        return -self._log_density(output, x).sum(1) - self._log_probability(output, x).sum(1)

    def mean(self, output: Tensor) -> Tensor:
        """Return the expected numbers and the most probable states, shape $(B, n + f)$.

        The state of a point mass is taken only where the expected number is near it.
        """
        means, logits = output[:, : self.n_numbers], self.logits(output)
        distance = (means[:, :, None] - self.point_masses).nan_to_num().square()
        width = 2 * (self.variance[:, None] + _POINT_MASS_WIDTH**2)
        logits = logits.index_add(1, self.column_of_number, -distance / width)
        return torch.cat([means, self.likeliest(logits)], dim=1)

    def expected(self, output: Tensor) -> Tensor:
        """Return the expected numbers, whatever their states, and the other columns' states."""
        numbers, states = self.mean(output).split([self.n_numbers, len(self.places)], dim=1)
        return torch.cat([numbers, states.index_fill(1, self.column_of_number, 0.0)], dim=1)

    def sample(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw numbers and states, shape $(B, n + f)$."""
        means = output[:, : self.n_numbers]
        noise = torch.randn(means.shape, generator=generator).to(output)
        numbers = means + self.variance.sqrt() * noise
        return torch.cat([numbers, self.draw_states(output, generator)], dim=1)

    def _log_density(self, output: Tensor, x: Tensor) -> Tensor:
        numbers = x[:, : self.n_numbers]
        squared = torch.nan_to_num(output[:, : self.n_numbers] - numbers).square()
        log_density = -0.5 * (squared / self.variance + torch.log(2 * math.pi * self.variance))
        return log_density * ~torch.isnan(numbers)

    def _are_numbers(self, x: Tensor) -> Tensor:
        """Return a mask of the numbers whose state says that there is one, shape $(B, n)$."""
        return x[:, self.n_numbers + self.column_of_number] == 0


def draw_index(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Draw an index along the last axis of logits $(..., k)$, by Gumbel noise, $(...)$."""
    uniform = torch.rand(logits.shape, generator=generator).clamp_min(_SMALLEST_UNIFORM)
    return (logits - torch.log(-torch.log(uniform)).to(logits)).argmax(-1)
