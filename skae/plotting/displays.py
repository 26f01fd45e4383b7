"""Displays of fitted autoencoders, made as scikit-learn's displays are."""

import numpy as np
from scipy import sparse
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import check_is_fitted

from skae.tables.containers import unwrap

_MOST_CLASSES = 20
_DRAWABLE_CHANNELS = (1, 3, 4)
_N_IMAGES = 15
_N_CODES = 2000
_RANGE = (0.025, 0.975)
_LONGEST = 24
_NOT_LINES = (
    "ReconstructionDisplay draws columns of numbers, but X has others. Select the columns of "
    "numbers, or print X beside estimator.reconstruct(X)."
)
_NOT_CODES = "LatentDisplay draws components that are numbers, but 'transform' gives others."
_NOT_IMAGES = (
    "LatentDisplay draws decoded images, but codes decode to columns that are not all numbers. "
    "Give rows as X and leave 'n_images' at its default."
)


class LossCurveDisplay:
    """The loss of every epoch.

    Parameters
    ----------
    train_loss : list of float
        The mean loss of the training rows, by epoch, in nats.
    validation_loss : list of float or None
        The mean loss of the held-out rows, by epoch; None where none were.
    best_epoch : int
        The epoch whose weights were kept; 0 is the start.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        The curves.

    See Also
    --------
    ReconstructionDisplay : Rows above their reconstructions.
    LatentDisplay : Rows in the plane of two components.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from skae import AutoencoderTransformer
    >>> from skae.plotting import LossCurveDisplay
    >>> X, _ = load_iris(return_X_y=True)
    >>> autoencoder = AutoencoderTransformer(n_components=2, random_state=0).fit(X)
    >>> LossCurveDisplay.from_estimator(autoencoder)
    <...>
    >>> plt.show()
    """

    def __init__(self, *, train_loss, validation_loss, best_epoch):
        self.train_loss = train_loss
        self.validation_loss = validation_loss
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the loss curves of a fitted autoencoder.

        Parameters
        ----------
        estimator : autoencoder
            The fitted autoencoder.
        ax : matplotlib Axes, default=None
            What to draw on; None makes a new figure.

        Returns
        -------
        display : LossCurveDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        display = cls(
            train_loss=estimator.loss_curve_,
            validation_loss=estimator.validation_loss_curve_,
            best_epoch=getattr(estimator, "best_epoch_", None),
        )
        return display.plot(ax=ax)

    def plot(self, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            What to draw on; None makes a new figure.

        Returns
        -------
        display : LossCurveDisplay
            The display.
        """
        self.ax_, self.figure_ = _axes(ax)
        epochs = np.arange(1, len(self.train_loss) + 1)
        self.lines_ = self.ax_.plot(epochs, self.train_loss, label="training rows")
        if self.validation_loss is not None:
            self.lines_ += self.ax_.plot(epochs, self.validation_loss, label="held-out rows")
        if self.best_epoch is not None:
            self.ax_.axvline(self.best_epoch, color="grey", linestyle=":", label="weights kept")
        self.ax_.set(xlabel="Epoch", ylabel="Loss (nats per row)")
        self.ax_.legend()
        return self


class ExplanationDisplay:
    """What makes rows odd: the columns with the largest shares of their surprisals.

    Parameters
    ----------
    explanation : pandas.DataFrame
        What `AEOutlierDetector.explain` returned.
    surprisals : array-like of shape (n_rows,)
        Minus the scores of the rows, in nats.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    bars_ : matplotlib BarContainer
        The shares, from top to bottom.

    See Also
    --------
    skae.AEOutlierDetector : Outlier detector with explanations.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from skae import AEOutlierDetector
    >>> from skae.plotting import ExplanationDisplay
    >>> X = load_iris(as_frame=True).data
    >>> detector = AEOutlierDetector(max_epochs=20, random_state=0).fit(X)
    >>> ExplanationDisplay.from_estimator(detector, X[:2])
    <...>
    >>> plt.show()
    """

    def __init__(self, *, explanation, surprisals):
        self.explanation = explanation
        self.surprisals = surprisals

    @classmethod
    def from_estimator(cls, estimator, X, *, top=3, ax=None):
        """Draw why a fitted detector finds rows odd.

        Parameters
        ----------
        estimator : AEOutlierDetector
            The fitted detector.
        X : {array-like, tensor, dataframe} of shape (n_samples, n_features)
            The rows, a few.
        top : int or None, default=3
            How many columns to draw for a row; None draws all.
        ax : matplotlib Axes, default=None
            What to draw on; None makes a new figure.

        Returns
        -------
        display : ExplanationDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        explanation = estimator.explain(X, top=top)
        return cls(explanation=explanation, surprisals=-estimator.score_samples(X)).plot(ax=ax)

    def plot(self, ax=None):
        """Draw a bar for every line of the explanation, those of a row together.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            What to draw on; None makes a new figure.

        Returns
        -------
        display : ExplanationDisplay
            The display.
        """
        n_bars = len(self.explanation) // len(self.surprisals)
        rows = np.arange(len(self.explanation)) // n_bars
        heights = np.arange(len(rows)) + rows
        size = (8, 1 + 0.3 * (heights[-1] + 1))
        self.ax_, self.figure_ = _axes(ax, figsize=size, layout="constrained")
        colours = np.where(rows % 2 == 0, "tab:blue", "tab:orange")
        self.bars_ = self.ax_.barh(heights, self.explanation["share"], color=colours)
        self.ax_.set_yticks(heights, [_reason(line) for line in self.explanation.itertuples()])
        for first, surprisal in zip(range(0, len(rows), n_bars), self.surprisals, strict=True):
            name = self.explanation["row"].iloc[first]
            text = f"row {name}: {surprisal:.1f} nats in all"
            self.ax_.text(0, heights[first] - 0.7, text, va="center", fontweight="bold")
        self.ax_.set_ylim(heights[-1] + 0.7, -1.3)
        self.ax_.set_xlabel("Share of the surprisal (nats)")
        return self


class ReconstructionDisplay:
    """Rows above what autoencoders, or other transformers, make of them.

    Images are drawn as images; other rows as lines over the columns.

    Parameters
    ----------
    rows : dict of str to ndarray of shape (n_rows, n_features)
        The rows and their reconstructions, by name, from top to bottom.
    image_shape : tuple of int or None
        (height, width) or (channels, height, width); None draws lines.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.

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

    def __init__(self, *, rows, image_shape):
        self.rows = rows
        self.image_shape = image_shape

    @classmethod
    def from_estimator(cls, estimator, X, *, image_shape=None):
        """Draw rows and their reconstructions.

        Parameters
        ----------
        estimator : transformer or list of them
            Fitted transformers with `inverse_transform`.
        X : array-like of shape (n_rows, n_features)
            The rows; ten or so.
        image_shape : tuple of int, default=None
            The shape of an image; None takes the estimator's own, if it has one.

        Returns
        -------
        display : ReconstructionDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        estimators = estimator if isinstance(estimator, (list, tuple)) else [estimator]
        rows = {"original": _as_array(X, _NOT_LINES)}
        for each in estimators:
            check_is_fitted(each)
            name = _new_name(type(each).__name__, rows)
            rows[name] = _as_array(each.inverse_transform(each.transform(X)), _NOT_LINES)
            image_shape = image_shape or getattr(each, "image_shape", None)
        return cls(rows=rows, image_shape=image_shape).plot()

    def plot(self):
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

    def _plot_lines(self):
        for i, ax in enumerate(self.axes_[:, 0]):
            for name, rows in self.rows.items():
                ax.plot(rows[i], label=name, linestyle="-" if name == "original" else "--")
        self.axes_[0, 0].legend(ncols=len(self.rows), loc="lower left", bbox_to_anchor=(0, 1))
        self.axes_[-1, 0].set_xlabel("Column")

    def _plot_images(self):
        low, high = self.rows["original"].min(), self.rows["original"].max()
        span = (high - low) or 1
        for axes, (name, rows) in zip(self.axes_, self.rows.items(), strict=True):
            images = _as_images((rows - low) / span, self.image_shape)
            for ax, image in zip(axes, images, strict=True):
                ax.imshow(np.clip(image, 0, 1), cmap="gray", vmin=0, vmax=1)
                ax.set(xticks=[], yticks=[])
            axes[0].set_ylabel(name, rotation=0, ha="right", va="center")


class LatentDisplay:
    """The plane of two components of the code: the codes of rows, and what the plane decodes to.

    Parameters
    ----------
    codes : ndarray of shape (n_rows, 2) or None
        The two components; None draws no rows.
    labels : ndarray of shape (n_rows,) or None
        What to colour the rows by: up to twenty different labels get a legend, more a colour bar.
    names : tuple of str
        The names of the two components.
    manifold : ndarray of shape (n, n, height, width) or (n, n, height, width, channels), optional
        Images of evenly spaced codes, from the smallest of both components on; None draws none.
    extent : tuple of float, optional
        The plane that they cover: the smallest and the largest of both components.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    scatter_ : matplotlib PathCollection
        The points, if rows were drawn.
    image_ : matplotlib AxesImage
        The decoded images, if they were.

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

    def __init__(self, *, codes, labels, names, manifold=None, extent=None):
        self.codes = codes
        self.labels = labels
        self.names = names
        self.manifold = manifold
        self.extent = extent

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        y=None,
        *,
        components=(0, 1),
        n_images=None,
        image_shape=None,
        ax=None,
    ):
        """Draw the codes of rows, or the images that the plane decodes to, or both.

        Parameters
        ----------
        estimator : transformer
            A fitted transformer with at least two components.
        X : array-like of shape (n_rows, n_features), default=None
            The rows; None draws only images.
        y : array-like of shape (n_rows,), default=None
            What to colour the rows by.
        components : tuple of two int, default=(0, 1)
            The components to draw.
        n_images : int, default=None
            How many codes to decode along each side, between the 2.5 % and the 97.5 % quantile of
            the prior; the other components keep their mean. For autoencoders of images. None is
            none, or 15 without rows.
        image_shape : tuple of int, default=None
            The shape of an image; None takes the estimator's own.
        ax : matplotlib Axes, default=None
            What to draw on; None makes a new figure.

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
        manifold, extent = None, None
        if n_images:
            shape = image_shape or getattr(estimator, "image_shape", None)
            manifold, extent = _manifold(estimator, list(components), n_images, shape)
        codes = (
            None
            if X is None
            else _as_array(estimator.transform(X), _NOT_CODES)[:, list(components)]
        )
        display = cls(
            codes=codes,
            labels=None if y is None else np.asarray(y),
            names=tuple(names[c] for c in components),
            manifold=manifold,
            extent=extent,
        )
        return display.plot(ax=ax)

    def plot(self, ax=None):
        """Draw the images and the codes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            What to draw on; None makes a new figure.

        Returns
        -------
        display : LatentDisplay
            The display.
        """
        self.ax_, self.figure_ = _axes(ax)
        if self.manifold is not None:
            self._plot_manifold()
        if self.codes is not None:
            self._plot_codes()
        self.ax_.set(xlabel=self.names[0], ylabel=self.names[1])
        return self

    def _plot_manifold(self):
        frame = [(0, 0), (0, 0), (1, 1), (1, 1), (0, 0)][: self.manifold.ndim]
        tiles = np.pad(self.manifold, frame, constant_values=self.manifold.min())
        mosaic = np.concatenate(np.concatenate(tiles[::-1], axis=1), axis=1)
        self.image_ = self.ax_.imshow(mosaic, extent=self.extent, aspect="auto", cmap="gray")

    def _plot_codes(self):
        classes, index = (None, None) if self.labels is None else _classes(self.labels)
        colours = self.labels if index is None else index
        cmap = None if classes is None else f"tab{10 if len(classes) <= 10 else 20}"
        self.scatter_ = self.ax_.scatter(*self.codes.T, c=colours, cmap=cmap, s=12, alpha=0.8)
        if classes is not None:
            handles, _ = self.scatter_.legend_elements(num=None)
            self.ax_.legend(handles, classes, loc="center left", bbox_to_anchor=(1, 0.5))
        elif colours is not None:
            self.figure_.colorbar(self.scatter_, ax=self.ax_)


def _manifold(estimator, components, n_images, image_shape):
    """Return the images of codes on a grid, and the plane that they cover."""
    if image_shape is None:
        raise ValueError(
            "'image_shape' must be given to draw what codes decode to, as (height, width) or "
            "(channels, height, width)."
        )
    codes = estimator.prior_.sample(_N_CODES, 0)
    low, high = np.quantile(codes[:, components], _RANGE, axis=0)
    middle = (np.arange(n_images) + 0.5) / n_images
    along, up = (low[i] + (high[i] - low[i]) * middle for i in range(2))
    grid = np.tile(codes.mean(0), (n_images, n_images, 1))
    grid[..., components[0]], grid[..., components[1]] = along[None, :], up[:, None]
    rows = _as_array(estimator.inverse_transform(grid.reshape(n_images**2, -1)), _NOT_IMAGES)
    images = _as_images(rows, image_shape)
    images = images.reshape(n_images, n_images, *images.shape[1:])
    return images, (low[0], high[0], low[1], high[1])


def _axes(ax, **options):
    import matplotlib.pyplot as plt

    ax = plt.subplots(**options)[1] if ax is None else ax
    return ax, ax.figure


def _reason(line):
    """Return what a line of an explanation says."""
    return f"{line.column} = {_short(line.value)}, expected {_short(line.expected)}"


def _short(value):
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _classes(labels):
    """Return the different labels and every row's index among them, if they are few."""
    classes, index = np.unique(labels, return_inverse=True)
    if len(classes) <= _MOST_CLASSES:
        return classes, index
    if not np.issubdtype(labels.dtype, np.number):
        raise ValueError(
            f"'y' must hold numbers or at most {_MOST_CLASSES} different labels. "
            f"Got {len(classes)} labels."
        )
    return None, None


def _new_name(name, taken):
    """Return a name, with a number where it is taken."""
    names = (name, *(f"{name} {i}" for i in range(2, len(taken) + 2)))
    return next(each for each in names if each not in taken)


def _as_array(rows, otherwise):
    """Return rows of any container as a dense array of numbers, or say what else to do."""
    rows = unwrap(rows)
    rows = rows.toarray() if sparse.issparse(rows) else np.asarray(rows)
    if rows.dtype.kind not in "buif":
        raise ValueError(otherwise)
    return rows


def _as_images(rows, image_shape):
    """Return rows as images of shape (height, width) or (height, width, channels)."""
    if len(image_shape) == 2:
        return rows.reshape(-1, *image_shape)
    if image_shape[0] not in _DRAWABLE_CHANNELS:
        raise ValueError(
            f"Images of {image_shape[0]} channels cannot be drawn: 'image_shape' must have 1, 3 "
            f"or 4. Got {image_shape!r}."
        )
    images = rows.reshape(-1, *image_shape).transpose(0, 2, 3, 1)
    return images[..., 0] if images.shape[-1] == 1 else images
