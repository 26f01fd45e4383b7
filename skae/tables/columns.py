"""The contract of columns: the way from rows to a float32 matrix and back, learned by `fit`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw
import numpy as np

from skae.dependencies.dependencies import Dependencies
from skae.tables.field import EXPECTED, Decoding

FARTHEST = np.float32(1e12)


@dataclass(frozen=True)
class Cells:
    """Certain cells of rows, of the columns that are modelled.

    Attributes
    ----------
    values : ndarray of shape (n_rows, n_modelled)
        The cells as dependencies know them; see `skae.dependencies.cells`.
    is_given : ndarray of bool of shape (n_rows, n_modelled)
        Which of them are certain; the others mean nothing.
    """

    values: np.ndarray
    is_given: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: np.ndarray) -> "Cells":
        """Return the cells of some rows."""
        return Cells(self.values[rows], self.is_given[rows])


class Columns(ABC):
    """The columns of rows, and their encoding as a float32 matrix.

    Numbers come first, near one; in a table, the states of all cells follow them.

    Attributes
    ----------
    is_table : bool
        Whether rows are those of a table, with labels, times or holes.
    dependencies : Dependencies
        What held between the columns, and holds in draws.
    """

    is_table: ClassVar[bool]
    dependencies: Dependencies

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

    @property
    def left_out(self) -> dict[int, str]:
        """From the places of columns that are left out to their kinds."""
        return {}

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

    @abstractmethod
    def bring(
        self,
        decoded: np.ndarray,
        rng: np.random.Generator | None = None,
        *,
        given: Cells | None = None,
        is_last: bool = False,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return drawn rows, brought to what columns can hold, and which need another draw.

        Parameters
        ----------
        decoded : ndarray of shape (n_rows, n_encoded)
            What `decode` returned.
        rng : numpy.random.Generator or None, default=None
            What draws among labels; None takes the commonest.
        given : Cells or None, default=None
            The cells that are certain, and stay.
        is_last : bool, default=False
            Whether there will be no other draw, so that all rows are mended.

        Returns
        -------
        brought : ndarray of shape (n_rows, n_encoded)
            The rows, for `wrap` with a decoding that says so.
        is_broken : ndarray of bool of shape (n_rows,)
            The rows in which something that held in all rows of `fit` does not.
        """

    @abstractmethod
    def hide(self, rows: Any) -> np.ndarray:
        """Return rows as a float32 matrix in which missing cells are hidden, that is, to be filled.

        A hidden number is NaN, a hidden state -1.
        """

    @abstractmethod
    def has_holes(self, encoded: np.ndarray) -> np.ndarray:
        """Tell which rows have hidden cells, shape (n_rows,)."""

    @abstractmethod
    def fill(self, rows: Any, encoded: np.ndarray, decoding: Decoding) -> Any:
        """Return rows whose holes are filled.

        Parameters
        ----------
        rows : ndarray or narwhals.DataFrame of shape (n_rows, n_columns)
            The rows.
        encoded : ndarray of shape (n_rows, n_encoded)
            Encoded rows without holes.
        decoding : Decoding
            How they come back.
        """

    def structural(self, rows: Any) -> list[tuple[int, str, int, str]]:
        """Return which columns have holes because another column says so, how many, and why.

        Returns
        -------
        told : list of tuple
            The place of each such column, its name, the number of its holes and the reason.
        """
        return []

    def log_shares(self, rows: Any) -> np.ndarray | None:
        """Return the log share of each cell among those that its encoding stands for, by column.

        None says that every cell has its own encoding.
        """
        return None

    @abstractmethod
    def by_column(self, cells: np.ndarray) -> np.ndarray:
        """Return log-probabilities of encoded columns by column, in the units of the rows."""
