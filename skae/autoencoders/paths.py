"""Paths between codes: straight lines, and great circles on the sphere."""

import numpy as np

# The angle, in radians, below which an arc is a line.
_STRAIGHT = 1e-4


def lines(start: np.ndarray, stop: np.ndarray, n_steps: int) -> np.ndarray:
    """Return evenly spaced codes on straight lines, shape (n_lines, n_steps, n_components)."""
    return np.linspace(start, stop, n_steps, axis=1)


def arcs(start: np.ndarray, stop: np.ndarray, n_steps: int) -> np.ndarray:
    """Return evenly spaced codes on great circles, shape (n_lines, n_steps, n_components).

    References
    ----------
    Shoemake, K. (1985). Animating rotation with quaternion curves. SIGGRAPH.
    """
    angle = np.arccos(np.clip((start * stop).sum(1), -1, 1))[:, None, None]
    share = np.linspace(0, 1, n_steps)[None, :, None]
    sine = np.sin(angle)
    is_straight = sine < _STRAIGHT
    with np.errstate(divide="ignore", invalid="ignore"):
        before = np.where(is_straight, 1 - share, np.sin((1 - share) * angle) / sine)
        after = np.where(is_straight, share, np.sin(share * angle) / sine)
    codes = before * start[:, None] + after * stop[:, None]
    return (codes / np.linalg.norm(codes, axis=2, keepdims=True)).astype(start.dtype)
