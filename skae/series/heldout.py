"""Held-out scores: those of windows in blocks of time that a detector has not learned from."""

from typing import Any

import numpy as np

from skae.series.scoring import score_windows, seeded

# The smallest share and number of the windows that is learned from besides a block.
_LEAST_LEARNED, _FEWEST_LEARNED = 0.3, 3
# The number of windows beyond which a detector learns from some of them, evenly spaced.
MOST_WINDOWS = 20_000


def thinned(rows: np.ndarray) -> np.ndarray:
    """Return rows, or of very many some that are evenly spaced."""
    if len(rows) <= MOST_WINDOWS:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MOST_WINDOWS).astype(int)]


def held_out_scores(
    detector: Any,
    rows: np.ndarray,
    owner: np.ndarray,
    starts: np.ndarray,
    *,
    window: int,
    n_blocks: int,
    seed: int,
) -> np.ndarray | None:
    """Return the scores of windows by detectors that learned from none that overlaps them.

    Parameters
    ----------
    detector : estimator
        The detector, which is cloned for each block.
    rows : ndarray of shape (n_windows, n_cells)
        The windows, in the order of time.
    owner, starts : ndarray of int of shape (n_windows,)
        The recording that every window is of, and where it starts there.
    window : int
        The length of the windows.
    n_blocks : int
        The largest number of blocks of time; fewer, if too little would be learned from.
    seed : int
        The seed.

    Returns
    -------
    scores : ndarray of shape (n_windows,) or None
        The scores; None if the series are too short.
    """
    blocks = _blocks(owner, starts, window, n_blocks)
    scores = np.empty(len(rows))
    for block, is_learned in blocks:
        fitted = seeded(detector, seed).fit(thinned(rows[is_learned]))
        scores[block] = score_windows(fitted, rows[block])
    return scores if blocks else None


def _blocks(
    owner: np.ndarray, starts: np.ndarray, window: int, n_blocks: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return blocks of windows, each with a mask of those to learn from; none if there are few."""
    n = len(starts)
    for n_tried in range(min(n_blocks, n), 1, -1):
        blocks = np.array_split(np.arange(n), n_tried)
        learned = [_apart_from(block, owner, starts, window) for block in blocks]
        fewest = min(int(each.sum()) for each in learned)
        if fewest >= max(_FEWEST_LEARNED, _LEAST_LEARNED * n):
            return list(zip(blocks, learned, strict=True))
    return []


def _apart_from(
    block: np.ndarray, owner: np.ndarray, starts: np.ndarray, window: int
) -> np.ndarray:
    """Return a mask of the windows that share no time with those of a block."""
    is_apart = np.ones(len(starts), dtype=bool)
    for each in np.unique(owner[block]):
        own = starts[block][owner[block] == each]
        is_near = (starts > own[0] - window) & (starts < own[-1] + window)
        is_apart &= ~((owner == each) & is_near)
    return is_apart
