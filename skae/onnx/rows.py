"""Modules of torch from the inputs of a model to encoded rows, and back."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor, nn

from skae.onnx.inputs import Input
from skae.onnx.tables import TableCells
from skae.tables.cells import VALUE
from skae.tables.columns import FARTHEST, Columns
from skae.tables.matrix import MatrixColumns
from skae.tables.mixed import MixedColumns
from skae.tables.scores import NormalScores, ScoredColumns

_FARTHEST = float(FARTHEST)


class Rows(nn.Module, ABC):
    """The encoding of rows.

    Attributes
    ----------
    inputs : list of Input
        What goes in.
    """

    inputs: list[Input]

    @abstractmethod
    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return encoded rows $(B, m)$, and what is added to their log-likelihood, $(B,)$."""


class MatrixRows(Rows):
    """The encoding of a matrix of numbers.

    Parameters
    ----------
    columns : MatrixColumns
        The columns.
    """

    center: Tensor

    def __init__(self, columns: MatrixColumns) -> None:
        super().__init__()
        kind = "float" if columns.dtype == np.float32 else "double"
        self.inputs = [Input("X", kind, columns.n_encoded, missing="")]
        self.register_buffer("center", torch.from_numpy(np.array(columns.center)))
        self.scale, self.log_volume = float(columns.scale), float(columns.log_volume)
        self.is_single = columns._is_single

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return encoded rows, given rows $(B, n)$."""
        x = inputs[0] if self.is_single else inputs[0].double()
        encoded = ((x - self.center.to(x)) / self.scale).float().clamp(-_FARTHEST, _FARTHEST)
        return encoded, torch.full_like(encoded[:, 0], -self.log_volume)


class TableRows(Rows):
    """The encoding of a table.

    Parameters
    ----------
    columns : MixedColumns
        The columns.
    is_array : bool
        Whether the table was an array.
    """

    center: Tensor
    scale: Tensor

    def __init__(self, columns: MixedColumns, *, is_array: bool) -> None:
        super().__init__()
        self.cells = TableCells(columns.table, is_array=is_array)
        self.inputs = self.cells.inputs
        self.register_buffer("center", torch.from_numpy(np.array(columns.center)))
        self.register_buffer("scale", torch.from_numpy(np.array(columns.scale)))
        scores = columns.scores if isinstance(columns, ScoredColumns) else ()
        self.scores = nn.ModuleList(Scores(each) for each in scores)
        self.log_volume = float(columns.log_volume)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return encoded rows, given a tensor for every column; two for one of texts."""
        encoded = self.cells(*inputs)
        states = torch.stack([state for _, state, _ in encoded], dim=1)
        log_shares = torch.stack([share for _, _, share in encoded], dim=1).sum(1)
        numbers = [(number, state) for number, state, _ in encoded if number is not None]
        columns = [self._encoded(i, *pair)[:, None] for i, pair in enumerate(numbers)]
        rows = torch.cat([*columns, states.float()], dim=1)
        return rows, log_shares.float() - self.log_volume

    def _encoded(self, i: int, number: Tensor, state: Tensor) -> Tensor:
        if len(self.scores):
            return self.scores[i](torch.where(state == VALUE, number, torch.nan)).float()
        scaled = (number - self.center[i]) / self.scale[i]
        return scaled.clamp(-_FARTHEST, _FARTHEST).float()


class Scores(nn.Module):
    """The normal scores of a column of numbers.

    Parameters
    ----------
    scores : NormalScores
        The scores of the intervals.
    """

    between: Tensor
    middle: Tensor

    def __init__(self, scores: NormalScores) -> None:
        super().__init__()
        between = (scores.last[:-1] + scores.first[1:]) / 2
        self.register_buffer("between", torch.from_numpy(between))
        self.register_buffer("middle", torch.from_numpy(scores.middle))

    def forward(self, numbers: Tensor) -> Tensor:
        """Return the scores of numbers $(B,)$, NaN for NaN."""
        # Counting does what searching does, which ONNX has no operator for.
        place = (self.between < torch.nan_to_num(numbers)[:, None]).sum(1)
        return torch.where(torch.isnan(numbers), torch.nan, self.middle[place])


def make_rows(columns: Columns, *, is_array: bool) -> Rows:
    """Return the encoding of rows.

    Parameters
    ----------
    columns : Columns
        The columns.
    is_array : bool
        Whether the estimator was fitted to an array, rather than to a frame.

    Raises
    ------
    ValueError
        If a column cannot be an input of a model.
    """
    if isinstance(columns, MatrixColumns):
        return MatrixRows(columns)
    assert isinstance(columns, MixedColumns)
    return TableRows(columns, is_array=is_array)
