"""SketchVAE: the variational autoencoder of drawings."""

from typing import ClassVar

from torch import nn

from skae.common.annotations import Dropout, PositiveInt
from skae.common.parameters import estimator
from skae.nn.sequence_heads import Head
from skae.nn.stroke_corruptions import ScaleAndDrop
from skae.nn.strokes import Strokes
from skae.sequences.base import SequenceVAE
from skae.sequences.codec import Codec
from skae.sequences.drawings import Drawings


@estimator()
class SketchVAE(SequenceVAE):
    r"""Variational autoencoder of drawings: sketch-rnn.

    A drawing is a sequence of points, each an offset from the one before and whether the pen is
    lifted behind it: the format stroke-3. A recurrent encoder reads it from both ends; the decoder
    draws point after point, each given the code and the points before,

    .. math:: p(x \mid z) = \prod_t p(s_t \mid h_t) \sum_j \pi_j(h_t)\,
              N\big((\Delta x_t, \Delta y_t) \mid \mu_j(h_t), \Sigma_j(h_t)\big),

    where :math:`s_t` is the state of the pen (down, lifted, or at the end of the drawing). Masked
    steps and free bits keep the decoder from doing without the code.

    See Also
    --------
    TextVAE : The same of short texts.
    VAETransformer : The same of tables and images.
    skae.sketches : Drawings from SVG files and polylines, and back.
    skae.plotting.SketchDisplay : A page of drawings.

    Notes
    -----
    Drawings of the same unit belong together: offsets are divided by one number for all, so that
    size is kept. About 30 points a drawing are best, and 200 too many: `skae.sketches.simplify`
    leaves out what is not seen. The order and the direction of strokes matter.

    References
    ----------
    Ha, D. and Eck, D. (2018). A neural representation of sketch drawings. ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from skae import SketchVAE
    >>> rng = np.random.default_rng(0)
    >>> zigzags = [
    ...     np.column_stack([np.ones(n), rng.normal(size=n), np.arange(1, n + 1) == n])
    ...     for n in rng.integers(3, 8, size=50)
    ... ]
    >>> model = SketchVAE(2, hidden_size=16, max_epochs=30, random_state=0).fit(zigzags)
    >>> model.transform(zigzags).shape
    (50, 2)
    >>> drawing = model.sample(random_state=0)[0]
    >>> drawing.shape[1], float(drawing[-1, 2])
    (3, 1.0)
    """

    n_mixtures: PositiveInt = 20
    """The number of bivariate normals that the offset of a point is a mixture of."""

    scale_noise: Dropout = 0.0
    """The largest relative change, in [0, 1), of the width and of the height of a drawing, which is
    drawn anew in every training step."""

    point_dropout: Dropout = 0.1
    """The share of the points within strokes that every training step leaves out, in [0, 1)."""

    _codec: ClassVar[type[Codec]] = Drawings

    def _head(self, codec: Drawings) -> Head:
        return Strokes(self.n_mixtures)

    def _learn_codec(self, sequences: list) -> Codec:
        return Drawings.learn(sequences)

    def _corruption(self) -> nn.Module:
        if not self.scale_noise and not self.point_dropout:
            return nn.Identity()
        return ScaleAndDrop(self.scale_noise, self.point_dropout)
