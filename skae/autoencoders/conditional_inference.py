"""Inference with a conditional variational autoencoder: what it says of rows given conditions."""

import copy
from functools import partial
from numbers import Integral
from typing import Any, Self

import numpy as np
import torch
from scipy.special import log_softmax
from sklearn.utils import check_scalar

from skae.autoencoders.conditional_reader import ConditionalReader
from skae.autoencoders.reader import Reader
from skae.autoencoders.variational_inference import VariationalInference
from skae.common.seeds import draw_seed
from skae.common.sklearn_private import n_samples_of
from skae.nn.chain import Autoencoder
from skae.nn.conditional_chain import ConditionalVariationalAutoencoder
from skae.sampling.conditional_prior import ConditionalPrior
from skae.sampling.rounds import draw_in_rounds
from skae.tables.conditions import Conditions, as_many, conditions_frame
from skae.tables.field import Decoding
from skae.tables.sources import refuse_source


def as_conditional(chain: Autoencoder) -> ConditionalVariationalAutoencoder:
    """Return a chain with its type, that of rows with conditions."""
    assert isinstance(chain, ConditionalVariationalAutoencoder)
    return chain


class ConditionalInference(VariationalInference):
    """The methods that apply the chain of a conditional variational autoencoder."""

    conditions_: Conditions | None
    conditional_prior_: ConditionalPrior | None

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
        return super(ConditionalInference, self._beside(y, X)).transform(X)

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
        return super(ConditionalInference, self._beside(y, X)).inverse_transform(X)

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
        return super(ConditionalInference, self._beside(y, X)).reconstruct(X)

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
        return super(ConditionalInference, self._beside(y, X)).score_samples(X)

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
            conditions = self._encoded(y, n_samples)
            prior = self.conditional_prior_
        return self._sample_beside(reader, prior, conditions, seed, noise=noise)

    def condition_log_proba(self, X: Any, candidates: Any) -> np.ndarray:
        r"""Return how probable candidates for the conditions of rows are, by Bayes' rule.

        .. math:: \log p(y_j \mid x) = \log p(x \mid y_j) - \log \sum_k p(x \mid y_k)

        where all candidates are as probable as each other before the row is seen. The candidates
        are labels, texts, or rows of a frame, so this tells classes and finds captions.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        candidates : array-like of shape (n_candidates,), dataframe, or a label
            The conditions that rows may have, the same for all rows.

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_candidates), float32
            The log-probabilities, by the bounds of `score_samples`.
        """
        encoded = self._encoded(candidates, None)
        scores = [
            super(
                ConditionalInference, self._view(np.repeat(each[None], n_samples_of(X), axis=0))
            ).score_samples(X)
            for each in encoded
        ]
        return log_softmax(np.stack(scores, axis=1), axis=1)

    def attention(self, X: Any, y: Any) -> tuple[np.ndarray, list[list[str]]]:
        """Return how much places of images attend to the words of their texts.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The images; of drawn ones, what `sample` returned.
        y : array-like of shape (n_samples,), dataframe, or a text
            Their conditions, of which one column at least is text.

        Returns
        -------
        weights : ndarray of shape (n_samples, height, width, n_words), float32
            The shares of the attention of a place, of which there are fewer than pixels. What they
            lack to one is attention to no word. Texts of fewer words have zeros at the end.
        words : list of list of str
            The words of the text of every image.

        Raises
        ------
        ValueError
            If the decoder does not attend to words.
        """
        reader = self._reader()
        texts = None if self.conditions_ is None else self.conditions_.texts
        if texts is None or not as_conditional(reader.chain).attends:
            raise ValueError(
                "Nothing attends to words: that takes the 'image_shape' and 'text' parameters, "
                "word_attention=True, and a decoder that skae builds."
            )
        view = self._beside(y, X)._reader()
        frame = conditions_frame(as_many(y, n_samples_of(X)), self.conditions_)
        chain = as_conditional(view.chain)
        return view.read(chain.attention, view.check(X)), texts.tokens(frame)

    def _beside(self, y: Any, X: Any) -> Self:
        """Return the estimator, or a view of it that reads rows beside their conditions."""
        if y is None:
            return self
        refuse_source(X)
        return self._view(self._encoded(y, n_samples_of(X)))

    def _view(self, conditions: np.ndarray) -> Self:
        """Return a view of the estimator that reads rows beside encoded conditions."""
        reader = ConditionalReader.beside_conditions(self._reader(), conditions)
        view = copy.copy(self)
        view.__dict__["_reader"] = lambda: reader
        return view

    def _encoded(self, y: Any, n_rows: int | None) -> np.ndarray:
        """Return the one-hot conditions, and tokens, of rows: one for each or one for all.

        None rows are as many as there are conditions.
        """
        self._reader()
        if self.conditions_ is None:
            raise ValueError(
                f"The 'y' parameter must be None, since fit was given no conditions. Got {y!r}."
            )
        many = as_many(y, 1 if n_rows is None else n_rows)
        frame = conditions_frame(many, self.conditions_)
        if n_rows is not None and len(frame) != n_rows:
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
        summaries = self._summaries(reader, conditions)

        def draw(places: np.ndarray) -> np.ndarray:
            own = conditions[places]
            beside = ConditionalReader.beside_conditions(reader, own)
            codes = prior.sample(summaries[places], int(rng.integers(2**31))).astype(np.float32)
            function = partial(beside.chain.draw, generator=generator)
            return beside.decode(function if noise else beside.chain.decode, codes)

        if not noise:
            return reader.wrap(draw(np.arange(len(conditions))))
        rows = draw_in_rounds(draw, reader.columns, len(conditions), rng)
        return reader.wrap(rows, decoding=Decoding(rng=rng, is_brought=True))

    def _summaries(self, reader: Reader, conditions: np.ndarray) -> np.ndarray:
        """Return encoded conditions as vectors, in which texts are the mean of their words."""
        if self.conditions_ is None or self.conditions_.texts is None:
            return conditions
        return reader.apply(as_conditional(reader.chain).summary, conditions)
