"""ConditionalVAE: the variational autoencoder of rows given labels or other conditions."""

import copy
from dataclasses import field, replace
from functools import partial
from numbers import Integral
from typing import Any

import narwhals as nw
import numpy as np
import torch
from sklearn.utils import check_scalar

from skae.autoencoders.conditional_reader import ConditionalReader
from skae.autoencoders.reader import Reader
from skae.autoencoders.variational import VAETransformer
from skae.building.recipe import Facts, Recipe
from skae.common.parameters import estimator
from skae.common.seeds import draw_seed
from skae.common.sklearn_private import n_samples_of
from skae.nn.chain import Autoencoder
from skae.nn.conditional_chain import ConditionalVariationalAutoencoder
from skae.nn.one_hot import OneHot
from skae.sampling.conditional_prior import ConditionalPrior
from skae.sampling.prior import make_prior
from skae.sampling.rounds import draw_in_rounds
from skae.tables.conditions import Conditions, as_many, conditions_frame
from skae.tables.field import Decoding
from skae.tables.sources import refuse_source
from skae.tables.training_rows import TrainingRows
from skae.training.mode import Mode
from skae.training.reading import read
from skae.training.rows import Rows, encode_beside


def as_conditional(chain: Autoencoder) -> ConditionalVariationalAutoencoder:
    """Return a chain with its type, that of rows with conditions."""
    assert isinstance(chain, ConditionalVariationalAutoencoder)
    return chain


