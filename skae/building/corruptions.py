"""Corruptions: from their names and levels to modules."""

import copy
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor, nn

from skae.building.recipe import Facts
from skae.common.sizes import check_image_shape
from skae.nn.corruptions import (
    Applied,
    GaussianNoise,
    HideCells,
    MaskCells,
    OfNumbers,
    Repeated,
    SaltAndPepper,
    SwapCells,
)
from skae.nn.image_corruptions import Blur, Grey, InUnits, Patch
from skae.tables.columns import Columns
from skae.tables.matrix import MatrixColumns
from skae.tables.mixed import MixedColumns
from skae.training.rows import Batches, Rows

CORRUPTIONS = ("swap", "masking", "gaussian", "salt_and_pepper", "blur", "grey", "patch")
# The corruptions whose level is a share of the cells, those of tables, and those of images.
_OF_SHARES = ("swap", "masking", "salt_and_pepper")
_OF_TABLES = ("swap", "masking", "gaussian")
_OF_IMAGES = ("blur", "grey", "patch")
# The levels that "auto" stands for.
_LEVELS = {"swap": 0.15, "masking": 0.25, "gaussian": 0.5, "salt_and_pepper": 0.3, "blur": 2}
_ROWS_AT_A_TIME = 4096

Corruption = tuple[Any, Any]
Shape = tuple[int, int, int]


def make_corruption(corruptions: list[Corruption], facts: Facts, image_shape: Any) -> nn.Module:
    """Return the corruption of encoded rows in training.

    Parameters
    ----------
    corruptions : list of (corruption, level)
        The output of `with_levels`.
    facts : Facts
        The rows, whose extremes are salt and pepper, and their columns.
    image_shape : sequence of int or None
        The shape of an image.
    """
    shape = check_image_shape(image_shape, facts.columns.n_encoded)
    parts = [_make(*each, facts.columns, facts.data, shape) for each in corruptions]
    return Repeated(nn.Sequential(*parts))


def hidden_masking(corruptions: list[Corruption]) -> float:
    """Return the share of hidden units that pre-training masks: the first level that is a share."""
    shares = [
        _LEVELS[corruption] if isinstance(level, str) else level
        for corruption, level in corruptions
        if corruption in _OF_SHARES
    ]
    return shares[0] if shares else _LEVELS["masking"]


def with_levels(corruption: Any, corruption_level: Any) -> list[Corruption]:
    """Return pairs of corruption and level, given one or a list of each."""
    given, levels = corruption, corruption_level
    given = list(given) if isinstance(given, (list, tuple)) else [given]
    levels = list(levels) if isinstance(levels, (list, tuple)) else [levels] * len(given)
    if not given or len(levels) != len(given):
        raise ValueError(
            f"The 'corruption_level' parameter must be one level, or one for each of the "
            f"{len(given)} corruptions, at least one. Got {corruption_level!r}."
        )
    return list(zip(given, levels, strict=True))


def _make(
    corruption: Any, level: Any, columns: Columns, data: Rows, shape: Shape | None
) -> nn.Module:
    if not isinstance(corruption, str):
        return _own(corruption, columns)
    is_table = isinstance(columns, MixedColumns)
    allowed = _OF_TABLES if is_table else CORRUPTIONS
    if corruption not in allowed:
        raise ValueError(
            f"The 'corruption' parameter must be a module, a callable or, for "
            f"{'tables' if is_table else 'numbers'}, among {allowed}. Got {corruption!r}."
        )
    largest = float("inf") if corruption == "gaussian" else 1
    if isinstance(columns, MixedColumns):
        return _of_table(corruption, _check_level(corruption, level, Real, 0, largest), columns)
    assert isinstance(columns, MatrixColumns)
    if corruption in _OF_IMAGES:
        return _of_images(corruption, level, columns, shape)
    if corruption == "gaussian" and level == "auto":
        level = _LEVELS["gaussian"] * columns.scale
    level = _check_level(corruption, level, Real, 0, largest)
    return _of_numbers(corruption, level, columns, data)


