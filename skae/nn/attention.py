"""Attention from the places of an image to words, and a decoder that has it."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from skae.nn.conditions import Conditioned
from skae.nn.networks import ACTIVATIONS, stages
from skae.nn.texts import WIDTH, TextSizes, Words

# The cells that a word is drawn in, the columns of a query, and the units of a word's style; chosen
# on captioned digits (docs/design.md).
_N_CELLS, _N_QUERY, _N_STYLE = 16, 32, 8
_HIDDEN = 128
# The size of what the code adds to queries, at the start.
_SHIFT = 0.02


class PlacesToWords(nn.Module):
    r"""What places of an image read of words: $\sum_{tc} a_{ptc} v_{tc}$.

    A word is drawn in a few cells, and a place reads cells:
    $a_p = softmax_{tc}(q_p \cdot k_{tc} + b_t)$. Where a word stands is said by what is around it,
    so that is what its keys are made of; how it looks is said by the word and by its style, which
    the code says. So a place that has learned to draw what stands "on the left" can draw any word
    there. The code has no other way to the image: with one, it said which digits there are, and
    words that never were at a place were drawn right half as often.

    Parameters
    ----------
    shape : tuple of three int
        The channels, height and width of the image of places.
    n_components : int
        The number of units $k$ of the code, which also shifts the queries.

    References
    ----------
    Mansimov, E., Parisotto, E., Ba, J. L. and Salakhutdinov, R. (2016). Generating images from
    captions with attention. International Conference on Learning Representations.
    """

    def __init__(self, shape: tuple[int, ...], n_components: int) -> None:
        super().__init__()
        channels, height, width = shape
        self.size = height, width
        self.queries = nn.Parameter(torch.randn(height * width, _N_QUERY))
        self.to_shift = nn.Linear(n_components, height * width * _N_QUERY)
        nn.init.normal_(self.to_shift.weight, std=_SHIFT)
        self.to_keys = nn.Linear(WIDTH, _N_CELLS * _N_QUERY)
        self.to_bias = nn.Linear(WIDTH, 1)
        self.to_style = nn.Linear(WIDTH, _N_STYLE * n_components)
        self.to_values = nn.Sequential(
            nn.Linear(WIDTH + _N_STYLE, _HIDDEN), nn.GELU(), nn.Linear(_HIDDEN, _N_CELLS * channels)
        )
        self.mix = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(channels, channels, 1),
        )

    def forward(self, z: Tensor, words: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Return $(B, C, h, w)$, and how much places attend to words, $(B, h, w, 1 + T)$."""
        shares = self._shares(z, words)
        x = (shares @ self._values(z, words)).transpose(1, 2).unflatten(2, self.size)
        of_words = shares.unflatten(2, (-1, _N_CELLS)).sum(3)
        return x + self.mix(functional.gelu(x)), of_words.unflatten(1, self.size)

    def _shares(self, z: Tensor, words: tuple[Tensor, ...]) -> Tensor:
        """Return how much places attend to the cells of words, $(B, P, (1 + T) N)$."""
        alone, around, is_there = words
        queries = self.queries + self.to_shift(z).unflatten(1, self.queries.shape)
        keys = self.to_keys(around).view(len(z), -1, _N_QUERY)
        bias = self.to_bias(alone)[..., 0].masked_fill(~is_there, float("-inf"))
        logits = queries @ keys.transpose(1, 2) / math.sqrt(_N_QUERY)
        return (logits + bias.repeat_interleave(_N_CELLS, dim=1)[:, None]).softmax(-1)

    def _values(self, z: Tensor, words: tuple[Tensor, ...]) -> Tensor:
        """Return what the cells of words look like, $(B, (1 + T) N, C)$."""
        alone, around, _ = words
        by_unit = self.to_style(around).unflatten(2, (_N_STYLE, -1))
        style = torch.tanh((by_unit @ z[:, None, :, None])[..., 0] / 2)
        values = self.to_values(torch.cat([alone, style], dim=2))
        return values.view(len(z), alone.shape[1] * _N_CELLS, -1)


class AttentiveDecoder(Conditioned):
    """The decoder of small images of places, which read words, to images.

    Parameters
    ----------
    network : nn.Module
        The decoder of `convolutional_pair`, of whose layers the first one gives way to the places.
    n_components : int
        The number of units of the code.
    sizes : TextSizes
        The sizes of the conditions.
    activation : str
        A key of `ACTIVATIONS`.

    Attributes
    ----------
    attention : Tensor of shape (B, h, w, 1 + T) or None
        How much the places of the last batch attended to words; None unless `keeps_attention`.
    keeps_attention : bool
        Whether it is kept.
    """

    attention: Tensor | None = None
    keeps_attention: bool = False

    def __init__(
        self, network: nn.Module, n_components: int, sizes: TextSizes, activation: str
    ) -> None:
        super().__init__()
        first, *rest = stages(network)
        with torch.no_grad():
            shape = tuple(first(torch.zeros(1, n_components)).shape[1:])
        self.n_unknown = sizes.n_beside + 1
        self.words = Words(sizes)
        self.places = PlacesToWords(shape, n_components)
        # Other code takes the last module of a network for its last layer: words come before it.
        self.activation = ACTIVATIONS[activation]()
        self.rest = nn.Sequential(*rest)

    def forward(self, z: Tensor) -> Tensor:
        """Map $(B, k)$ to the outputs of the network."""
        conditions = self.conditions
        if conditions is None:
            conditions = z.new_zeros(1, self.n_unknown)
        alone, around, is_there = self.words(conditions.to(z))
        n_sets = len(z) // len(conditions)
        words = alone.repeat(n_sets, 1, 1), around.repeat(n_sets, 1, 1), is_there.repeat(n_sets, 1)
        x, attention = self.places(z, words)
        if self.keeps_attention:
            self.attention = attention
        return self.rest(self.activation(x))
