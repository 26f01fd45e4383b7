"""Inference with a fitted outlier detector: scores, labels, p-values and explanations."""

from collections.abc import Iterator
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control
from sklearn.base import TransformerMixin
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from skae.outliers.conformal import p_values
from skae.outliers.explaining import explain
from skae.outliers.model import Model
from skae.tables.checking import check_table
from skae.tables.columns import Columns
from skae.tables.containers import holds_labels, wrap_table
from skae.tables.field import EXPECTED
from skae.tables.remembering import Remembered
from skae.tables.table import Table

# The parts with a surprisal for each member.
_OF_MEMBERS = ("reconstruction", "latent")


class OutlierInference(TransformerMixin):
    """The methods that apply a fitted detector, in batches."""

    schema_: Table
    frame_: nw.DataFrame | None
    offset_: float
    _model_: Model

    def score_samples(self, X: Any, return_std: bool = False) -> Any:
        """Return the scores of rows: minus the mean surprisal of the parts of the score.

        Parameters
        ----------
        X : {array-like, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        return_std : bool, default=False
            Whether to return the standard deviation over the members of the ensemble as well.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The scores in nats, at most zero; higher is more normal.
        std : ndarray of shape (n_samples,)
            The standard deviation over the members; only if `return_std`.
        """
        check_is_fitted(self)
        surprisals = self._model_.surprisals(self._batches(X))
        scores = -self._model_.mean(surprisals)
        if not return_std:
            return scores
        by_member = [surprisals[name] for name in _OF_MEMBERS if name in surprisals]
        spread = np.sum(by_member, axis=0).std(0) if by_member else np.zeros(len(scores))
        return scores, spread / len(surprisals)

    def score_parts(self, X: Any) -> dict[str, np.ndarray]:
        """Return the surprisals of rows by part, in nats.

        Parameters
        ----------
        X : {array-like, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        surprisals : dict of str to ndarray of shape (n_samples,)
            The surprisals, at least zero. The mean of those in `parts` is minus `score_samples`;
            "reconstruction", which is used in explanations, is always included.
        """
        check_is_fitted(self)
        surprisals = self._model_.surprisals(self._batches(X), self._model_.explaining)
        return {name: part.mean(0) for name, part in surprisals.items()}

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the scores of rows relative to the threshold: `score_samples` minus `offset_`.

        Parameters
        ----------
        X : {array-like, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The shifted scores, negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any, false_discovery_rate: float | None = None) -> np.ndarray:
        """Label rows as outliers or inliers.

        Parameters
        ----------
        X : {array-like, tensor, dataframe} of shape (n_samples, n_features)
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

    def p_values(self, X: Any) -> np.ndarray:
        """Return conformal p-values: the share of held-out rows that are at least as anomalous.

        Of new normal rows, about a share p has a p-value of at most p, if the training rows are
        clean; outliers among them make p-values larger. With fewer than 1 / p - 1 rows in the
        memory, no p-value is as small as p.

        Parameters
        ----------
        X : {array-like, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        p_values : ndarray of shape (n_samples,)
            The p-values in (0, 1]: small for outliers, and at least 1 / (n + 1), where n is the
            number of rows in the memory.
        """
        return p_values(-self.score_samples(X), self._model_.held_out)

    def explain(self, X: Any, top: int | None = 3) -> pd.DataFrame:
        """Return the columns that make rows outliers, and the values expected there.

        The cells of a row are replaced, one at a time, by the values that the autoencoders expect
        from the other columns. The gain of a column is the decrease of the mean surprisal, over the
        parts of the score and "reconstruction" (even if it is not among them). The surprisal of the
        row is split among the columns in proportion to their gains.

        Parameters
        ----------
        X : {array-like, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        top : int or None, default=3
            The number of columns to return for a row; None returns all.

        Returns
        -------
        explanation : pandas.DataFrame
            A line for every row and column, the largest share first: `row`, the index label or the
            position of the row, `column`, `value`, `expected`, in the units of X or a label, and
            `share`, in nats; the shares of all columns of a row add up to minus its score.
        """
        check_is_fitted(self)
        frame = self._check_rows(X)
        if top is not None:
            check_scalar(top, "top", Integral, min_val=1)
        is_pandas = isinstance(X, pd.DataFrame)
        index = X.index if is_pandas else pd.RangeIndex(len(frame))
        return explain(self._model_, frame, index, len(frame.columns) if top is None else top)

    def transform(self, X: Any) -> np.ndarray:
        """Return the units of the members' last hidden layers, side by side.

        Parameters
        ----------
        X : {array-like, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_units), float32
            The units.
        """
        check_is_fitted(self)
        model = self._model_
        batches = (model.members.codes(model.columns.points(*rows)) for rows in self._batches(X))
        codes = np.concatenate([codes.astype(np.float32) for codes in batches], axis=2)
        return np.moveaxis(codes, 2, 0).reshape(codes.shape[2], -1)

    def reconstruct(self, X: Any) -> Any:
        """Return the reconstructions of rows by the autoencoders, in the units of X.

        Parameters
        ----------
        X : {array-like, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        X : ndarray, tensor or dataframe of shape (n_samples, n_features)
            The reconstructions; missing cells are imputed.
        """
        check_is_fitted(self)
        model = self._model_
        points = (model.columns.points(*rows) for rows in self._batches(X))
        batches = (model.members.expected(each) for each in points)
        cells = model.columns.cells(np.concatenate(list(batches)))
        decoding = replace(EXPECTED, source=self._check_rows(X))
        return wrap_table(self.schema_.decode(*cells, decoding), self.frame_, like=X)

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

    def _batches(self, X: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Return checked rows as numbers and states, in batches."""
        return self._model_.encode(self._check_rows(X))
