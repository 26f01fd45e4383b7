"""The rows of a training, checked: what the encoder sees, what the decoder is to give, weights."""

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_consistent_length

from skae.common.weights import check_weights
from skae.tables.checking import check_rows


@dataclass(frozen=True)
class TrainingRows:
    """Rows that count, and their weights.

    Attributes
    ----------
    inputs, targets : array, sparse array or narwhals.DataFrame
        What the encoder sees, and what the decoder is to give; mostly the same object.
    weights : ndarray of shape (n_rows,), float32, or None
        The weights, of mean one; None where all rows count alike.
    conditions : narwhals.DataFrame or None
        What the rows are conditioned on.
    """

    inputs: Any
    targets: Any
    weights: np.ndarray | None
    conditions: nw.DataFrame | None = None

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return self.inputs.shape[0]


def check_training_rows(
    estimator: BaseEstimator,
    X: Any,
    targets: Any,
    sample_weight: Any,
    *,
    conditions: nw.DataFrame | None = None,
    **how: Any,
) -> TrainingRows:
    """Return the rows that have a weight above zero.

    Parameters
    ----------
    estimator : estimator
        The estimator that they are for.
    X, targets : {array-like, sparse matrix, tensor, dataframe}
        What the encoder sees, and what the decoder is to give; None for the same.
    sample_weight : array-like of shape (n_rows,) or None
        The weights.
    conditions : narwhals.DataFrame or None, default=None
        What the rows are conditioned on.
    **how
        The options of `check_rows`.
    """
    inputs = check_rows(estimator, X, **how)
    if targets is None:
        targets = inputs
    else:
        targets = check_rows(estimator, targets, **{**how, "reset": False})
        check_consistent_length(inputs, targets)
    if conditions is not None:
        check_consistent_length(inputs, conditions)
    if sample_weight is None:
        return TrainingRows(inputs, targets, None, conditions)
    weights = checked_weights(sample_weight, inputs, fewest=2 if how["reset"] else 1)
    counts = weights > 0
    if not counts.all():
        kept = np.flatnonzero(counts).tolist() if how["as_table"] else counts
        is_one = targets is inputs
        inputs, weights = inputs[kept], weights[counts]
        targets = inputs if is_one else targets[kept]
        conditions = None if conditions is None else conditions.filter(counts.tolist())
    return TrainingRows(inputs, targets, weights.astype(np.float32), conditions)


def checked_weights(sample_weight: Any, rows: Any, *, fewest: int = 1) -> np.ndarray:
    """Return the weights of rows, one on average over those that count, shape (n_rows,).

    Parameters
    ----------
    sample_weight : array-like of shape (n_rows,) or None
        The weights; None is the same for all.
    rows : {array-like, sparse matrix, dataframe}
        The rows.
    fewest : int, default=1
        The smallest number of rows that must count.

    Raises
    ------
    ValueError
        If fewer rows have a weight above zero, or a weight is negative or not finite.
    """
    n_rows = len(rows) if isinstance(rows, nw.DataFrame) else rows.shape[0]
    weights = check_weights(sample_weight, n_rows)
    counts = weights > 0
    if counts.sum() < fewest:
        raise ValueError(
            f"sample_weight is above 0 for {counts.sum()} row only; at least {fewest} must count."
        )
    return weights / weights[counts].mean()
