"""Dates and times that are written as text, as integers or held as Python objects."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product

import narwhals as nw
import numpy as np
import pandas as pd
from pandas.tseries.api import guess_datetime_format

from skae.tables.formats import Format, Parsed, column_like, distinct, spread

NEARLY_ALL = 0.995
_TO_GUESS_FROM = 40
_TO_TRY = 400
_MORE_FORMATS = (
    *(f"%{a}{s}%{b}{s}%y" for (a, b), s in product((("d", "m"), ("m", "d")), "/.-")),
    "%d-%b-%y",
    "%d-%b-%Y",
    "%d %b %y",
    "%b %Y",
    "%B %Y",
    "%Y-%m",
    "%H:%M",
    "%H:%M:%S",
)
_TOKEN = re.compile(r"%[A-Za-z]")
_PADDED = ("%d", "%m", "%H", "%I")
_ZONE = re.compile(r"(?<=\d)(Z| UTC|[+-]\d\d:?\d\d)$")
_FIRST_DAY, _LAST_DAY = 19000101, 21001231


@dataclass(frozen=True)
class DateText(Format):
    """Dates or times of one format, as `datetime.strftime` has it.

    Attributes
    ----------
    pattern : str
        The format.
    unpadded : tuple of str
        Its fields that are written without leading zeros.
    zone : str
        What stands behind all of them, such as "Z".
    n_decimals : int
        The number of decimals of a second.
    note : str
        How day and month were told apart, where that was a question.
    """

    pattern: str
    unpadded: tuple[str, ...] = ()
    zone: str = ""
    n_decimals: int = 6
    note: str = ""

    @property
    def text(self) -> str:
        """The format."""
        return f"{self.pattern}{self.zone}{self.note and f' ({self.note})'}"

    @property
    def is_date(self) -> bool:
        """Whether it holds no time of the day."""
        return not any(token in self.pattern for token in ("%H", "%I", "%M", "%S"))

    def parse(self, column: nw.Series) -> Parsed:
        """Return the times of a column of text."""
        cells, places = distinct(column)
        times = self.times_of(cells)
        return spread(column, cells, places, times)

    def render(self, values: nw.Series, template: nw.Series) -> nw.Series:
        """Return times as text."""
        times = pd.Series(pd.to_datetime(np.array(values.to_list(), dtype=object)))
        return column_like(self.write(times), template)

    def times_of(self, cells: np.ndarray) -> pd.Series:
        """Return the times of distinct cells, missing where a cell has another format."""
        texts = pd.Series([cell if isinstance(cell, str) else None for cell in cells], dtype=object)
        if self.zone:
            texts = texts.where(texts.str.endswith(self.zone, na=False)).str.slice(
                stop=-len(self.zone)
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            times = pd.to_datetime(texts, format=self.pattern, errors="coerce")
        return pd.Series(times).dt.as_unit("us")

    def write(self, times: pd.Series) -> pd.Series:
        """Return times as text, missing where they are."""
        parts, end = [], 0
        for match in _TOKEN.finditer(self.pattern):
            parts.append(self.pattern[end : match.start()])
            token, end = match.group(), match.end()
            part = times.dt.strftime(token)
            if token in self.unpadded:
                part = part.str.replace(r"^0(?=\d)", "", regex=True)
            parts.append(part.str.slice(stop=self.n_decimals) if token == "%f" else part)
        parts.append(self.pattern[end:] + self.zone)
        text = pd.Series("", index=times.index, dtype=object)
        for part in parts:
            text = text + part
        return text.astype(object).where(times.notna(), None)


@dataclass(frozen=True)
class DateObjects(Format):
    """Dates or times that are Python objects in a column of objects.

    Attributes
    ----------
    is_date : bool
        Whether they are dates, without a time of the day.
    """

    is_date: bool

    @property
    def text(self) -> str:
        """The type of the objects."""
        return "datetime.date" if self.is_date else "datetime.datetime"

    def parse(self, column: nw.Series) -> Parsed:
        """Return the times of a column of objects."""
        cells, places = distinct(column)
        return spread(column, cells, places, self.times_of(cells))

    def times_of(self, cells: np.ndarray) -> pd.Series:
        """Return the times of distinct cells, missing where one has another zone, or is none."""
        known = [cell if isinstance(cell, date) else None for cell in cells]
        times = pd.Series(pd.to_datetime(pd.Series(known, dtype=object), errors="coerce"))
        return times.dt.as_unit("us")

    def render(self, values: nw.Series, template: nw.Series) -> nw.Series:
        """Return times as Python objects."""
        times = [None if pd.isna(time) else pd.Timestamp(time) for time in values.to_list()]
        made = [time and (time.date() if self.is_date else time.to_pydatetime()) for time in times]
        return column_like(pd.Series(made, dtype=object), template)


@dataclass(frozen=True)
class DateIntegers(Format):
    """Dates that are written as integers, YYYYMMDD."""

    text: str = "YYYYMMDD"
    is_date: bool = True

    def accepts(self, dtype: nw.dtypes.DType) -> bool:
        """Tell whether a column of a type may be parsed."""
        return dtype.is_numeric()

    def parse(self, column: nw.Series) -> Parsed:
        """Return the times of a column of integers."""
        cells, places = distinct(column)
        return spread(column, cells, places, dates_of_integers(cells))

    def render(self, values: nw.Series, template: nw.Series) -> nw.Series:
        """Return times as integers."""
        times = pd.Series(pd.to_datetime(np.array(values.to_list(), dtype=object)))
        whole = times.dt.year * 10000 + times.dt.month * 100 + times.dt.day
        return column_like(whole.astype("Int64"), template)


def find_date_text(cells: np.ndarray, counts: np.ndarray) -> DateText | None:
    """Return the format of nearly all cells of text, or None.

    Parameters
    ----------
    cells : ndarray of object of shape (n_distinct,)
        The distinct cells.
    counts : ndarray of int of shape (n_distinct,)
        How often each comes.
    """
    few = [cell for cell in cells[:_TO_TRY] if isinstance(cell, str) and _may_be_a_date(cell)]
    if len(few) < NEARLY_ALL * min(len(cells), _TO_TRY) - 1:
        return None
    zone = _common_zone(few)
    bare = [cell[: len(cell) - len(zone)] for cell in few]
    fitting = [
        made
        for pattern in _candidates(bare)
        if (made := _fit(DateText(pattern, zone=zone), cells, counts)) is not None
    ]
    return _settled(fitting)


def find_date_objects(cells: np.ndarray) -> DateObjects | None:
    """Return the format of cells that are all dates, or all times, or None."""
    if len(cells) == 0 or not all(isinstance(cell, date) for cell in cells):
        return None
    made = DateObjects(is_date=not any(isinstance(cell, datetime) for cell in cells))
    return made if made.times_of(cells).notna().all() else None


def find_date_integers(numbers: np.ndarray) -> DateIntegers | None:
    """Return the format of distinct integers that are all dates, or None."""
    if len(numbers) < 2 or not ((numbers >= _FIRST_DAY) & (numbers <= _LAST_DAY)).all():
        return None
    return DateIntegers() if dates_of_integers(numbers).notna().all() else None


def dates_of_integers(cells: np.ndarray) -> pd.Series:
    """Return the dates of integers YYYYMMDD, missing where one is no date."""
    numbers = pd.to_numeric(pd.Series(cells), errors="coerce")
    is_whole = numbers.notna() & (numbers % 1 == 0) & numbers.between(_FIRST_DAY, _LAST_DAY)
    texts = numbers.where(is_whole, _FIRST_DAY).astype("int64").astype(str)
    times = pd.to_datetime(texts, format="%Y%m%d", errors="coerce")
    return times.where(is_whole).dt.as_unit("us")


def _may_be_a_date(cell: str) -> bool:
    return 4 <= len(cell) <= 40 and sum(map(str.isdigit, cell)) >= 3


def _common_zone(cells: Sequence[str]) -> str:
    """Return the zone that all cells end with; none where the end may be part of a date."""
    found = {match.group() if (match := _ZONE.search(cell)) else "" for cell in cells}
    has_time = all(":" in cell for cell in cells)
    return found.pop() if len(found) == 1 and has_time else ""


def _candidates(cells: Sequence[str]) -> list[str]:
    """Return the formats that some of the cells may have, the likelier ones first."""
    guessed = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for cell, dayfirst in product(cells[:_TO_GUESS_FROM], (False, True)):
            guessed.append(guess_datetime_format(cell, dayfirst=dayfirst))
    # Four digits alone are a number, if anything.
    names = [each for each in guessed if each and "%d/%Y/%m" not in each and each != "%Y"]
    return list(dict.fromkeys([*sorted(names, key=names.count, reverse=True), *_MORE_FORMATS]))


def _fit(made: DateText, cells: np.ndarray, counts: np.ndarray) -> DateText | None:
    """Return a format with its paddings, if nearly all cells have it and come back from it."""
    times = made.times_of(cells)
    is_parsed = times.notna().to_numpy()
    if counts[is_parsed].sum() < NEARLY_ALL * counts.sum():
        return None
    texts, times = cells[is_parsed], times[is_parsed].reset_index(drop=True)
    for n_decimals, unpadded in product(_decimals(made, texts), _paddings(made)):
        tried = DateText(made.pattern, unpadded, made.zone, n_decimals)
        is_same = tried.write(times).to_numpy() == texts
        if counts[is_parsed][is_same].sum() >= NEARLY_ALL * counts.sum():
            return tried
    return None


def _decimals(made: DateText, texts: np.ndarray) -> tuple[int, ...]:
    if "%f" not in made.pattern:
        return (6,)
    return tuple({len(text.rsplit(".", 1)[-1]) for text in texts[:_TO_TRY]})[:3]


def _paddings(made: DateText) -> list[tuple[str, ...]]:
    """Return which fields may be written without leading zeros: none, all, or one alone."""
    fields = tuple(token for token in _PADDED if token in made.pattern)
    return [(), fields, *((field,) for field in fields)]


def _settled(fitting: Sequence[DateText]) -> DateText | None:
    """Return the first format; say so where another one puts the day in the month's place."""
    if not fitting:
        return None
    first = fitting[0]
    swapped = first.pattern.replace("%d", "%D").replace("%m", "%d").replace("%D", "%m")
    has_both = "%d" in first.pattern and "%m" in first.pattern and not _is_iso(first.pattern)
    if not has_both:
        return first
    is_open = any(other.pattern == swapped for other in fitting[1:])
    order = "month first" if first.pattern.index("%m") < first.pattern.index("%d") else "day first"
    note = f"{order}, which the cells leave open" if is_open else f"{order}, by all cells"
    return DateText(first.pattern, first.unpadded, first.zone, first.n_decimals, note)


def _is_iso(pattern: str) -> bool:
    return pattern.startswith("%Y") and pattern.index("%m") < pattern.index("%d")
