"""The state of estimators: parameters, and what they were fitted to."""

from typing import Any

from sklearn.base import BaseEstimator

from skae.saving.errors import FileError

# What scikit-learn's callbacks leave on an estimator; they belong to one call of fit.
_OF_CALLBACKS = frozenset(
    {"_callback_fit_ctx", "_parent_callback_ctx", "_skl_callbacks", "_skl_callbacks_to_teardown"}
)


def parts_of_estimator(estimator: BaseEstimator) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters and the other attributes of an estimator."""
    params = estimator.get_params(deep=False)
    state = {
        name: value
        for name, value in vars(estimator).items()
        if name not in params and name not in _OF_CALLBACKS
    }
    return params, state


def made_estimator(
    cls: type[BaseEstimator], attributes: dict[str, Any], path: str
) -> BaseEstimator:
    """Return an estimator with parameters and other attributes.

    Raises
    ------
    FileError
        If a parameter is missing or not valid.
    """
    missing = set(cls._get_param_names()) - set(attributes)
    if missing:
        raise FileError(f"{path}: parameter {min(missing)!r} of {cls.__name__} is missing.")
    estimator = object.__new__(cls)
    vars(estimator).update(attributes)
    if getattr(cls, "_parameter_constraints", None) is None:
        return estimator
    try:
        estimator._validate_params()
    except ValueError as error:
        raise FileError(f"{path}: {error}") from None
    return estimator
