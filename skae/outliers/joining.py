"""The joining of the parts of a score: one that is sure is enough, or all of them together."""

from collections.abc import Mapping

import numpy as np

# How much the mean of several parts counts beside a single quantity.
_CONSENSUS = 1.5


def join(
    surprisals: Mapping[str, list[np.ndarray]], counts_alone: Mapping[str, bool]
) -> np.ndarray:
    r"""Return the joint surprisal of rows, shape (n_rows,).

    .. math:: s = \max\Big(\max_{p \in A,\, i} s_{pi},\ \frac32 \cdot
              \frac1{|P|} \sum_p \bar s_p \Big),

    where :math:`s_{pi}` is the surprisal of quantity :math:`i` of part :math:`p`, :math:`\bar s_p`
    the mean of a part, and :math:`A` are the parts that count alone. A mean is diluted by parts
    that see nothing, and the largest does not know that several parts agree. The mean of a single
    part counts once.

    Parameters
    ----------
    surprisals : mapping of str to list of ndarray of shape (n_rows,)
        The surprisals of all quantities, by part.
    counts_alone : mapping of str to bool
        The parts of which a single quantity can make a row an outlier.
    """
    means = [part_mean(part) for part in surprisals.values()]
    joint = np.mean(means, axis=0) * (_CONSENSUS if len(means) > 1 else 1)
    for name, part in surprisals.items():
        if counts_alone[name]:
            joint = np.maximum(joint, np.max(part, axis=0))
    return joint


def part_mean(part: list[np.ndarray]) -> np.ndarray:
    """Return the mean surprisal of the quantities of a part, over all members, shape (n_rows,)."""
    return np.mean([each if each.ndim == 1 else each.mean(0) for each in part], axis=0)
