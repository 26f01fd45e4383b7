"""Fits for other estimators: of the start alone, and with columns that were learned before."""

from abc import ABC, abstractmethod
from typing import Any, Self

from sklearn.utils.validation import check_is_fitted

from skae.training.mode import Mode


class OtherFits(ABC):
    """The fits beside `fit` and `partial_fit`."""

    @abstractmethod
    def _fit(self, X: Any, y: Any, sample_weight: Any, mode: Mode) -> Self:
        """Fit in a mode, and return the estimator."""

    @abstractmethod
    def _validate_params(self) -> None:
        """Raise ValueError if a parameter is invalid."""

    def fit_start(self, X: Any, sample_weight: Any = None) -> Self:
        """Build the chain that training would start from, and train nothing.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows whose columns are learned.
        sample_weight : array-like of shape (n_samples,), default=None
            The weight of every row; None for weights of one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        self._validate_params()
        return self._fit(X, None, sample_weight, Mode.START)

    def fit_with_same_columns(self, X: Any, sample_weight: Any = None) -> Self:
        """Fit a new chain to rows, with the columns that an earlier fit learned.

        So the densities of several autoencoders are of the same intervals, labels and units, and
        their likelihoods can be compared.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows to learn from.
        sample_weight : array-like of shape (n_samples,), default=None
            The weight of every row; None for weights of one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        check_is_fitted(self)
        self._validate_params()
        return self._fit(X, None, sample_weight, Mode.ANEW)
