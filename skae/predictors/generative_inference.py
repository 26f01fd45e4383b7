"""Inference with a fitted generative classifier: classes, likelihoods, rejection and samples."""

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from scipy.special import log_softmax, logsumexp
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from skae.autoencoders.base import BaseAutoencoder
from skae.common.sklearn_private import take_rows
from skae.predictors.class_densities import log_likelihoods
from skae.sampling.densities import draw_codes
from skae.saving.saves import N_TRIED
from skae.tables.columns import Columns
from skae.tables.containers import eager_frame, join_rows
from skae.tables.remembering import Remembered
from skae.tables.streams import by_batch
from skae.tables.table import Table
from skae.tables.unwrapping import unwrap

# What an infinite log-likelihood counts as, so that rows that no class explains have a label.
IMPOSSIBLE = -1e9


class GenerativeInference:
    """The methods that apply the densities of the classes to rows."""

    classes_: np.ndarray
    class_prior_: np.ndarray
    densities_: list
    temperature_: float
    offsets_: np.ndarray
    validation_fraction: float
    _held_out_: list[np.ndarray]

    @by_batch
    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The classes.
        """
        best = self.predict_log_proba(X).argmax(axis=1)
        return self.classes_[best]

    @by_batch
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            One column per class, in the order of `classes_`.
        """
        return np.exp(self.predict_log_proba(X))

    @by_batch
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            One column per class, in the order of `classes_`.
        """
        scores = np.maximum(self._log_likelihoods(X), IMPOSSIBLE)
        logits = scores / self.temperature_ + self._log_prior + self.offsets_
        return log_softmax(logits, axis=1)

    def score_samples(self, X: Any) -> np.ndarray:
        r"""Return the log-likelihoods of rows in the mixture of all classes.

        .. math:: \log p(x) = \log \sum_y p(y)\, p(x \mid y)

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
            Higher is better; the units are those of the densities.
        """
        return logsumexp(self._log_likelihoods(X) + self._log_prior, axis=1)

    def p_values(self, X: Any) -> np.ndarray:
        r"""Return conformal p-values: how many rows of a class are as unlikely in it.

        .. math:: p(x) = \max_y \frac{1 + \#\{i : y_i = y,\ p(x_i \mid y) \le p(x \mid y)\}}
                  {n_y + 1}

        over the held-out rows. Of new rows of any class, at most a share p has a p-value of p or
        less.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        p_values : ndarray of shape (n_samples,)
            The p-values in (0, 1], small for rows that no class explains.

        Raises
        ------
        ValueError
            If no rows were held out.
        """
        scores = self._log_likelihoods(X)
        if not any(len(own) for own in self._held_out_):
            raise ValueError(
                "There are no p-values, since no rows were held out: fit with a larger "
                f"'validation_fraction' or more rows. Got {self.validation_fraction!r}."
            )
        found = [
            (1 + np.searchsorted(own, scores[:, place], side="right")) / (len(own) + 1)
            for place, own in enumerate(self._held_out_)
            if len(own)
        ]
        return np.max(found, axis=0)

    def reject(self, X: Any, level: float = 0.05) -> np.ndarray:
        """Tell which rows no class explains.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        level : float, default=0.05
            The largest share of rows of the classes that is rejected, in (0, 1).

        Returns
        -------
        is_rejected : ndarray of bool of shape (n_samples,)
            Whether the p-value is at most the level.

        Raises
        ------
        ValueError
            If the level is not in (0, 1), or too few rows were held out for a p-value as small.
        """
        bounds = {"min_val": 0, "max_val": 1, "include_boundaries": "neither"}
        check_scalar(level, "level", (float, np.floating), **bounds)
        found = self.p_values(X)
        fewest = min(len(own) for own in self._held_out_ if len(own))
        if level < 1 / (fewest + 1):
            raise ValueError(
                f"level={level!r} is below the smallest p-value, 1 / {fewest + 1}, since {fewest} "
                "rows of a class were held out. Ask for a larger level, or fit with more rows or a "
                "larger 'validation_fraction'."
            )
        return found <= level

    def sample(
        self,
        n_samples: int = 1,
        y: Any = None,
        random_state: Any = None,
        return_y: bool = False,
    ) -> Any:
        """Draw rows.

        Parameters
        ----------
        n_samples : int, default=1
            The number of rows; without effect if `y` gives one class for each row.
        y : array-like of shape (n_samples,) or label, default=None
            The classes of the rows, or that of all; None draws them by `class_prior_`.
        random_state : int, RandomState instance or None, default=None
            The seed.
        return_y : bool, default=False
            Whether to return the classes as well.

        Returns
        -------
        X : ndarray or dataframe of shape (n_samples, n_features)
            The rows, as the densities draw them.
        y : ndarray of shape (n_samples,)
            Their classes; only if `return_y`.

        Raises
        ------
        ValueError
            If `y` holds a class that `fit` did not see.
        """
        check_is_fitted(self)
        random_state = check_random_state(random_state)
        places = self._places_of(n_samples, y, random_state)
        parts, order = [], []
        for place in np.unique(places):
            own = np.flatnonzero(places == place)
            parts.append(draw_codes(self.densities_[place], len(own), random_state))
            order.append(own)
        rows = take_rows(join_rows(parts), np.argsort(np.concatenate(order)))
        rows = rows.reset_index(drop=True) if isinstance(rows, pd.DataFrame) else rows
        return (rows, self.classes_[places]) if return_y else rows

    def _rows_to_try(self) -> Any:
        found = self._autoencoders
        return found[0].sample(N_TRIED, random_state=0) if found else None

    def remembered_columns(self) -> list[Table | Columns]:
        """Return what is known of the columns, for `skae.tables.remembered`."""
        return [columns for each in self._autoencoders for columns in each.remembered_columns()]

    def remembered_rows(self) -> list[Remembered]:
        """Return what is held of whole rows, for `skae.tables.remembered`."""
        return [rows for each in self._autoencoders for rows in each.remembered_rows()]

    @property
    def _autoencoders(self) -> list[BaseAutoencoder]:
        return [each for each in self.densities_ if isinstance(each, BaseAutoencoder)]

    @property
    def _log_prior(self) -> np.ndarray:
        return np.log(self.class_prior_)

    def _log_likelihoods(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return log_likelihoods(self.densities_, self._check_rows(X, reset=False))

    def _check_rows(self, X: Any, *, reset: bool) -> Any:
        """Return rows of which some can be taken; what they may hold is for the density to say."""
        if isinstance(eager_frame(X), nw.DataFrame):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        if isinstance(X, list | tuple):
            # As one array, numbers beside labels would all be text.
            X = np.array(X, dtype=object)
        any_of_them = {"dtype": None, "accept_sparse": "csr", "ensure_all_finite": False}
        return validate_data(self, unwrap(X), reset=reset, **any_of_them)

    def _places_of(self, n_samples: Any, y: Any, random_state: Any) -> np.ndarray:
        """Return the class of every row to draw, as its place among the classes."""
        if y is None:
            check_scalar(n_samples, "n_samples", (int, np.integer), min_val=1)
            return random_state.choice(len(self.classes_), n_samples, p=self.class_prior_)
        asked = np.full(n_samples, y) if np.ndim(y) == 0 else column_or_1d(y)
        unknown = np.setdiff1d(asked, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y holds {unknown[0]!r}, which is none of the classes {self.classes_.tolist()}."
            )
        return np.searchsorted(self.classes_, asked)
