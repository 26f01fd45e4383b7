"""TextVAE: the variational autoencoder of short texts."""

from typing import Any, ClassVar

from skae.common.annotations import PositiveInt
from skae.common.parameters import estimator
from skae.nn.sequence_heads import Head, Tokens
from skae.sequences.base import SequenceVAE
from skae.sequences.codec import Codec
from skae.sequences.texts import Texts


@estimator()
class TextVAE(SequenceVAE):
    r"""Variational autoencoder of short texts, such as names and words, by characters.

    A recurrent encoder reads a text from both ends; the decoder writes character after character,
    each given the code and the characters before,

    .. math:: p(x \mid z) = \prod_t p(x_t \mid x_1, \dots, x_{t-1}, z),

    up to a character that ends the text. Masked characters (word dropout) and free bits keep the
    decoder from doing without the code.

    See Also
    --------
    SketchVAE : The same of drawings.
    VAETransformer : The same of tables.

    Notes
    -----
    Characters are code points, and case counts. A character that `fit` did not see in `min_count`
    texts is an unknown one: it is read and scored as such, and not written.

    References
    ----------
    Bowman, S. R., Vilnis, L., Vinyals, O., Dai, A. M., Jozefowicz, R. and Bengio, S. (2016).
    Generating sentences from a continuous space. CoNLL.

    Examples
    --------
    >>> from skae import TextVAE
    >>> names = ["anna", "hanna", "johanna", "ana", "joan", "johan", "ivan", "ivana"] * 5
    >>> model = TextVAE(2, hidden_size=16, max_epochs=30, random_state=0).fit(names)
    >>> model.transform(["hanna", "otto"]).shape
    (2, 2)
    >>> [name] = model.sample(random_state=0)
    >>> 1 <= len(name) <= 7
    True
    """

    min_count: PositiveInt = 2
    """The number of training texts that must hold a character for it to be known."""

    _codec: ClassVar[type[Codec]] = Texts

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        return tags

    def _head(self, codec: Texts) -> Head:
        return Tokens(codec.n_tokens)

    def _learn_codec(self, sequences: list) -> Codec:
        return Texts.learn(sequences, min_count=self.min_count)
