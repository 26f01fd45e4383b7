"""The modes of training: from the start or continued, a whole training or one pass."""

from enum import Enum


class Mode(Enum):
    """The kind of training that a call of `fit` or `partial_fit` does."""

    FIT = "fit"
    START = "fit_start"
    CONTINUE = "fit with warm_start"
    ANEW = "fit with the columns of an earlier one"
    FIRST_PASS = "first partial_fit"
    NEXT_PASS = "next partial_fit"

    @property
    def learns_columns(self) -> bool:
        """Whether columns are learned."""
        return self in (Mode.FIT, Mode.START, Mode.FIRST_PASS)

    @property
    def is_new(self) -> bool:
        """Whether a chain is built."""
        return self.learns_columns or self is Mode.ANEW

    @property
    def is_pass(self) -> bool:
        """Whether it is one pass, without validation rows."""
        return self in (Mode.FIRST_PASS, Mode.NEXT_PASS)
