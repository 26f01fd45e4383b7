"""Saves: the method `save` of all estimators, and pickles that hold the same."""

import os
from abc import abstractmethod
from collections.abc import Sequence
from importlib import import_module
from io import BytesIO
from typing import Any, Self, cast

import numpy as np

from skae.saving.errors import CannotSaveError
from skae.tables.remembering import Remembered

_SAVED = "saved_by_skae"
# How many rows a loaded estimator must read.
N_TRIED = 32


class Saves:
    """What can be saved to a file."""

    def save(self, path: str | os.PathLike, *, drop: Sequence[str] = ()) -> None:
        """Save the fitted estimator to a file, from which `skae.load` makes it again.

        The file is in the format of safetensors, with a JSON document in its header. It holds no
        code, unlike a pickle. It is written whole or not at all. What it holds of the training
        rows is listed by `skae.inspect` and `skae.tables.remembered`.

        Parameters
        ----------
        path : str or path-like
            The path of the file, by custom with the suffix ``.safetensors``.
        drop : list of str, default=()
            The names of parameters that are left out, because no file can hold them: functions,
            callbacks, modules of one's own. The loaded estimator has their defaults.

        Raises
        ------
        TypeError
            If a parameter or what was fitted cannot be saved; the message names it.
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        OSError
            If the file cannot be written.

        See Also
        --------
        skae.load : The way back.
        """
        # Writing needs the list of all estimators, each of which is a Saves.
        import_module("skae.saving.save").write_estimator(self, path, drop)

    def __copy__(self) -> Self:
        """Return an estimator that shares all attributes."""
        copied = object.__new__(type(self))
        vars(copied).update(vars(self))
        return copied

    def __getstate__(self) -> dict[str, Any]:
        """Return what a file would hold, as bytes; what no file can hold is pickled as it is."""
        state = cast(dict[str, Any], super().__getstate__())
        if not self._is_fitted():
            return state
        file = BytesIO()
        try:
            import_module("skae.saving.save").write_estimator(self, file)
        except (CannotSaveError, AttributeError):
            # Within a fit, not all is there yet.
            return state
        return {_SAVED: np.frombuffer(file.getvalue(), np.uint8)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state.keys() != {_SAVED}:
            super().__setstate__(state)  # type: ignore[misc]
            return
        read = import_module("skae.saving.load").read_estimator
        vars(self).update(vars(read(BytesIO(state[_SAVED].tobytes()))))

    def _rows_to_try(self) -> Any:
        """Return a few rows such as `fit` learned from, which a loaded estimator must read."""
        return None

    def _is_fitted(self) -> bool:
        return any(name.endswith("_") and not name.startswith("__") for name in vars(self))

    @abstractmethod
    def remembered_columns(self) -> list[Any]:
        """Return what is known of the columns, for `skae.tables.remembered`."""

    @abstractmethod
    def remembered_rows(self) -> list[Remembered]:
        """Return what is held of whole rows, for `skae.tables.remembered`."""
