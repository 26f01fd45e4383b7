"""What a fitted autoencoder says of rows: every reading of the one chain."""

from functools import partial
from numbers import Integral

import numpy as np
import torch
from sklearn.base import TransformerMixin
from sklearn.utils import check_scalar, gen_batches
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from skae.common.seeds import draw_seed
from skae.tables.checking import check_table
from skae.tables.containers import unwrap, wrap, wrap_table
from skae.training.rows import rows_at_a_time

_copy = partial(np.array, order="C")


def _is_quantized(autoencoder):
    if autoencoder.quantize is None:
        raise AttributeError(
            f"This {type(autoencoder).__name__} has no compressed codes: its 'quantize' parameter "
            f"is None. Fit it with the number of bits of a unit."
        )
    return True


class Readings(TransformerMixin):
    """The methods that read a fitted chain, in evaluation mode and by batches."""

    def transform(self, X):
        """Return the codes of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        Z : ndarray or tensor of shape (n_samples, n_components_), float32
            The codes.
        """
        check_is_fitted(self)
        codes = self._read(self._module.encode, self._check_rows(X))
        return torch.from_numpy(codes).to(X.device) if isinstance(X, torch.Tensor) else codes

    def inverse_transform(self, X):
        """Return the expected rows of codes.

        Parameters
        ----------
        X : {array-like, tensor, dataframe} of shape (n_samples, n_components_)
            The codes.

        Returns
        -------
        X_original : ndarray, tensor or dataframe of shape (n_samples, n_features)
            The rows: a tensor for a tensor, else a frame if `fit` was given one.
        """
        check_is_fitted(self)
        rows = self._map(self._module.decode, self._check_codes(X), finish=self.columns_.decode)
        return self._wrap(rows, like=X, extrapolates=True)

    def reconstruct(self, X):
        """Return what is left of rows after the code: `inverse_transform` of `transform`.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        X : ndarray, tensor or dataframe of shape (n_samples, n_features)
            The rows: a tensor for a tensor, else a frame if `fit` was given one.
        """
        check_is_fitted(self)
        rows = self._read(self._module.reconstruct, self._check_rows(X), self.columns_.decode)
        return self._wrap(rows, like=X, extrapolates=True)

    def score_samples(self, X):
        r"""Return the log-likelihood of rows given their codes, $\log p(x \mid z(x))$, in nats.

        It tells how well rows are reconstructed, in the units of X. It is not the marginal
        likelihood that `PCA.score_samples` gives.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float32
            Higher is better.
        """
        check_is_fitted(self)
        rows = self._check_rows(X)
        if self.likelihood_ != "gaussian":
            self.columns_.check(rows)
        scores = self._read(lambda x: self._module.log_prob(x).sum(1), rows)
        return scores - np.float32(self.columns_.log_volume)

    def score(self, X, y=None):
        """Return the mean of `score_samples`.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        score : float
            The mean log-likelihood; higher is better.
        """
        return float(self.score_samples(X).mean(dtype=np.float64))

    def sample(self, n_samples=1, random_state=None):
        """Draw new rows: codes from the prior, then rows from the likelihood.

        Parameters
        ----------
        n_samples : int, default=1
            How many rows.
        random_state : int, RandomState instance or None, default=None
            An int makes the draw repeatable.

        Returns
        -------
        X : ndarray or dataframe of shape (n_samples, n_features)
            The rows, a frame if `fit` was given one.
        """
        check_is_fitted(self)
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        seed = draw_seed(random_state)
        codes = self.prior_.sample(n_samples, seed).astype(np.float32)
        draw = partial(self._draw, generator=torch.Generator().manual_seed(seed))
        return self._wrap(self._map(draw, codes, finish=self.columns_.decode))

    def interpolate(self, start, stop, n_steps=10):
        """Walk in a straight line through the codes from some rows to others.

        Parameters
        ----------
        start, stop : array-like of shape (n_features,) or (n_samples, n_features)
            The first and the last row of every walk.
        n_steps : int, default=10
            The number of rows of a walk, both ends included.

        Returns
        -------
        X : ndarray of shape (n_steps, n_features) or (n_samples, n_steps, n_features)
            The decoded codes; of a table, a dataframe of one walk after the other.
        """
        check_is_fitted(self)
        check_scalar(n_steps, "n_steps", Integral, min_val=2)
        first, last = (self._read(self._module.encode, self._check_ends(X)) for X in (start, stop))
        if len(first) != len(last):
            raise ValueError(
                f"'start' and 'stop' must hold as many rows as each other. "
                f"Got {len(first)} and {len(last)}."
            )
        codes = np.linspace(first, last, n_steps, axis=1)
        codes_in_line = codes.reshape(-1, self.n_components_)
        rows = self._map(self._module.decode, codes_in_line, finish=self.columns_.decode)
        if self._takes_tables_:
            return self._wrap(rows)
        walks = rows.reshape(*codes.shape[:2], -1)
        return walks[0] if np.ndim(start) == 1 else walks

    @available_if(_is_quantized)
    def compress(self, X):
        """Return the codes of rows as small integers; with `quantize`.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        levels : ndarray of shape (n_samples, n_components_), uint8 or uint16
            The numbers of the units' values, of `quantize` bits each.
        """
        check_is_fitted(self)
        levels = self._module.quantizer.levels
        compressed = self._read(lambda x: levels(self._module.encode(x)), self._check_rows(X))
        return compressed.astype(np.uint8 if self.quantize <= 8 else np.uint16)

    @available_if(_is_quantized)
    def decompress(self, levels):
        """Return the expected rows of what `compress` gave.

        Parameters
        ----------
        levels : array-like of int of shape (n_samples, n_components_)
            The numbers of the units' values.

        Returns
        -------
        X : ndarray or dataframe of shape (n_samples, n_features)
            The rows, a frame if `fit` was given one.
        """
        check_is_fitted(self)
        values = self._module.quantizer.values
        levels = self._check_codes(levels, "levels")
        largest = 2**self.quantize - 1
        if not ((levels >= 0) & (levels <= largest) & (levels % 1 == 0)).all():
            raise ValueError(f"'levels' must hold ints in the range [0, {largest}].")
        rows = self._map(
            lambda x: self._module.decode(values(x)), levels, finish=self.columns_.decode
        )
        return self._wrap(rows, extrapolates=True)

    def _draw(self, codes, generator):
        codes = self._module.quantizer(self._module.bottleneck.constrain(codes))
        return self._module.draw(codes, generator)

    def _check_rows(self, X, *, reset=False, ensure_min_samples=1):
        if not self._takes_tables_:
            return self._check_matrix(X, reset, ensure_min_samples)
        needs_frame = not reset and self.frame_ is not None
        return check_table(self, X, reset=reset, least=ensure_min_samples, needs_frame=needs_frame)

    def _check_matrix(self, X, reset, ensure_min_samples):
        checks = {"accept_sparse": "csr", "dtype": [np.float64, np.float32]}
        checks["ensure_min_samples"] = ensure_min_samples
        try:
            return validate_data(self, unwrap(X), reset=reset, **checks)
        except ValueError as error:
            if reset or "contains NaN" not in str(error):
                raise
            raise ValueError(
                f"Input X contains NaN, but {type(self).__name__} was fitted to rows without "
                f"missing cells. Fit it to rows that have some, and it takes them."
            ) from error

    def _wrap(self, rows, like=None, *, extrapolates=False):
        """Return decoded rows in the container that answers to `like`."""
        if self._takes_tables_:
            frame = self.columns_.to_frame(rows, extrapolates=extrapolates)
            return wrap_table(frame, self.frame_, like)
        return wrap(rows, self.frame_, like=like, own_types=True)

    def _check_ends(self, X):
        X = unwrap(X)
        if hasattr(X, "to_frame"):
            return self._check_rows(X.to_frame().T.infer_objects())
        if np.ndim(X) != 1:
            return self._check_rows(X)
        row = np.reshape(X, (1, -1))
        has_names = self.frame_ is not None and len(X) == self.n_features_in_
        return self._check_rows(wrap(row, self.frame_) if has_names else row)

    def _check_codes(self, codes, name="X"):
        codes = check_array(unwrap(codes), dtype=np.float32, input_name=name)
        if codes.shape[1] != self.n_components_:
            raise ValueError(
                f"{name} has {codes.shape[1]} components, but {type(self).__name__} has "
                f"{self.n_components_}."
            )
        return codes

    def _read(self, function, rows, finish=np.asarray):
        """Apply a function of encoded rows to rows."""
        return self._map(function, rows, self.columns_.encode, finish)

    @torch.inference_mode()
    def _map(self, function, rows, prepare=_copy, finish=np.asarray):
        """Apply a function of tensors to rows, a batch at a time, and return an array."""
        results = None
        for batch in gen_batches(rows.shape[0], rows_at_a_time(self.columns_.n_encoded)):
            x = torch.from_numpy(prepare(rows[batch])).to(self.net_.device)
            result = finish(function(x).cpu().numpy())
            if results is None:
                results = np.empty((rows.shape[0], *result.shape[1:]), result.dtype)
            results[batch] = result
        return results
