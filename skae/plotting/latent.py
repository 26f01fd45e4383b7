"""LatentDisplay: the plane of two components of the code."""

from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from skae.common.sklearn_private import check_matplotlib_support
from skae.plotting.drawing import as_array, as_images, make_axes

# The largest number of labels with a legend.
_MOST_CLASSES = 20
# The number of images along each side if no rows are drawn.
_N_IMAGES = 15
# The number of draws from the prior whose quantiles bound the images.
_N_CODES = 2000
_RANGE = (0.025, 0.975)
_NOT_CODES = "LatentDisplay draws components that are numbers, but 'transform' gives others."
_NOT_IMAGES = (
    "LatentDisplay draws decoded images, but codes decode to columns that are not all numbers. "
    "Give rows as X and leave 'n_images' at its default."
)


class LatentDisplay:
    """The plane of two components of the code: the codes of rows, and decoded images.

    Parameters
    ----------
    codes : ndarray of shape (n_rows, 2) or None
        The two components; None draws no rows.
    labels : ndarray of shape (n_rows,) or None
        The labels to colour the rows by: up to twenty different ones get a legend, more a colour
        bar.
    names : tuple of str
        The names of the two components.
    manifold : ndarray of shape (n, n, height, width) or (n, n, height, width, channels), optional
        The decoded images of evenly spaced codes, in ascending order of both components; None draws
        none.
    extent : tuple of float, optional
        The range of the images: the smallest and the largest value of the first component, then of
        the second.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of the axes.
    scatter_ : matplotlib PathCollection
        The points, if rows were drawn.
    image_ : matplotlib AxesImage
        The decoded images, if there are any.

    See Also
    --------
    LossCurveDisplay : The loss of every epoch.
    ReconstructionDisplay : Rows above their reconstructions.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from skae import AutoencoderTransformer
    >>> from skae.plotting import LatentDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> autoencoder = AutoencoderTransformer(n_components=2, random_state=0).fit(X)
    >>> LatentDisplay.from_estimator(autoencoder, X, y)
    <...>
    >>> plt.show()
    """

    def __init__(
        self, *, codes: Any, labels: Any, names: Any, manifold: Any = None, extent: Any = None
    ) -> None:
        self.codes = codes
        self.labels = labels
        self.names = names
        self.manifold = manifold
        self.extent = extent

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        y: Any = None,
        *,
        components: Any = (0, 1),
        n_images: int | None = None,
        image_shape: Any = None,
        ax: Any = None,
    ) -> Self:
        """Draw the codes of rows, decoded images, or both.

        Parameters
        ----------
        estimator : transformer
            A fitted transformer with at least two components.
        X : array-like of shape (n_rows, n_features), default=None
            The rows; None draws only images.
        y : array-like of shape (n_rows,), default=None
            The labels to colour the rows by.
        components : tuple of two int, default=(0, 1)
            The components to draw.
        n_images : int, default=None
            The number of codes to decode along each side, between the 2.5 % and the 97.5 % quantile
            of the prior; the other components are at their mean. For autoencoders of images. None
            is 0, or 15 without rows.
        image_shape : tuple of int, default=None
            The shape of an image; None takes the estimator's own.
        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a new figure.

        Returns
        -------
        display : LatentDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        if X is None and y is not None:
            raise ValueError("'y' colours rows, but there are none: 'X' is None.")
        names = estimator.get_feature_names_out()
        if len(components) != 2 or not set(components) <= set(range(len(names))):
            raise ValueError(
                f"'components' must be two numbers in the range [0, {len(names)}), the number "
                f"of components of the code. Got {components!r}."
            )
        n_images = (_N_IMAGES if X is None else 0) if n_images is None else n_images
        check_scalar(n_images, "n_images", Integral, min_val=1 if X is None else 0)
        manifold, extent = None, None
        if n_images:
            shape = image_shape or getattr(estimator, "image_shape", None)
            manifold, extent = _manifold(estimator, list(components), n_images, shape)
        codes = (
            None if X is None else as_array(estimator.transform(X), _NOT_CODES)[:, list(components)]
        )
        display = cls(
            codes=codes,
            labels=None if y is None else _labels_of(y, codes),
            names=tuple(names[c] for c in components),
            manifold=manifold,
            extent=extent,
        )
        return display.plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the images and the codes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a new figure.

        Returns
        -------
        display : LatentDisplay
            The display.
        """
        self.ax_, self.figure_ = make_axes(ax)
        if self.manifold is not None:
            self._plot_manifold()
        if self.codes is not None:
            self._plot_codes()
        self.ax_.set(xlabel=self.names[0], ylabel=self.names[1])
        return self

    def _plot_manifold(self) -> None:
        frame = [(0, 0), (0, 0), (1, 1), (1, 1), (0, 0)][: self.manifold.ndim]
        tiles = np.pad(self.manifold, frame, constant_values=self.manifold.min())
        mosaic = np.concatenate(np.concatenate(tiles[::-1], axis=1), axis=1)
        self.image_ = self.ax_.imshow(mosaic, extent=self.extent, aspect="auto", cmap="gray")

    def _plot_codes(self) -> None:
        classes, index = (None, None) if self.labels is None else _classes(self.labels)
        colours = self.labels if index is None else index
        cmap = None if classes is None else f"tab{10 if len(classes) <= 10 else 20}"
        self.scatter_ = self.ax_.scatter(*self.codes.T, c=colours, cmap=cmap, s=12, alpha=0.8)
        if classes is not None:
            handles, _ = self.scatter_.legend_elements(num=None)
            self.ax_.legend(handles, classes, loc="center left", bbox_to_anchor=(1, 0.5))
        elif colours is not None:
            self.figure_.colorbar(self.scatter_, ax=self.ax_)


