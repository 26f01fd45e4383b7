"""Stateful: objects that say themselves what of them a file holds."""

from abc import ABC, abstractmethod
from typing import Any, Self


class Stateful(ABC):
    """An object whose attributes are not what a file should hold of it."""

    @abstractmethod
    def state_to_save(self) -> dict[str, Any]:
        """Return what a file holds of the object, by name."""

    @classmethod
    @abstractmethod
    def from_saved(cls, state: dict[str, Any]) -> Self:
        """Return the object again."""
