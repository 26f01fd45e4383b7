"""FittedState: what a fit has learned, and how it is forgotten or kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar


class FittedState:
    """Fitted attributes end in an underscore; a fit that fails leaves those of the one before."""

    _fixes_model: ClassVar[frozenset[str]] = frozenset()

    @contextmanager
    def _restored_on_failure(self) -> Iterator[None]:
        """Leave what was there before, and no half-fitted model."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            self._forget()
            vars(self).update(before)
            raise

    def _forget(self) -> None:
        """Delete what an earlier fit has learned."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)

    def _remember_parameters(self) -> None:
        """Note the parameters that make a model, as they are."""
        self._made_with_: dict[str, Any] = {
            name: getattr(self, name) for name in sorted(self._fixes_model)
        }

    def _check_same_model(self, how: str = "") -> None:
        """Refuse to continue a model with parameters that would make another one.

        Parameters
        ----------
        how : str, default=""
            What to set so that `fit` starts anew.
        """
        for name, value in self._made_with_.items():
            now = getattr(self, name)
            if now is not value and repr(now) != repr(value):
                raise ValueError(
                    f"{name}={now!r} differs from the {value!r} that made the model which training "
                    f"would continue. To start anew, call fit{how}."
                )