def _manifold(
    estimator: Any, components: list[int], n_images: int, image_shape: Any
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Return the images of codes on a grid, and the range of the grid."""
    if image_shape is None:
        raise ValueError(
            "'image_shape' must be given to draw what codes decode to, as (height, width) or "
            "(channels, height, width)."
        )
    codes = estimator.prior_.sample(_N_CODES, 0)
    low, high = np.quantile(codes[:, components], _RANGE, axis=0)
    middle = (np.arange(n_images) + 0.5) / n_images
    first, second = (low[i] + (high[i] - low[i]) * middle for i in range(2))
    grid = np.tile(codes.mean(0), (n_images, n_images, 1))
    grid[..., components[0]], grid[..., components[1]] = first[None, :], second[:, None]
    rows = as_array(estimator.inverse_transform(grid.reshape(n_images**2, -1)), _NOT_IMAGES)
    images = as_images(rows, image_shape)
    images = images.reshape(n_images, n_images, *images.shape[1:])
    return images, (low[0], high[0], low[1], high[1])


def _labels_of(y: Any, codes: np.ndarray | None) -> np.ndarray:
    """Return the labels of rows; raise ValueError if they are not one for each row."""
    labels = np.asarray(y)
    n_rows = 0 if codes is None else len(codes)
    if labels.shape != (n_rows,):
        raise ValueError(
            f"'y' must hold one label for each of the {n_rows} rows. Got shape {labels.shape}."
        )
    if pd.isna(labels).any():
        raise ValueError("'y' must hold no missing labels. Got None or NaN.")
    return labels


def _classes(labels: Any) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the unique labels and the index of every row's label, or None if they are many."""
    classes, index = np.unique(labels, return_inverse=True)
    if len(classes) <= _MOST_CLASSES:
        return classes, index
    if not np.issubdtype(labels.dtype, np.number):
        raise ValueError(
            f"'y' must hold numbers or at most {_MOST_CLASSES} different labels. "
            f"Got {len(classes)} labels."
        )
    return None, None
