"""Words: the cells of a column of numbers that stand for none."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from skae.tables.formats import Format, Plain
from skae.tables.kinds import TableOptions
from skae.tables.rare import RareLabels


@dataclass(frozen=True)
class Words:
    """The cells of a column of numbers that stand for no number.

    Attributes
    ----------
    labels : tuple
        Those with a state of their own, the commonest first.
    rare : RareLabels
        The others, which share the last state.
    """

    labels: tuple
    rare: RareLabels

    @property
    def n_states(self) -> int:
        """The number of states."""
        return len(self.labels) + 1


def find_words(
    words: np.ndarray, form: Format, options: TableOptions, fewest: float
) -> tuple[Words | None, list[int]]:
    """Return the words of a column, and how many cells each of their states has."""
    if isinstance(form, Plain):
        return None, []
    counts = Counter(word for word in words if word is not None)
    least = max(fewest, options.min_count)
    kept = {word: n for word, n in counts.most_common() if n >= least}
    others = {word: n for word, n in counts.most_common() if word not in kept}
    rare = RareLabels.learn(others, options.min_count, accepts_unknown=options.accepts_unknown)
    return Words(tuple(kept), rare), [*kept.values(), rare.n_cells]
