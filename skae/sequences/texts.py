"""Texts: the codec of short texts, character by character."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from skae.nn.sequence_heads import END, UNKNOWN
from skae.sequences.codec import Codec

# What an unknown character is written as.
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Texts(Codec):
    """The codec of texts.

    Attributes
    ----------
    characters : str
        The characters that are known, in order.
    """

    noun: ClassVar[str] = "text"
    unit: ClassVar[str] = "characters"
    width: ClassVar[int] = 1
    n_closing: ClassVar[int] = 1

    characters: str
    _tokens: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tokens = {each: UNKNOWN + 1 + place for place, each in enumerate(self.characters)}
        object.__setattr__(self, "_tokens", tokens)

    @property
    def n_tokens(self) -> int:
        """The number of tokens: characters, the end, and the unknown character."""
        return UNKNOWN + len(self.characters)

    @classmethod
    def check(cls, X: Any, name: str = "X") -> list[str]:
        """Return texts as a list of str; raise an error that names what is wrong."""
        if isinstance(X, (str, bytes, dict)) or not hasattr(X, "__len__"):
            raise TypeError(
                f"{name} must be a list of texts. Got {X!r}: put a single text into a list."
            )
        texts = list(X)
        if not texts:
            raise ValueError(f"{name} must hold at least one text. Got none.")
        for place, each in enumerate(texts):
            if not isinstance(each, str):
                raise TypeError(f"Text {place} of {name} must be a str. Got {each!r}.")
            if not each:
                raise ValueError(
                    f"Text {place} of {name} is empty; it must have at least one character."
                )
        return [str(each) for each in texts]

    @classmethod
    def learn(cls, sequences: Sequence[Any], **options: Any) -> Self:
        """Learn the characters that at least `min_count` of checked training texts hold."""
        counts = Counter(each for text in sequences for each in set(text))
        fewest = options["min_count"]
        return cls("".join(sorted(each for each, n in counts.items() if n >= fewest)))

    def steps(self, sequence: Any) -> np.ndarray:
        """Return the tokens of a text and its end."""
        return np.vstack([self.begun(sequence), np.full((1, 1), END, dtype=np.float32)])

    def begun(self, sequence: Any) -> np.ndarray:
        """Return the tokens of a text."""
        tokens = [self._tokens.get(each, UNKNOWN) for each in sequence]
        return np.array(tokens, dtype=np.float32)[:, None]

    def sequence(self, steps: np.ndarray) -> str:
        """Return the text of tokens."""
        places = steps[:, 0].astype(int) - UNKNOWN - 1
        written = [self.characters[place] if place >= 0 else _REPLACEMENT for place in places]
        return "".join(written[:-1])

    def log_unit(self) -> float:
        """Return zero: characters are counted, not measured."""
        return 0.0
