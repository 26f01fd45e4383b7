"""Integers as multiples of a step from an origin, as near as floats can tell them."""

import narwhals as nw
import numpy as np

_EXACT = 2**53
_NEAR = 2.0**62


def find_origin(raw: np.ndarray) -> int:
    """Return the smallest of integers, or a middle one where floats reach not all from there."""
    smallest = int(raw.min())
    return smallest if int(raw.max()) - smallest < _EXACT else int(np.sort(raw)[len(raw) // 2])


def find_step(raw: np.ndarray, origin: int) -> int:
    """Return the largest step of which those integers are multiples that are near the origin."""
    near, is_near = _differences(raw, origin)
    return int(np.gcd.reduce(near[is_near])) or 1


def to_steps(raw: np.ndarray, origin: int, step: int) -> np.ndarray:
    """Return numbers as multiples of a step from an origin, float64; far ones are rounded."""
    if raw.dtype != np.int64:
        return (raw - origin) / step
    near, is_near = _differences(raw, origin)
    return np.where(is_near, near, raw.astype(np.float64) - origin) / step


def from_steps(steps: np.ndarray, origin: int, step: int, dtype: nw.dtypes.DType) -> np.ndarray:
    """Return the integers that whole multiples stand for, int64 or uint64, in the range of these.

    The smallest integer is left out where it means that a time is missing.
    """
    kind = np.uint64 if dtype == nw.UInt64 else np.int64
    bounds = np.iinfo(kind)
    far = np.clip(steps * step + origin, bounds.min, np.nextafter(float(bounds.max), 0))
    if dtype.is_temporal():
        far = np.maximum(far, np.nextafter(float(bounds.min), 0))
    is_near = np.abs(steps * step) < _NEAR
    near = origin + step * np.where(is_near, steps, 0).astype(np.int64)
    return np.where(is_near, near.astype(kind), far.astype(kind))


def _differences(raw: np.ndarray, origin: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the differences of integers from one of them, and which of them are right."""
    is_near = np.abs(raw.astype(np.float64) - origin) < _NEAR
    return np.where(is_near, raw, origin) - origin, is_near
