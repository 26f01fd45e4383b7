"""Parameters are written once: constructor, constraints and docstring are made of fields."""

import inspect
import pickle
from dataclasses import MISSING, field, fields
from numbers import Integral
from typing import Annotated, Literal

import pytest
from helpers import ESTIMATORS
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import Interval, StrOptions, validate_parameter_constraints

from skae.common.annotations import Auto, Named, PositiveInt
from skae.common.parameters import estimator


@estimator()
class Shared:
    """What both have."""

    size: Auto | PositiveInt = "auto"
    """The size."""


@estimator(fixes_model=False)
class Free:
    """What may change."""

    speed: float = 1.0
    """The speed, which has

    a second paragraph."""


@estimator()
class Example(Shared, Free, BaseEstimator):
    """An example.

    It does nothing.

    See Also
    --------
    Shared : What both have.
    """

    kind: Literal["a", "b"] | None = field(default=None, kw_only=False)
    """The kind."""

    size: Auto | PositiveInt = 3

    speed: float = 2.0

    n_: int = field(init=False)
    """The number."""

    @property
    def half_(self) -> Annotated[float, Named("a half")]:
        """The half of it."""
        return self.n_ / 2


def test_fields_make_a_constructor():
    assert str(inspect.signature(Example)) == "(kind=None, *, size=3, speed=2.0)"
    assert Example("a", size=5).get_params() == {"kind": "a", "size": 5, "speed": 2.0}
    with pytest.raises(TypeError):
        Example("a", 5)
    copy = pickle.loads(pickle.dumps(clone(Example("b"))))
    assert (copy.kind, hasattr(copy, "n_")) == ("b", False)
    assert repr(Example("b")) == "Example(kind='b')"


def test_types_make_constraints():
    constraints = Example._parameter_constraints
    validate_parameter_constraints(constraints, {"kind": "a", "size": 2, "speed": 0.5}, "Example")
    for params, message in (
        ({"kind": "c"}, "'kind' parameter of Example must be a str among"),
        ({"size": 0}, r"in the range \[1, inf\)"),
        ({"speed": "fast"}, "must be an instance of 'float'"),
    ):
        with pytest.raises(ValueError, match=message):
            validate_parameter_constraints(constraints, params, "Example")
    assert isinstance(constraints["kind"][0], StrOptions)
    assert isinstance(constraints["size"][1], Interval)
    assert constraints["size"][1].type is Integral


def test_strings_make_a_docstring():
    assert Example.__doc__ == inspect.cleandoc(
        """An example.

        It does nothing.

        Parameters
        ----------
        kind : {"a", "b"} or None, default=None
            The kind.

        size : "auto" or int, default=3
            The size.

        speed : float, default=2.0
            The speed, which has

            a second paragraph.

        Attributes
        ----------
        n_ : int
            The number.

        half_ : a half
            The half of it.

        See Also
        --------
        Shared : What both have.
        """
    )


def test_parameters_fix_the_model_unless_their_class_says_otherwise():
    assert Example._fixes_model == {"kind", "size"}


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_no_parameter_is_without_words(cls):
    for each in fields(cls):
        assert f"{each.name} : " in cls.__doc__
        assert (each.default is not MISSING) == each.init
    assert "{parameters}" not in cls.__doc__
