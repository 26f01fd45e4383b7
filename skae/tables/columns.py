"""The contract of columns: the way from rows to a float32 matrix and back, learned by `fit`."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import narwhals as nw
import numpy as np

from skae.tables.field import EXPECTED, Decoding

FARTHEST = np.float32(1e12)


class Columns(ABC):
    """The columns of rows, and their encoding as a float32 matrix.

    Numbers come first, near one; in a table, the states of all cells follow them.

    Attributes
    ----------
    is_table : bool
        Whether rows are those of a table, with labels, times or holes.
    """

    is_table: ClassVar[bool]

    @property
    @abstractmethod
    def n_numbers(self) -> int:
        """The number of encoded columns that hold numbers, the first ones."""

    @property
    @abstractmethod
    def n_encoded(self) -> int:
        """The number of encoded columns."""

    @property
    def units(self) -> dict[str, Any]:
        """What encoding takes off the columns, and what it divides them by, if that is all."""
        return {}

    @property
    def log_volume(self) -> float:
        """The log of the volume of an encoded row's unit cube, in the units of the rows."""
        return 0.0

    def check(self, rows: Any) -> None:  # noqa: B027 - mostly all are accepted
        """Raise ValueError if rows leave a range that they must keep to."""

    @abstractmethod
    def noise_variance(self, variance: np.ndarray) -> float | np.ndarray:
        """Return the variances of encoded numbers in their own units, or their mean."""

    @abstractmethod
    def encode(self, rows: Any) -> np.ndarray:
        """Return rows as a float32 matrix."""

    @abstractmethod
    def decode(self, encoded: np.ndarray) -> np.ndarray:
        """Return a part of a float32 matrix as far as it is an array on the way back."""

    @abstractmethod
    def wrap(
        self,
        decoded: np.ndarray,
        frame: nw.DataFrame | None,
        like: Any = None,
        decoding: Decoding = EXPECTED,
    ) -> Any:
        """Return decoded rows in a container.

        Parameters
        ----------
        decoded : ndarray of shape (n_rows, n_encoded)
            What `decode` returned.
        frame : narwhals.DataFrame or None
            The frame of `fit` without its rows; None returns no frame.
        like : object, default=None
            The rows that were asked about: a tensor gets a tensor on its device, and a pandas frame
            its index.
        decoding : Decoding, default=EXPECTED
            How they come back.
        """

    def log_shares(self, rows: Any) -> np.ndarray | None:
        """Return the log share of each cell among those that its encoding stands for, by column.

        None says that every cell has its own encoding.
        """
        return None

    @abstractmethod
    def by_column(self, cells: np.ndarray) -> np.ndarray:
        """Return log-probabilities of encoded columns by column, in the units of the rows."""
