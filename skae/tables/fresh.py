"""Fresh identifiers and labels: of the form that real ones have, and none of them."""

import string
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

import numpy as np

# So many cells must share a letter for it to be part of the form rather than of a name.
_FEWEST_THAT_SHARE = 20
_NEARLY_ALL = 0.95
_MOST_PATTERNS = 100
# The decimal logarithm of the number of texts that a pattern must allow for.
_LEAST_DIGITS_OF_SPACE = 12
_CLASSES = {"a": string.ascii_lowercase, "A": string.ascii_uppercase, "9": string.digits}


class Fresh(ABC):
    """What makes cells like those of a column."""

    @property
    @abstractmethod
    def n_forms(self) -> int:
        """The number of forms that they have."""

    @abstractmethod
    def make(self, n: int, rng: np.random.Generator) -> list:
        """Return some that no row had."""


@dataclass(frozen=True)
class Successors(Fresh):
    """Integers that go on where those of a column end.

    Attributes
    ----------
    start, step : int
        The first of them, and the difference from one to the next.
    prefix, suffix : str or None
        What stands around them in text; None makes integers.
    width : int
        The smallest number of digits in text.
    """

    start: int
    step: int
    prefix: str | None = None
    suffix: str = ""
    width: int = 0

    @property
    def n_forms(self) -> int:
        """The number of forms: one."""
        return 1

    def make(self, n: int, rng: np.random.Generator) -> list:
        """Return the next ones."""
        numbers = [self.start + self.step * i for i in range(n)]
        if self.prefix is None:
            return numbers
        return [f"{self.prefix}{number:0{self.width}d}{self.suffix}" for number in numbers]


@dataclass(frozen=True)
class Patterns(Fresh):
    """Texts whose letters and digits are drawn, and whose other characters stay.

    Attributes
    ----------
    prefix, suffix : str
        What all of them begin and end with.
    patterns : tuple of str
        What stands between: "a" and "A" for a letter, "9" for a digit, each after a NUL; any
        other character for itself.
    alphabets : dict
        From "a", "A" and "9" to the characters to draw from.
    """

    prefix: str
    suffix: str
    patterns: tuple[str, ...]
    alphabets: dict[str, str]

    @property
    def n_forms(self) -> int:
        """The number of patterns."""
        return len(self.patterns)

    def make(self, n: int, rng: np.random.Generator) -> list:
        """Draw some."""
        chosen = rng.integers(len(self.patterns), size=n)
        return [f"{self.prefix}{self._fill(self.patterns[i], rng)}{self.suffix}" for i in chosen]

    def _fill(self, pattern: str, rng: np.random.Generator) -> str:
        first, *rest = pattern.split("\0")
        parts = [rng.choice(list(self.alphabets[part[0]])) + part[1:] for part in rest]
        return first + "".join(parts)


def fresh_integers(cells: np.ndarray) -> Successors:
    """Return what goes on after the integers of a column, shape (n_rows,)."""
    ordered = sorted({int(cell) for cell in cells})
    step = max(1, (ordered[-1] - ordered[0]) // max(1, len(ordered) - 1))
    return Successors(ordered[-1] + step, step)


def fresh_texts(cells: Sequence[str]) -> Fresh:
    """Return what makes texts of the form that those of a column have."""
    cells = list(dict.fromkeys(cells))
    prefix, suffix = _shared_ends(cells)
    inner = [cell[len(prefix) : len(cell) - len(suffix)] for cell in cells]
    if np.mean([each.isdecimal() and each.isascii() and len(each) < 18 for each in inner]) >= (
        _NEARLY_ALL
    ):
        numbers = [each for each in inner if each.isdecimal()]
        counter = fresh_integers(np.array(numbers, dtype=object))
        return Successors(counter.start, counter.step, prefix, suffix, min(map(len, numbers)))
    found = [_pattern(each) for each in inner]
    alphabets = _alphabets(inner)
    commonest = [pattern for pattern, _ in Counter(found).most_common(_MOST_PATTERNS)]
    wide = tuple(_widened(pattern, alphabets) for pattern in commonest)
    return Patterns(prefix, suffix, wide, alphabets)


def _shared_ends(cells: Sequence[str]) -> tuple[str, str]:
    """Return what all cells begin and end with, up to the first and the last digit."""
    if len(cells) < _FEWEST_THAT_SHARE:
        return "", ""
    prefix = _common_prefix(cells).rstrip(string.digits)
    shortest = min(map(len, cells)) - len(prefix)
    suffix = _common_prefix([cell[::-1] for cell in cells])[::-1]
    return prefix, suffix[len(suffix) - min(len(suffix), shortest) :].lstrip(string.digits)


def _common_prefix(cells: Sequence[str]) -> str:
    first, last = min(cells), max(cells)
    n = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[: min(n, len(last))]


def _pattern(cell: str) -> str:
    return "".join(
        "\x009"
        if each.isdigit()
        else "\0A"
        if each.isupper()
        else "\0a"
        if each.isalpha()
        else each
        for each in cell.replace("\0", "")
    )


def _alphabets(cells: Sequence[str]) -> dict[str, str]:
    """Return the letters and digits that occur; all of them where cells are few."""
    if len(cells) < _FEWEST_THAT_SHARE:
        return dict(_CLASSES)
    seen = set("".join(cells))
    found = {key: "".join(sorted(seen & set(each))) for key, each in _CLASSES.items()}
    return {key: found[key] if len(found[key]) > 1 else each for key, each in _CLASSES.items()}


def _widened(pattern: str, alphabets: dict[str, str]) -> str:
    """Return a pattern with more letters, if it has too few to be unlike all that were seen."""
    classes = [part[0] for part in pattern.split("\0")[1:]]
    space = sum(log10(len(alphabets[each])) for each in classes)
    last = f"\0{classes[-1] if classes else 'a'}"
    lacking = max(0.0, _LEAST_DIGITS_OF_SPACE - space)
    return pattern + last * int(np.ceil(lacking / log10(len(alphabets[last[1]]))))
