"""Codes of rows with what is known of them: columns to colour by, images, text."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any, Literal

import narwhals as nw
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted

from skae.common.sklearn_private import take_rows
from skae.plotting.drawing import as_array, as_images
from skae.tables.containers import shape_of

# The side of a picture that TensorBoard reads, in pixels.
_MOST_PIXELS = 8192
_NOT_CODES = "Codes are shown that are numbers, but 'transform' gives others."
_NOT_IMAGES = "The 'image_shape' parameter is for rows that are numbers, and X holds others."


@dataclass(frozen=True)
class Codes:
    """Codes of rows, and what is known of the rows.

    Attributes
    ----------
    codes : ndarray of shape (n_rows, n_components)
        The codes.
    columns : DataFrame of shape (n_rows, n_columns)
        What is known of each row.
    images : ndarray of shape (n_rows, height, width) or (n_rows, height, width, 3), or None
        The rows as images, in [0, 1].
    """

    codes: np.ndarray
    columns: pd.DataFrame
    images: np.ndarray | None

    @classmethod
    def of(
        cls,
        estimator: Any,
        X: Any,
        columns: Any,
        image_shape: Sequence[int] | None,
        max_points: int,
        random_state: Any,
    ) -> "Codes":
        """Return the codes of rows, or of a sample of them."""
        check_is_fitted(estimator)
        known = _frame_of(columns, X)
        check_consistent_length(X, known)
        n_rows = len(known)
        if n_rows > max_points:
            rng = check_random_state(random_state)
            places = np.sort(rng.choice(n_rows, max_points, replace=False))
            X, known = take_rows(X, places), known.iloc[places]
        codes = as_array(estimator.transform(X), _NOT_CODES).astype(float)
        images = None if image_shape is None else _images_of(X, image_shape)
        return cls(codes, known.reset_index(drop=True), images)

    def reduced(
        self, n_dimensions: int, by: Literal["components", "pca", "tsne"], random_state: Any
    ) -> np.ndarray:
        """Return the codes in fewer dimensions, zero in those that they have not."""
        codes = self.codes
        if codes.shape[1] > n_dimensions and by == "pca":
            codes = PCA(n_dimensions, random_state=random_state).fit_transform(codes)
        elif codes.shape[1] > n_dimensions and by == "tsne":
            perplexity = min(30.0, (len(codes) - 1) / 3)
            codes = TSNE(
                n_dimensions, init="pca", perplexity=perplexity, random_state=random_state
            ).fit_transform(codes)
        n_zero = max(0, n_dimensions - codes.shape[1])
        return np.pad(codes[:, :n_dimensions], [(0, 0), (0, n_zero)])

    def sprite(self) -> np.ndarray:
        """Return all images in one, row by row, in a square of images.

        Raises
        ------
        ValueError
            If it would have more pixels than TensorBoard reads.
        """
        assert self.images is not None
        n_rows, height, width, *colours = self.images.shape
        side = ceil(sqrt(n_rows))
        if side * max(height, width) > _MOST_PIXELS:
            raise ValueError(
                f"{n_rows} images of {height} x {width} pixels do not fit into {_MOST_PIXELS} x "
                f"{_MOST_PIXELS}. Give a smaller 'max_points'."
            )
        filled = np.zeros((side * side, height, width, *colours))
        filled[:n_rows] = self.images
        grid = filled.reshape(side, side, height, width, *colours).swapaxes(1, 2)
        return grid.reshape(side * height, side * width, *colours)


def _frame_of(columns: Any, X: Any) -> pd.DataFrame:
    """Return what is known of rows as a frame of pandas; of a frame of rows, its cells."""
    if columns is None:
        columns = X if _as_frame(X) is not None else pd.DataFrame({"row": range(shape_of(X)[0])})
    frame = _as_frame(columns)
    if frame is not None:
        return frame.to_pandas()
    series = nw.from_native(columns, allow_series=True, pass_through=True)
    is_series = isinstance(series, nw.Series)
    name = (series.name if is_series else None) or "label"
    return pd.DataFrame({name: series.to_list() if is_series else np.ravel(np.asarray(columns))})


def _as_frame(rows: Any) -> nw.DataFrame | None:
    frame = nw.from_native(rows, eager_only=True, pass_through=True)
    return frame if isinstance(frame, nw.DataFrame) else None


def _images_of(X: Any, image_shape: Sequence[int]) -> np.ndarray:
    """Return rows as images with values in [0, 1]; colours last."""
    images = as_images(as_array(X, _NOT_IMAGES).astype(float), image_shape)
    images = images[..., :3] if images.ndim == 4 else images
    low, high = images.min(), images.max()
    return (images - low) / (high - low if high > low else 1)
