"""The turns of sums and products: what is computed from others comes after these."""

from collections.abc import Sequence

from skae.dependencies.products import Product
from skae.dependencies.sums import Sum


def in_turn(found: Sequence[Sum | Product]) -> list[Sum | Product]:
    """Return sums and products so that each sets another column, and after those that it is of.

    A product sets its product. A sum is solved for the first of its columns that no other relation
    sets and that is not needed, by way of others, to compute these. A relation that has no such
    column is left out.
    """
    sources: dict[int, set[int]] = {}
    made: dict[int, Sum | Product] = {}
    for each in found:
        own = _solved(each, sources)
        if own is not None:
            sources[own.places[0]] = set(own.places[1:])
            made[own.places[0]] = own
    return [made[target] for target in sorted(made, key=lambda j: len(_needed(j, sources)))]


def _solved(each: Sum | Product, sources: dict[int, set[int]]) -> Sum | Product | None:
    """Return a relation solved for a column that is free to be set, None if there is none."""
    choices = [each] if isinstance(each, Product) else map(each.led_by, range(len(each.places)))
    for own in choices:
        target, *others = own.places
        if target not in sources and not any(target in _needed(j, sources) for j in others):
            return own
    return None


def _needed(place: int, sources: dict[int, set[int]]) -> set[int]:
    """Return all columns that are needed to compute one, by way of others as well."""
    needed: set[int] = set()
    todo = [place]
    while todo:
        new = sources.get(todo.pop(), set()) - needed
        needed |= new
        todo += new
    return needed
