"""ReconstructionDisplay: rows above their reconstructions."""

from itertools import cycle
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skae.common.sklearn_private import check_matplotlib_support
from skae.plotting.drawing import as_array, as_images

_NOT_LINES = (
    "ReconstructionDisplay draws columns of numbers, but X has others. Select the columns of "
    "numbers, or print X beside estimator.reconstruct(X)."
)

# The original, and its reconstructions.
_STYLES = "-", "--", ":", "-."


class ReconstructionDisplay:
    """Rows above their reconstructions by autoencoders or other transformers.

    Images are drawn as images; other rows as lines over the columns, and cases of series as a line
    for each channel over time.

    Parameters
    ----------
    rows : dict of str to ndarray of shape (n_rows, n_features) or list
        The rows and their reconstructions, by name, from top to bottom; of series, a list of arrays
        of shape (n_channels, n_timepoints_i).
    image_shape : tuple of int or None
        The shape of an image, (height, width) or (channels, height, width); None draws lines.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    LossCurveDisplay : The loss of every epoch.
    LatentDisplay : Rows in the plane of two components.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from skae import AutoencoderTransformer
    >>> from skae.plotting import ReconstructionDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> transformers = [PCA(8).fit(X), AutoencoderTransformer(8, max_epochs=5).fit(X)]
    >>> ReconstructionDisplay.from_estimator(transformers, X[:10], image_shape=(8, 8))
    <...>
    >>> plt.show()
    """

    def __init__(self, *, rows: Any, image_shape: Any) -> None:
        self.rows = rows
        self.image_shape = image_shape

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, image_shape: Any = None) -> Self:
        """Draw rows and their reconstructions.

        Parameters
        ----------
        estimator : transformer or list of them
            Fitted transformers with `inverse_transform`.
        X : array-like of shape (n_rows, n_features), or cases of series
            The rows, about ten. Series as `skae.SeriesAutoencoder` takes them.
        image_shape : tuple of int, default=None
            The shape of an image; None takes the estimator's own, if it has one.

        Returns
        -------
        display : ReconstructionDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        estimators = estimator if isinstance(estimator, (list, tuple)) else [estimator]
        rows = {"original": _as_rows(X)}
        for each in estimators:
            check_is_fitted(each)
            name = _new_name(type(each).__name__, rows)
            rows[name] = _as_rows(each.inverse_transform(each.transform(X)))
            image_shape = image_shape or getattr(each, "image_shape", None)
        return cls(rows=rows, image_shape=image_shape).plot()

    def plot(self) -> Self:
        """Draw the rows.

        Returns
        -------
        display : ReconstructionDisplay
            The display.
        """
        import matplotlib.pyplot as plt

        n_rows = len(self.rows["original"])
        if self.image_shape is None:
            self.figure_, self.axes_ = plt.subplots(
                n_rows, 1, squeeze=False, sharex=True, figsize=(8, 1 + 1.2 * n_rows)
            )
            self._plot_lines()
        else:
            self.figure_, self.axes_ = plt.subplots(
                len(self.rows), n_rows, squeeze=False, figsize=(1 + n_rows, 1 + len(self.rows))
            )
            self._plot_images()
        return self

    def _plot_lines(self) -> None:
        is_series = isinstance(self.rows["original"], list)
        for i, ax in enumerate(self.axes_[:, 0]):
            for style, (name, rows) in zip(cycle(_STYLES), self.rows.items(), strict=False):
                channels = np.atleast_2d(rows[i])
                for c, channel in enumerate(channels):
                    color = f"C{c}" if len(channels) > 1 else None
                    label = name if c == 0 else None
                    ax.plot(channel, label=label, linestyle=style, color=color)
        self.axes_[0, 0].legend(ncols=len(self.rows), loc="lower left", bbox_to_anchor=(0, 1))
        self.axes_[-1, 0].set_xlabel("Timepoint" if is_series else "Column")

    def _plot_images(self) -> None:
        low, high = self.rows["original"].min(), self.rows["original"].max()
        span = (high - low) or 1
        for axes, (name, rows) in zip(self.axes_, self.rows.items(), strict=True):
            images = as_images((rows - low) / span, self.image_shape)
            for ax, image in zip(axes, images, strict=True):
                ax.imshow(np.clip(image, 0, 1), cmap="gray", vmin=0, vmax=1)
                ax.set(xticks=[], yticks=[])
            axes[0].set_ylabel(name, rotation=0, ha="right", va="center")


def _as_rows(X: Any) -> Any:
    """Return rows as an array, and cases of series as a list of arrays."""
    if isinstance(X, pd.DataFrame) and isinstance(X.index, pd.MultiIndex):
        cases = X.groupby(level=0, sort=False)
        return [as_array(case.sort_index().T, _NOT_LINES) for _, case in cases]
    if isinstance(X, list) and {np.ndim(case) for case in X} == {2}:
        return [as_array(case, _NOT_LINES) for case in X]
    rows = as_array(X, _NOT_LINES)
    return list(rows) if rows.ndim == 3 else rows


def _new_name(name: str, taken: Any) -> str:
    """Return a name, with a number appended if it is taken."""
    names = (name, *(f"{name} {i}" for i in range(2, len(taken) + 2)))
    return next(each for each in names if each not in taken)
