"""Modules of torch that search and interpolate: bisection by gathering."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from skae.outliers.interpolation import Interpolation


class Search(nn.Module):
    """The number of the sorted numbers of a table's row that are below others.

    ONNX has no operator that searches. Bisection takes as many steps as the size of a row has bits.

    Parameters
    ----------
    rows : sequence of ndarray
        The rows of the table, each sorted.
    is_at_most : bool
        Whether equal numbers count as well.
    """

    table: Tensor

    def __init__(self, rows: Sequence[np.ndarray], *, is_at_most: bool) -> None:
        super().__init__()
        self.n_bits = max((len(row) for row in rows), default=0).bit_length()
        self.is_at_most = is_at_most
        table = np.full((len(rows), 2**self.n_bits), np.inf)
        for own, row in zip(table, rows, strict=True):
            own[: len(row)] = row
        self.register_buffer("table", torch.from_numpy(table.reshape(-1, 1)))

    def forward(self, x: Tensor, row: Tensor) -> Tensor:
        """Return the numbers below those of a tensor, given which row each of them is sought in."""
        first, count = row * 2**self.n_bits, torch.zeros_like(x, dtype=torch.int64) + 0 * row
        for bit in reversed(range(self.n_bits)):
            tried = embedding(first + count + (2**bit - 1), self.table)[..., 0]
            is_beyond = tried <= x if self.is_at_most else tried < x
            count = count + is_beyond.long() * 2**bit
        return count


class Interpolations(nn.Module):
    """Piecewise linear functions, constant beyond their ends.

    Parameters
    ----------
    functions : sequence of Interpolation
        The functions.
    """

    low: Tensor
    high: Tensor
    pieces: Tensor

    def __init__(self, functions: Sequence[Interpolation]) -> None:
        super().__init__()
        self.search = Search([each.knots[1:-1] for each in functions], is_at_most=True)
        ends = np.array([each.ends for each in functions]).reshape(-1, 2)
        self.register_buffer("low", torch.from_numpy(ends[:, 0].copy()))
        self.register_buffer("high", torch.from_numpy(ends[:, 1].copy()))
        self.most = max((len(each.knots) for each in functions), default=1)
        pieces = np.zeros((len(functions), self.most, 4))
        pieces[:, :, 1] = 1
        for own, each in zip(pieces, functions, strict=True):
            n = max(1, len(each.knots) - 1)
            own[:n, 0], own[:n, 2] = each.knots[:n], each.values[:n]
            if len(each.knots) > 1:
                own[:n, 1], own[:n, 3] = np.diff(each.knots), np.diff(each.values)
        self.register_buffer("pieces", torch.from_numpy(pieces.reshape(-1, 4)))

    def forward(self, x: Tensor, which: Tensor) -> Tensor:
        """Return the values of numbers, given which function is taken of each of them."""
        x = x.maximum(self.low[which]).minimum(self.high[which])
        place = self.search(x, which) + which * self.most
        knot, width, value, rise = embedding(place, self.pieces).unbind(-1)
        return value + rise * ((x - knot) / width)