def _of_table(corruption: str, level: float, columns: MixedColumns) -> nn.Module:
    column_of_number = columns.column_of_number
    if corruption == "swap":
        return SwapCells(level, [*column_of_number, *range(len(columns.n_states))])
    if corruption == "masking":
        return HideCells(level, column_of_number)
    return OfNumbers(GaussianNoise(level), columns.n_numbers)


def _of_numbers(corruption: str, level: float, columns: MatrixColumns, data: Rows) -> nn.Module:
    if corruption == "swap":
        return SwapCells(level, range(columns.n_encoded))
    if corruption == "masking":
        return MaskCells(level, torch.zeros(columns.n_encoded))
    if corruption == "gaussian":
        return GaussianNoise(level / columns.scale)
    return SaltAndPepper(level, *_extremes(columns, data))


def _of_images(
    corruption: str, level: Any, columns: MatrixColumns, shape: Shape | None
) -> nn.Module:
    if shape is None:
        raise ValueError(f"corruption={corruption!r} is for images: give their 'image_shape'.")
    module: nn.Module
    if corruption == "grey":
        module = Grey(shape)
    elif corruption == "blur":
        module = Blur(_check_level("blur", level, Integral, 1, min(shape[1:])), shape)
    else:
        third = max(1, min(shape[1:]) // 3) if level == "auto" else level
        module = Patch(_check_level("patch", third, Integral, 1, min(shape[1:])), shape)
    return _in_units(module, columns)


def _own(corruption: Any, columns: Columns) -> nn.Module:
    """Return a user's corruption, which works on rows in their original units."""
    if not isinstance(columns, MatrixColumns) or not callable(corruption):
        raise ValueError(
            f"The 'corruption' parameter must be among {_OF_TABLES} for tables, and for numbers "
            f"also a module or a callable. Got {corruption!r}."
        )
    if isinstance(corruption, nn.Module):
        module = copy.deepcopy(corruption).float()
    else:
        module = Applied(corruption)
    _check_shape(module, columns.n_encoded)
    return _in_units(module, columns)


def _check_shape(module: nn.Module, n_columns: int) -> None:
    rows = torch.zeros(2, n_columns)
    try:
        corrupted = module.train()(rows)
    except (RuntimeError, ValueError, TypeError) as error:
        raise ValueError(
            f"The module or callable given as 'corruption' cannot take rows of shape "
            f"{tuple(rows.shape)}: {error}"
        ) from error
    is_tensor = isinstance(corrupted, Tensor)
    if not is_tensor or corrupted.shape != rows.shape:
        got = tuple(corrupted.shape) if is_tensor else type(corrupted).__name__
        raise ValueError(
            f"The module or callable given as 'corruption' must return a tensor of the shape that "
            f"it gets. For {tuple(rows.shape)} it returned {got}."
        )


def _in_units(module: nn.Module, columns: MatrixColumns) -> InUnits:
    return InUnits(module, torch.as_tensor(columns.center, dtype=torch.float32), columns.scale)


def _check_level(
    corruption: str, level: Any, kind: type[Any], smallest: float, largest: float
) -> Any:
    """Return a level, by rule where it is "auto"; raise ValueError if it is out of range."""
    if isinstance(level, str) and level == "auto":
        return _LEVELS[corruption]
    if not isinstance(level, kind) or isinstance(level, bool) or not smallest <= level <= largest:
        raise ValueError(
            f"The 'corruption_level' parameter must be 'auto' or, for {corruption!r}, "
            f"{'an int' if kind is Integral else 'a float'} in the range "
            f"[{smallest}, {largest}]. Got {level!r}."
        )
    return level


def _extremes(columns: MatrixColumns, data: Rows) -> tuple[Tensor, Tensor]:
    """Return the smallest and the largest of all cells, as encoded in every column."""
    center = torch.as_tensor(columns.center, dtype=torch.float32)
    low, high = float("inf"), -float("inf")
    for x, _ in Batches(data, _ROWS_AT_A_TIME):
        rows = x[:, : len(center)].cpu() * columns.scale + center
        low, high = min(low, float(rows.min())), max(high, float(rows.max()))
    return (low - center) / columns.scale, (high - center) / columns.scale
