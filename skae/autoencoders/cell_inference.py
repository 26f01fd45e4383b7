"""Inference for single cells: their likelihoods, and the imputation of missing ones."""

import warnings
from abc import ABC, abstractmethod
from functools import partial
from numbers import Integral
from typing import Any

import narwhals as nw
import numpy as np
import torch
from scipy import sparse
from sklearn.utils import check_scalar
from torch import Tensor

from skae.autoencoders.reader import Reader
from skae.common.seeds import draw_seed
from skae.nn.chain import Autoencoder
from skae.sampling.imputer import Imputer
from skae.tables.containers import wrap
from skae.tables.field import Decoding


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

    def impute(
        self,
        X: Any,
        n_draws: int | None = None,
        random_state: Any = None,
        *,
        columns: Any = None,
    ) -> Any:
        """Impute missing cells, and leave all others as they are.

        Parameters
        ----------
        X : {array-like, tensor, dataframe} of shape (n_samples, n_features)
            The rows; missing cells are NaN or null.
        n_draws : int or None, default=None
            The number of random imputations to draw; None imputes expectations: the mean of a
            number, the most probable label.
        random_state : int, RandomState instance or None, default=None
            The seed; an int makes the draws reproducible.
        columns : str, int or list of them, default=None
            The columns to impute, by name or, of an array, by index; None imputes all.

        Returns
        -------
        X : ndarray, tensor or dataframe, or list of n_draws of them, of shape (n_samples, \
n_features)
            The rows without missing cells. These stay missing: cells of columns that are left out
            of the model, such as identifiers, or that were all missing in `fit`; and cells of
            which another column says that they are empty, with a warning.

        Raises
        ------
        ValueError
            If `columns` names columns that X has not, or that are left out of the model.
        """
        reader = self._reader()
        rows = reader.check(X, allow_holes=True)
        rows = rows.toarray() if sparse.issparse(rows) else rows
        places = _places_of(columns, reader, rows.shape[1])
        if n_draws is None:
            filled = self._fill(reader, rows, self._imputer_.expected, Decoding())
            filled = _only(rows, filled, places)
            _warn_of_structural(reader, filled, places)
            return reader.wrap_filled(filled, X)
        check_scalar(n_draws, "n_draws", Integral, min_val=1)
        seed = draw_seed(random_state)
        generator = torch.Generator().manual_seed(seed)
        decoding = Decoding(rng=np.random.default_rng(seed))
        draw = partial(self._imputer_.draw, generator=generator)
        draws = [self._fill(reader, rows, draw, decoding) for _ in range(n_draws)]
        draws = [_only(rows, filled, places) for filled in draws]
        _warn_of_structural(reader, draws[0], places)
        return [reader.wrap_filled(filled, X) for filled in draws]

    def _log_prob_of_cells(self, chain: Autoencoder, x: Tensor) -> Tensor:
        """Return the log-likelihood of every column of encoded rows."""
        return chain.log_prob(x)

    def _fill(self, reader: Reader, rows: Any, fill: Any, decoding: Decoding) -> Any:
        """Return rows whose missing cells are imputed by `fill`, a function of encoded rows."""
        encoded = reader.columns.hide(rows)
        with_holes = reader.columns.has_holes(encoded)
        if with_holes.any():
            fill = partial(fill, reader.chain)
            encoded[with_holes] = reader.apply(fill, np.ascontiguousarray(encoded[with_holes]))
        return reader.columns.fill(rows, encoded, decoding)


def _places_of(columns: Any, reader: Reader, n_columns: int) -> set[int]:
    """Return the places of columns, by name or, where there are no names, by index."""
    if columns is None:
        return set(range(n_columns))
    names: list[Any] = list(range(n_columns)) if reader.frame is None else reader.frame.columns
    wished = [columns] if isinstance(columns, (str, int)) else list(columns)
    unknown = [name for name in wished if name not in names]
    if unknown:
        raise ValueError(
            f"The 'columns' parameter names columns that X has not: {unknown}. X has "
            f"{', '.join(map(repr, names[:8]))}{', ...' if len(names) > 8 else ''}."
        )
    places = {names.index(name) for name in wished}
    left_out = reader.columns.left_out
    if places & left_out.keys():
        found = ", ".join(f"{names[i]!r} ({left_out[i]})" for i in places & left_out.keys())
        raise ValueError(
            f"The 'columns' parameter names columns that are left out of the model, and cannot be "
            f"imputed: {found}."
        )
    return places


def _only(rows: Any, filled: Any, places: set[int]) -> Any:
    """Return rows of which only the columns at some places are those of filled rows."""
    if not isinstance(rows, nw.DataFrame):
        chosen = np.isin(np.arange(rows.shape[1]), list(places))
        return np.where(chosen, filled, rows)
    pairs = enumerate(zip(rows.iter_columns(), filled.iter_columns(), strict=True))
    return nw.DataFrame.from_dict(
        {
            column.name: other if i in places else nw.maybe_reset_index(column)
            for i, (column, other) in pairs
        }
    )


def _warn_of_structural(reader: Reader, filled: Any, places: set[int]) -> None:
    """Warn of cells that stay empty because another column says so."""
    told = reader.columns.structural(filled)
    left = [f"{n:,} of {name!r} ({why})" for i, name, n, why in told if i in places]
    if left:
        warnings.warn(
            f"These cells stay empty, because another column says so: {'; '.join(left)}. With "
            f"keep_dependencies=False they are imputed.",
            UserWarning,
            stacklevel=3,
        )
