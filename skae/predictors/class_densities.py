"""One density for each class, all of which score rows by the same measure."""

import copy
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from skae.autoencoders.base import BaseAutoencoder
from skae.common.sklearn_private import take_rows


def fit_densities(
    density: Any,
    X: Any,
    codes: np.ndarray,
    classes: np.ndarray,
    weights: np.ndarray | None,
    seed: int,
    n_jobs: int | None,
) -> list[Any]:
    """Return a density for each class, fitted to its rows.

    All classes of an autoencoder have the columns of all rows, with the same intervals of numbers
    and the same labels, so that their likelihoods can be compared.

    Parameters
    ----------
    density : estimator
        The density, which is cloned.
    X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
        The rows.
    codes : ndarray of int of shape (n_samples,)
        The index of the class of every row.
    classes : ndarray of shape (n_classes,)
        The classes.
    weights : ndarray of shape (n_samples,) or None
        The weights of the rows.
    seed : int
        The seed of all densities, so that rows are compared by the same draws.
    n_jobs : int or None
        The number of classes that are fitted at a time.

    Raises
    ------
    ValueError
        If a density cannot be fitted to the rows of a class.
    """
    return fit_copies(_start(density, X, weights, seed), X, codes, classes, weights, n_jobs)


def fit_copies(
    start: Any,
    X: Any,
    codes: np.ndarray,
    classes: np.ndarray,
    weights: np.ndarray | None,
    n_jobs: int | None,
) -> list[Any]:
    """Return a copy of a density for each class, fitted to its rows; see `fit_densities`.

    Parameters
    ----------
    start : estimator
        The density; an autoencoder has learned the columns.
    X, codes, classes, weights, n_jobs : object
        As of `fit_densities`; a code of -1 is that of a row of no class.
    """
    if isinstance(start, BaseAutoencoder) and start.checkpoint is not None:
        raise ValueError(
            f"The 'checkpoint' parameter of an autoencoder that is fitted to each class must be "
            f"None, since one folder holds one fit. Got {start.checkpoint!r}."
        )

    def fit_class(place: int) -> Any:
        own = np.flatnonzero(codes == place)
        part = None if weights is None else weights[own]
        try:
            return _fit(copy.deepcopy(start), take_rows(X, own), part)
        except ValueError as error:
            raise ValueError(
                f"The density of class {classes.tolist()[place]!r} could not be fitted to its "
                f"rows, of which it has {len(own)}: {error}"
            ) from error

    return Parallel(n_jobs=n_jobs)(delayed(fit_class)(place) for place in range(len(classes)))


def log_likelihoods(densities: list[Any], X: Any) -> np.ndarray:
    """Return the log-likelihood of every row in every class, shape (n_samples, n_classes)."""
    return np.stack([np.asarray(each.score_samples(X), dtype=float) for each in densities], axis=1)


def _start(density: Any, X: Any, weights: np.ndarray | None, seed: int) -> Any:
    """Return a clone with a seed that, if it is an autoencoder, has learned the columns."""
    density = clone(density)
    parameters = density.get_params()
    if "random_state" in parameters and parameters["random_state"] is None:
        density.set_params(random_state=seed)
    if isinstance(density, BaseAutoencoder):
        density.set_params(max_epochs=1).fit(X, sample_weight=weights)
        density.set_params(max_epochs=parameters["max_epochs"])
    return density


def _fit(density: Any, X: Any, weights: np.ndarray | None) -> Any:
    """Return a density after its fit to rows."""
    if isinstance(density, BaseAutoencoder):
        return density.fit_with_same_columns(X, weights)
    if weights is None:
        return density.fit(X)
    if has_fit_parameter(density, "sample_weight"):
        return density.fit(X, sample_weight=weights)
    raise TypeError(
        f"sample_weight is given, but {type(density).__name__}, the density, takes none."
    )
