"""Frames of one column, and how they are read."""

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl

from skae.tables.field import Decoding
from skae.tables.kinds import TableOptions
from skae.tables.table import Table

LIBRARIES = ("pandas", "polars")


def one_column(cells, library="pandas", name="x"):
    """Return a narwhals frame of one column; cells may be a series already."""
    if library == "polars":
        return nw.from_native(pl.DataFrame({name: pl.Series(cells)}))
    return nw.from_native(pd.DataFrame({name: pd.Series(cells)}))


def objects(cells):
    """Return cells as a column of Python objects."""
    return pd.Series(list(cells), dtype=object)


def read(cells, library="pandas", name="x", *, is_named=True, **options):
    """Return the field of one column."""
    frame = one_column(cells, library, name)
    return Table.learn(frame, TableOptions(**options), is_named=is_named).fields[0]


def encoded(field, cells, library="pandas"):
    """Return the numbers and the states of a column."""
    return field.encode(one_column(cells, library)["x"])


def values_of(field, cells, library="pandas"):
    """Return the values that the cells of a column stand for."""
    return field.format.parse(one_column(cells, library)["x"]).values.to_list()


def there_and_back(cells, library="pandas", **options):
    """Return cells after encoding and decoding, None where they are missing."""
    frame = one_column(cells, library)
    table = Table.learn(frame, TableOptions(**options))
    back = table.decode(*table.encode(frame))
    assert back.schema == frame.schema
    return without_nan(back["x"].to_list())


def without_nan(cells):
    """Return cells with None where they are missing."""
    return [None if cell is pd.NA or cell is pd.NaT or cell != cell else cell for cell in cells]


def draws(field, states, seed=0):
    """Return the cells of some states, drawn."""
    numbers = np.full(len(states), np.nan) if field.is_number else None
    decoding = Decoding(rng=np.random.default_rng(seed))
    return field.decode(numbers, np.array(states), decoding).to_list()
