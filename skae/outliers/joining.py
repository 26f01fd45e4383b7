"""The joining of the parts of a score: one that is sure is enough, or all of them together."""

from collections.abc import Mapping

import numpy as np

# How much the mean of several parts counts beside a single quantity.
CONSENSUS = 1.25


def join(surprisals: Mapping[str, list[np.ndarray]], alone: Mapping[str, float]) -> np.ndarray:
    r"""Return the joint surprisal of rows, shape (n_rows,).

    .. math:: s = \max\Big(\max_{p,\, i} a_p s_{pi},\ \frac54 \cdot
              \frac1{|P|} \sum_p \bar s_p \Big),

    where :math:`s_{pi}` is the surprisal of quantity :math:`i` of part :math:`p`, :math:`\bar s_p`
    the mean of a part, and :math:`a_p` how much a part counts alone. A mean is diluted by parts
    that see nothing, and the largest does not know that several parts agree. The mean of a single
    part counts once.

    Parameters
    ----------
    surprisals : mapping of str to list of ndarray of shape (n_rows,)
        The surprisals of all quantities, by part.
    alone : mapping of str to float
        How much a single quantity of a part counts, from 0 to 1.
    """
    means = [part_mean(part) for part in surprisals.values()]
    joint = np.mean(means, axis=0) * (CONSENSUS if len(means) > 1 else 1)
    for name, part in surprisals.items():
        if alone[name] > 0:
            joint = np.maximum(joint, alone[name] * np.max(part, axis=0))
    return joint


def part_mean(part: list[np.ndarray]) -> np.ndarray:
    """Return the mean surprisal of the quantities of a part, over all members, shape (n_rows,)."""
    return np.mean([each if each.ndim == 1 else each.mean(0) for each in part], axis=0)
