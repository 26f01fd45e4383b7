"""FittedState: the fitted attributes of an estimator, restored after a failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar


class FittedState:
    """Fitted attributes end in an underscore; a fit that fails leaves those of an earlier fit."""

    _fixes_model: ClassVar[frozenset[str]] = frozenset()

    @contextmanager
    def _restored_on_failure(self) -> Iterator[None]:
        """Restore all attributes if an exception is raised inside the block."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            self._forget()
            vars(self).update(before)
            raise

    def _forget(self) -> None:
        """Delete all fitted attributes."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)

    def _remember_parameters(self) -> None:
        """Store the current values of the parameters that determine the model."""
        self._made_with_: dict[str, Any] = {
            name: getattr(self, name) for name in sorted(self._fixes_model)
        }

    def _check_same_model(self, how: str = "") -> None:
        """Raise ValueError if a parameter that determines the model has changed since `fit`.

        Parameters
        ----------
        how : str, default=""
            The advice, in the message, on how to make `fit` start from scratch.
        """
        for name, value in self._made_with_.items():
            now = getattr(self, name)
            if now is not value and repr(now) != repr(value):
                raise ValueError(
                    f"{name}={now!r} differs from the {value!r} that made the model which training "
                    f"would continue. To start anew, call fit{how}."
                )
