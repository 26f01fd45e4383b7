"""Inference with a fitted autoencoder: codes, expected rows, scores and samples."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import torch
from sklearn.base import TransformerMixin
from sklearn.utils import check_scalar

from skae.autoencoders.paths import arcs, lines
from skae.autoencoders.reader import Reader
from skae.common.seeds import draw_seed
from skae.sampling.rounds import draw_in_rounds
from skae.saving.saves import N_TRIED
from skae.tables.containers import wrap
from skae.tables.field import EXPECTED, Decoding
from skae.tables.streams import by_batch, read_by_batch
from skae.tables.unwrapping import unwrap


class Inference(TransformerMixin, ABC):
    """The methods that apply a fitted chain to rows or codes, in batches."""

    likelihood_: str
    n_components_: int

    @abstractmethod
    def _reader(self) -> Reader:
        """Return the reader of the fitted chain; raise NotFittedError before `fit`."""

    def transform(self, X: Any) -> Any:
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
        reader = self._reader()
        codes = reader.read(reader.chain.encode, reader.check(X))
        return torch.from_numpy(codes).to(X.device) if isinstance(X, torch.Tensor) else codes

    def inverse_transform(self, X: Any) -> Any:
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
        reader = self._reader()
        codes = reader.check_codes(X, self.n_components_)
        return reader.wrap(reader.decode(reader.chain.decode, codes), like=X)

    @by_batch
    def reconstruct(self, X: Any) -> Any:
        """Return the reconstructions of rows: `inverse_transform` of `transform`.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        X_reconstructed : ndarray, tensor or dataframe of shape (n_samples, n_features)
            The reconstructions: a tensor for a tensor, else a frame if `fit` was given one.
        """
        reader = self._reader()
        checked = reader.check(X)
        rows = reader.read(reader.chain.reconstruct, checked, reader.columns.decode)
        source = checked if isinstance(checked, nw.DataFrame) else None
        return reader.wrap(rows, like=X, decoding=replace(EXPECTED, source=source))

    @by_batch
    def score_samples(self, X: Any) -> np.ndarray:
        r"""Return the log-likelihood of rows given their codes, $\log p(x \mid z(x))$, in nats.

        It measures how well rows are reconstructed, in the units of X. It is not the marginal
        likelihood that `PCA.score_samples` returns.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float32
            Higher is better.
        """
        reader = self._reader()
        rows = reader.check(X)
        reader.check_range(rows, self.likelihood_)
        scores = reader.read(lambda x: reader.chain.log_prob(x).sum(1), rows)
        return reader.in_units(scores, rows)

    def score(self, X: Any, y: None = None) -> float:
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
        found = self.score_samples(X)
        scores = found if isinstance(found, np.ndarray) else np.concatenate([*found])
        return float(scores.mean(dtype=np.float64))

    def _rows_to_try(self) -> Any:
        return self.sample(N_TRIED, random_state=0)

    def sample(self, n_samples: int = 1, random_state: Any = None, *, noise: bool = True) -> Any:
        """Draw new rows: codes from the prior, then rows from the likelihood.

        Numbers keep to the range and the grid that each column had in `fit`, unless ``bounds=None``
        says that there is none, and rows to what `dependencies_` lists.

        Parameters
        ----------
        n_samples : int, default=1
            The number of rows.
        random_state : int, RandomState instance or None, default=None
            The seed; an int makes the draw reproducible.
        noise : bool, default=True
            Whether cells are drawn from the likelihood; False returns the expected rows of the
            drawn codes, as is usual for images.

        Returns
        -------
        X : ndarray or dataframe of shape (n_samples, n_features)
            The rows, a frame if `fit` was given one.
        """
        reader = self._reader()
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        seed = draw_seed(random_state)

        def draw_codes(places: np.ndarray, seed: int) -> np.ndarray:
            return self.prior_.sample(len(places), seed)

        return self._draw_rows(reader, draw_codes, n_samples, seed, noise=noise)

    def interpolate(self, start: Any, stop: Any, n_steps: int = 10) -> Any:
        """Return the expected rows along straight lines between the codes of rows.

        Codes on the sphere are joined by great circles.

        Parameters
        ----------
        start, stop : array-like of shape (n_features,) or (n_samples, n_features)
            The first and the last row of every line.
        n_steps : int, default=10
            The number of rows of a line, both ends included.

        Returns
        -------
        X : ndarray of shape (n_steps, n_features) or (n_samples, n_steps, n_features)
            The expected rows; for a table, a dataframe of one line after the other.
        """
        reader = self._reader()
        check_scalar(n_steps, "n_steps", Integral, min_val=2)
        ends = (reader.check(self._as_rows(reader, X)) for X in (start, stop))
        first, last = (reader.read(reader.chain.encode, rows) for rows in ends)
        if len(first) != len(last):
            raise ValueError(
                f"'start' and 'stop' must hold as many rows as each other. "
                f"Got {len(first)} and {len(last)}."
            )
        posterior = reader.chain.posterior
        path = lines if posterior is None or posterior.is_normal else arcs
        codes = path(first, last, n_steps)
        rows = reader.decode(reader.chain.decode, codes.reshape(-1, codes.shape[2]))
        if reader.columns.is_table:
            rows = reader.wrap(rows)
            if reader.frame is not None:
                return rows
        paths = rows.reshape(*codes.shape[:2], -1)
        return paths[0] if np.ndim(start) == 1 else paths

    def _draw_rows(
        self,
        reader: Reader,
        draw_codes: Callable[[np.ndarray, int], np.ndarray],
        n_samples: int,
        seed: int,
        *,
        noise: bool,
    ) -> Any:
        """Return drawn rows, given a function that draws codes for the places of some by a seed."""
        codes = draw_codes(np.arange(n_samples), seed).astype(np.float32)
        if not noise:
            return reader.wrap(reader.decode(reader.chain.decode, codes))
        rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)

        def draw(places: np.ndarray) -> np.ndarray:
            own = codes
            if len(places) < n_samples:
                own = draw_codes(places, int(rng.integers(2**31))).astype(np.float32)
            return reader.decode(partial(reader.chain.draw, generator=generator), own)

        rows = draw_in_rounds(draw, reader.columns, n_samples, rng)
        return reader.wrap(rows, decoding=Decoding(rng=rng, is_brought=True))

    def _as_rows(self, reader: Reader, X: Any) -> Any:
        """Return rows as they are, and a single row or series as rows."""
        X = unwrap(X)
        if isinstance(X, pd.Series):
            return X.to_frame().T.infer_objects()
        if np.ndim(X) != 1:
            return X
        row, frame = np.reshape(X, (1, -1)), reader.frame
        return wrap(row, frame) if frame is not None and row.shape[1] == frame.shape[1] else row


read_by_batch(Inference)
