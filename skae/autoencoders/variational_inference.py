"""Inference with a variational autoencoder: posteriors, bounds, and samples of given cells."""

from numbers import Integral
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_scalar

from skae.autoencoders.cell_inference import CellInference
from skae.autoencoders.inference import Inference
from skae.common.seeds import draw_seed
from skae.nn.chain import Autoencoder
from skae.nn.variational_chain import VariationalAutoencoder
from skae.sampling.conditional import Conditional
from skae.sampling.given import Given
from skae.tables.containers import wrap_table
from skae.tables.field import Decoding
from skae.tables.mixed import MixedColumns


def as_variational(chain: Autoencoder) -> VariationalAutoencoder:
    """Return a chain as what it is: one whose code is a distribution."""
    assert isinstance(chain, VariationalAutoencoder)
    return chain


class VariationalInference(Inference, CellInference):
    """The methods that apply a chain whose code is a distribution."""

    n_draws: int
    n_features_in_: int

    def posterior(self, X: Any) -> tuple[Any, Any]:
        """Return the distributions of the codes of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        mean : ndarray or tensor of shape (n_samples, n_components_), float32
            The means, as `transform` gives them; on the sphere, the directions.
        scale : ndarray or tensor of shape (n_samples, n_components_) or (n_samples, 1), float32
            The standard deviations; on the sphere, the concentrations.
        """
        reader = self._reader()
        chain = as_variational(reader.chain)

        def moments(x: torch.Tensor) -> torch.Tensor:
            return torch.cat(chain.posterior.moments(chain.latent(x)), dim=1)

        found = reader.read(moments, reader.check(X))
        both = torch.from_numpy(found).to(X.device) if isinstance(X, torch.Tensor) else found
        return both[:, : self.n_components_], both[:, self.n_components_ :]

    def score_samples(self, X: Any) -> np.ndarray:
        r"""Return a bound on the log-likelihood of rows, in nats.

        .. math:: \log \frac{1}{K} \sum_k \frac{p(x \mid z_k) p(z_k)}{q(z_k \mid x)} \leq \log p(x)

        on the mean, with the :math:`K` draws of `n_draws`, which follow from the row itself; the
        more draws, the closer. It is the likelihood of the model with its own prior, whatever
        `sample` draws from.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float32
            Higher is better. In the units of X; of a table with labels, times or holes, the log
            of a probability, each number being in one of the intervals that `fit` made, the
            last of which have no end.
        """
        reader = self._reader()
        rows = reader.check(X)
        reader.check_range(rows, self.likelihood_)
        chain = as_variational(reader.chain)
        points = self._sobol_points(chain)
        scores = reader.read(lambda x: chain.bound(x, points), rows)
        return reader.in_units(scores, rows)

    def score_cells(self, X: Any) -> Any:
        r"""Return the bound on the log-likelihood of rows cell by cell, in nats.

        A cell counts by its log-likelihood given codes, on the mean over the draws of
        `score_samples`, each weighted by how well it explains the row. What the code costs is
        shared alike by all cells, so that the cells of a row add up to its `score_samples`.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        log_likelihood : ndarray or dataframe of shape (n_samples, n_features), float32
            Higher is better; a frame with the names and the index of X if `fit` was given one.
        """
        return super().score_cells(X)

    def sample(self, n_samples: int = 1, random_state: Any = None, given: Any = None) -> Any:
        """Draw new rows: codes from the prior, then rows from the likelihood.

        Parameters
        ----------
        n_samples : int, default=1
            The number of rows; of a dataframe that is given, the number for each of its rows.
        random_state : int, RandomState instance or None, default=None
            The seed; an int makes the draw repeatable.
        given : dict or dataframe, default=None
            The known cells of the rows: from names of columns (places, where X was an array) to one
            cell each, or a frame of some columns. A missing cell is not given. The codes are then
            drawn by importance: proposed near those that explain the given cells, and weighted
            by the model's own prior and likelihood.

        Returns
        -------
        X : ndarray or dataframe of shape (n_samples, n_features)
            The rows, a frame if `fit` was given one. Those of a frame that is given follow its
            order, n_samples for each.
        """
        if given is None:
            return super().sample(n_samples, random_state)
        reader = self._reader()
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        names = range(self.n_features_in_) if reader.frame is None else reader.frame.columns
        given = Given(given, names)
        x = torch.from_numpy(given.encode(reader.columns)).to(reader.device)
        seed = draw_seed(random_state)
        generator = torch.Generator().manual_seed(seed)
        chain = as_variational(reader.chain)
        conditional = Conditional(chain, is_table=reader.columns.is_table)
        with torch.no_grad():
            rows = conditional.draw(x, n_samples, generator).cpu().numpy()
        rows = reader.columns.decode(rows)
        if not isinstance(reader.columns, MixedColumns):
            return reader.wrap(given.put(rows, n_samples))
        is_given = np.repeat(given.is_given, n_samples, axis=0)
        decoding = Decoding(rng=np.random.default_rng(seed))
        frame = reader.columns.to_frame(rows, decoding, given=is_given)
        return wrap_table(given.restore(frame, n_samples), reader.frame)

    def _log_prob_of_cells(self, chain: Autoencoder, x: torch.Tensor) -> torch.Tensor:
        variational = as_variational(chain)
        return variational.cells(x, self._sobol_points(variational))

    def _sobol_points(self, chain: VariationalAutoencoder) -> torch.Tensor:
        """Return what makes the draws of a code."""
        check_scalar(self.n_draws, "n_draws", Integral, min_val=1)
        return chain.posterior.sobol_points(self.n_draws)
