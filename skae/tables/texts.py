"""Texts: columns of sentences or names, as the numbers of their words or characters."""

import re
import warnings
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import Any

import narwhals as nw
import numpy as np

from skae.tables.cells import is_missing

# The numbers that stand for no token, and for one that is not in the vocabulary.
PADDING, UNKNOWN = 0, 1
# The most tokens of a text that are read.
_MOST_TOKENS = 256
_WORDS = re.compile(r"\w+|[^\w\s]")
_FEW = 3


@dataclass(frozen=True)
class TextReading:
    """How texts are read.

    Attributes
    ----------
    unit : {"words", "characters"}
        What a token is.
    max_vocabulary : int
        The largest number of tokens that are told apart.
    min_count : int
        The number of texts that must hold a token.
    """

    unit: str
    max_vocabulary: int
    min_count: int


@dataclass(frozen=True)
class Texts:
    """The vocabulary of columns of text, and their encoding.

    Attributes
    ----------
    names : list of str
        The columns, whose texts are read one after the other.
    unit : {"words", "characters"}
        What a token is.
    vocabulary : list of str
        The tokens, the commonest first; the first one has the number 2.
    """

    names: list
    unit: str
    vocabulary: list

    @classmethod
    def learn(cls, frame: nw.DataFrame, reading: TextReading) -> "Texts":
        """Return the vocabulary of the columns of text of a frame.

        Columns of strings are text; those of a categorical type are labels.

        Raises
        ------
        ValueError
            If there is no column of text.
        TypeError
            If a column holds text beside something else.
        """
        names = [column.name for column in frame.iter_columns() if _is_text(column)]
        if not names:
            raise ValueError(
                f"The 'text' parameter is {reading.unit!r}, but no column of y holds texts: it "
                f"must then be None. The columns are {frame.columns}."
            )
        rows = cls(names, reading.unit, []).tokens(frame)
        counts = Counter(chain.from_iterable(map(set, rows)))
        common = [token for token in counts if counts[token] >= min(reading.min_count, len(rows))]
        common.sort(key=lambda token: (-counts[token], token))
        return cls(names, reading.unit, common[: reading.max_vocabulary])

    @property
    def n_tokens(self) -> int:
        """The number of numbers that tokens have."""
        return UNKNOWN + 1 + len(self.vocabulary)

    def tokens(self, frame: nw.DataFrame) -> list[list[str]]:
        """Return the tokens of every row of a frame; of a missing text, there are none."""
        of_columns = [
            [self._split(name, text) for text in _cells(frame[name])] for name in self.names
        ]
        return [[*chain.from_iterable(parts)] for parts in zip(*of_columns, strict=True)]

    def hidden(self, n_rows: int) -> np.ndarray:
        """Return encoded texts that are all unknown."""
        return np.full((n_rows, 1), PADDING, dtype=np.float32)

    def _split(self, name: str, text: str | None) -> list[str]:
        """Return the tokens of a text: words in lower case and signs, or characters.

        Of several columns of text, each begins with a token of its own.
        """
        if not text:
            return []
        found = [*text] if self.unit == "characters" else _WORDS.findall(text.lower())
        return found if len(self.names) == 1 else [f"<{name}>", *found]

    def encode(self, frame: nw.DataFrame) -> np.ndarray:
        """Return the numbers of the tokens of every row, padded to the longest, float32.

        Warns if a row has no token that is in the vocabulary, or too many tokens.
        """
        rows = self.tokens(frame)
        longest = max(1, max(map(len, rows), default=1))
        if longest > _MOST_TOKENS:
            _warn(f"y holds texts of up to {longest} {self.unit}; the first {_MOST_TOKENS} count.")
        numbers = np.full((len(rows), min(longest, _MOST_TOKENS)), PADDING, dtype=np.float32)
        known = {token: place for place, token in enumerate(self.vocabulary, UNKNOWN + 1)}
        for own, tokens in zip(numbers, rows, strict=True):
            found = [known.get(token, UNKNOWN) for token in tokens[:_MOST_TOKENS]]
            own[: len(found)] = found
        self._check_known(numbers, rows)
        return numbers

    def _check_known(self, numbers: np.ndarray, rows: list[list[str]]) -> None:
        is_strange = (numbers != PADDING).any(1) & (numbers <= UNKNOWN).all(1)
        if is_strange.any():
            few = [" ".join(rows[place]) for place in np.flatnonzero(is_strange)[:_FEW]]
            _warn(
                f"y holds {is_strange.sum()} texts of which fit has seen none of the {self.unit}, "
                f"such as {', '.join(map(repr, few))}: nothing is known of what they say."
            )


def _is_text(column: nw.Series) -> bool:
    if column.dtype not in (nw.String, nw.Object):
        return False
    return any(isinstance(cell, str) for cell in column.to_list())


def _cells(column: nw.Series) -> list[str | None]:
    """Return texts, None where they are missing."""
    cells: list[Any] = column.to_list()
    holes = is_missing(column)
    for cell, is_hole in zip(cells, holes, strict=True):
        if not (is_hole or isinstance(cell, str)):
            raise TypeError(
                f"Column {column.name!r} of y must hold texts only, or none. Got {cell!r}."
            )
    return [None if is_hole else cell for cell, is_hole in zip(cells, holes, strict=True)]


def _warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=2)
