"""ConditionalVAE: the variational autoencoder of rows given labels or other conditions."""

from dataclasses import field, replace
from functools import partial
from typing import Any, Literal

import narwhals as nw
import torch

from skae.autoencoders.conditional_inference import ConditionalInference, as_conditional
from skae.autoencoders.variational import VAETransformer
from skae.building.networks import Architecture
from skae.building.recipe import Facts, Recipe
from skae.common.annotations import PositiveInt
from skae.common.parameters import estimator
from skae.nn.conditional_chain import ConditionalVariationalAutoencoder
from skae.nn.one_hot import OneHot
from skae.nn.texts import WIDTH, OneHotAndTokens, TextSizes
from skae.sampling.conditional_prior import ConditionalPrior
from skae.sampling.prior import make_prior
from skae.tables.conditions import Conditions, conditions_frame
from skae.tables.remembering import Remembered
from skae.tables.texts import TextReading
from skae.tables.training_rows import TrainingRows
from skae.training.mode import Mode
from skae.training.reading import read
from skae.training.rows import Rows, encode_beside


@estimator()
class ConditionalVAE(ConditionalInference, VAETransformer):
    r"""Variational autoencoder of rows given labels, numbers, texts or frames of such conditions.

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
    Labels that are missing in `fit` (None, NaN, or -1 among integers) are unknown conditions, and
    so are texts that are missing or empty.

    With `text`, columns of strings are read as texts, whose words have an order; categorical and
    boolean columns stay labels. Where rows are images, the places of an image attend to words,
    which are found by what stands around them and look like what they are, so that a word is drawn
    where it never was in `fit`.

    References
    ----------
    Mansimov, E., Parisotto, E., Ba, J. L. and Salakhutdinov, R. (2016). Generating images from
    captions with attention. International Conference on Learning Representations.

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

    text: Literal["words", "characters"] | None = None
    """The parts that strings among the conditions are read by: words and signs, without regard to
    upper case; or characters. None reads strings as labels."""

    max_vocabulary: PositiveInt = 5000
    """The largest number of words, or characters, that are told apart: the commonest ones. All
    others, and those in fewer than `min_count` texts, are unknown, as are those that `fit` did not
    see."""

    word_attention: bool = True
    """Whether the places of an image attend to the words of a text; otherwise, as for rows that are
    no images, the decoder is given the mean of the words in their context beside the code. With it
    there are no linear paths, whatever `init` says."""

    conditions_: Conditions | None = field(init=False)
    """The columns of the conditions; None if `fit` was given none."""

    conditional_prior_: ConditionalPrior | None = field(init=False)
    """The fitted density of the codes given the conditions; None if `fit` was given none."""

    def remembered_columns(self) -> list:
        """Return what is known of the columns, for `skae.tables.remembered`."""
        conditions = self.conditions_
        known = [] if conditions is None else [conditions.columns.table]
        return [*super().remembered_columns(), *known]

    def remembered_rows(self) -> list[Remembered]:
        """Return what is held of whole rows, for `skae.tables.remembered`."""
        found = super().remembered_rows()
        if self.conditions_ is None or self.conditions_.texts is None:
            return found
        assert self.conditional_prior_ is not None
        texts, n_rows = self.conditions_.texts, len(self.conditional_prior_.conditions_)
        tokens = f"{texts.unit} of at least min_count texts", len(texts.vocabulary)
        whole = f"conditions of rows by such {texts.unit}, of which `sample` draws", n_rows
        return [*found, *(Remembered(", ".join(texts.names), *each) for each in (tokens, whole))]

    def _conditions_of(self, X: Any, y: Any) -> nw.DataFrame | None:
        if y is None:
            return None
        return conditions_frame(y, vars(self).get("conditions_"))

    def _learn_columns(self, rows: TrainingRows) -> None:
        super()._learn_columns(rows)
        reading = None
        if self.text is not None:
            reading = TextReading(self.text, self.max_vocabulary, self.min_count)
        if rows.conditions is not None:
            self.conditions_ = Conditions.learn(rows.conditions, reading)
        elif reading is None:
            self.conditions_ = None
        else:
            raise ValueError(
                f"The 'text' parameter must be None where fit is given no y. Got {self.text!r}."
            )

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
        sizes = self._text_sizes()
        one_hot = self._one_hot()
        recipe = replace(recipe, texts=sizes, n_conditions=one_hot.n_wide)
        encoding: OneHot | OneHotAndTokens = one_hot
        if sizes is not None:
            recipe = replace(recipe, n_conditions=one_hot.n_wide + WIDTH)
            encoding = OneHotAndTokens(one_hot)
        start = recipe.start
        assert isinstance(start, partial)
        return replace(
            recipe,
            chain=partial(ConditionalVariationalAutoencoder, one_hot=encoding),
            start=partial(start, n_conditions=recipe.n_beside_codes),
        )

    def _architecture(self) -> Architecture:
        plain = super()._architecture()
        is_of_images = self.image_shape is not None and self.decoder is None and not self._is_linear
        sizes = self._text_sizes()
        if sizes is None or not (is_of_images and self.word_attention):
            return plain
        if self.skip_connections:
            raise ValueError(
                "The 'skip_connections' parameter must be False where places of images attend to "
                "words, as they do with word_attention=True. Got True."
            )
        return replace(plain, attends_to=sizes, has_linear_paths=False)

    def _one_hot(self) -> OneHot:
        """Return the one-hot encoding of the conditions that are no texts."""
        assert self.conditions_ is not None
        columns = self.conditions_.columns
        return OneHot(columns.n_numbers, columns.n_states)

    def _text_sizes(self) -> TextSizes | None:
        """Return the sizes of conditions that hold texts, None where they hold none."""
        texts = None if self.conditions_ is None else self.conditions_.texts
        if texts is None:
            return None
        n_beside = self._one_hot().n_wide
        return TextSizes(texts.n_tokens, n_beside, are_characters=texts.unit == "characters")

    def _conclude(self, sample: Rows, validation_rows: Rows, seed: int, mode: Mode) -> None:
        super()._conclude(sample, validation_rows, seed, mode)
        self.conditional_prior_ = None
        if self.conditions_ is None:
            return
        chain = as_conditional(self._module)
        conditions, latent = (
            read(self.net_, sample, each) for each in (chain.conditions_of, chain.latent)
        )
        codes = chain.draw_codes(torch.from_numpy(latent)).numpy()
        make = partial(make_prior, self.prior, chain)
        summaries = None
        if self.conditions_.texts is not None:
            summaries = read(self.net_, sample, lambda x: chain.summary(chain.conditions_of(x)))
        prior = ConditionalPrior().fit(make, conditions, codes, seed, summaries)
        self.conditional_prior_ = prior
