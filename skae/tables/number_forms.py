"""Forms of numbers as text: what stands around the digits, and how these are grouped."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import inf, isnan, nan

import numpy as np
import pandas as pd

# Beyond it, floats do not tell one integer from the next.
LARGEST = 2.0**53
_SPACES = " \u00a0\u202f"
_PARTS = re.compile(rf"^([^\d+-]*)([+-]?)([^\d+-]*)(\d(?:[\d.,'{_SPACES}]*\d)?)(\D*)$", re.ASCII)
_GROUPED = {
    "": re.compile(r"^\d+(?P<rest>\.\d+)?$", re.ASCII),
    ",": re.compile(r"^\d{1,3}(,\d{3})+(?P<rest>\.\d+)?$", re.ASCII),
    ".": re.compile(r"^\d{1,3}(\.\d{3})+(?P<rest>,\d+)?$", re.ASCII),
    " ": re.compile(rf"^\d{{1,3}}([{_SPACES}]\d{{3}})+(?P<rest>[.,]\d+)?$", re.ASCII),
    "'": re.compile(r"^\d{1,3}('\d{3})+(?P<rest>[.,]\d+)?$", re.ASCII),
}
_COMMA = re.compile(r"^\d+,\d+$", re.ASCII)
_FEW = 0.005
_MULTIPLIERS = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
_CURRENCY = re.compile(r"^[^\W\d]{1,3}\.? ?$")


@dataclass(frozen=True)
class Parts:
    """A cell, taken apart.

    Attributes
    ----------
    prefix, suffix : str
        What stands before and after the number.
    sign : {"", "+", "-"}
        The sign.
    style : {"outer", "inner", "brackets"}
        Where the sign stands: before the prefix, after it, or as brackets around all.
    digits : str
        The number itself.
    """

    prefix: str
    sign: str
    style: str
    digits: str
    suffix: str


def split(cell: object) -> Parts | None:
    """Return the parts of a cell that holds one number, or None."""
    if not isinstance(cell, str):
        return None
    has_brackets = cell.startswith("(") and cell.endswith(")")
    match = _PARTS.match(cell[1:-1] if has_brackets else cell)
    if match is None:
        return None
    first, sign, second, digits, suffix = match.groups()
    if has_brackets:
        return None if sign else Parts(first + second, "-", "brackets", digits, suffix)
    if sign and any(map(str.isalpha, first)):
        # The dash of "AB-5" is no sign.
        return Parts(first + sign + second, "", "outer", digits, suffix)
    return Parts(first + second, sign, "inner" if first else "outer", digits, suffix)


@dataclass(frozen=True)
class Form:
    """What stands around numbers, and how their digits are grouped.

    Attributes
    ----------
    prefix, suffix : str
        What stands before and after a number.
    multiplier : float
        What a number is multiplied with for its suffix, such as "M" for a million.
    thousands : str
        What parts groups of three digits; empty for nothing.
    point : str
        The decimal point.
    decimals : int or None
        The number of decimals, zeros included; None for as many as are needed.
    least_decimals : int
        The smallest number of them, where as many as are needed are written.
    style : str
        Where a sign stands; see `Parts`.
    has_plus : bool
        Whether numbers above zero have a sign.
    low, high : float
        The range of the numbers in this form.
    """

    prefix: str = ""
    suffix: str = ""
    multiplier: float = 1.0
    thousands: str = ""
    point: str = "."
    decimals: int | None = None
    least_decimals: int = 0
    style: str = "outer"
    has_plus: bool = False
    low: float = -inf
    high: float = inf

    def write(self, number: float) -> str:
        """Return a number as text."""
        digits = self._digits(abs(number) / self.multiplier)
        if number < 0 and self.style == "brackets":
            return f"({self.prefix}{digits}{self.suffix})"
        sign = "-" if number < 0 else "+" if self.has_plus and number > 0 else ""
        start = self.prefix + sign if self.style == "inner" else sign + self.prefix
        return f"{start}{digits}{self.suffix}"

    def distance(self, number: float) -> float:
        """Return how far a number is from the range."""
        return max(self.low - number, number - self.high, 0.0)

    def _digits(self, number: float) -> str:
        if self.decimals is not None:
            text = f"{number:,.{self.decimals}f}"
        else:
            # What a multiplier adds to a number is no part of its decimals.
            exact = float(number if self.multiplier == 1 else f"{number:.12g}")
            whole, _, rest = f"{Decimal(repr(exact)):,f}".partition(".")
            rest = ("" if rest == "0" else rest).ljust(self.least_decimals, "0")
            text = f"{whole}.{rest}" if rest else whole
        if self.thousands == "," and self.point == ".":
            return text
        return text.replace(",", "\0").replace(".", self.point).replace("\0", self.thousands)

    @property
    def text(self) -> str:
        """An example of it."""
        n = min(self.least_decimals, 1) if self.decimals is None else self.decimals
        return replace(self, decimals=n).write(self.multiplier * (1000 if self.thousands else 1))


def value(digits: str, point: str) -> float:
    """Return the number that digits, grouped or not, stand for; NaN if none."""
    if point == "," and _COMMA.match(digits):
        return float(digits.replace(",", "."))
    for mark, pattern in _GROUPED.items():
        is_point = mark == point or (mark == "" and point == "," and "." in digits)
        if not is_point and (match := pattern.match(digits)):
            rest = match["rest"] or ""
            if rest and rest[0] != point:
                return nan
            whole = digits[: len(digits) - len(rest)]
            return float(re.sub(r"\D", "", whole) + rest.replace(",", "."))
    return nan


def decimal_point(digits: Sequence[str]) -> str:
    """Return the decimal point of numbers: a comma, if some can be read with no other."""
    for each in digits:
        match = _GROUPED["."].match(each)
        if match and (match["rest"] or each.count(".") > 1):
            return ","
        if _COMMA.match(each) and (each[0] == "0" or not _GROUPED[","].match(each)):
            return ","
        spaced = _GROUPED[" "].match(each) or _GROUPED["'"].match(each)
        if spaced and (spaced["rest"] or "").startswith(","):
            return ","
    return "," if _are_thousands(digits) else "."


def _are_thousands(digits: Sequence[str]) -> bool:
    """Tell whether the points of numbers part groups, as those of 1.250 beside 980 do.

    Three decimals in all cells would make 980.000 of it, and as few as needed 1.25 of the other.
    """
    with_point = [each for each in digits if "." in each]
    small = [each for each in digits if "." not in each and each != "0"]
    if len(small) <= _FEW * len(digits) or max(map(len, small)) > 3:
        return False
    is_grouped = all(_GROUPED["."].match(each) and each[0] != "0" for each in with_point)
    return is_grouped and any(each.endswith("0") for each in with_point)


def find_forms(
    parts: Sequence[Parts], cells: np.ndarray, counts: np.ndarray, *, fewest: float, most: int
) -> tuple[Form, ...]:
    """Return the forms of cells, the commonest first.

    Parameters
    ----------
    parts : sequence of Parts
        The cells, taken apart.
    cells : ndarray of object of shape (n_distinct,)
        The cells.
    counts : ndarray of shape (n_distinct,)
        How often each comes.
    fewest : float
        The number of cells that make a form.
    most : int
        The largest number of prefixes and suffixes.
    """
    around = pd.Series([(each.prefix, each.suffix) for each in parts], dtype=object)
    total = pd.Series(counts).groupby(around, sort=False).sum()
    total = total[total >= fewest].sort_values(ascending=False, kind="stable")[:most]
    point = decimal_point([each.digits for each in parts])
    forms: list[Form] = []
    pairs = list(total.index)
    for (prefix, suffix), multiplier in zip(pairs, _multipliers(pairs), strict=True):
        own = np.flatnonzero(np.array([pair == (prefix, suffix) for pair in around], dtype=bool))
        form = Form(prefix, suffix, multiplier, point=point)
        forms += _with_digits(form, [parts[int(i)] for i in own], cells[own], counts[own])
    has_words = any(any(map(str.isalpha, form.prefix)) for form in forms)
    is_code = has_words and not all(_is_measure(form) for form in forms)
    return () if is_code else tuple(forms)


def read(parts: Parts | None, forms: dict[tuple[str, str], Form]) -> float:
    """Return the number of a cell that was taken apart, NaN where it has none of the forms."""
    if parts is None or (form := forms.get((parts.prefix, parts.suffix))) is None:
        return nan
    number = value(parts.digits, form.point) * form.multiplier
    number = -number if parts.sign == "-" else number
    return number if abs(number) <= LARGEST else nan


def _is_measure(form: Form) -> bool:
    """Tell whether numbers behind a word are amounts, such as USD 5.00, and no codes."""
    is_currency = _CURRENCY.match(form.prefix) is not None
    return is_currency and (form.decimals != 0 or form.thousands != "")


def _multipliers(pairs: Sequence[tuple[str, str]]) -> list[float]:
    """Return what suffixes multiply numbers with: only where there are two different ones."""
    suffixes = [suffix.strip().lower() for _, suffix in pairs]
    found = [_MULTIPLIERS.get(suffix[:1], 1.0) for suffix in suffixes]
    is_unit = all(suffix[1:] in ("", "b", "ib") for suffix in suffixes)
    return found if len(set(found) - {1.0}) > 1 and is_unit else [1.0] * len(suffixes)


def _with_digits(
    form: Form, parts: Sequence[Parts], cells: np.ndarray, counts: np.ndarray
) -> list[Form]:
    """Return a form with the grouping, the signs and the decimals that most of its cells have.

    Where large numbers have fewer decimals than small ones, these are two forms.
    """
    numbers = np.array([read(each, {(form.prefix, form.suffix): form}) for each in parts])
    is_read = ~np.isnan(numbers)
    if not is_read.any():
        return []
    marks = ["'", *_SPACES, "," if form.point == "." else "."]
    shares = [np.mean([mark in each.digits for each in parts]) for mark in marks]
    styles = [each.style for each in parts if each.sign]
    above = [each.sign for each, x in zip(parts, numbers, strict=True) if x > 0]
    form = replace(
        form,
        thousands=marks[int(np.argmax(shares))] if max(shares) > 0 else "",
        style=max(styles, key=styles.count) if styles else "outer",
        has_plus=above.count("+") * 2 > len(above),
    )
    ends = [each.digits.rsplit(form.point, 1) for each in parts]
    decimals = np.array([len(end[1]) if end[1:] else 0 for end in ends])
    commonest = int(np.bincount(decimals, counts).argmax())
    least = int(decimals[is_read].min())
    tried = [
        [_ranged(replace(form, decimals=n), numbers[is_read]) for n in (commonest,)],
        [_ranged(replace(form, decimals=None, least_decimals=least), numbers[is_read])],
        [
            _ranged(replace(form, decimals=int(n)), numbers[is_read & (decimals == n)])
            for n in np.unique(decimals[is_read])[:3]
        ],
    ]

    def n_right(forms: list[Form]) -> float:
        written = (write(forms, x) for x in numbers)
        return float(
            sum(n for n, cell, each in zip(counts, cells, written, strict=True) if each == cell)
        )

    return max(tried, key=n_right)


def write(forms: Sequence[Form], number: float) -> str | None:
    """Return a number in the first form in whose range it is, or that with the nearest range."""
    if isnan(number):
        return None
    return min(forms, key=lambda form: form.distance(number)).write(number)


def _ranged(form: Form, numbers: np.ndarray) -> Form:
    return replace(form, low=float(numbers.min()), high=float(numbers.max()))
