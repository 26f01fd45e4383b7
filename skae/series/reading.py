"""Inference with a fitted autoencoder of series: codes, expected cases, scores and samples."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from sklearn.base import TransformerMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skae.autoencoders.reader import Reader
from skae.nn.ragged import RaggedGaussian
from skae.saving.saves import N_TRIED
from skae.series.form import PanelForm
from skae.series.models import DeterministicSeries, VariationalSeries
from skae.series.panels import Panel, read_panel
from skae.tables.columns import Columns
from skae.tables.ragged import RaggedColumns
from skae.tables.remembering import Remembered
from skae.tables.table import Table


def _is_variational(autoencoder: "PanelInference") -> bool:
    if not autoencoder.variational:
        raise AttributeError(
            f"This {type(autoencoder).__name__} has no posterior: its 'variational' parameter is "
            f"False."
        )
    return True


class PanelInference(TransformerMixin):
    """The methods that apply a fitted autoencoder to cases or codes."""

    variational: bool
    autoencoder_: DeterministicSeries | VariationalSeries
    form_: PanelForm

    def transform(self, X: Any) -> Any:
        """Return the codes of cases.

        Parameters
        ----------
        X : {array-like, tensor} of shape (n_cases, n_channels, n_timepoints), list or dataframe
            The cases, in any of the containers of `fit`. Where lengths differed in `fit`, cases
            may be longer than any that it saw.

        Returns
        -------
        Z : ndarray or tensor of shape (n_cases, n_components_), float32
            The codes. As a frame of pandas, they have the index of X, or the names of its cases.
        """
        rows, panel = self._rows(X)
        if panel is not None and panel.index is not None:
            # So `set_output` finds a frame with one row a case, not one a row of X.
            codes = self.transform(panel.cases)
            if isinstance(codes, pd.DataFrame):
                codes.index = panel.names_of_cases
            return codes
        return _like(self.autoencoder_.transform(rows), panel)

    def inverse_transform(self, X: Any, lengths: Any = None) -> Any:
        """Return the expected cases of codes.

        Parameters
        ----------
        X : {array-like, tensor, dataframe} of shape (n_cases, n_components_)
            The codes.
        lengths : array-like of int of shape (n_cases,), default=None
            The numbers of timepoints of the cases, where they differed in `fit`. None takes those
            that are expected, which are part of what a code says.

        Returns
        -------
        X_original : ndarray, list, tensor or dataframe
            The cases in the container of `fit`, at times 0, 1, ... in a frame; a tensor for a
            tensor, if lengths do not differ.
        """
        check_is_fitted(self)
        if self.form_.container == "rows":
            self._check_lengths(lengths, 0)
            return self.autoencoder_.inverse_transform(X)
        reader = Reader.of(self.autoencoder_)
        codes = reader.check_codes(X, self.autoencoder_.n_components_)
        if lengths is None:
            cases = self.form_.cases(reader.decode(reader.chain.decode, codes))
        else:
            cases = self._at(reader, codes, self._check_lengths(lengths, len(codes)))
        is_tensor = isinstance(X, torch.Tensor) and not self.form_.is_ragged
        return self.form_.wrap(cases, Panel(cases, "array", X.device) if is_tensor else None)

    def reconstruct(self, X: Any) -> Any:
        """Return the reconstructions of cases: `inverse_transform` of `transform`, of equal length.

        Parameters
        ----------
        X : {array-like, tensor} of shape (n_cases, n_channels, n_timepoints), list or dataframe
            The cases.

        Returns
        -------
        X_reconstructed : ndarray, list, tensor or dataframe
            The reconstructions in the container of `fit`, with the index of X in a frame; a tensor
            for a tensor.
        """
        rows, panel = self._rows(X)
        if panel is None:
            return self.autoencoder_.reconstruct(rows)
        if not self.form_.is_ragged:
            return self.form_.wrap(self.form_.cases(self.autoencoder_.reconstruct(rows)), panel)
        reader = Reader.of(self.autoencoder_)
        codes = self.autoencoder_.transform(rows)
        return self.form_.wrap(self._at(reader, codes, panel.lengths), panel)

    def score_samples(self, X: Any) -> np.ndarray:
        r"""Return the log-likelihood of cases, in nats.

        It is that of the numbers of a case given its code, :math:`\log p(x \mid z(x))`, or, if the
        autoencoder is variational, a bound on :math:`\log p(x)`; and, where lengths differed in
        `fit`, that of the length. It is in the units of X. Cases longer than any of `fit` are read
        at as many timepoints as the longest had.

        Parameters
        ----------
        X : {array-like, tensor} of shape (n_cases, n_channels, n_timepoints), list or dataframe
            The cases.

        Returns
        -------
        log_likelihood : ndarray of shape (n_cases,), float32
            Higher is better.
        """
        rows, panel = self._rows(X)
        scores = self.autoencoder_.score_samples(rows)
        if panel is None:
            return scores
        return (scores - self.form_.log_volume(panel.lengths)).astype(np.float32)

    def score(self, X: Any, y: None = None) -> float:
        """Return the mean of `score_samples`.

        Parameters
        ----------
        X : {array-like, tensor} of shape (n_cases, n_channels, n_timepoints), list or dataframe
            The cases.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        score : float
            The mean log-likelihood; higher is better.
        """
        return float(self.score_samples(X).mean(dtype=np.float64))

    def score_cells(self, X: Any) -> Any:
        """Return the log-likelihood of every channel and timepoint of cases, in nats.

        They add up to `score_samples`, where lengths did not differ in `fit`; else the
        log-likelihood of the length is left out.

        Parameters
        ----------
        X : {array-like, tensor} of shape (n_cases, n_channels, n_timepoints), list or dataframe
            The cases, none of them longer than those of `fit`.

        Returns
        -------
        log_likelihood : ndarray, list or dataframe
            Higher is better; in the container of `fit`.
        """
        rows, panel = self._rows(X)
        if panel is None:
            return self.autoencoder_.score_cells(rows)
        longest = int(panel.lengths.max())
        if longest > self.form_.n_timepoints:
            raise ValueError(
                f"A case of X has {longest} timepoints, more than the {self.form_.n_timepoints} of "
                f"the longest of fit, so that its cells have no scores of their own; "
                f"score_samples reads it at {self.form_.n_timepoints}."
            )
        scores = np.array(self.autoencoder_.score_cells(rows))
        if self.form_.is_ragged:
            scores[:, -1] = panel.lengths
        # The volume of scaled channels is in the scores; what is added is no scale.
        cases = replace(self.form_, scales=None).cases(scores)
        if self.form_.scales is not None:
            logs = np.log(self.form_.scales)[:, None].astype(np.float32)
            cases = [case - logs for case in cases]
        return self.form_.wrap(cases, panel)

    def sample(self, n_samples: int = 1, random_state: Any = None, *, noise: bool = True) -> Any:
        """Draw new cases: codes from the prior, then lengths, where they differ, and numbers.

        Parameters
        ----------
        n_samples : int, default=1
            The number of cases.
        random_state : int, RandomState instance or None, default=None
            The seed; an int makes the draw reproducible.
        noise : bool, default=True
            Whether numbers and lengths are drawn from the likelihood; False returns the expected
            cases of the drawn codes.

        Returns
        -------
        X : ndarray, list or dataframe
            The cases in the container of `fit`, of lengths between the smallest and the largest
            that it saw.
        """
        check_is_fitted(self)
        rows = self.autoencoder_.sample(n_samples, random_state, noise=noise)
        if self.form_.container == "rows":
            return rows
        return self.form_.wrap(self.form_.cases(rows))

    @available_if(_is_variational)
    def posterior(self, X: Any) -> tuple[Any, Any]:
        """Return the posteriors of the codes of cases; if `variational`.

        Parameters
        ----------
        X : {array-like, tensor} of shape (n_cases, n_channels, n_timepoints), list or dataframe
            The cases.

        Returns
        -------
        mean : ndarray or tensor of shape (n_cases, n_components_), float32
            The means, the output of `transform`.
        scale : ndarray or tensor of shape (n_cases, n_components_), float32
            The standard deviations.
        """
        rows, panel = self._rows(X)
        mean, scale = cast(VariationalSeries, self.autoencoder_).posterior(rows)
        return _like(mean, panel), _like(scale, panel)

    def remembered_columns(self) -> list[Table | Columns]:
        """Return what is known of the columns, for `skae.tables.remembered`."""
        return self.autoencoder_.remembered_columns()

    def remembered_rows(self) -> list[Remembered]:
        """Return what is held of whole rows, for `skae.tables.remembered`."""
        return self.autoencoder_.remembered_rows()

    def _rows_to_try(self) -> Any:
        return self.sample(N_TRIED, random_state=0)

    def _rows(self, X: Any) -> tuple[Any, Panel | None]:
        """Return cases as rows, and the panel that they are, None for rows of one channel."""
        check_is_fitted(self)
        panel = read_panel(X)
        if panel is None and self.form_.container != "rows":
            panel = _cases_of_rows(X)
        return (X, None) if panel is None else (self.form_.rows(panel), panel)

    def _at(self, reader: Reader, codes: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
        """Return the expected cases of codes at given lengths."""
        columns, likelihood = reader.columns, reader.chain.likelihood
        assert isinstance(columns, RaggedColumns)
        assert isinstance(likelihood, RaggedGaussian)
        own = np.minimum(lengths, self.form_.n_timepoints)
        encoded = (own[:, None] - columns.length_center) / columns.length_scale

        def expected(z: torch.Tensor) -> torch.Tensor:
            return likelihood.expected_at(reader.chain.decoder(z[:, :-1]), z[:, -1])

        rows = reader.decode(expected, np.hstack([codes, encoded.astype(np.float32)]))
        return self.form_.cases(rows, lengths)

    def _check_lengths(self, lengths: Any, n_cases: int) -> np.ndarray:
        if lengths is None:
            return np.empty(0, dtype=int)
        if not self.form_.is_ragged:
            raise ValueError(
                f"The 'lengths' parameter is for cases of unequal lengths, but all of fit had "
                f"{self.form_.n_timepoints} timepoints. Got {lengths!r}."
            )
        array = np.asarray(lengths)
        if array.shape != (n_cases,) or array.dtype.kind not in "iu" or (array < 1).any():
            raise ValueError(
                f"The 'lengths' parameter must hold an int from 1 on for each of the {n_cases} "
                f"cases. Got {lengths!r}."
            )
        return array


def _like(codes: np.ndarray, panel: Panel | None) -> Any:
    if panel is None or panel.device is None:
        return codes
    return torch.from_numpy(codes).to(panel.device)


def _cases_of_rows(X: Any) -> Panel:
    """Return rows of one channel as a panel."""
    if isinstance(X, torch.Tensor):
        panel = read_panel(X[:, None]) if X.dim() == 2 else None
    else:
        array = np.asarray(X)
        panel = read_panel(array[:, None]) if array.ndim == 2 else None
    if panel is None:
        raise ValueError(
            f"X is no panel of series such as fit saw: expected an array of shape (n_cases, "
            f"n_channels, n_timepoints), a list of arrays or a frame with an index of cases and "
            f"times. Got {type(X).__name__}."
        )
    return panel
