"""Rows of any kind, and the way to a float32 matrix and back; no networks."""

from skae.tables.columns import Columns
from skae.tables.describing import describe
from skae.tables.remembering import remembered
from skae.tables.table import Table

__all__ = ["Columns", "Table", "describe", "remembered"]
