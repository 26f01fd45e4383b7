"""Docstrings of estimators: their sections "Parameters" and "Attributes", made from fields."""

import ast
import inspect
import re
from dataclasses import Field, fields
from functools import cache
from textwrap import dedent, indent
from typing import Any, get_type_hints

from skae.common.annotations import name_of

_LATER_SECTION = re.compile(r"^(See Also|Notes|References|Examples)\n-+$", re.MULTILINE)


class Documented:
    """Links from HTML representations to the documentation."""

    _doc_link_module = "skae"
    _doc_link_template = "https://skae.readthedocs.io/en/latest/api/{estimator_name}.html"


def document(cls: type, hints: dict[str, Any]) -> list[str]:
    """Write the sections "Parameters" and "Attributes" into the docstring of a class.

    Parameters
    ----------
    cls : type
        A dataclass. A field is described by the string below it, and a property whose name ends in
        an underscore by its docstring. The fields of the class come first, then those of its bases.
    hints : dict
        The types of the fields.

    Returns
    -------
    names : list of str
        The fields in the order in which they are described.
    """
    by_name = {each.name: each for each in fields(cls)}
    described = {name: text for name, text in _sentences(cls).items() if name in by_name}
    if cls.__doc__ is not None:
        cls.__doc__ = _with_sections(cls, hints, by_name, described)
    return list(described)


def _with_sections(
    cls: type, hints: dict[str, Any], by_name: dict[str, Field], described: dict[str, str]
) -> str:
    """Return the docstring of a class with its sections."""
    positional_first = sorted(described, key=lambda name: bool(by_name[name].kw_only))
    parameters = [
        _item(
            name,
            f"{name_of(hints[name])}, default={_literal(by_name[name].default)}",
            described[name],
        )
        for name in positional_first
        if by_name[name].init
    ]
    attributes = [
        _item(name, name_of(hints[name]), text)
        for name, text in described.items()
        if not by_name[name].init
    ]
    attributes += [
        _item(
            name, name_of(get_type_hints(value.fget, include_extras=True)["return"]), value.__doc__
        )
        for name, value in inspect.getmembers(cls, lambda value: isinstance(value, property))
        if name.endswith("_") and not name.startswith("_")
    ]
    text = inspect.cleandoc(cls.__doc__ or "")
    later = _LATER_SECTION.search(text)
    at = later.start() if later else len(text)
    before, after = text[:at].rstrip(), text[at:]
    sections = [_section("Parameters", parameters), _section("Attributes", attributes), after]
    return "\n\n".join([before, *filter(None, sections)])


def _sentences(cls: type) -> dict[str, str]:
    """Return the descriptions of the fields of a class and its bases, its own first."""
    texts: dict[str, str] = {}
    for each in cls.__mro__:
        if "__dataclass_fields__" in vars(each):
            texts = {**texts, **{n: t for n, t in _strings_below(each).items() if n not in texts}}
    return texts


@cache
def _strings_below(cls: type) -> dict[str, str]:
    """Return the strings below the fields of a class, or none if its source is not available."""
    try:
        (definition,) = ast.parse(dedent(inspect.getsource(cls))).body
    except (OSError, TypeError):
        return {}
    assert isinstance(definition, ast.ClassDef)
    pairs = zip(definition.body, definition.body[1:], strict=False)
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairs
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def _item(name: str, type_name: str, text: str) -> str:
    return f"{name} : {type_name}\n{indent(inspect.cleandoc(text), '    ')}"


def _section(title: str, items: list[str]) -> str:
    return "\n".join([title, "-" * len(title), "\n\n".join(items)]) if items else ""


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
