"""Editing by codes: directions along which an attribute changes, and rows moved along them."""

from abc import ABC, abstractmethod
from numbers import Real
from typing import Any

import narwhals as nw
import numpy as np
from scipy import sparse
from sklearn.utils import check_scalar
from sklearn.utils.validation import assert_all_finite, check_consistent_length, column_or_1d

from skae.autoencoders.reader import Reader
from skae.tables.category import Category
from skae.tables.containers import chosen_cells, wrap_table
from skae.tables.field import EXPECTED
from skae.tables.matrix import MatrixColumns
from skae.tables.mixed import MixedColumns
from skae.tables.unwrapping import unwrap


class Editing(ABC):
    """The methods that find directions of codes, and move rows along them."""

    n_components_: int

    @abstractmethod
    def _reader(self) -> Reader:
        """Return the reader of the fitted chain; raise NotFittedError before `fit`."""

    def direction(self, X: Any, has: Any, within: Any = None) -> np.ndarray:
        r"""Return the direction of codes from rows without an attribute to rows with it.

        .. math:: v = \sum_g w_g \big( \bar z_{g,1} - \bar z_{g,0} \big)

        It is the difference of the mean codes of both, taken within each group and averaged by the
        number of its rows, so that what else differs between groups is no part of it.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        has : array-like of bool of shape (n_samples,)
            Whether each of them has the attribute.
        within : array-like of shape (n_samples,), default=None
            The groups, classes for instance; those in which all rows or none have the attribute
            are left out. None is one group.

        Returns
        -------
        direction : ndarray of shape (n_components_,), float32
            The direction. Along it, an amount of one leads from the mean without the attribute to
            the mean with it.

        Raises
        ------
        ValueError
            If `has` is not of bool, or no group has rows with and without the attribute.

        References
        ----------
        Larsen, A. B. L., Soenderby, S. K., Larochelle, H. and Winther, O. (2016). Autoencoding
        beyond pixels using a learned similarity metric. International Conference on Machine
        Learning.
        """
        reader = self._reader()
        codes = reader.read(reader.chain.encode, reader.check(X))
        has = _as_bools(has)
        groups = np.zeros(len(has)) if within is None else column_or_1d(within)
        check_consistent_length(codes, has, groups)
        differences, counts = [], []
        for group in np.unique(groups):
            own = groups == group
            if has[own].any() and not has[own].all():
                with_it, without = codes[own & has], codes[own & ~has]
                differences.append(with_it.mean(0) - without.mean(0))
                counts.append(own.sum())
        if not differences:
            raise ValueError(
                f"'has' must be True for some rows and False for others of a group. "
                f"It is True for {has.sum()} of {len(has)} rows."
            )
        return np.average(differences, axis=0, weights=counts).astype(np.float32)

    def edit(self, X: Any, direction: Any, amount: Any = 1.0) -> Any:
        """Return rows whose codes are moved along a direction, or each along its own.

        What the code does not say is carried over: a number changes by as much as its expectation,
        and a label where the expected one changes. On the sphere, moved codes are brought back to
        it.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        direction : array-like of shape (n_components_,) or (n_samples, n_components_)
            The direction, such as `direction` returns, or one for each row.
        amount : float or array-like of shape (n_samples,), default=1.0
            How far to move, in lengths of the direction, or how far each row; negative numbers take
            the attribute away.

        Returns
        -------
        X : ndarray, tensor or dataframe of shape (n_samples, n_features)
            The rows, in the container of X; holes are as they were. Those of a matrix of numbers
            are within its bounds.

        Raises
        ------
        ValueError
            If `direction` or `amount` has not the shape of codes, or is not finite.
        TypeError
            If `amount` is no number.
        """
        reader = self._reader()
        amounts = _as_amounts(amount)
        rows = reader.check(X)
        directions = reader.check_codes(np.atleast_2d(unwrap(direction)), self.n_components_)
        for name, given in (("direction", directions), ("amount", amounts)):
            if len(given) not in (1, rows.shape[0]):
                raise ValueError(
                    f"{name!r} must be one, or one for each of the {rows.shape[0]} rows of X. Got "
                    f"{len(given)}."
                )
        codes = reader.read(reader.chain.encode, rows)
        moved = codes + amounts * directions
        posterior = reader.chain.posterior
        if posterior is not None and not posterior.is_normal:
            moved /= np.linalg.norm(moved, axis=1, keepdims=True)
        before, after = (reader.decode(reader.chain.decode, each) for each in (codes, moved))
        if isinstance(reader.columns, MixedColumns):
            old, new = (reader.columns.to_frame(each, EXPECTED) for each in (before, after))
            return wrap_table(_carried(rows, old, new, reader.columns), reader.frame, X)
        assert isinstance(reader.columns, MatrixColumns)
        rows = rows.toarray() if sparse.issparse(rows) else np.asarray(rows)
        low, high = (reader.columns.decode(each) for each in reader.columns.encoded_range)
        return reader.wrap(np.clip(rows + (after - before), low, high), like=X)


def _as_amounts(amount: Any) -> np.ndarray:
    """Return amounts as a column; one number is a column of length one."""
    amount = unwrap(amount)
    if np.ndim(amount) == 0:
        check_scalar(amount, "amount", Real)
    amounts = column_or_1d(np.atleast_1d(amount), dtype=np.float32)
    assert_all_finite(amounts, input_name="amount")
    return amounts[:, None]


def _as_bools(has: Any) -> np.ndarray:
    has = column_or_1d(has)
    is_valid = np.isin(has, (False, True))
    if not is_valid.all():
        raise ValueError(f"'has' must hold True and False only. Got {has[~is_valid][0]!r}.")
    return has.astype(bool)


def _carried(
    rows: nw.DataFrame, before: nw.DataFrame, after: nw.DataFrame, columns: MixedColumns
) -> nw.DataFrame:
    """Return rows with what changes between two expectations of them."""
    moved = []
    frames = (nw.maybe_reset_index(each).iter_columns() for each in (rows, before, after))
    for field, own, old, new in zip(columns.table.fields, *frames, strict=True):
        is_number = own.dtype.is_numeric() and not isinstance(field, Category)
        if is_number or own.dtype.is_temporal():
            moved.append(_changed(own, old, new).cast(own.dtype).alias(own.name))
        else:
            is_same = (old == new).fill_null(True) | own.is_null()
            moved.append(chosen_cells(own, new, is_same.to_numpy().astype(bool)))
    return nw.DataFrame.from_dict({each.name: each for each in moved})


def _changed(own: nw.Series, old: nw.Series, new: nw.Series) -> nw.Series:
    """Return cells with the difference of two others added, in the range of their type."""
    if not own.dtype.is_integer():
        return own + (new - old)
    # Narrow integers would wrap around.
    is_narrow = own.dtype not in (nw.Int64, nw.UInt64)
    cells, before, after = (
        each.cast(nw.Int64) if is_narrow and each.dtype.is_integer() else each
        for each in (own, old, new)
    )
    changed = (cells + (after - before)).round()
    info = np.iinfo(str(own.dtype).lower())
    return changed.clip(int(info.min), int(info.max)) if is_narrow else changed
