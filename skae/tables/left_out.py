"""LeftOut: a column that nothing is learned from, an identifier or one that is ignored."""

from dataclasses import dataclass
from typing import ClassVar

import narwhals as nw
import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionDtype

from skae.tables.cells import cells_of
from skae.tables.field import About, Decoding, Field
from skae.tables.formats import column_like
from skae.tables.fresh import Fresh, fresh_integers, fresh_texts
from skae.tables.kinds import Reading


@dataclass(frozen=True)
class LeftOut(Field):
    """A column without a model: its cells come back as they came, fresh, or not at all.

    Attributes
    ----------
    template : narwhals.Series
        The column without its rows, of a type that has missing cells.
    fresh : Fresh or None
        What makes identifiers for samples; None leaves them empty.
    """

    template: nw.Series
    fresh: Fresh | None
    is_modelled: ClassVar[bool] = False

    @classmethod
    def learn(cls, column: nw.Series, reading: Reading) -> "LeftOut":
        """Return the field of a column."""
        there = [cell for cell in cells_of(column) if cell is not None]
        about = About(
            reading.kind,
            reading.reason,
            len(set(there)),
            1 - len(there) / max(1, len(column)),
        )
        fresh = _fresh(there) if reading.kind == "identifier" else None
        return cls(column.name, about, _template(column), fresh)

    def decode(self, n_rows: int, source: nw.Series | None, decoding: Decoding) -> nw.Series:
        """Return the column of rows: as it came, or of samples, or empty."""
        if source is not None:
            return nw.maybe_reset_index(source).alias(self.name)
        cells, template = [None] * n_rows, self.template
        if self.fresh is not None and decoding.rng is not None:
            cells = self.fresh.make(n_rows, decoding.rng)
        elif n_rows:
            template = _with_missing(template)
        return column_like(pd.Series(cells, dtype=object), template)

    @property
    def values(self) -> str:
        """What the schema says of its values."""
        return "not modelled"


def _fresh(cells: list) -> Fresh | None:
    if cells and all(isinstance(cell, str) for cell in cells):
        return fresh_texts(cells)
    numbers = pd.to_numeric(pd.Series(cells, dtype=object), errors="coerce").to_numpy(float)
    is_whole = np.isfinite(numbers).all() and (numbers == np.rint(numbers)).all()
    return fresh_integers(np.array(cells, dtype=object)) if len(cells) and is_whole else None


def _template(column: nw.Series) -> nw.Series:
    """Return the column without its rows, of a type that names no label."""
    template = column.to_frame()[:0].clone().get_column(column.name)
    if template.dtype == nw.Enum:
        return template.cast(nw.String())
    if not template.implementation.is_pandas() or template.dtype != nw.Categorical:
        return template
    native = template.to_native()
    return nw.from_native(native.astype(native.cat.categories.dtype), series_only=True)


def _with_missing(template: nw.Series) -> nw.Series:
    """Return a column without rows of a type that may have missing cells."""
    native = template.to_native()
    if not template.implementation.is_pandas() or isinstance(native.dtype, ExtensionDtype):
        return template
    if native.dtype.kind in "iub":
        native = native.astype(_nullable(native.dtype))
    return nw.from_native(native, series_only=True)


def _nullable(dtype: np.dtype) -> str:
    return "boolean" if dtype.kind == "b" else dtype.name.replace("int", "Int").replace("u", "U")
