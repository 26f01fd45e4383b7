"""Modules of torch from the inputs of a model to encoded rows, and back."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor, nn

from skae.onnx.cells import Cells, make_cells
from skae.onnx.inputs import NO_INTEGER, Input
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
    names : list of str
        The names of the inputs of the columns that are modelled.
    is_joined : bool
        Whether all columns are numbers in one input "X", for tables that were arrays.
    """

    center: Tensor
    scale: Tensor

    def __init__(self, columns: MixedColumns, names: list[str], *, is_joined: bool) -> None:
        super().__init__()
        pairs = zip(names, columns.table.modelled, strict=True)
        self.cells = nn.ModuleList(make_cells(name, field) for name, field in pairs)
        self.places = columns.table.places if is_joined else []
        own = [cells.input for cells in self._cells()]
        self.inputs = [Input("X", "double", len(columns.table.fields))] if is_joined else own
        self.register_buffer("center", torch.from_numpy(np.array(columns.center)))
        self.register_buffer("scale", torch.from_numpy(np.array(columns.scale)))
        scores = columns.scores if isinstance(columns, ScoredColumns) else ()
        self.scores = nn.ModuleList(Scores(each) for each in scores)
        self.log_volume = float(columns.log_volume)

    def _cells(self) -> list[Cells]:
        return [cells for cells in self.cells if isinstance(cells, Cells)]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return encoded rows, given a tensor for every column; two for one of texts."""
        encoded = [cells(*own) for cells, own in zip(self.cells, self._split(inputs), strict=True)]
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

    def _split(self, inputs: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
        """Return the tensors of every column."""
        if self.places:
            return [
                (as_kind(inputs[0][:, place : place + 1], cells.input.kind),)
                for place, cells in zip(self.places, self._cells(), strict=True)
            ]
        left, found = list(inputs), []
        for cells in self._cells():
            n = 2 if cells.input.kind == "string" else 1
            found.append(tuple(left[:n]))
            left = left[n:]
        return found


def as_kind(column: Tensor, kind: str) -> Tensor:
    """Return a column of doubles in the type of an input of its own."""
    if kind != "int64":
        return column
    missing = torch.isnan(column)
    return torch.where(missing, NO_INTEGER, torch.nan_to_num(column).long())


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
    fields = columns.table.modelled
    names = [str(field.name) for field in fields]
    kinds = {make_cells(name, field).input.kind for name, field in zip(names, fields, strict=True)}
    return TableRows(columns, names, is_joined=is_array and "string" not in kinds)
