"""Inference for single cells: their likelihoods, and the imputation of missing ones."""

from abc import ABC, abstractmethod
from functools import partial
from numbers import Integral
from typing import Any

import narwhals as nw
import numpy as np
import torch
from sklearn.utils import check_scalar
from torch import Tensor

from skae.autoencoders.reader import Reader
from skae.common.seeds import draw_seed
from skae.nn.chain import Autoencoder
from skae.sampling.imputer import Imputer
from skae.tables.cells import HIDDEN
from skae.tables.containers import wrap, wrap_table
from skae.tables.field import Decoding
from skae.tables.mixed import MixedColumns


class CellInference(ABC):
    """The methods that apply a fitted chain to single cells."""

    likelihood_: str
    _imputer_: Imputer

    @abstractmethod
    def _reader(self) -> Reader:
        """Return the reader of the fitted chain; raise NotFittedError before `fit`."""

    def score_cells(self, X: Any) -> Any:
        r"""Return the log-likelihood of every cell given its row's code, in nats.

        The cells of a row add up to its `score_samples`. In a table with labels, times or missing
        cells, the density of a number is that of its column scaled to variance one, so that units
        make no difference, and the score of a missing cell is the log-probability that it is
        missing.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        log_likelihood : ndarray or dataframe of shape (n_samples, n_features), float32
            Higher is better; a frame with the names and the index of X if `fit` was given one.
        """
        reader = self._reader()
        rows = reader.check(X)
        reader.check_range(rows, self.likelihood_)
        cells = reader.read(partial(self._log_prob_of_cells, reader.chain), rows)
        columns = reader.columns.by_column(cells)
        log_shares = reader.columns.log_shares(rows)
        columns = columns if log_shares is None else columns + log_shares
        return wrap(columns, reader.frame, like=X)

    def impute(self, X: Any, n_draws: int | None = None, random_state: Any = None) -> Any:
        """Impute the missing cells of a table, and leave all others as they are.

        Parameters
        ----------
        X : dataframe of shape (n_samples, n_features)
            The rows.
        n_draws : int or None, default=None
            The number of random imputations to draw; None imputes expectations: the mean of a
            number, the most probable label.
        random_state : int, RandomState instance or None, default=None
            The seed; an int makes the draws reproducible.

        Returns
        -------
        X : dataframe or list of n_draws dataframes, of shape (n_samples, n_features)
            The rows without missing cells. Only a column that was all missing in `fit` keeps them.

        Raises
        ------
        ValueError
            If `fit` was given only numbers without missing cells: it has then not learned to
            impute.
        """
        reader = self._reader()
        if not reader.columns.is_table:
            raise ValueError(
                f"{type(self).__name__} was fitted to numbers without missing cells, and has not "
                f"learned to fill any. Fit it to a dataframe with missing cells or labels."
            )
        frame = reader.check(X)
        if n_draws is None:
            return self._fill(reader, frame, X, self._imputer_.expected, Decoding())
        check_scalar(n_draws, "n_draws", Integral, min_val=1)
        seed = draw_seed(random_state)
        generator = torch.Generator().manual_seed(seed)
        decoding = Decoding(rng=np.random.default_rng(seed))
        draw = partial(self._imputer_.draw, generator=generator)
        return [self._fill(reader, frame, X, draw, decoding) for _ in range(n_draws)]

    def _log_prob_of_cells(self, chain: Autoencoder, x: Tensor) -> Tensor:
        """Return the log-likelihood of every column of encoded rows."""
        return chain.log_prob(x)

    def _fill(
        self, reader: Reader, frame: nw.DataFrame, X: Any, fill: Any, decoding: Decoding
    ) -> Any:
        """Return rows whose missing cells are imputed by `fill`, a function of encoded rows."""
        columns = reader.columns
        assert isinstance(columns, MixedColumns)
        encoded = columns.encode(frame, hide_missing=True)
        with_holes = (encoded[:, columns.n_numbers :] == HIDDEN).any(1)
        if with_holes.any():
            fill = partial(fill, reader.chain)
            encoded[with_holes] = reader.apply(fill, np.ascontiguousarray(encoded[with_holes]))
        return wrap_table(columns.fill(frame, encoded, decoding), reader.frame, like=X)
