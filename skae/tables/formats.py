"""Formats: how the cells of a column are written, and the values that they stand for."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Parsed:
    """The values of a column.

    Attributes
    ----------
    values : narwhals.Series
        Numbers or times, null where a cell is missing or is a word.
    words : ndarray of object of shape (n_rows,)
        The cells that stand for no value, and None elsewhere.
    """

    values: nw.Series
    words: np.ndarray


class Format(ABC):
    """The way from the cells of a column to numbers or times, and back.

    Attributes
    ----------
    text : str
        What the schema says of it; empty for cells that are their values.
    """

    text: Any

    @abstractmethod
    def parse(self, column: nw.Series) -> Parsed:
        """Return the values of a column, which may be another than the one that was learned."""

    @abstractmethod
    def render(self, values: nw.Series, template: nw.Series) -> nw.Series:
        """Return values as a column like another."""

    def accepts(self, dtype: nw.dtypes.DType) -> bool:
        """Tell whether a column of a type may be parsed."""
        return any(dtype == each for each in (nw.String, nw.Object, nw.Categorical, nw.Unknown))


@dataclass(frozen=True)
class Plain(Format):
    """Cells that are their values."""

    text: str = ""

    def parse(self, column: nw.Series) -> Parsed:
        """Return the column as it is, without words."""
        return Parsed(column, np.full(len(column), None))

    def render(self, values: nw.Series, template: nw.Series) -> nw.Series:
        """Return the values as they are."""
        return values


def distinct(column: nw.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct cells that are there, and the place of every cell among them.

    Returns
    -------
    cells : ndarray of object of shape (n_distinct,)
        The distinct cells, in the order in which they come.
    places : ndarray of int of shape (n_rows,)
        Their indices; -1 where a cell is missing.
    """
    boxed = np.empty(len(column), dtype=object)
    boxed[:] = column.to_list()
    places, cells = pd.factorize(boxed)
    return np.asarray(cells, dtype=object), np.asarray(places)


def spread(column: nw.Series, cells: np.ndarray, places: np.ndarray, values: pd.Series) -> Parsed:
    """Return the values of distinct cells, each where it stands in a column.

    Parameters
    ----------
    column : narwhals.Series
        The column.
    cells, places : ndarray
        What `distinct` returned.
    values : pandas.Series of shape (n_distinct,)
        The value of each, missing where it has none.
    """
    one_more = pd.concat([values, pd.Series([None], dtype=values.dtype)], ignore_index=True)
    found = one_more.take(places).reset_index(drop=True)
    is_word = np.append(values.isna().to_numpy(), False)
    words = np.full(len(places), None)
    words[is_word[places]] = cells[places[is_word[places]]]
    return Parsed(nw.from_native(found.rename(column.name), series_only=True), words)


def column_like(cells: pd.Series, template: nw.Series) -> nw.Series:
    """Return cells as a column of the library and type of another."""
    native = template.to_native()
    if template.implementation.is_pandas_like():
        made = cells if native.dtype == object else cells.astype(native.dtype)
        return nw.from_native(made.rename(template.name), series_only=True)
    listed = [None if cell is None or cell is pd.NA or cell != cell else cell for cell in cells]
    return nw.new_series(template.name, listed, template.dtype, backend=template.implementation)
