"""Inference with a fitted outlier detector: scores, labels, p-values and explanations."""

from collections.abc import Callable
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import narwhals as nw
import numpy as np
import torch
from joblib import Parallel, delayed
from scipy import sparse
from scipy.stats import false_discovery_control
from sklearn.base import TransformerMixin
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted, validate_data

from skae.outliers.conformal import p_values
from skae.outliers.encoding import Encoded, Rows
from skae.outliers.explaining import explain
from skae.outliers.joining import part_mean
from skae.outliers.memory import Memory
from skae.outliers.model import MOST_EXACT, Model
from skae.saving.saves import N_TRIED
from skae.tables.checking import check_table
from skae.tables.columns import Columns
from skae.tables.containers import holds_labels, wrap_table
from skae.tables.field import EXPECTED
from skae.tables.remembering import Remembered
from skae.tables.streams import by_batch, read_by_batch
from skae.tables.table import Table
from skae.tables.unwrapping import unwrap

# The number of cells up to which sparse rows are made dense: 2 GiB.
_MOST_DENSE = 2**28


class OutlierInference(TransformerMixin):
    """The methods that apply a fitted detector, in batches."""

    schema_: Table
    frame_: nw.DataFrame | None
    offset_: float
    n_jobs: int | None
    _model_: Model
    _memory_: Memory

    @by_batch
    def score_samples(self, X: Any, return_std: bool = False) -> Any:
        """Return the scores of rows: minus their joint surprisal.

        Rows that the detector has learned from have their `training_scores_`, as if it had not,
        unless many of them repeat each other.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows. More than 4,096 of them are read in single precision, so that the sixth digit
            of a score may depend on the other rows.
        return_std : bool, default=False
            Whether to return the standard deviation over the members that read the rows as well.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The scores in nats, at most zero; higher is more normal.
        std : ndarray of shape (n_samples,)
            The standard deviation over the members; only if `return_std`.
        """
        check_is_fitted(self)
        model = self._model_

        def joint(rows: Encoded, is_exact: bool) -> np.ndarray:
            by_member = model.joint_by_member(model.read(rows, is_exact=is_exact))
            return np.stack([model.known(rows, by_member.mean(1)), by_member.std(1)], axis=1)

        surprisals, std = self._by_batch(self._rows(X), joint).T
        return (-surprisals, std) if return_std else -surprisals

    def score_parts(self, X: Any) -> dict[str, np.ndarray]:
        """Return the mean surprisals of rows by part; all rows are read as new ones.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        surprisals : dict of str to ndarray of shape (n_samples,)
            The mean surprisal of the quantities of every part in `parts`, in nats, at least zero.
        """
        check_is_fitted(self)

        def by_part(rows: Encoded, is_exact: bool) -> np.ndarray:
            surprisals = self._model_.surprisals(self._model_.read(rows, is_exact=is_exact))
            return np.stack([part_mean(part) for part in surprisals.values()], axis=1)

        found = self._by_batch(self._rows(X), by_part)
        return dict(zip(self._model_.parts, found.T, strict=True))

    @by_batch
    def decision_function(self, X: Any) -> np.ndarray:
        """Return the scores of rows relative to the threshold: `score_samples` minus `offset_`.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The shifted scores, negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    @by_batch
    def predict(self, X: Any, false_discovery_rate: float | None = None) -> np.ndarray:
        """Label rows as outliers or inliers.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        false_discovery_rate : float, default=None
            The false discovery rate to control, in (0, 1): the expected share of inliers among the
            flagged rows. The labels then depend on the p-values of all rows together. None compares
            the score of each row with `offset_`.

        Returns
        -------
        labels : ndarray of int of shape (n_samples,)
            -1 for outliers and 1 for inliers.

        References
        ----------
        Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the
        Royal Statistical Society B 57.

        Bates, S., Candès, E., Lei, L., Romano, Y. and Sesia, M. (2023). Testing for outliers with
        conformal p-values. Annals of Statistics 51.
        """
        if false_discovery_rate is None:
            return np.where(self.decision_function(X) < 0, -1, 1)
        bounds = {"min_val": 0, "max_val": 1, "include_boundaries": "neither"}
        check_scalar(false_discovery_rate, "false_discovery_rate", Real, **bounds)
        if np.isnan(false_discovery_rate):
            raise ValueError("false_discovery_rate == nan, must be in (0, 1).")
        adjusted = false_discovery_control(self.p_values(X))
        return np.where(adjusted <= false_discovery_rate, -1, 1)

    @by_batch
    def p_values(self, X: Any) -> np.ndarray:
        """Return conformal p-values: the share of held-out rows that are at least as anomalous.

        Of new normal rows, about a share p has a p-value of at most p, if the training rows are
        clean; outliers among them make p-values larger. With fewer than 1 / p - 1 rows in the
        memory, no p-value is as small as p.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        p_values : ndarray of shape (n_samples,)
            The p-values in (0, 1]: small for outliers, and at least 1 / (n + 1), where n is the
            number of rows in the memory.
        """
        return p_values(-self.score_samples(X), self._model_.held_out, self._memory_.weights)

    def explain(self, X: Any, top: int | None = 3) -> Any:
        """Return the columns that make rows outliers, and the values expected there.

        Half of a column's share is its part of the squared errors of the members' reconstructions,
        in standard deviations; the other half is the decrease of the surprisal of these errors when
        its cell is replaced by the value that the members expect from the other columns, which is
        hidden from them. The surprisal of the row is split among the columns in proportion.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        top : int or None, default=3
            The number of columns to return for a row; None returns all.

        Returns
        -------
        explanation : dataframe
            A line for every row and column, the largest share first: `row`, the index label or the
            position of the row, `column`, `value`, `expected`, in the units of X or a label, and
            `share`, in nats; the shares of all columns of a row add up to minus its score. It is a
            frame of the library of X, of pandas for arrays.
        """
        check_is_fitted(self)
        frame = self._check_rows(X)
        if top is not None:
            check_scalar(top, "top", Integral, min_val=1)
        rows = Rows.of(self.schema_, frame)
        return explain(self._model_, rows, frame, X, len(frame.columns) if top is None else top)

    def transform(self, X: Any) -> np.ndarray:
        """Return the units of the members' last hidden layers, side by side.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_units), float32
            The units.
        """
        check_is_fitted(self)

        def units(rows: Encoded, is_exact: bool) -> np.ndarray:
            codes = self._model_.members.codes(self._model_.columns.points(*rows))
            return np.moveaxis(codes.astype(np.float32), 2, 0)

        codes = self._by_batch(self._rows(X), units)
        return codes.reshape(len(codes), -1)

    def reconstruct(self, X: Any) -> Any:
        """Return the reconstructions of rows by the autoencoders, in the units of X.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        X : ndarray, tensor or dataframe of shape (n_samples, n_features)
            The reconstructions; missing cells are imputed.
        """
        check_is_fitted(self)
        columns, members = self._model_.columns, self._model_.members

        def expected(rows: Encoded, is_exact: bool) -> np.ndarray:
            return members.expected(columns.points(*rows))

        cells = columns.cells(self._by_batch(self._rows(X), expected))
        decoding = replace(EXPECTED, source=self._check_rows(X))
        return wrap_table(self.schema_.decode(*cells, decoding), self.frame_, like=X)

    def _rows_to_try(self) -> Any:
        memory = self._memory_
        some = slice(min(N_TRIED, len(memory.states)))
        numbers = memory.rounding.numbers(memory.offsets[some])
        return wrap_table(self.schema_.decode(numbers, memory.states[some]), self.frame_)

    def remembered_columns(self) -> list[Table | Columns]:
        """Return what is known of the columns, for `skae.tables.remembered`."""
        return [self.schema_]

    def remembered_rows(self) -> list[Remembered]:
        """Return what is held of whole rows, for `skae.tables.remembered`."""
        what = "encoded training rows, which scores are compared with"
        return [Remembered("", what, len(self._model_.held_out))]

    @property
    def _n_features_out(self) -> int:
        module = self._model_.members.net.module_
        return module.n_views * module.n_folds * module.output.weight.shape[1]

    def _check_rows(self, X: Any, *, reset: bool = False) -> nw.DataFrame:
        """Return rows as a narwhals frame; raise ValueError if they are not valid."""
        if isinstance(X, torch.Tensor) or sparse.issparse(X):
            X = _dense(unwrap(X))
        made_with = self._made_with_
        by_type = isinstance(made_with["categorical_features"], str)
        by_type = by_type and not made_with["column_kinds"]
        return check_table(
            self,
            X,
            reset=reset,
            min_samples=2 if reset else 1,
            dtype=[np.float64, np.float32] if by_type else None,
            needs_frame=not reset and holds_labels(self.frame_),
        )

    def _rows(self, X: Any) -> Rows:
        """Return checked rows; arrays of plain numbers as they are."""
        is_array = isinstance(X, np.ndarray) and not isinstance(X, np.ma.MaskedArray)
        is_array = is_array and X.ndim == 2 and X.dtype in (np.float64, np.float32)
        if is_array and self.frame_ is None and self._model_.is_plain:
            types = [np.float64, np.float32]
            X = validate_data(self, X, reset=False, dtype=types, ensure_all_finite="allow-nan")
            return Rows(self.schema_, X)
        return Rows.of(self.schema_, self._check_rows(X))

    def _by_batch(self, rows: Rows, function: Callable) -> np.ndarray:
        """Return the values of a function of batches of rows, by `n_jobs` threads."""
        is_exact = len(rows) <= MOST_EXACT
        batches = rows.slices()
        if len(batches) == 1 or self.n_jobs in (None, 1):
            found = [function(rows.encode(each), is_exact) for each in batches]
        else:
            found = Parallel(n_jobs=self.n_jobs, prefer="threads")(
                delayed(lambda each: function(rows.encode(each), is_exact))(each)
                for each in batches
            )
        return np.concatenate(found)


read_by_batch(OutlierInference)


def _dense(X: Any) -> np.ndarray:
    """Return rows as an array, if they are not too many to be made dense."""
    if not sparse.issparse(X):
        return X
    n_rows, n_columns = X.shape
    if n_rows * n_columns > _MOST_DENSE:
        raise ValueError(
            f"X is sparse and has {n_rows} x {n_columns} cells, more than the {_MOST_DENSE} up to "
            "which rows are made dense: pass them in parts to partial_fit and score_samples, or "
            "put sklearn.decomposition.TruncatedSVD in front of the detector."
        )
    return X.toarray()
