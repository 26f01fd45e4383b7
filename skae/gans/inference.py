"""Inference with a trained generator: codes, rows of codes, draws, and how real rows look."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted
from torch import nn

from skae.autoencoders.base import BaseAutoencoder
from skae.autoencoders.reader import Reader
from skae.common.seeds import draw_seed
from skae.saving.saves import N_TRIED
from skae.tables.columns import Columns
from skae.tables.remembering import Remembered
from skae.tables.table import Table


class GANInference(TransformerMixin):
    """The methods that apply a trained generator, its encoder and its discriminator."""

    autoencoder_: BaseAutoencoder
    discriminator_: nn.Module | None

    def _rows_to_try(self) -> Any:
        return self.sample(N_TRIED, random_state=0)

    def remembered_columns(self) -> list[Table | Columns]:
        """Return what is known of the columns, for `skae.tables.remembered`."""
        return self.autoencoder_.remembered_columns()

    def remembered_rows(self) -> list[Remembered]:
        """Return what is held of whole rows, for `skae.tables.remembered`."""
        return self.autoencoder_.remembered_rows()

    def transform(self, X: Any) -> Any:
        """Return the codes of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        Z : ndarray or tensor of shape (n_samples, n_components_), float32
            The codes, by the encoder that learned to invert the generator.
        """
        check_is_fitted(self)
        return self.autoencoder_.transform(X)

    def inverse_transform(self, X: Any) -> Any:
        """Return the rows that the generator makes of codes.

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
        return self.autoencoder_.inverse_transform(X)

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Any:
        """Draw rows: codes from their density, and the rows that the generator makes of them.

        Numbers keep to the range and the grid that each column had in `fit`.

        Parameters
        ----------
        n_samples : int, default=1
            The number of rows.
        random_state : int, RandomState instance or None, default=None
            The seed; an int makes the draw reproducible.

        Returns
        -------
        X : ndarray or dataframe of shape (n_samples, n_features)
            The rows, a frame if `fit` was given one.
        """
        reader = self._reader()
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        seed = draw_seed(random_state)
        codes = self.autoencoder_.prior_.sample(n_samples, seed).astype(np.float32)
        rows = reader.decode(reader.chain.decode, codes)
        brought, _ = reader.columns.bring(rows, np.random.default_rng(seed), is_last=True)
        return reader.wrap(brought)

    def score_samples(self, X: Any) -> np.ndarray:
        """Return the logits of the discriminator: how real rows look to it.

        They compare rows with each other, and are no log-likelihoods.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        logit : ndarray of shape (n_samples,), float32
            Higher is more real.

        Raises
        ------
        AttributeError
            If the discriminator was not kept.
        """
        reader = self._reader()
        rows = reader.check(X)
        discriminator = self.discriminator_
        if discriminator is None:
            raise AttributeError(
                "score_samples needs the discriminator, which keep_discriminator=False left out."
            )
        return reader.read(lambda x: discriminator(x)[:, 0], rows)

    @property
    def n_components_(self) -> int:
        """The number of units of the code."""
        return self.autoencoder_.n_components_

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    def __sklearn_is_fitted__(self) -> bool:
        return "n_iter_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _reader(self) -> Reader:
        check_is_fitted(self)
        return Reader.of(self.autoencoder_)
