"""Strokes: the distribution of a point of a drawing."""

import math

import torch
from torch import Tensor

from skae.nn.sequence_heads import Head, draw_class, one_hot_from_one

# The states of the pen behind a point: on paper, lifted, and at the end of the drawing.
DOWN, LIFTED, LAST = 1.0, 2.0, 3.0
_N_STATES = 3
_N_PARAMETERS = 6
# The bounds of the logarithms of standard deviations, and of the inverse hyperbolic tangent of
# correlations.
_SMALLEST_LOG_SCALE, _LARGEST_LOG_SCALE = -6.0, 6.0
_LARGEST_ATANH = 4.0


class Strokes(Head):
    r"""A mixture of bivariate normals for the offset of a point, and a state of the pen behind it.

    $p(x, y) = \sum_j \pi_j N(x, y \mid \mu_j, \sigma_j, \rho_j)$, independent of the state given
    the output of the decoder. A step is $(x, y, X, Y, s)$: the offset; the place, which is the sum
    of all offsets and spares networks the adding; and $s$, which is 1 if the pen stays on paper, 2
    if it is lifted, and 3 at the end of the drawing.

    Parameters
    ----------
    n_mixtures : int
        The number of components of the mixture.

    References
    ----------
    Ha, D. and Eck, D. (2018). A neural representation of sketch drawings. ICLR.

    Graves, A. (2013). Generating sequences with recurrent neural networks. arXiv:1308.0850.
    """

    width = 5
    n_features = 4 + _N_STATES

    def __init__(self, n_mixtures: int) -> None:
        super().__init__()
        self.n_mixtures = n_mixtures
        self.n_outputs = _N_STATES + _N_PARAMETERS * n_mixtures

    def features(self, steps: Tensor) -> Tensor:
        """Return the offset, the place and the one-hot state of points."""
        return torch.cat([steps[..., :4], one_hot_from_one(steps[..., 4], _N_STATES)], dim=-1)

    def log_prob(self, output: Tensor, steps: Tensor) -> Tensor:
        """Return the log density of offsets and the log-probability of states, $(N,)$."""
        states, logits, center, log_scale, atanh = self._parts(output)
        state = (steps[:, 4:].long() - 1).clamp_min(0)
        of_state = torch.log_softmax(states, dim=1).gather(1, state)[:, 0]
        return of_state + _log_mixture(steps[:, :2], logits, center, log_scale, atanh)

    def draw(
        self,
        output: Tensor,
        previous: Tensor | None,
        temperature: float,
        generator: torch.Generator,
    ) -> Tensor:
        """Draw points $(N, 5)$: logits are divided by the temperature, variances times it."""
        states, logits, center, log_scale, atanh = self._parts(output)
        place = draw_class(logits, temperature, generator)
        row = torch.arange(len(output), device=output.device)
        noise = torch.randn(len(output), 2, generator=generator).to(output) * temperature**0.5
        correlation = torch.tanh(atanh[row, place])
        second = correlation * noise[:, 0] + torch.sqrt(1 - correlation**2) * noise[:, 1]
        noise = torch.stack([noise[:, 0], second], dim=1)
        offset = center[row, :, place] + log_scale[row, :, place].exp() * noise
        state = draw_class(states, temperature, generator) + 1
        reached = offset if previous is None else previous[:, 2:4] + offset
        return torch.cat([offset, reached, state[:, None].to(output)], dim=1)

    def is_end(self, steps: Tensor) -> Tensor:
        """Tell which points are the last of their drawing, $(N,)$."""
        return steps[:, 4] == LAST

    def end(self, steps: Tensor) -> Tensor:
        """Return points as the last of their drawing."""
        return torch.cat([steps[:, :4], torch.full_like(steps[:, 4:], LAST)], dim=1)

    def _parts(self, output: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return logits of states and components, and centres, log scales, correlations."""
        sizes = [_N_STATES, *(self.n_mixtures * part for part in (1, 2, 2, 1))]
        states, logits, center, log_scale, atanh = output.split(sizes, dim=1)
        center, log_scale = (each.unflatten(1, (2, -1)) for each in (center, log_scale))
        log_scale = log_scale.clamp(_SMALLEST_LOG_SCALE, _LARGEST_LOG_SCALE)
        return states, logits, center, log_scale, atanh.clamp(-_LARGEST_ATANH, _LARGEST_ATANH)


def _log_mixture(
    offset: Tensor, logits: Tensor, center: Tensor, log_scale: Tensor, atanh: Tensor
) -> Tensor:
    """Return the log density of offsets $(N, 2)$ under mixtures of bivariate normals, $(N,)$."""
    x, y = ((offset[:, :, None] - center) * torch.exp(-log_scale)).unbind(1)
    correlation = torch.tanh(atanh)
    # log(1 - tanh(a)^2), without cancellation.
    log_rest = 2 * (math.log(2) - atanh.abs() - torch.log1p(torch.exp(-2 * atanh.abs())))
    squared = (x.square() + y.square() - 2 * correlation * x * y) * torch.exp(-log_rest)
    log_prob = -0.5 * (squared + log_rest) - log_scale.sum(1) - math.log(2 * math.pi)
    return torch.logsumexp(torch.log_softmax(logits, dim=1) + log_prob, dim=1)
