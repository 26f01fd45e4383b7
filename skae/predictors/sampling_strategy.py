"""How many rows a sampler adds to each class."""

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import assert_all_finite, column_or_1d

from skae.tables.containers import shape_of


def read_labels(y: Any) -> np.ndarray:
    """Return the label of every row; of a one-hot matrix, the place of its one.

    Raises
    ------
    ValueError
        If they are no classes, some are missing, or rows have several or none.
    """
    if len(shape_of(y)) == 2 and shape_of(y)[1] > 1:
        one_hot = y.toarray() if sparse.issparse(y) else np.asarray(y)
        is_one_hot = type_of_target(one_hot) == "multilabel-indicator"
        if not is_one_hot or (one_hot.sum(axis=1) != 1).any():
            raise ValueError(
                "y must name one class for each row. Got a matrix whose rows are not one-hot."
            )
        return one_hot.argmax(axis=1)
    labels = column_or_1d(y)
    assert_all_finite(labels, input_name="y")
    check_classification_targets(labels)
    return labels


def rows_to_add(strategy: Any, labels: np.ndarray) -> dict[Any, int]:
    """Return how many rows each of the classes that a strategy is about gets.

    Parameters
    ----------
    strategy : str, float, dict or callable
        The `sampling_strategy` parameter.
    labels : ndarray of shape (n_samples,)
        The labels.

    Raises
    ------
    ValueError, TypeError
        If there is a single class, or the strategy does not suit the classes.
    """
    names, counts = np.unique(labels, return_counts=True)
    have = dict(zip(names.tolist(), counts.tolist(), strict=True))
    if len(have) < 2:
        raise ValueError(f"y must hold 2 classes or more. All are {names.tolist()[0]!r}.")
    if callable(strategy):
        strategy = strategy(labels)
        if not isinstance(strategy, Mapping):
            raise TypeError(
                f"The 'sampling_strategy' parameter, a callable, must return a dict from classes "
                f"to numbers of rows. It returned {strategy!r}."
            )
    if isinstance(strategy, str):
        return {name: max(have.values()) - have[name] for name in _meant(strategy, have)}
    if isinstance(strategy, Mapping):
        _check_counts(strategy, have)
        return {name: int(strategy[name]) - have[name] for name in have if name in strategy}
    return _up_to_ratio(strategy, have)


def _meant(strategy: str, have: dict[Any, int]) -> list[Any]:
    """Return the classes that a word means; of equally large ones, the first is the largest."""
    largest, smallest = max(have, key=have.__getitem__), min(have, key=have.__getitem__)
    if strategy == "minority":
        return [smallest]
    left_out = {"all": [], "not minority": [smallest]}.get(strategy, [largest])
    return [name for name in have if name not in left_out]


def _up_to_ratio(ratio: float, have: dict[Any, int]) -> dict[Any, int]:
    """Return how many rows the smaller of two classes gets to have a share of the larger one."""
    if len(have) != 2:
        raise ValueError(
            f"The 'sampling_strategy' parameter may be a float for 2 classes only; y holds "
            f"{len(have)}. Got {ratio!r}. Give a dict from classes to numbers of rows."
        )
    (rare,) = _meant("not majority", have)
    largest = max(have.values())
    n_rows = round(ratio * largest) - have[rare]
    if n_rows < 0:
        raise ValueError(
            f"The 'sampling_strategy' parameter must be at least {have[rare] / largest:.4g}, the "
            f"ratio that the classes have: no rows are taken away. Got {ratio!r}."
        )
    return {rare: n_rows}


def _check_counts(wanted: Mapping[Any, Any], have: dict[Any, int]) -> None:
    """Raise ValueError unless a dict asks for as many rows of known classes as they have."""
    for name, count in wanted.items():
        if name not in have:
            raise ValueError(
                f"The keys of the 'sampling_strategy' parameter must be classes of y, which are "
                f"{[*have]}. Got {name!r}."
            )
        if not isinstance(count, Integral) or count < have[name]:
            raise ValueError(
                f"The 'sampling_strategy' parameter must be an int of at least {have[name]} for "
                f"class {name!r}, which has as many rows: none are taken away. Got {count!r}."
            )
