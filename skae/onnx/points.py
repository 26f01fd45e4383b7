"""Modules of torch from the cells of a table to the points of a detector."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from skae.onnx.cells import Encoded
from skae.onnx.interpolation import Interpolations
from skae.outliers.coordinates import VIEWS, Coordinates
from skae.outliers.margins import Margins
from skae.tables.columns import FARTHEST
from skae.tables.number import Number

_FARTHEST = float(FARTHEST)


class Scores(nn.Module):
    """The normal scores of numbers.

    Parameters
    ----------
    margins : Margins
        The scores.
    scale : ndarray of shape (n_numbers,)
        The scales of the columns, by which scores rise beyond their ends.
    """

    high: Tensor
    least: Tensor
    most: Tensor
    scale: Tensor
    low_in_scales: Tensor
    high_in_scales: Tensor
    which: Tensor
    edge: Tensor

    def __init__(self, margins: Margins, scale: np.ndarray) -> None:
        super().__init__()
        self.inner = Interpolations(margins.columns)
        low, high = margins.ends
        least, most = margins.range
        buffers = {"high": high, "least": least, "most": most, "scale": scale}
        buffers |= {"low_in_scales": low / scale, "high_in_scales": high / scale}
        buffers |= {"which": np.arange(len(scale)), "edge": np.array(margins.edge)}
        for name, values in buffers.items():
            self.register_buffer(name, torch.from_numpy(np.array(values)))

    def forward(self, numbers: Tensor) -> Tensor:
        """Return the scores of numbers $(B, n)$."""
        inner, scaled = self.inner(numbers, self.which), numbers / self.scale
        beyond = (self.low_in_scales - scaled).maximum(scaled - self.high_in_scales)
        outer = self.edge + beyond.clamp(0, _FARTHEST).log1p()
        outer = torch.where(numbers > self.high, outer, -outer)
        return torch.where((numbers < self.least) | (numbers > self.most), outer, inner)


class Points(nn.Module):
    """The points of rows in both views.

    Parameters
    ----------
    columns : Coordinates
        The encoding of rows as points.
    """

    scale: Tensor
    center: Tensor
    missing: Tensor
    order: Tensor

    def __init__(self, columns: Coordinates) -> None:
        super().__init__()
        scale, center = columns.scaling.scale, columns.scaling.center
        self.register_buffer("scale", torch.from_numpy(np.array(scale)))
        self.register_buffer("center", torch.from_numpy(center / scale))
        missing = [columns.missing_number(field) for field in columns.table.numbers]
        self.register_buffer("missing", torch.tensor(missing, dtype=torch.float64))
        self.scores = Scores(columns.margins, scale)
        self.tables = nn.ParameterDict()
        for j in range(len(columns.table.modelled)):
            places = np.hstack([columns.places_of_states(view, j) for view in VIEWS])
            if places.shape[1]:
                table = torch.from_numpy(places.astype(np.float64))
                self.tables[str(j)] = nn.Parameter(table, requires_grad=False)
        self.register_buffer("order", torch.from_numpy(_order(columns)))

    def forward(self, cells: list[Encoded]) -> Tensor:
        """Return points $(V, B, w)$."""
        blocks = []
        numbers = [number for number, _, _ in cells if number is not None]
        if numbers:
            x = torch.stack(numbers, dim=1).double()
            is_missing = torch.isnan(x)
            x = torch.where(is_missing, 0.0, x)
            standard = (x / self.scale - self.center).clamp(-_FARTHEST, _FARTHEST)
            for each in (standard, self.scores(x)):
                blocks.append(torch.where(is_missing, self.missing, each))
        blocks += [embedding(cells[int(j)][1], table) for j, table in self.tables.items()]
        joined = torch.cat(blocks, dim=1).index_select(1, self.order)
        return joined.reshape(joined.shape[0], len(VIEWS), -1).transpose(0, 1)


def _order(columns: Coordinates) -> np.ndarray:
    """Return where the coordinates of both views are among blocks of numbers and of states."""
    fields = columns.table.modelled
    n_numbers, numbers = len(columns.table.numbers), iter(range(len(columns.table.numbers)))
    order: list[list[int]] = [[] for _ in VIEWS]
    after = len(VIEWS) * n_numbers
    for j, field in enumerate(fields):
        number = next(numbers) if isinstance(field, Number) else None
        width = columns.places_of_states(VIEWS[0], j).shape[1]
        for v, own in enumerate(order):
            own.extend([] if number is None else [v * n_numbers + number])
            own.extend(range(after + v * width, after + (v + 1) * width))
        after += len(VIEWS) * width
    return np.concatenate(order).astype(np.int64)
