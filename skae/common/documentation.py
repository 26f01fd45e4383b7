"""Docstrings of a family: what members share is written once."""

import inspect
import re
from itertools import pairwise

_ITEM = re.compile(r"^    (\w+(?:, \w+)*) : ", re.MULTILINE)


def documented_like(source, without=()):
    """Return a class decorator that fills ``{parameters}`` and ``{attributes}`` of a docstring.

    Parameters
    ----------
    source : type
        The class whose docstring describes them: its parameters that the decorated constructor
        has as well, and its attributes, but for those that the docstring describes itself.
    without : sequence of str, default=()
        Attributes that the decorated class has not.
    """

    def fill(cls):
        if cls.__doc__ is None or source.__doc__ is None:
            return cls
        known = {
            name
            for section in ("Parameters", "Attributes")
            for name in _items(cls.__doc__, section)
        }
        known |= set(without)
        taken = inspect.signature(cls).parameters
        parameters = _items(source.__doc__, "Parameters")
        for mark, items in (
            ("{parameters}", {n: t for n, t in parameters.items() if taken.keys() >= _names(n)}),
            ("{attributes}", _items(source.__doc__, "Attributes")),
        ):
            texts = [text for names, text in items.items() if names not in known]
            cls.__doc__ = cls.__doc__.replace(f"    {mark}", "\n\n".join(texts))
        return cls

    return fill


def _names(names):
    return set(names.split(", "))


def _items(docstring, section):
    """Return the texts of a section's items, by their names."""
    start = re.search(rf"^    {section}\n    -+\n", docstring, re.MULTILINE)
    end = re.compile(r"^    [A-Z].*\n    -+\n", re.MULTILINE).search(docstring, start.end())
    body = docstring[start.end() : end.start() if end else None]
    starts = [match.start() for match in _ITEM.finditer(body)] + [len(body)]
    texts = (body[a:b].rstrip() for a, b in pairwise(starts))
    return {_ITEM.match(text).group(1): text for text in texts}
