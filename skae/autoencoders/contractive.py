"""ContractiveAE: an autoencoder with a penalty on the derivative of its code."""

import math
from dataclasses import field, replace
from typing import Literal

from skae.autoencoders.deterministic import DeterministicAutoencoder
from skae.building.recipe import Facts, Recipe
from skae.common.annotations import (
    Activation,
    Auto,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Share,
    Sizes,
)
from skae.common.parameters import estimator
from skae.nn.bottlenecks import Activated
from skae.nn.penalties import Contraction
from skae.training.schedule import unless_auto

# The strength of the penalty that "auto" stands for, per root of the number of columns: as much as
# costs about a twentieth of the reconstruction error on the development sets.
_STRENGTH = 0.05


@estimator()
class ContractiveAE(DeterministicAutoencoder):
    r"""Contractive autoencoder: the code varies only along directions in which the rows vary.

    The loss of a row has a penalty on the derivative of its code,

    .. math:: -\log p(x \mid z) + \lambda \lVert \partial z / \partial x \rVert_F^2,

    so the code is insensitive to all directions except those that reconstruction needs, along which
    the rows vary. The units of the code have the activation of the hidden layers, and encoder and
    decoder share their weights; otherwise a small code with a large decoder would cost nothing.

    See Also
    --------
    AutoencoderTransformer : The plain autoencoder.
    DenoisingAE : Contracts the code as well, by noise.

    References
    ----------
    Rifai, S., Vincent, P., Muller, X., Glorot, X. and Bengio, Y. (2011). Contractive auto-encoders:
    explicit invariance during feature extraction. International Conference on Machine Learning.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import ContractiveAE
    >>> X = load_digits().data / 16
    >>> autoencoder = ContractiveAE(64, max_epochs=20, random_state=0).fit(X)
    >>> autoencoder.transform(X).shape
    (1797, 64)
    """

    n_components: PositiveInt | Share = field(default=32, kw_only=False)
    """The number of units of the code. For a float in (0, 1), it is the smallest number of
    principal components that together explain more than this share of the variance."""

    strength: Auto | NonNegativeFloat = "auto"
    """The factor of the penalty; the other term of the loss is half the squared error of a row, in
    units of the mean variance of a column. "auto" is 0.05 times the root of the number of
    columns; less where the code has more units than that, by the square of the ratio."""

    hidden_layer_sizes: Auto | Sizes = ()
    """The number of units of every hidden layer of the encoder, which the decoder mirrors. By
    default there is no hidden layer, and the penalty is computed in closed form; otherwise it is
    estimated without bias, from one random direction of the code per step. "auto" is (128, 128),
    or, with `image_shape`, (16, 32) channels."""

    activation: Activation = "logistic"
    """The activation of the hidden layers and of the code."""

    tied_weights: bool = True

    learning_rate: PositiveFloat = 0.03

    init: Literal["random", "greedy", "rbm"] = "random"
    """The initial weights: random orthogonal ones ("random"), or those of a layer-wise pre-training
    as autoencoders ("greedy") or as restricted Boltzmann machines ("rbm")."""

    def _recipe(self, facts: Facts) -> Recipe:
        n_components = facts.pca.number_for(self.n_components)
        recipe = self._plain_recipe(facts, n_components, Activated(self.activation))
        columns_per_unit = min(1.0, facts.n_columns / n_components)
        by_rule = _STRENGTH * math.sqrt(facts.n_columns) * columns_per_unit**2
        strength = unless_auto(self.strength, by_rule)
        return replace(recipe, penalty=Contraction(strength), has_variance=True)
