"""What a fitted autoencoder says of single cells: their likelihood, and what stands in holes."""

from functools import partial
from numbers import Integral

import torch
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from skae.common.seeds import draw_seed
from skae.tables.cells import HIDDEN
from skae.tables.containers import wrap, wrap_table


class CellReadings:
    """The methods that read a fitted chain cell by cell."""

    def score_cells(self, X):
        r"""Return the log-likelihood of every cell given its row's code, in nats.

        The cells of a row add up to its `score_samples`. In a table with labels, times or holes, a
        number counts as if its column had variance one, so that units make no difference, and a
        cell that is missing counts by how likely it was to be so.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        log_likelihood : ndarray or dataframe of shape (n_samples, n_features), float32
            Higher is better; a frame with the names and the index of X if `fit` was given one.
        """
        check_is_fitted(self)
        rows = self._check_rows(X)
        if not self._takes_tables_ and self.likelihood_ != "gaussian":
            self.columns_.check(rows)
        cells = self.columns_.by_column(self._read(self._log_cells, rows))
        return wrap(cells, self.frame_, like=X)

    def impute(self, X, n_draws=None, random_state=None):
        """Fill the missing cells of a table, and leave all others as they are.

        Parameters
        ----------
        X : dataframe of shape (n_samples, n_features)
            The rows.
        n_draws : int or None, default=None
            How many times to draw the cells at random; None takes what is expected: the mean of a
            number, the likeliest label.
        random_state : int, RandomState instance or None, default=None
            An int makes the draws repeatable.

        Returns
        -------
        X : dataframe or list of n_draws dataframes, of shape (n_samples, n_features)
            The rows without holes. Only a column that held nothing in `fit` keeps them.

        Raises
        ------
        ValueError
            If `fit` was given numbers without holes only: it has then not learned to fill any.
        """
        check_is_fitted(self)
        if not self._takes_tables_:
            raise ValueError(
                f"{type(self).__name__} was fitted to numbers without missing cells, and has not "
                f"learned to fill any. Fit it to a dataframe with missing cells or labels."
            )
        frame = self._check_rows(X)
        if n_draws is None:
            return self._fill(frame, X, self._filling_.expected)
        check_scalar(n_draws, "n_draws", Integral, min_val=1)
        generator = torch.Generator().manual_seed(draw_seed(random_state))
        draw = partial(self._filling_.draw, generator=generator)
        return [self._fill(frame, X, draw) for _ in range(n_draws)]

    def _log_cells(self, x):
        """Return the log-likelihood of every cell of encoded rows."""
        return self._module.log_prob(x)

    def _fill(self, frame, X, read):
        """Return a frame whose holes hold what `read` makes of the rows that have any."""
        encoded = self.columns_.encode(frame, hide_missing=True)
        with_holes = (encoded[:, self.columns_.n_numbers :] == HIDDEN).any(1)
        if with_holes.any():
            encoded[with_holes] = self._map(partial(read, self._module), encoded[with_holes])
        return wrap_table(self.columns_.fill(frame, encoded), self.frame_, like=X)
