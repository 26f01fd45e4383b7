"""The autoencoder that an estimator was given: one to clone, or a fitted one that is frozen."""

from typing import Any

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skae.autoencoders.base import BaseAutoencoder


def unfrozen(autoencoder: FrozenEstimator) -> BaseAutoencoder:
    """Return the fitted autoencoder in a FrozenEstimator.

    Raises
    ------
    TypeError
        If it holds another estimator.
    NotFittedError
        If the autoencoder is not fitted.
    """
    fitted = autoencoder.estimator
    if not isinstance(fitted, BaseAutoencoder):
        raise TypeError(
            f"The 'autoencoder' parameter must be an autoencoder of skae, or a "
            f"FrozenEstimator of one that is fitted. Got {autoencoder!r}."
        )
    check_is_fitted(fitted)
    return fitted


def cloned(autoencoder: Any, seed: int) -> BaseAutoencoder:
    """Return a clone of an autoencoder, which gets a seed if it has none of its own."""
    autoencoder = clone(autoencoder)
    if autoencoder.random_state is None:
        autoencoder.set_params(random_state=seed)
    return autoencoder
