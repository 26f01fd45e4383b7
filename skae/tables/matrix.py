"""Columns of numbers alone, and their encoding in the metric of PCA."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import narwhals as nw
import numpy as np

from skae.dependencies.dependencies import Dependencies
from skae.tables.columns import FARTHEST, Cells, Columns
from skae.tables.containers import wrap
from skae.tables.drawn import MOST_COLUMNS, Drawn, as_dense
from skae.tables.field import EXPECTED, Decoding
from skae.tables.summary import Summary, dense_chunks

_BOUND_ROWS = 5
_BOUND_SHARE = 0.1


@dataclass(frozen=True)
class MatrixColumns(Columns):
    """Columns of numbers, and their encoding as a float32 matrix.

    Attributes
    ----------
    center : ndarray of shape (n_columns,)
        What encoding subtracts.
    scale : float
        What encoding divides by: one number for all columns, so that squared error keeps its
        meaning.
    low, high : ndarray of shape (n_columns,)
        The known range of every column; infinite where it is not known.
    dtype : numpy dtype
        What decoding returns.
    is_strict : bool
        Whether the range is given or part of the likelihood, so that rows must keep to it, rather
        than found in the rows.
    drawn : Drawn or None
        What draws are brought to; None leaves them.
    dependencies : Dependencies
        What held between the columns, and holds in draws.
    """

    center: np.ndarray
    scale: float
    low: np.ndarray
    high: np.ndarray
    dtype: np.dtype
    is_strict: bool
    drawn: Drawn | None = None
    dependencies: Dependencies = field(default_factory=Dependencies)
    is_table: ClassVar[bool] = False

    @property
    def n_encoded(self) -> int:
        """The number of columns of the encoded matrix."""
        return len(self.center)

    @property
    def n_numbers(self) -> int:
        """The number of columns of numbers among them, the first ones."""
        return len(self.center)

    @property
    def units(self) -> dict:
        """What encoding takes off the columns, and what it divides them by."""
        return {"center": self.center, "scale": float(self.scale)}

    @property
    def log_volume(self) -> float:
        """The log of the volume of an encoded row's unit cube, in the units of the table."""
        return len(self.center) * math.log(self.scale)

    def noise_variance(self, variance: np.ndarray) -> float:
        """Return the mean of variances of encoded columns in the units of the table."""
        return float(variance.mean()) * self.scale**2

    @property
    def encoded_range(self) -> tuple[np.ndarray, np.ndarray]:
        """The known range of every encoded column."""
        low, high = (self.low - self.center) / self.scale, (self.high - self.center) / self.scale
        return low.astype(np.float32), high.astype(np.float32)

    def by_column(self, cells: np.ndarray) -> np.ndarray:
        """Return log densities of encoded cells in the units of the table."""
        return cells - np.float32(math.log(self.scale))

    def check(self, rows: Any) -> None:
        """Raise ValueError if rows leave a range that they must keep to."""
        if not self.is_strict:
            return
        for _, chunk in dense_chunks(rows):
            low, high = chunk.min(0), chunk.max(0)
            outside = (low < self.low.astype(low.dtype)) | (high > self.high.astype(high.dtype))
            if outside.any():
                j = int(outside.argmax())
                raise ValueError(
                    f"Column {j} of X goes from {low[j]:.6g} to {high[j]:.6g}, but the model was "
                    f"made for values from {self.low[j]:.6g} to {self.high[j]:.6g}."
                )

    def encode(self, rows: Any) -> np.ndarray:
        """Return rows, dense or sparse, as a float32 matrix."""
        encoded = np.empty(rows.shape, dtype=np.float32)
        for start, chunk in dense_chunks(rows):
            if not self._is_single:
                chunk = chunk.astype(np.float64)
            center, scale = self.center.astype(chunk.dtype), chunk.dtype.type(self.scale)
            out = encoded[start : start + len(chunk)]
            centred = np.subtract(chunk, center, out=out if out.dtype == chunk.dtype else None)
            with np.errstate(over="ignore"):
                np.divide(centred, scale, out=out, casting="same_kind")
            np.clip(out, -FARTHEST, FARTHEST, out=out)
        return encoded

    def decode(self, encoded: np.ndarray) -> np.ndarray:
        """Return a float32 matrix as rows."""
        decoded = np.multiply(encoded, self.dtype.type(self.scale), dtype=self.dtype)
        decoded += self.center.astype(self.dtype)
        if self._is_bounded:
            low, high = self.low.astype(self.dtype), self.high.astype(self.dtype)
            np.clip(decoded, low, high, out=decoded)
        return decoded

    def wrap(
        self,
        decoded: np.ndarray,
        frame: nw.DataFrame | None,
        like: Any = None,
        decoding: Decoding = EXPECTED,
    ) -> Any:
        """Return decoded rows in a container; see `Columns`."""
        return wrap(decoded.astype(self.dtype, copy=False), frame, like=like, own_types=True)

    def bring(
        self,
        decoded: np.ndarray,
        rng: np.random.Generator | None = None,
        *,
        given: Cells | None = None,
        is_last: bool = False,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return drawn rows, brought to what columns can hold, and which need another draw."""
        brought = decoded if self.drawn is None else self.drawn.bring(decoded)
        if not self.dependencies.relations:
            return brought, np.zeros(len(brought), dtype=bool)
        cells, is_given = brought.astype(float), np.zeros(brought.shape, dtype=bool)
        if given is not None:
            is_given = given.is_given
            cells = np.where(is_given, given.values, cells)
        kept, is_broken = self.dependencies.keep(cells, is_given, rng, is_last=is_last)
        changed = kept.astype(brought.dtype)
        if self.drawn is not None:
            changed = self.drawn.bring(changed)
        return np.where(kept == cells, brought, changed), is_broken

    def hide(self, rows: np.ndarray) -> np.ndarray:
        """Return rows, of which some cells are NaN, as a float32 matrix."""
        return self.encode(rows)

    def has_holes(self, encoded: np.ndarray) -> np.ndarray:
        """Tell which rows have hidden cells, shape (n_rows,)."""
        return np.isnan(encoded).any(1)

    def fill(self, rows: np.ndarray, encoded: np.ndarray, decoding: Decoding) -> np.ndarray:
        """Return rows whose holes are filled from encoded rows; see `Columns`."""
        given = Cells(rows, ~np.isnan(rows))
        brought, _ = self.bring(self.decode(encoded), decoding.rng, given=given, is_last=True)
        return np.where(given.is_given, rows, brought).astype(rows.dtype)

    @cached_property
    def _is_single(self) -> bool:
        """Whether single precision holds the scale."""
        info = np.finfo(np.float32)
        return float(info.tiny) < self.scale < float(info.max)

    @cached_property
    def _is_bounded(self) -> bool:
        return bool(np.isfinite(self.low).any() or np.isfinite(self.high).any())


def make_columns(
    X: Any,
    summary: Summary,
    *,
    likelihood: str,
    bounds: Any,
    names: Sequence[str] | None = None,
    min_count: int | None = None,
) -> MatrixColumns:
    """Return the encoding of rows for a likelihood.

    Parameters
    ----------
    X : array of shape (n_rows, n_columns)
        The rows.
    summary : Summary
        What `summarise` tells of them.
    likelihood : {"gaussian", "bernoulli", "continuous_bernoulli"}
        Numbers of a Gaussian are centred and divided by the root of their mean variance; the
        others stay in [0, 1].
    bounds : "auto", None or pair of array-like
        The known range of the columns.
    names : sequence of str or None, default=None
        The names of the columns, for messages; None numbers them.
    min_count : int or None, default=None
        The number of rows that must share cells for a dependency to hold them; None looks for none.
    """
    n_columns = len(summary.mean)
    labels: Sequence = range(n_columns) if names is None else names
    if likelihood != "gaussian":
        _check_unit_interval(summary, likelihood, labels)
        low, high = np.zeros(n_columns), np.ones(n_columns)
        if not (bounds is None or isinstance(bounds, str)):
            raise ValueError(
                f"The 'bounds' parameter is for the Gaussian likelihood; with "
                f"likelihood={likelihood!r} the values are between 0 and 1. Got {bounds!r}."
            )
        drawn = Drawn.learn(X, summary) if likelihood == "continuous_bernoulli" else None
        found = _find_dependencies(X, drawn, names, min_count)
        return MatrixColumns(
            np.zeros(n_columns),
            1.0,
            low,
            high,
            X.dtype,
            is_strict=True,
            drawn=drawn,
            dependencies=found,
        )
    low, high = _known_range(summary, bounds, labels)
    is_given = not (bounds is None or isinstance(bounds, str))
    drawn = None if bounds is None else Drawn.learn(X, summary)
    found = _find_dependencies(X, drawn, names, min_count)
    scale = _common_scale(summary)
    return MatrixColumns(summary.mean, scale, low, high, X.dtype, is_given, drawn, found)


def _find_dependencies(
    X: Any, drawn: Drawn | None, names: Sequence[str] | None, min_count: int | None
) -> Dependencies:
    """Return what holds between few columns of numbers, whose draws are brought to it."""
    if drawn is None or min_count is None or X.shape[1] > MOST_COLUMNS:
        return Dependencies()
    cells = as_dense(X).astype(float)
    return Dependencies.find(cells, drawn.as_columns(names), min_count=min_count)


def _common_scale(summary: Summary) -> float:
    """Return the root of the mean variance, or 1 where nothing varies."""
    scale = math.sqrt(summary.variance.mean()) or 1.0
    if not math.isfinite(scale):
        raise ValueError("X holds values whose squares overflow; divide X by a large number.")
    return scale


def _check_unit_interval(summary: Summary, likelihood: str, names: Sequence) -> None:
    outside = np.flatnonzero((summary.low < 0) | (summary.high > 1))
    if len(outside):
        j = outside[0]
        raise ValueError(
            f"likelihood={likelihood!r} needs values between 0 and 1, but column {names[j]} of X "
            f"goes from {summary.low[j]:.6g} to {summary.high[j]:.6g}. Scale X, or use "
            f"likelihood='gaussian'."
        )


def _known_range(summary: Summary, bounds: Any, names: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Take a range that is given, or the extremes that many rows share."""
    n_columns = len(summary.mean)
    if bounds is None:
        return np.full(n_columns, -np.inf), np.full(n_columns, np.inf)
    if isinstance(bounds, str):
        needed = max(_BOUND_ROWS, _BOUND_SHARE * summary.n_rows)
        low = np.where(summary.n_low >= needed, summary.low, -np.inf)
        return low, np.where(summary.n_high >= needed, summary.high, np.inf)
    low, high = _given_range(bounds, n_columns)
    dtype = summary.low.dtype
    outside = np.flatnonzero(
        (summary.low < low.astype(dtype)) | (summary.high > high.astype(dtype))
    )
    if len(outside):
        j = outside[0]
        raise ValueError(
            f"The 'bounds' parameter allows column {names[j]} of X from {low[j]:.6g} to "
            f"{high[j]:.6g}, but X goes from {summary.low[j]:.6g} to {summary.high[j]:.6g}."
        )
    return low, high


def _given_range(bounds: Any, n_columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a pair of bounds as two arrays, or say what is wrong with it."""
    try:
        low, high = bounds
        low = np.full(n_columns, -np.inf if low is None else np.asarray(low, dtype=float))
        high = np.full(n_columns, np.inf if high is None else np.asarray(high, dtype=float))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The 'bounds' parameter must be a pair of smallest and largest values, each None, a "
            f"number or one number for each of the {n_columns} columns. Got {bounds!r}."
        ) from error
    if not (low <= high).all():
        raise ValueError(
            f"The 'bounds' parameter must hold no NaN and no smallest value above the largest. "
            f"Got {bounds!r}."
        )
    return low, high
