"""DenoisingAE: an autoencoder that learns to undo a corruption."""

import warnings
from collections.abc import Callable
from dataclasses import field, replace
from typing import Annotated, Any, Literal, Self

from skae.autoencoders.deterministic import DeterministicAutoencoder
from skae.building.corruptions import hidden_masking, make_corruption, with_levels
from skae.building.recipe import Facts, Recipe
from skae.common.annotations import (
    Auto,
    Module,
    Named,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Share,
)
from skae.common.parameters import estimator
from skae.tables.containers import shape_of

Corruption = Literal[
    "auto", "swap", "masking", "gaussian", "salt_and_pepper", "blur", "grey", "patch"
]
Corruptions = Annotated[
    Corruption | Module | Callable | list | tuple,
    Named("str, module or callable, or list of them"),
]
Levels = Annotated[Auto | NonNegativeFloat | list | tuple, Named('"auto", float or list of them')]


@estimator()
class DenoisingAE(DeterministicAutoencoder):
    r"""Denoising autoencoder: it learns to undo a corruption of the rows.

    The encoder's input is corrupted with new noise in every step, and the decoder learns to
    reconstruct the clean rows,

    .. math:: \tilde x \sim q(\tilde x \mid x), \qquad z = e(\tilde x), \qquad x' = d(z),

    so the code captures the dependence between cells rather than the cells by themselves.
    `transform` encodes rows without corruption; `reconstruct` denoises them. The best weights are
    those with the smallest loss on validation rows, whose corruption is the same in every epoch.

    See Also
    --------
    AutoencoderTransformer : The plain autoencoder.

    References
    ----------
    Vincent, P., Larochelle, H., Lajoie, I., Bengio, Y. and Manzagol, P.-A. (2010). Stacked
    denoising autoencoders: learning useful representations in a deep network with a local
    denoising criterion. Journal of Machine Learning Research 11.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skae import DenoisingAE
    >>> X = load_digits().data / 16
    >>> noisy = X + 0.5 * np.random.default_rng(0).normal(size=X.shape)
    >>> autoencoder = DenoisingAE(
    ...     corruption="gaussian", corruption_level=0.5, max_epochs=20, random_state=0
    ... ).fit(X[:1500])
    >>> cleaned = autoencoder.reconstruct(noisy[1500:])
    >>> bool(((cleaned - X[1500:]) ** 2).mean() < 0.4 * ((noisy - X) ** 2).mean())
    True
    """

    n_components: PositiveInt | Share = field(default=32, kw_only=False)
    """The number of units of the code. For a float in (0, 1), it is the smallest number of
    principal components that together explain more than this share of the variance."""

    corruption: Corruptions = "auto"
    """The corruption of the encoder's input, or a list of corruptions that are applied in turn.

    - "auto": "swap"; none where `fit` is given pairs of rows and no `corruption_level` is given.
    - "swap": a share of the cells takes the value of another row.
    - "masking": a share of the cells is set to the mean of its column (to zero under a Bernoulli
      likelihood), or, in a table, masked.
    - "gaussian": normal noise is added, to the numbers of a table.
    - "salt_and_pepper": a share of the cells is set to the smallest or the largest value of X.
    - "blur": blocks of an image's pixels are set to their mean: super-resolution.
    - "grey": the channels of an image are set to their mean: colourisation.
    - "patch": a square of an image is set to zero: inpainting.

    The last three need `image_shape`, and the last four are for numbers only. So is a custom module
    or callable, which maps rows of shape (n, n_features), in the units of X, to the same shape."""

    corruption_level: Levels = "auto"
    """The amount of corruption: for "swap", "masking" and "salt_and_pepper" the share of the cells,
    by default 0.15, 0.25 and 0.3; for "gaussian" the standard deviation, in units of X or, in a
    table, of that of the column, by default half the root of the mean variance; for "blur" the
    height of a block, by default 2 pixels; for "patch" the height of the square, by default a third
    of the image's. A list has one level for each of a list of corruptions."""

    clean: Literal["X", "y"] = "X"
    """Which rows are clean: "X", those of X, whose corruption the autoencoder learns to undo, or
    "y": `fit` is given pairs of a corrupted row in X and a clean one in y."""

    learning_rate: PositiveFloat = 0.006

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the autoencoder to rows, or to pairs of a corrupted row and a clean one.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows to learn from.
        y : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features) or None
            The clean rows if ``clean="y"``: the decoder learns to reconstruct them from X, which
            `corruption` corrupts further if it is not "auto". Ignored otherwise.
        sample_weight : array-like of shape (n_samples,), default=None
            The weight of every row; None for weights of one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return super().fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train for one pass over rows or pairs, at a constant learning rate.

        The first call learns the centre, scale and range of the columns, and the principal
        components to start from: give it a representative sample. No rows are held out, and the
        weights of the last step are kept. `noise_variance_` and `prior_` are those of the rows of
        the last call.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The next rows to learn from.
        y : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features) or None
            The clean rows if ``clean="y"``, as in `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            The weight of every row; None for weights of one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return super().partial_fit(X, y, sample_weight)

    def _recipe(self, facts: Facts) -> Recipe:
        n_components = facts.pca.number_for(self.n_components)
        corruptions = self._corruptions(has_pairs=facts.has_pairs)
        masking = hidden_masking(corruptions)
        recipe = self._plain_recipe(facts, n_components, hidden_masking=masking)
        if not corruptions:
            return recipe
        corruption = make_corruption(corruptions, facts, self.image_shape)
        return replace(recipe, corruption=corruption)

    def _corruptions(self, *, has_pairs: bool) -> list:
        """Return pairs of corruption and level, in the order of their application."""
        if not isinstance(self.corruption, str) or self.corruption != "auto":
            return with_levels(self.corruption, self.corruption_level)
        if has_pairs and self.corruption_level == "auto":
            return []
        return with_levels("swap", self.corruption_level)

    def _targets_of(self, X: Any, y: Any) -> Any:
        if self.clean == "y":
            return self._clean_rows(X, y)
        if y is not None and len(shape_of(y)) == 2 and shape_of(y) == shape_of(X):
            warnings.warn(
                "y has the shape of X and is ignored. If it holds the clean rows, set clean='y'.",
                stacklevel=5,
            )
        return None

    def _clean_rows(self, X: Any, y: Any) -> Any:
        """Return the rows that are to be found, or say what is wrong with them."""
        if y is None:
            raise ValueError("The 'clean' parameter is 'y', so fit needs y. Got None.")
        if shape_of(y) != shape_of(X):
            raise ValueError(
                f"The 'clean' parameter is 'y', so y must hold a clean row for each row of X, of "
                f"shape {shape_of(X)}. Got shape {shape_of(y)}."
            )
        return y
