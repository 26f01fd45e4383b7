"""From the names of corruptions to modules."""

import copy
from numbers import Integral, Real

import torch
from torch import Tensor, nn

from skae.building.networks import check_image_shape
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
from skae.tables.mixed import MixedColumns
from skae.training.rows import Batches, Rows

CORRUPTIONS = ("swap", "masking", "gaussian", "salt_and_pepper", "blur", "grey", "patch")
_OF_SHARES = ("swap", "masking", "salt_and_pepper")
_OF_TABLES = ("swap", "masking", "gaussian")
_OF_IMAGES = ("blur", "grey", "patch")
_LEVELS = {"swap": 0.15, "masking": 0.25, "gaussian": 0.5, "salt_and_pepper": 0.3, "blur": 2}
_ROWS_AT_A_TIME = 4096


def make_corruption(estimator, columns: Columns | MixedColumns, data: Rows) -> nn.Module:
    """Return what an estimator's `corruption` and `corruption_level` do to encoded rows.

    Parameters
    ----------
    estimator : DenoisingAE
        Its parameters are read.
    columns : Columns or MixedColumns
        The columns of the rows.
    data : Rows
        The encoded rows, whose extremes are salt and pepper.
    """
    shape = check_image_shape(estimator.image_shape, columns.n_encoded)
    parts = [_make(*pair, columns, data, shape) for pair in _with_levels(estimator)]
    return Repeated(nn.Sequential(*parts))


def make_hidden_corruption(estimator, n_units: int) -> nn.Module:
    """Return what pre-training does to hidden units: it masks the share of the first that has one.

    Parameters
    ----------
    estimator : DenoisingAE
        Its `corruption` and `corruption_level` are read.
    n_units : int
        The number of units.
    """
    shares = [
        _LEVELS[corruption] if isinstance(level, str) else level
        for corruption, level in _with_levels(estimator)
        if corruption in _OF_SHARES
    ]
    return MaskCells(shares[0] if shares else _LEVELS["masking"], torch.zeros(n_units))


def _with_levels(estimator) -> list[tuple[object, object]]:
    """Return every corruption and its level."""
    given, levels = estimator.corruption, estimator.corruption_level
    given = list(given) if isinstance(given, (list, tuple)) else [given]
    levels = list(levels) if isinstance(levels, (list, tuple)) else [levels] * len(given)
    if not given or len(levels) != len(given):
        raise ValueError(
            f"The 'corruption_level' parameter must be one level, or one for each of the "
            f"{len(given)} corruptions, at least one. Got {estimator.corruption_level!r}."
        )
    return list(zip(given, levels, strict=True))


def _make(corruption, level, columns, data: Rows, shape) -> nn.Module:
    is_table = isinstance(columns, MixedColumns)
    if not isinstance(corruption, str):
        return _own(corruption, columns, is_table=is_table)
    allowed = _OF_TABLES if is_table else CORRUPTIONS
    if corruption not in allowed:
        raise ValueError(
            f"The 'corruption' parameter must be a module, a callable or, for "
            f"{'tables' if is_table else 'numbers'}, among {allowed}. Got {corruption!r}."
        )
    if corruption in _OF_IMAGES:
        return _of_images(corruption, level, columns, shape)
    if corruption == "gaussian" and not is_table and level == "auto":
        level = _LEVELS["gaussian"] * columns.scale
    largest = float("inf") if corruption == "gaussian" else 1
    level = _check_level(corruption, level, Real, 0, largest)
    if is_table:
        return _of_table(corruption, level, columns)
    return _of_numbers(corruption, level, columns, data)


def _of_table(corruption: str, level: float, columns: MixedColumns) -> nn.Module:
    column_of_number = columns.column_of_number
    if corruption == "swap":
        return SwapCells(level, [*column_of_number, *range(len(columns.n_states))])
    if corruption == "masking":
        return HideCells(level, column_of_number)
    return OfNumbers(GaussianNoise(level), columns.n_numbers)


def _of_numbers(corruption: str, level: float, columns: Columns, data: Rows) -> nn.Module:
    if corruption == "swap":
        return SwapCells(level, range(columns.n_encoded))
    if corruption == "masking":
        return MaskCells(level, torch.zeros(columns.n_encoded))
    if corruption == "gaussian":
        return GaussianNoise(level / columns.scale)
    return SaltAndPepper(level, *_extremes(columns, data))


def _of_images(corruption: str, level, columns: Columns, shape) -> nn.Module:
    if shape is None:
        raise ValueError(f"corruption={corruption!r} is for images: give their 'image_shape'.")
    if corruption == "grey":
        module = Grey(shape)
    elif corruption == "blur":
        module = Blur(_check_level("blur", level, Integral, 1, min(shape[1:])), shape)
    else:
        third = max(1, min(shape[1:]) // 3) if level == "auto" else level
        module = Patch(_check_level("patch", third, Integral, 1, min(shape[1:])), shape)
    return _in_units(module, columns)


def _own(corruption, columns, *, is_table: bool) -> nn.Module:
    """Return a user's corruption, which works on rows in their own units."""
    if is_table or not callable(corruption):
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
    if getattr(corrupted, "shape", None) != rows.shape:
        got = tuple(getattr(corrupted, "shape", ())) or type(corrupted).__name__
        raise ValueError(
            f"The module or callable given as 'corruption' must return a tensor of the shape that "
            f"it gets. For {tuple(rows.shape)} it returned {got}."
        )


def _in_units(module: nn.Module, columns: Columns) -> InUnits:
    return InUnits(module, torch.as_tensor(columns.center, dtype=torch.float32), columns.scale)


def _check_level(corruption: str, level, kind: type, smallest, largest):
    """Return a level, by rule where it is "auto", or say what is wrong with it."""
    if isinstance(level, str) and level == "auto":
        return _LEVELS[corruption]
    if not isinstance(level, kind) or isinstance(level, bool) or not smallest <= level <= largest:
        raise ValueError(
            f"The 'corruption_level' parameter must be 'auto' or, for {corruption!r}, "
            f"{'an int' if kind is Integral else 'a float'} in the range "
            f"[{smallest}, {largest}]. Got {level!r}."
        )
    return level


def _extremes(columns: Columns, data: Rows) -> tuple[Tensor, Tensor]:
    """Return the smallest and the largest of all cells, encoded for every column."""
    center = torch.as_tensor(columns.center, dtype=torch.float32)
    low, high = float("inf"), -float("inf")
    for x, _ in Batches(data, _ROWS_AT_A_TIME):
        rows = x[:, : len(center)].cpu() * columns.scale + center
        low, high = min(low, float(rows.min())), max(high, float(rows.max()))
    return (low - center) / columns.scale, (high - center) / columns.scale
