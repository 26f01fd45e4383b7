"""Inference with a variational autoencoder: posteriors, bounds, and conditional samples."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_scalar

from skae.autoencoders.cell_inference import CellInference
from skae.autoencoders.inference import Inference
from skae.autoencoders.reader import Reader
from skae.common.seeds import draw_seed
from skae.nn.chain import Autoencoder
from skae.nn.variational_chain import VariationalAutoencoder
from skae.sampling.conditional import Conditional
from skae.sampling.given import Given
from skae.sampling.rounds import draw_in_rounds
from skae.tables.containers import wrap_table
from skae.tables.field import EXPECTED, Decoding
from skae.tables.matrix import MatrixColumns
from skae.tables.mixed import MixedColumns
from skae.tables.streams import by_batch


def as_variational(chain: Autoencoder) -> VariationalAutoencoder:
    """Return a chain with its type, that of a variational autoencoder."""
    assert isinstance(chain, VariationalAutoencoder)
    return chain


class VariationalInference(Inference, CellInference):
    """The methods that apply the chain of a variational autoencoder."""

    n_draws: int
    n_features_in_: int

    def posterior(self, X: Any) -> tuple[Any, Any]:
        """Return the posteriors of the codes of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        mean : ndarray or tensor of shape (n_samples, n_components_), float32
            The means, the output of `transform`; on the sphere, the mean directions.
        scale : ndarray or tensor of shape (n_samples, n_components_) or (n_samples, 1), float32
            The standard deviations; on the sphere, the concentrations.
        """
        reader = self._reader()
        chain = as_variational(reader.chain)

        def moments(x: torch.Tensor) -> torch.Tensor:
            return torch.cat(chain.posterior.moments(chain.latent(x)), dim=1)

        array = reader.read(moments, reader.check(X))
        both = torch.from_numpy(array).to(X.device) if isinstance(X, torch.Tensor) else array
        return both[:, : self.n_components_], both[:, self.n_components_ :]

    @by_batch
    def score_samples(self, X: Any) -> np.ndarray:
        r"""Return a bound on the log-likelihood of rows, in nats.

        .. math:: \log \frac{1}{K} \sum_k \frac{p(x \mid z_k) p(z_k)}{q(z_k \mid x)} \leq \log p(x)

        in expectation, with :math:`K` = `n_draws`. The draws are determined by the row itself; more
        draws make the bound tighter. The likelihood is that of the model with its own prior, even
        if `sample` draws from another.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float32
            Higher is better. It is a log density in the units of X. For a table with labels, times
            or missing cells it is a log-probability: that of the interval of each number, among
            those that `fit` made, the outermost of which are unbounded.
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

        The score of a cell is its mean log-likelihood over the draws of the code in
        `score_samples`, weighted by their importance. The cost of the code is split equally among
        the cells, so that the cells of a row add up to its `score_samples`.

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

    def sample(
        self,
        n_samples: int = 1,
        random_state: Any = None,
        given: Any = None,
        *,
        noise: bool = True,
    ) -> Any:
        """Draw new rows: codes from the prior, then rows from the likelihood.

        Parameters
        ----------
        n_samples : int, default=1
            The number of rows; with a dataframe as `given`, the number for each of its rows.
        random_state : int, RandomState instance or None, default=None
            The seed; an int makes the draw reproducible.
        given : dict or dataframe, default=None
            The known cells of the rows: a dict from column names (indices, where X was an array) to
            one cell each, or a frame with some of the columns. Missing cells are not given. The
            codes are then drawn by importance sampling: proposed near those that explain the given
            cells, and weighted by the model's own prior and likelihood.
        noise : bool, default=True
            Whether cells are drawn from the likelihood; False returns the expected rows of the
            drawn codes, as is usual for images.

        Returns
        -------
        X : ndarray or dataframe of shape (n_samples, n_features)
            The rows, a frame if `fit` was given one. With a dataframe as `given`, they follow its
            order, n_samples for each of its rows.
        """
        if given is None:
            return super().sample(n_samples, random_state, noise=noise)
        reader = self._reader()
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        names = range(self.n_features_in_) if reader.frame is None else reader.frame.columns
        given = Given(given, names)
        x = torch.from_numpy(given.encode(reader.columns)).to(reader.device)
        seed = draw_seed(random_state)
        generator = torch.Generator().manual_seed(seed)
        chain = as_variational(reader.chain)
        conditional = Conditional(chain, is_table=reader.columns.is_table)
        n_rows, rng = given.n_rows * n_samples, np.random.default_rng(seed)

        def draw(places: np.ndarray) -> np.ndarray:
            some, n_draws = x[places // n_samples], 1
            if given.n_rows == 1 or len(places) == n_rows:
                some, n_draws = x, len(places) // given.n_rows
            with torch.no_grad():
                drawn = conditional.draw(some, n_draws, generator, noise=noise)
            return reader.columns.decode(drawn.cpu().numpy())

        return self._with_given(reader, given, n_samples, draw, rng, noise=noise)

    def _with_given(
        self,
        reader: Reader,
        given: Given,
        n_draws: int,
        draw: Callable[[np.ndarray], np.ndarray],
        rng: np.random.Generator,
        *,
        noise: bool,
    ) -> Any:
        """Return drawn rows with the given cells as they were given."""
        columns = reader.columns
        assert isinstance(columns, (MatrixColumns, MixedColumns))
        places = np.repeat(np.arange(given.n_rows), n_draws)
        decoding = Decoding(rng=rng, is_brought=True) if noise else EXPECTED
        if noise:
            known = given.known(columns).take(places)
            rows = draw_in_rounds(draw, columns, len(places), rng, known)
        else:
            rows = draw(places)
        if isinstance(columns, MatrixColumns):
            return reader.wrap(given.put(rows, n_draws), decoding=decoding)
        frame = columns.to_frame(rows, decoding)
        return wrap_table(given.restore(frame, n_draws), reader.frame)

    def _log_prob_of_cells(self, chain: Autoencoder, x: torch.Tensor) -> torch.Tensor:
        variational = as_variational(chain)
        return variational.cells(x, self._sobol_points(variational))

    def _sobol_points(self, chain: VariationalAutoencoder) -> torch.Tensor:
        """Return the points of the unit cube that are turned into draws of a code."""
        check_scalar(self.n_draws, "n_draws", Integral, min_val=1)
        return chain.posterior.sobol_points(self.n_draws)
