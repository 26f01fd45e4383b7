"""LossCurveDisplay: the loss of every epoch."""

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skae.common.sklearn_private import check_matplotlib_support
from skae.plotting.drawing import make_axes


class LossCurveDisplay:
    """The loss of every epoch.

    Parameters
    ----------
    train_loss : list of float
        The mean loss of the training rows, by epoch, in nats.
    validation_loss : list of float or None
        The mean loss of the validation rows, by epoch; None where there were none.
    best_epoch : int
        The epoch whose weights were kept; 0 is the start.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of the axes.
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

    def __init__(self, *, train_loss: Any, validation_loss: Any, best_epoch: Any) -> None:
        self.train_loss = train_loss
        self.validation_loss = validation_loss
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> Self:
        """Draw the loss curves of a fitted autoencoder.

        Parameters
        ----------
        estimator : autoencoder
            The fitted autoencoder.
        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a new figure.

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

    def plot(self, ax: Any = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a new figure.

        Returns
        -------
        display : LossCurveDisplay
            The display.
        """
        self.ax_, self.figure_ = make_axes(ax)
        epochs = np.arange(1, len(self.train_loss) + 1)
        self.lines_ = self.ax_.plot(epochs, self.train_loss, label="training rows")
        if self.validation_loss is not None:
            self.lines_ += self.ax_.plot(epochs, self.validation_loss, label="held-out rows")
        if self.best_epoch is not None:
            self.ax_.axvline(self.best_epoch, color="grey", linestyle=":", label="weights kept")
        self.ax_.set(xlabel="Epoch", ylabel="Loss (nats per row)")
        self.ax_.legend()
        return self
