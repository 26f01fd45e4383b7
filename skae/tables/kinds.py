"""Kinds: what a column is, by its data type, its cells and, of identifiers, its name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import narwhals as nw
import numpy as np

from skae.tables.cells import cells_of, found_in, is_missing, n_distinct
from skae.tables.date_formats import (
    DateIntegers,
    DateText,
    find_date_integers,
    find_date_objects,
    find_date_text,
)
from skae.tables.formats import Format, Plain, distinct
from skae.tables.number_formats import find_number_objects, find_number_text

TEMPORAL = {nw.Datetime: "datetime", nw.Date: "date", nw.Duration: "duration", nw.Time: "time"}
LABELS = {
    nw.Boolean: "boolean",
    nw.Categorical: "category",
    nw.Enum: "ordered",
    nw.String: "text",
    nw.Object: "text",
}
NUMBERS = ("number", *TEMPORAL.values())
LEFT_OUT = ("identifier", "ignored")
KINDS = ("category", "number", "time", "identifier", "ignore")

# The numbers of distinct cells from which on a column may be an identifier, a counter, or text that
# is written in a format.
_FEWEST_IDENTIFIERS = 10
_FEWEST_OF_COUNTER = 30
_FEWEST_NUMBERS = 3
_NEARLY_UNIQUE = 0.95
_MOSTLY_DISTINCT = 0.5
_MOSTLY_RARE = 0.9
_MOST_GAPS = 0.5
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NAMES_OF_KEYS = {"id", "ids", "key", "keys", "uuid", "guid", "index", "idx", "identifier"}
_NAMES_OF_NUMBERS = {"no", "nr", "num", "number"}
_OF_KEYS = {"row", "record", "order", "invoice", "customer", "account", "ticket", "serial", "phone"}


@dataclass(frozen=True)
class TableOptions:
    """How the columns of tables are read; see `Table.learn`."""

    categorical_features: Any = "from_dtype"
    column_kinds: Mapping | None = None
    max_categories: int = 256
    min_frequency: float = 0.001
    min_count: int = 2
    handle_unknown: str = "other"
    has_level_states: bool = False
    keep_dependencies: bool = False

    @property
    def accepts_unknown(self) -> bool:
        """Whether labels that were not seen are accepted."""
        return self.handle_unknown == "other"


class ColumnParameters(Protocol):
    """The parameters that say how columns are read."""

    likelihood: Any
    bounds: Any
    mask_fraction: Any
    categorical_features: Any
    column_kinds: Any
    max_categories: int
    min_frequency: float
    min_count: int
    handle_unknown: str
    keep_dependencies: bool


def options_of(parameters: Any) -> TableOptions:
    """Return how an estimator reads the columns of a table."""
    of_models = ("has_level_states", "keep_dependencies")
    names = (each.name for each in fields(TableOptions) if each.name not in of_models)
    return TableOptions(**{name: getattr(parameters, name) for name in names})


@dataclass(frozen=True)
class Reading:
    """What a column is read as.

    Attributes
    ----------
    kind : str
        Its kind.
    reason : str
        Why, where that is not plain from its data type.
    format : Format
        How its cells are written.
    """

    kind: str
    reason: str = ""
    format: Format = field(default_factory=Plain)


@dataclass(frozen=True)
class _Column:
    """A column, and what is asked about it more than once."""

    column: nw.Series
    fewest: float
    max_categories: int

    @property
    def name(self) -> Any:
        return self.column.name

    def shares(self) -> tuple[int, int, float]:
        """Return how many cells are there, how many are distinct, and the share of rare labels."""
        _, places = distinct(self.column)
        counts = np.bincount(places[places >= 0])
        is_kept = (counts >= max(self.fewest, 2)) & (
            np.argsort(np.argsort(-counts, kind="stable")) < self.max_categories
        )
        n = int(counts.sum())
        return n, len(counts), float(counts[~is_kept].sum() / max(1, n))


def find_kind(
    column: nw.Series, options: TableOptions, fewest: float, *, is_named: bool
) -> Reading:
    """Return what a column is read as, or say that it cannot be.

    Parameters
    ----------
    column : narwhals.Series
        The column.
    options : TableOptions
        How columns are read.
    fewest : float
        The number of cells that a label needs for a state of its own.
    is_named : bool
        Whether its name was given by a person: an array has none, and no identifiers.
    """
    dtype = column.dtype
    _check_type(column)
    wished = (options.column_kinds or {}).get(column.name)
    if wished in LEFT_OUT[:1] or wished == "ignore":
        return Reading("identifier" if wished == "identifier" else "ignored", "as asked for")
    n_values = n_distinct(column)
    if n_values < 2:
        return Reading(("missing", "constant")[n_values])
    if wished is not None:
        return _wished(column, wished)
    own = _Column(column, fewest, options.max_categories)
    if dtype.is_numeric():
        return _of_numbers(own, n_values, is_named=is_named)
    temporal = next((kind for each, kind in TEMPORAL.items() if dtype == each), None)
    if temporal:
        return Reading(temporal)
    label = next(kind for each, kind in LABELS.items() if dtype == each)
    if label == "text" and n_values >= _FEWEST_NUMBERS and (found := _written(column)):
        return found
    if label in ("text", "category") and is_named:
        reason = _reason_of_texts(own, n_values)
        if reason:
            return Reading("identifier", reason)
    return Reading(label)


def find_category(column: nw.Series) -> Reading:
    """Return the kind of a column that is marked as labels."""
    _check_type(column)
    n_values = n_distinct(column)
    if n_values < 2:
        return Reading(("missing", "constant")[n_values])
    label = next((kind for each, kind in LABELS.items() if column.dtype == each), "category")
    return Reading(label, "as asked for")


def looks_like_identifier(column: nw.Series, max_categories: int) -> str:
    """Return why a column of numbers looks like an identifier; empty if it does not."""
    some = column[:_FEWEST_OF_COUNTER].to_numpy()
    if not (column.dtype.is_integer() or (some == np.rint(some)).all()):
        return ""
    return _reason_of_integers(column, n_distinct(column), max_categories)


def _check_type(column: nw.Series) -> None:
    dtype = column.dtype
    is_empty = dtype == nw.Unknown and column.is_null().all()
    is_known = dtype.is_numeric() or any(dtype == each for each in (*TEMPORAL, *LABELS))
    if not (is_known or is_empty):
        native = getattr(column.to_native(), "dtype", dtype)
        raise TypeError(
            f"Column {column.name!r} of X is of type {native}. Numbers, booleans, strings, "
            f"categories, dates, times and durations are understood."
        )
    if dtype == nw.Object:
        cells_of(column)


def _of_numbers(own: _Column, n_values: int, *, is_named: bool) -> Reading:
    # Two cells that differ are two numbers; only values that come again are states.
    if n_values == 2 and len(own.column) - is_missing(own.column).sum() > 2:
        return Reading("binary")
    if is_named and (reason := _reason_of_integers(own.column, n_values, own.max_categories)):
        return Reading("identifier", reason)
    if found := _dates_of(own.column):
        return Reading("date", "numbers that are all dates", found)
    return Reading("number")


def _dates_of(column: nw.Series) -> DateIntegers | None:
    """Return the format of a column of numbers that are all dates, or None."""
    return find_date_integers(found_in(column, is_missing(column)).unique().to_numpy())


def _written(column: nw.Series) -> Reading | None:
    """Return the dates, times or numbers that text or objects stand for, or None."""
    cells, places = distinct(column)
    counts = np.bincount(places[places >= 0], minlength=len(cells))
    if not all(isinstance(cell, str) for cell in cells):
        if dates := find_date_objects(cells):
            return Reading("date" if dates.is_date else "datetime", "", dates)
        if numbers := find_number_objects(cells):
            return Reading("number", "objects that are numbers", numbers)
        return None
    if text := find_date_text(cells, counts):
        return Reading(_kind_of_dates(text), "text of one format", text)
    if found := find_number_text(cells, counts):
        return Reading("number", "text that is numbers", found)
    return None


def _kind_of_dates(found: DateText) -> str:
    if found.is_date:
        return "date"
    has_day = any(token in found.pattern for token in ("%d", "%m", "%b", "%B", "%j"))
    return "datetime" if has_day else "time"


def _wished(column: nw.Series, wished: str) -> Reading:
    """Return the reading of a column as it was asked for, or say that it is impossible."""
    reason = "as asked for"
    if wished == "category":
        return find_category(column)
    dtype = column.dtype
    is_plain = dtype.is_numeric() or dtype == nw.Boolean
    if wished == "number" and is_plain:
        return Reading("number", reason)
    if wished == "time" and (kind := next((k for t, k in TEMPORAL.items() if dtype == t), None)):
        return Reading(kind, reason)
    found = None
    if wished == "time" and dtype.is_numeric():
        dates = _dates_of(column)
        found = Reading("date", reason, dates) if dates else None
    elif not is_plain and any(dtype == each for each in (nw.String, nw.Object, nw.Categorical)):
        found = _written(column)
    is_right = found is not None and (found.kind == "number") == (wished == "number")
    if found is None or not is_right:
        some = next(cell for cell in cells_of(column) if cell is not None)
        how = (
            "dates or times: one format for nearly all cells, such as 2024-12-31, or YYYYMMDD"
            if wished == "time"
            else "numbers: nearly all cells in one form, such as 1,000.50 or $5"
        )
        raise ValueError(
            f"The 'column_kinds' parameter says that column {column.name!r} of X is of kind "
            f"{wished!r}, but its cells, such as {some!r}, cannot be read as {how}."
        )
    return Reading(found.kind, reason, found.format)


def _reason_of_integers(column: nw.Series, n_values: int, max_categories: int) -> str:
    """Return why a column of numbers is an identifier: a counter, or unique and named like one."""
    if n_values < _FEWEST_IDENTIFIERS:
        return ""
    found = found_in(column, is_missing(column))
    if not column.dtype.is_integer():
        if not is_name_of_key(column.name):
            return ""
        numbers = found.to_numpy().astype(float)
        if not (np.isfinite(numbers).all() and (numbers == np.rint(numbers)).all()):
            return ""
    n = len(found)
    span = float(found.max()) - float(found.min()) + 1
    is_integer = column.dtype.is_integer()
    if is_integer and n_values == n >= _FEWEST_OF_COUNTER and n_values >= _MOST_GAPS * span:
        return "a counter: all different, with few gaps"
    if not is_name_of_key(column.name):
        return ""
    if n_values >= min(_NEARLY_UNIQUE * n, max_categories + 1):
        return f"{_how_distinct(n_values, n)}, with the name of a key"
    return ""


def _reason_of_texts(own: _Column, n_values: int) -> str:
    """Return why a column of labels is an identifier: hardly any label comes again."""
    if n_values < _FEWEST_IDENTIFIERS:
        return ""
    n, _, rare = own.shares()
    if n_values >= _NEARLY_UNIQUE * n:
        return _how_distinct(n_values, n)
    many = f"{n_values:,} different in {n:,} cells, {rare:.0%} of them rare"
    if n_values >= _MOSTLY_DISTINCT * n and rare >= _MOSTLY_RARE:
        return many
    is_key = is_name_of_key(own.name) and n_values > own.max_categories
    return f"{many}, with the name of a key" if is_key and rare >= _MOSTLY_RARE else ""


def is_name_of_key(name: object) -> bool:
    """Tell whether a column has the name of a key, such as CustomerId or row number."""
    text = str(name)
    if text.startswith("Unnamed: "):
        return True
    words = [word.lower() for word in _WORDS.findall(text.replace("_", " "))]
    if not words:
        return False
    if words[-1] in _NAMES_OF_KEYS:
        return True
    return len(words) > 1 and words[-1] in _NAMES_OF_NUMBERS and words[-2] in _OF_KEYS


def _how_distinct(n_values: int, n: int) -> str:
    return "all different" if n_values == n else f"{n_values:,} different in {n:,} cells"


def check_column_kinds(column_kinds: Any, names: list) -> None:
    """Raise ValueError where the parameter names no column or no kind."""
    if column_kinds is None:
        return
    if not isinstance(column_kinds, Mapping):
        raise ValueError(
            f"The 'column_kinds' parameter must be a mapping from columns to kinds, such as "
            f"{{{names[0]!r}: 'category'}}. Got {column_kinds!r}."
        )
    for name, kind in column_kinds.items():
        if name not in names:
            few = f"{', '.join(map(repr, names[:8]))}{', ...' if len(names) > 8 else ''}"
            message = f"The 'column_kinds' parameter names column {name!r}, which X has not. X has "
            raise ValueError(f"{message}{few}.")
        if kind not in KINDS:
            raise ValueError(
                f"The 'column_kinds' parameter must give each column one of the kinds {KINDS}. "
                f"Got {kind!r} for column {name!r}."
            )