@estimator()
class ConditionalVAE(VAETransformer):
    r"""Variational autoencoder of rows given labels, numbers or whole frames of conditions.

    Encoder, decoder and the density of codes are told the condition :math:`y` of a row, and

    .. math:: E_{q(z \mid x, y)} \log p(x \mid z, y) - \beta\,KL(q(z \mid x, y) \parallel p(z))

    is maximised, a lower bound on :math:`\log p(x \mid y)`. The code says what the condition does
    not. In one row in ten of a training step the condition is hidden, so that all methods can also
    do without it: the model is then one of rows of any condition.

    See Also
    --------
    VAETransformer : The same without conditions; in tables, `sample` takes `given` cells.
    GenerativeClassifier : A density for each class, which tells classes.

    Notes
    -----
    Labels that are missing in `fit` (None, NaN, or -1 among integers) are unknown conditions.

    References
    ----------
    Sohn, K., Lee, H. and Yan, X. (2015). Learning structured output representation using deep
    conditional generative models. Advances in Neural Information Processing Systems 28.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import ConditionalVAE
    >>> X, y = load_digits(return_X_y=True)
    >>> autoencoder = ConditionalVAE(8, max_epochs=20, random_state=0).fit(X, y)
    >>> autoencoder.sample(3, y=7, random_state=0).shape
    (3, 64)
    >>> known, unknown = autoencoder.score_samples(X, y), autoencoder.score_samples(X)
    >>> bool(known.mean() > unknown.mean())
    True
    """

    conditions_: Conditions | None = field(init=False)
    """The columns of the conditions; None if `fit` was given none."""

    conditional_prior_: ConditionalPrior | None = field(init=False)
    """The fitted density of the codes given the conditions; None if `fit` was given none."""

    def transform(self, X: Any, y: Any = None) -> Any:
        """Return the codes of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,), dataframe, or a label, default=None
            The conditions of the rows; None if they are unknown.

        Returns
        -------
        Z : ndarray or tensor of shape (n_samples, n_components_), float32
            The codes.
        """
        return super(ConditionalVAE, self._beside(y, X)).transform(X)

    def inverse_transform(self, X: Any, y: Any = None) -> Any:
        """Return the expected rows of codes.

        Parameters
        ----------
        X : {array-like, tensor, dataframe} of shape (n_samples, n_components_)
            The codes.
        y : array-like of shape (n_samples,), dataframe, or a label, default=None
            The conditions of the rows; None if they are unknown.

        Returns
        -------
        X_original : ndarray, tensor or dataframe of shape (n_samples, n_features)
            The rows: a tensor for a tensor, else a frame if `fit` was given one.
        """
        return super(ConditionalVAE, self._beside(y, X)).inverse_transform(X)

    def reconstruct(self, X: Any, y: Any = None) -> Any:
        """Return the reconstructions of rows: `inverse_transform` of `transform`.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,), dataframe, or a label, default=None
            The conditions of the rows; None if they are unknown.

        Returns
        -------
        X_reconstructed : ndarray, tensor or dataframe of shape (n_samples, n_features)
            The reconstructions: a tensor for a tensor, else a frame if `fit` was given one.
        """
        return super(ConditionalVAE, self._beside(y, X)).reconstruct(X)

    def score_samples(self, X: Any, y: Any = None) -> np.ndarray:
        r"""Return a bound on the log-likelihood of rows given their conditions, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,), dataframe, or a label, default=None
            The conditions of the rows; None if they are unknown.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float32
            Higher is better; see `VAETransformer.score_samples`.
        """
        return super(ConditionalVAE, self._beside(y, X)).score_samples(X)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean of `score_samples`.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,), dataframe, or a label, default=None
            The conditions of the rows; None if they are unknown.

        Returns
        -------
        score : float
            The mean log-likelihood; higher is better.
        """
        return float(self.score_samples(X, y).mean(dtype=np.float64))

    def sample(
        self,
        n_samples: int = 1,
        random_state: Any = None,
        given: Any = None,
        *,
        y: Any = None,
        noise: bool = True,
    ) -> Any:
        """Draw new rows: codes from their density given the conditions, then rows.

        Parameters
        ----------
        n_samples : int, default=1
            The number of rows; with conditions of several rows, as many as those.
        random_state : int, RandomState instance or None, default=None
            The seed; an int makes the draw reproducible.
        given : dict or dataframe, default=None
            The known cells of the rows, without conditions; see `VAETransformer.sample`.
        y : array-like of shape (n_samples,), dataframe, or a label, default=None
            The conditions of the rows: one for each of them, or one for all. None draws them from
            those of the training rows.
        noise : bool, default=True
            Whether cells are drawn from the likelihood; False returns the expected rows of the
            drawn codes, as is usual for images.

        Returns
        -------
        X : ndarray or dataframe of shape (n_samples, n_features)
            The rows, a frame if `fit` was given one.
        """
        reader = self._reader()
        prior = self.conditional_prior_
        if given is not None or (prior is None and y is None):
            if y is not None:
                raise ValueError("'given' and 'y' cannot both be given: 'given' holds cells of X.")
            return super().sample(n_samples, random_state, given, noise=noise)
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        seed = draw_seed(random_state)
        if y is None:
            assert prior is not None
            conditions = prior.draw_conditions(n_samples, seed)
        else:
            conditions = self._one_hot(y, n_samples)
            prior = self.conditional_prior_
        return self._sample_beside(reader, prior, conditions, seed, noise=noise)

    def remembered_columns(self) -> list:
        """Return what is known of the columns, for `skae.tables.remembered`."""
        conditions = self.conditions_
        known = [] if conditions is None else [conditions.columns.table]
        return [*super().remembered_columns(), *known]

    def _beside(self, y: Any, X: Any) -> "ConditionalVAE":
        """Return the estimator, or a view of it that reads rows beside their conditions."""
        reader = self._reader()
        if y is None:
            return self
        refuse_source(X)
        conditions = self._one_hot(y, n_samples_of(X))
        reader = ConditionalReader.beside_conditions(reader, conditions)
        view = copy.copy(self)
        view.__dict__["_reader"] = lambda: reader
        return view

    def _one_hot(self, y: Any, n_rows: int) -> np.ndarray:
        """Return the one-hot conditions of rows, one for each or one for all."""
        if self.conditions_ is None:
            raise ValueError(
                f"The 'y' parameter must be None, since fit was given no conditions. Got {y!r}."
            )
        frame = conditions_frame(as_many(y, n_rows), self.conditions_)
        if len(frame) != n_rows:
            raise ValueError(
                f"The 'y' parameter must hold one condition, or one for each of the {n_rows} rows. "
                f"Got {len(frame)}."
            )
        encoded = torch.from_numpy(self.conditions_.encode(frame))
        one_hot = copy.deepcopy(as_conditional(self._module).one_hot).cpu()
        return one_hot(encoded).numpy()

    def _sample_beside(
        self,
        reader: Reader,
        prior: Any,
        conditions: np.ndarray,
        seed: int,
        *,
        noise: bool,
    ) -> Any:
        """Return a drawn row for each of the conditions."""
        rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)

        def draw(places: np.ndarray) -> np.ndarray:
            own = conditions[places]
            beside = ConditionalReader.beside_conditions(reader, own)
            codes = prior.sample(own, int(rng.integers(2**31))).astype(np.float32)
            function = partial(beside.chain.draw, generator=generator)
            return beside.decode(function if noise else beside.chain.decode, codes)

        if not noise:
            return reader.wrap(draw(np.arange(len(conditions))))
        rows = draw_in_rounds(draw, reader.columns, len(conditions), rng)
        return reader.wrap(rows, decoding=Decoding(rng=rng, is_brought=True))

    def _conditions_of(self, X: Any, y: Any) -> nw.DataFrame | None:
        if y is None:
            return None
        return conditions_frame(y, vars(self).get("conditions_"))

    def _learn_columns(self, rows: TrainingRows) -> None:
        super()._learn_columns(rows)
        self.conditions_ = None if rows.conditions is None else Conditions.learn(rows.conditions)

    def _encode(self, rows: TrainingRows, device: torch.device) -> Rows:
        if self.conditions_ is None:
            return super()._encode(rows, device)
        hidden = self.conditions_.hidden(rows.n_rows)
        known = hidden if rows.conditions is None else self.conditions_.encode(rows.conditions)
        return encode_beside(known, rows, self.columns_, device)

    def _recipe(self, facts: Facts) -> Recipe:
        recipe = super()._recipe(facts)
        if self.conditions_ is None:
            return recipe
        columns = self.conditions_.columns
        one_hot = OneHot(columns.n_numbers, columns.n_states)
        chain = partial(ConditionalVariationalAutoencoder, one_hot=one_hot)
        start = recipe.start
        assert isinstance(start, partial)
        start = partial(start, n_conditions=one_hot.n_wide)
        return replace(recipe, chain=chain, start=start, n_conditions=one_hot.n_wide)

    def _conclude(self, sample: Rows, validation_rows: Rows, seed: int, mode: Mode) -> None:
        super()._conclude(sample, validation_rows, seed, mode)
        self.conditional_prior_ = None
        if self.conditions_ is not None:
            chain = as_conditional(self._module)
            conditions, latent = (
                read(self.net_, sample, each) for each in (chain.conditions_of, chain.latent)
            )
            codes = chain.draw_codes(torch.from_numpy(latent)).numpy()
            make = partial(make_prior, self.prior, chain)
            self.conditional_prior_ = ConditionalPrior().fit(make, conditions, codes, seed)
