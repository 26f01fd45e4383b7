"""Parameters of estimators, each declared once: name, type, bounds, default, description."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from inspect import Signature, get_annotations, signature
from typing import Any, TypeVar, dataclass_transform, get_type_hints

from skae.common.annotations import constraints_of
from skae.common.documentation import document

_Class = TypeVar("_Class", bound=type)


@dataclass_transform(eq_default=False, kw_only_default=True, field_specifiers=(field,))
def estimator(*, fixes_model: bool = True) -> Callable[[_Class], _Class]:
    """Return a decorator that turns a class with fields into an estimator of scikit-learn.

    A field with a default is a parameter, and one with ``field(init=False)`` a fitted attribute;
    the string below it is its description. From these fields and those of the bases, the decorator
    makes the constructor, scikit-learn's constraints, and the sections "Parameters" and
    "Attributes" of the docstring.

    Parameters
    ----------
    fixes_model : bool, default=True
        Whether the class's own parameters determine the model, so that they must not change when a
        training is continued.
    """

    def decorate(cls: _Class) -> _Class:
        inherited = {name for base in cls.__mro__[1:] for name in get_annotations(base)}
        made: Any = dataclass(eq=False, repr=False, kw_only=True)(cls)
        names = [each.name for each in fields(cls) if each.init]
        own = (get_annotations(cls).keys() & set(names)) - inherited
        fixed: list[frozenset[str]] = [
            getattr(base, "_fixes_model", frozenset()) for base in cls.__bases__
        ]
        made._fixes_model = frozenset().union(*fixed, own if fixes_model else ())
        hints = get_type_hints(cls, include_extras=True)
        made._parameter_constraints = {name: constraints_of(hints[name]) for name in names}
        # The signature is as short as those of scikit-learn; docstrings have the types.
        made.__init__.__annotations__ = {}
        made.__init__.__signature__ = _in_order(made.__init__, document(cls, hints))
        return cls

    return decorate


def _in_order(function: Callable, names: list[str]) -> Signature:
    """Return the signature of a function with its keyword parameters in a given order."""
    unsorted = signature(function)
    places = {name: place for place, name in enumerate(names)}
    return unsorted.replace(
        parameters=sorted(
            unsorted.parameters.values(),
            key=lambda each: (each.kind, places.get(each.name, -1)),
        )
    )
