"""Integers as multiples of a step from an origin, as near as floats can tell them."""

import narwhals as nw
import numpy as np

_EXACT = 2**53
_NEAR = 2.0**62
_WRAP = 2**64


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
    if raw.dtype.kind not in "iu":
        return (raw - origin) / step
    near, is_near = _differences(raw, origin)
    return np.where(is_near, near, raw.astype(np.float64) - origin) / step


def from_steps(
    steps: np.ndarray, origin: int, step: int, ends: tuple[int, int], dtype: nw.dtypes.DType
) -> np.ndarray:
    """Return the integers that whole multiples stand for, int64 or uint64.

    Those beyond the ends, which are integers of the column, become these.
    """
    kind = np.dtype(np.uint64 if dtype == nw.UInt64 else np.int64)
    low, high = ends
    reach = steps * float(step)
    is_near = np.abs(reach) < _NEAR
    offsets = step * np.where(is_near, steps, 0).astype(np.int64)
    # Unsigned integers wrap around, so that the sum is right wherever the origin is.
    near = (offsets.view(np.uint64) + np.uint64(origin % _WRAP)).view(kind)
    raw = np.where(is_near, near, _whole(reach + float(origin), kind))
    raw = np.where(reach < low - origin, np.array(low, kind), raw)
    raw = np.where(reach > high - origin, np.array(high, kind), raw)
    return np.clip(raw, np.array(low, kind), np.array(high, kind))


def _whole(far: np.ndarray, kind: np.dtype) -> np.ndarray:
    info = np.iinfo(kind)
    return np.clip(far, float(info.min), np.nextafter(float(info.max), 0)).astype(kind)


def _differences(raw: np.ndarray, origin: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the differences of integers from one of them, and which of them are right."""
    is_near = np.abs(raw.astype(np.float64) - float(origin)) < _NEAR
    wrapped = raw.astype(np.uint64) - np.uint64(origin % _WRAP)
    return np.where(is_near, wrapped.view(np.int64), 0), is_near
