"""FittedState: what a fit has learned, and how it is forgotten or kept."""

from contextlib import contextmanager


class FittedState:
    """Fitted attributes end in an underscore; a fit that fails leaves those of the one before."""

    @contextmanager
    def _restored_on_failure(self):
        """Leave what was there before, and no half-fitted model."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            self._forget()
            vars(self).update(before)
            raise

    def _forget(self):
        """Delete what an earlier fit has learned."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
