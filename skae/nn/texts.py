"""Texts: words, what stands around each of them, and the mean of them."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from skae.nn.one_hot import OneHot

# The number that stands for no token; 1 stands for one that is not in the vocabulary.
_PADDING, _UNKNOWN = 0, 1
# The number of columns of a word, the heads of its context, and how far it tells words apart.
WIDTH = 64
_N_HEADS, _REACH = 4, 16
# The characters on each side that a character is read together with.
_N_NEIGHBOURS = 2


@dataclass(frozen=True)
class TextSizes:
    """The sizes of conditions that hold texts.

    Attributes
    ----------
    n_tokens : int
        The number of different tokens.
    n_beside : int
        The number of columns of the one-hot conditions beside texts.
    are_characters : bool
        Whether tokens are characters rather than words.
    """

    n_tokens: int
    n_beside: int
    are_characters: bool


class OneHotAndTokens(nn.Module):
    """Encode conditions that stand before tokens, which stay as they are.

    Parameters
    ----------
    one_hot : OneHot
        The encoding of the conditions before the tokens.
    """

    def __init__(self, one_hot: OneHot) -> None:
        super().__init__()
        self.one_hot = one_hot

    def forward(self, x: Tensor) -> Tensor:
        """Map $(B, e + T)$ to $(B, c + T)$."""
        n_encoded = self.one_hot.n_numbers + len(self.one_hot.n_states)
        return torch.cat([self.one_hot(x[:, :n_encoded]), x[:, n_encoded:]], dim=1)


class Surroundings(nn.Module):
    """What stands around a word: heads that find other words by what and where they are.

    The word itself does not count: what is said of a digit "on the left" is the same for all
    digits, those included that never were there.

    Parameters
    ----------
    width : int
        The number of columns $d$ of a word.

    References
    ----------
    Shaw, P., Uszkoreit, J. and Vaswani, A. (2018). Self-attention with relative position
    representations. North American Chapter of the Association for Computational Linguistics.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.by_word = nn.Linear(width, _N_HEADS)
        self.by_distance = nn.Parameter(torch.randn(_N_HEADS, 2 * _REACH + 1))
        self.to_values = nn.Linear(width, width)
        self.dense = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, words: Tensor, is_there: Tensor) -> Tensor:
        """Map words $(B, T, d)$ to what is around them, given which are there, $(B, T)$.

        The first one, which is always there, is looked at by all, itself included.
        """
        n, length, width = words.shape
        places = torch.arange(length, device=words.device)
        distance = places - places[:, None]
        is_seen = is_there[:, None] & (distance != 0)
        is_seen[:, 0, 0] = True
        by_distance = self.by_distance[:, distance.clamp(-_REACH, _REACH) + _REACH]
        logits = self.by_word(words).transpose(1, 2)[:, :, None] + by_distance
        shares = logits.masked_fill(~is_seen[:, None], float("-inf")).softmax(-1)
        values = self.to_values(words).view(n, length, _N_HEADS, -1).transpose(1, 2)
        return self.dense((shares @ values).transpose(1, 2).reshape(n, length, width))


class Neighbours(nn.Module):
    """Characters read together with those beside them, as parts of words.

    Parameters
    ----------
    width : int
        The number of columns $d$ of a character.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        n_read = 2 * _N_NEIGHBOURS + 1
        self.dense = nn.Sequential(
            nn.Linear(n_read * width, width), nn.GELU(), nn.Linear(width, width)
        )

    def forward(self, characters: Tensor) -> Tensor:
        """Map $(B, T, d)$ to $(B, T, d)$."""
        length = characters.shape[1]
        padded = functional.pad(characters, (0, 0, _N_NEIGHBOURS, _N_NEIGHBOURS))
        around = [padded[:, i : i + length] for i in range(2 * _N_NEIGHBOURS + 1)]
        return characters + self.dense(torch.cat(around, dim=2))


class Words(nn.Module):
    """The words of texts, and what stands around them, behind one vector of other conditions.

    Parameters
    ----------
    sizes : TextSizes
        The sizes of the conditions.
    """

    def __init__(self, sizes: TextSizes) -> None:
        super().__init__()
        self.n_beside = sizes.n_beside
        vectors = torch.randn(sizes.n_tokens, WIDTH)
        vectors[_UNKNOWN] = 0
        self.vectors = nn.Parameter(vectors)
        self.to_beside = nn.Linear(1 + sizes.n_beside, WIDTH, bias=False)
        self.neighbours = Neighbours(WIDTH) if sizes.are_characters else nn.Identity()
        self.surroundings = Surroundings(WIDTH)

    def forward(self, conditions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read conditions $(B, c + T)$, of which the last $T$ columns are tokens.

        Returns
        -------
        alone, around : Tensor of shape (B, 1 + T, d)
            The words, each by itself, and what stands around each. In front of them is a vector of
            all other conditions, which is there even if nothing is known.
        is_there : Tensor of bool of shape (B, 1 + T)
            Which of them there are.
        """
        beside, tokens = conditions[:, : self.n_beside], conditions[:, self.n_beside :].long()
        is_there = functional.pad(tokens != _PADDING, (1, 0), value=True)
        alone = self.neighbours(functional.embedding(tokens, self.vectors))
        beside = self.to_beside(functional.pad(beside, (1, 0), value=1.0))
        alone = torch.cat([beside[:, None], alone], dim=1) * is_there[..., None]
        return alone, self.surroundings(alone, is_there), is_there


class MeanOfWords(nn.Module):
    """Conditions as one vector: those beside texts, and the mean of the words in their context.

    Parameters
    ----------
    sizes : TextSizes
        The sizes of the conditions.
    """

    def __init__(self, sizes: TextSizes) -> None:
        super().__init__()
        self.words = Words(sizes)
        self.dense = nn.Sequential(nn.Linear(2 * WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, WIDTH))

    def forward(self, conditions: Tensor) -> Tensor:
        """Map $(B, c + T)$ to $(B, c + d)$; without words, the mean is zero."""
        alone, around, is_there = self.words(conditions)
        found = self.dense(torch.cat([alone, around], dim=2))[:, 1:] * is_there[:, 1:, None]
        n_words = is_there[:, 1:].sum(1, keepdim=True).clamp_min(1)
        return torch.cat([conditions[:, : self.words.n_beside], found.sum(1) / n_words], dim=1)
