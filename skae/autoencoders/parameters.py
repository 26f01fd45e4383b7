"""Parameters that all autoencoders have."""

from typing import Literal

from skae.common.annotations import (
    Activation,
    Auto,
    Bounds,
    Density,
    Dropout,
    Half,
    Module,
    Shape,
    Share,
    Sizes,
)
from skae.common.parameters import estimator


@estimator()
class ModelParameters:
    """Parameters of the chain."""

    hidden_layer_sizes: Auto | Sizes = "auto"
    """The number of units of every hidden layer of the encoder, which the decoder mirrors. "auto"
    is (128, 128); an empty tuple makes a linear autoencoder. With `image_shape`, the number of
    channels of every convolution, each of which halves height and width; "auto" is then (16, 32).
    Behind a dense layer of more than 128 units the learning rate is divided by their number over
    128.
    """

    activation: Activation = "gelu"
    """The activation of the hidden layers."""

    dropout: Dropout = 0.0
    """The share of the hidden units that every training step leaves out, in [0, 1)."""

    image_shape: Shape | None = None
    """The shape of the images, (height, width) or (channels, height, width), if rows are flattened
    images; the deep paths are then convolutional. None for other rows."""

    encoder: Module | None = None
    """A custom module from (n, n_features) or, with `image_shape`, (n, channels, height, width) to
    (n, n_components). It is copied, and its training starts at its present weights; `init` then has
    no effect. None builds an encoder from the parameters above."""

    decoder: Module | None = None
    """A custom module from (n, n_components) to the input of the encoder; see `encoder`."""

    likelihood: Literal["auto", "gaussian", "bernoulli", "continuous_bernoulli"] = "auto"
    """The distribution of a row given its code: Gaussian around the decoder's output with one
    variance or, for values in [0, 1], Bernoulli or continuous Bernoulli, parametrised by the
    decoder's logits. "auto" is "bernoulli" if every value is 0 or 1, else "gaussian"."""

    bounds: Auto | Bounds | None = "auto"
    """The smallest and the largest value of the columns, to which reconstructions under a Gaussian
    likelihood are clipped, in training by a straight-through estimator; None, for either end or for
    both, is no bound. "auto" takes an extreme of a column as its bound where at least 10 % of the
    rows, and at least 5, hold it."""

    mask_fraction: Auto | Half = "auto"
    """The mean share of the cells of a table, in [0, 0.5], that are masked in training, so that the
    encoder learns to impute them; "auto" is 0.2. For rows with labels, times or missing cells."""

    keep_dependencies: bool = True
    """Whether what held between columns in every row of `fit`, by more than chance, also holds in
    samples and in imputed cells: columns that fix others, sums and products, orders, columns that
    are never equal, cells that are empty where another column says so. They are found among the
    first 64 columns and listed in `dependencies_`."""


@estimator(fixes_model=False)
class FitParameters:
    """Parameters of `fit` beside those of the training."""

    prior: Literal["gmm", "normal", "posterior"] | Density = "gmm"
    """The density of the codes that `sample` draws from, fitted at the end of `fit`: "gmm" is a
    Gaussian mixture of up to ten components, "normal" a single Gaussian, "posterior" the codes of
    at most 50,000 training rows themselves; or any estimator with `fit` and `sample`. An estimator
    without `random_state` is seeded by the global generators of numpy and torch, whose states are
    restored."""

    validation_fraction: Auto | Share = "auto"
    """The share of the rows that early stopping holds out, in (0, 1). "auto" is a tenth, or 20 rows
    where these are more, but at most a quarter."""

    warm_start: bool = False
    """Whether `fit` continues from the weights of the last fit. The parameters that determine the
    networks and the likelihood must then be the same."""
