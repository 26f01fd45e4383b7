"""Modules of torch from the inputs of a model to the cells of a table."""

import torch
from torch import Tensor, nn

from skae.onnx.cells import Cells, Encoded, make_cells
from skae.onnx.inputs import NO_INTEGER, Input
from skae.tables.table import Table


class TableCells(nn.Module):
    """The cells of all columns of a table that are modelled.

    All columns of a table that was an array, and has no texts, are in one input, "X".

    Parameters
    ----------
    table : Table
        The columns of the table.
    is_array : bool
        Whether the table was an array.

    Raises
    ------
    ValueError
        If a column cannot be an input of a model.

    Attributes
    ----------
    inputs : list of Input
        What goes in.
    """

    inputs: list[Input]

    def __init__(self, table: Table, *, is_array: bool) -> None:
        super().__init__()
        made = [make_cells(str(field.name), field) for field in table.modelled]
        self.cells = nn.ModuleList(made)
        own = [cells.input for cells in made]
        is_joined = is_array and all(each.kind != "string" for each in own)
        self.places = table.places if is_joined else []
        self.inputs = [Input("X", "double", len(table.fields))] if is_joined else own

    def forward(self, *inputs: Tensor) -> list[Encoded]:
        """Return the encoded columns, given a tensor for every one; two for one of texts."""
        return [cells(*own) for cells, own in zip(self.cells, self._split(inputs), strict=True)]

    def _cells(self) -> list[Cells]:
        return [cells for cells in self.cells if isinstance(cells, Cells)]

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
