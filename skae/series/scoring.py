"""Scores of windows by any detector, of which higher ones are more normal."""

from typing import Any

import numpy as np
from sklearn.base import OutlierMixin, clone

from skae.common.sklearn_private import HasMethods

_SCORES, _LEARNS_ON = HasMethods(["score_samples"]), HasMethods(["partial_fit"])
# The number of windows that are scored at a time.
_AT_A_TIME = 8192


def score_windows(detector: Any, rows: np.ndarray) -> np.ndarray:
    """Return the scores of windows, higher for normal ones.

    `score_samples` has this sign wherever it is, and so has `decision_function` of outlier
    detectors of scikit-learn; those of PyOD have the other one.
    """
    scores = [
        np.asarray(_scores(detector, rows[place : place + _AT_A_TIME]), dtype=float)
        for place in range(0, len(rows), _AT_A_TIME)
    ]
    return np.concatenate(scores) if scores else np.empty(0)


def learns_on(detector: Any) -> bool:
    """Tell whether a detector has `partial_fit`."""
    return _LEARNS_ON.is_satisfied_by(detector)


def _scores(detector: Any, rows: np.ndarray) -> np.ndarray:
    if _SCORES.is_satisfied_by(detector):
        return detector.score_samples(rows)
    sign = 1 if isinstance(detector, OutlierMixin) else -1
    return sign * np.asarray(detector.decision_function(rows))


def seeded(detector: Any, seed: int) -> Any:
    """Return a copy of a detector whose seeds, where it has none, are a given one."""
    made = clone(detector)
    unset = [
        name
        for name, value in made.get_params().items()
        if name.split("__")[-1] == "random_state" and value is None
    ]
    return made.set_params(**dict.fromkeys(unset, seed))
