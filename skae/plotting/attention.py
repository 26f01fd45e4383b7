"""AttentionDisplay: where images attend to the words of their texts."""

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skae.common.sklearn_private import check_matplotlib_support
from skae.plotting.drawing import as_array, as_images

_NOT_IMAGES = "AttentionDisplay draws images: X must hold columns of numbers."
# The most characters of a word that are written above it.
_WIDEST = 12


class AttentionDisplay:
    """Images, each beside its words: how much every place attends to each of them.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width) or (n_images, height, width, channels)
        The images.
    weights : ndarray of shape (n_images, n_high, n_wide, n_words)
        The attention of places to words, from 0 to 1.
    words : list of list of str
        The words of every image.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        The axes of the plot: a row for each image, and a column for each word behind the first.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    skae.ConditionalVAE : Its `attention` is what is drawn.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skae import ConditionalVAE
    >>> from skae.plotting import AttentionDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    >>> captions = [f"this is a {names[digit]}" for digit in y]
    >>> model = ConditionalVAE(4, image_shape=(8, 8), text="words", max_epochs=2, random_state=0)
    >>> model.fit(X[:200], captions[:200])
    ConditionalVAE(...)
    >>> AttentionDisplay.from_estimator(model, X[:2], captions[:2])
    <...>
    >>> plt.show()
    """

    def __init__(self, *, images: np.ndarray, weights: np.ndarray, words: list[list[str]]) -> None:
        self.images = images
        self.weights = weights
        self.words = words

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any) -> Self:
        """Draw what reconstructions of images attend to.

        Parameters
        ----------
        estimator : ConditionalVAE
            A fitted estimator whose images attend to words.
        X : array-like of shape (n_images, n_features)
            The images, a few.
        y : array-like of shape (n_images,), dataframe, or a text
            Their conditions.

        Returns
        -------
        display : AttentionDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        weights, words = estimator.attention(X, y)
        images = as_images(as_array(X, _NOT_IMAGES), estimator.image_shape)
        return cls(images=images, weights=weights, words=words).plot()

    def plot(self) -> Self:
        """Draw the images and the attention.

        Returns
        -------
        display : AttentionDisplay
            The display.
        """
        import matplotlib.pyplot as plt

        n_rows, n_columns = len(self.images), 1 + max(map(len, self.words))
        self.figure_, self.axes_ = plt.subplots(
            n_rows, n_columns, squeeze=False, figsize=(n_columns, 0.3 + 1.2 * n_rows)
        )
        low, high = float(self.images.min()), float(self.images.max())
        extent = (0, 1, 0, 1)
        for line, image, weights, words in zip(
            self.axes_, self.images, self.weights, self.words, strict=True
        ):
            for ax in line:
                ax.axis("off")
            shown = (image - low) / ((high - low) or 1)
            line[0].imshow(shown, cmap="gray", vmin=0, vmax=1, extent=extent)
            for place, (ax, word) in enumerate(zip(line[1:], words, strict=False)):
                share = weights[:, :, place]
                ax.imshow(share, cmap="viridis", vmin=0, vmax=1, extent=extent)
                ax.set_title(word[:_WIDEST], fontsize=8)
        return self
