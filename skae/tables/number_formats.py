"""Numbers that are written as text, or held as Python objects."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from numbers import Number as PythonNumber

import narwhals as nw
import numpy as np
import pandas as pd

from skae.tables.formats import Format, Parsed, column_like, distinct, spread
from skae.tables.number_forms import LARGEST, Form, find_forms, read, split, write

NEARLY_ALL = 0.995
# Words that stand for no number may be frequent if they are few and the numbers are many.
_MOST_WORDS = 3
_NUMBERS_PER_WORD = 20
_FEWEST_NUMBERS = 0.5
_MOST_FORMS = 4
_NUMBERS_PER_FORM = 3
_LEAST_SHARE_OF_FORM = 0.0005
_TO_TRY = 4000


@dataclass(frozen=True)
class NumberText(Format):
    """Numbers as text, in one form or a few, the commoner ones first.

    Attributes
    ----------
    forms : tuple of Form
        The forms.
    """

    forms: tuple[Form, ...]

    @property
    def text(self) -> str:
        """Examples of the forms."""
        return " or ".join(dict.fromkeys(form.text for form in self.forms))

    def parse(self, column: nw.Series) -> Parsed:
        """Return the numbers of a column of text."""
        cells, places = distinct(column)
        return spread(column, cells, places, pd.Series(self.numbers_of(cells)))

    def numbers_of(self, cells: np.ndarray) -> np.ndarray:
        """Return the numbers of distinct cells, NaN where one has none of the forms."""
        return np.array([read(split(cell), self._by_affixes) for cell in cells], dtype=float)

    def render(self, values: nw.Series, template: nw.Series) -> nw.Series:
        """Return numbers as text."""
        numbers = values.cast(nw.Float64()).to_numpy().astype(float)
        places, unique = pd.factorize(numbers)
        texts = np.array([*(write(self.forms, x) for x in unique), None], dtype=object)
        return column_like(pd.Series(texts[places], dtype=object), template)

    def comes_back(self, cells: np.ndarray) -> np.ndarray:
        """Tell which cells are numbers that are written as they were."""
        written = (write(self.forms, x) for x in self.numbers_of(cells))
        return np.array([text == cell for text, cell in zip(written, cells, strict=True)])

    @cached_property
    def _by_affixes(self) -> dict[tuple[str, str], Form]:
        return {(form.prefix, form.suffix): form for form in self.forms}


@dataclass(frozen=True)
class NumberObjects(Format):
    """Numbers that are Python objects in a column of objects.

    Attributes
    ----------
    type : type
        What they come back as: `int`, `float` or `decimal.Decimal`.
    decimals : int or None
        The number of decimals of a `Decimal`.
    """

    type: type
    decimals: int | None = None

    @property
    def text(self) -> str:
        """The type of the objects."""
        return f"{self.type.__name__} objects"

    def parse(self, column: nw.Series) -> Parsed:
        """Return the numbers of a column of objects."""
        cells, places = distinct(column)
        numbers = [float(cell) if _is_number(cell) else np.nan for cell in cells]
        return spread(column, cells, places, pd.Series(numbers, dtype=float))

    def render(self, values: nw.Series, template: nw.Series) -> nw.Series:
        """Return numbers as Python objects."""
        numbers = values.cast(nw.Float64()).to_numpy().astype(float)
        made = [None if np.isnan(number) else self._made(number) for number in numbers]
        return column_like(pd.Series(made, dtype=object), template)

    def _made(self, number: float) -> object:
        if self.type is Decimal:
            return Decimal(f"{number:.{self.decimals}f}")
        return round(number) if self.type is int else float(number)


def find_number_objects(cells: np.ndarray) -> NumberObjects | None:
    """Return the format of distinct cells that are nearly all numbers, or None."""
    numbers = [cell for cell in cells if _is_number(cell)]
    n_words = len(cells) - len(numbers)
    if not numbers or n_words > max(_MOST_WORDS, (1 - NEARLY_ALL) * len(cells)):
        return None
    if n_words * _NUMBERS_PER_WORD > len(numbers):
        return None
    if all(isinstance(cell, Decimal) for cell in numbers):
        return NumberObjects(Decimal, max(map(_n_decimals, numbers)))
    is_whole = all(isinstance(cell, (int, np.integer)) for cell in numbers)
    return NumberObjects(int if is_whole else float)


def find_number_text(cells: np.ndarray, counts: np.ndarray) -> NumberText | None:
    """Return the forms of a column of text that holds numbers, or None.

    Nearly all cells must be numbers that come back as they were. Words that stand for none, such as
    "varies", may be as frequent as they like if they are few and the numbers are many.

    Parameters
    ----------
    cells : ndarray of object of shape (n_distinct,)
        The distinct cells.
    counts : ndarray of int of shape (n_distinct,)
        How often each comes.
    """
    order = np.argsort(-counts, kind="stable")[:_TO_TRY]
    cells, counts = cells[order], counts[order]
    parts = [split(cell) for cell in cells]
    is_number = np.array([part is not None for part in parts], dtype=bool)
    if is_number.sum() < max(2, _FEWEST_NUMBERS * len(cells)):
        return None
    fewest = max(2, _LEAST_SHARE_OF_FORM * counts.sum()) if counts.sum() > 20 else 1
    found = [part for part in parts if part is not None]
    options = {"fewest": fewest, "most": _MOST_FORMS}
    forms = find_forms(found, cells[is_number], counts[is_number], **options)
    if not forms:
        return None
    made = NumberText(forms)
    n_affixes = len({(form.prefix, form.suffix) for form in forms})
    if n_affixes > 1 and n_affixes * _NUMBERS_PER_FORM > len(cells):
        return None
    return made if _are_enough(made.comes_back(cells), counts) else None


def _are_enough(comes_back: np.ndarray, counts: np.ndarray) -> bool:
    """Tell whether cells are numbers: nearly all of them, or all but a few words."""
    n_numbers, n_words = int(comes_back.sum()), int((~comes_back).sum())
    needed = NEARLY_ALL * counts.sum()
    seen = counts[comes_back].sum()
    if seen >= needed:
        return True
    words = np.sort(counts[~comes_back])[::-1][:_MOST_WORDS]
    are_many = n_numbers >= _NUMBERS_PER_WORD * min(n_words, _MOST_WORDS)
    return are_many and seen >= _FEWEST_NUMBERS * counts.sum() and seen + words.sum() >= needed


def _is_number(cell: object) -> bool:
    if isinstance(cell, (bool, np.bool_, complex)):
        return False
    if not isinstance(cell, (PythonNumber, Decimal)):
        return False
    try:
        number = float(cell)  # type: ignore[arg-type]
    except OverflowError:
        return False
    return bool(np.isfinite(number)) and abs(number) <= LARGEST


def _n_decimals(number: Decimal) -> int:
    return max(0, -int(number.normalize().as_tuple().exponent))
