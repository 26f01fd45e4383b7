"""Modules of torch from the cells of one input to numbers, states and log shares."""

from abc import ABC, abstractmethod

import narwhals as nw
import numpy as np
import torch
from torch import Tensor, nn

from skae.onnx.inputs import NO_INTEGER, Input
from skae.tables.category import Category
from skae.tables.cells import MISSING, N_RESERVED, OTHER, VALUE
from skae.tables.number import Number

# Beyond this difference from the origin integers are subtracted as floats, as tables do it.
_NEAR = 2.0**62
_EMPTY, _ZERO = "", "\0"

Encoded = tuple[Tensor | None, Tensor, Tensor]


class Cells(nn.Module, ABC):
    """The cells of one input as a table encodes them.

    Attributes
    ----------
    input : Input
        What goes in.
    """

    input: Input

    @abstractmethod
    def forward(self, *cells: Tensor) -> Encoded:
        """Return numbers, $(B,)$ or None, states, $(B,)$, and their log shares, $(B,)$."""


class Texts(Cells):
    """A column of texts: their states and log shares, because torch knows no texts.

    Parameters
    ----------
    name : str
        The name of the input.
    category : Category
        The column, all of whose labels are texts.
    """

    def __init__(self, name: str, category: Category) -> None:
        super().__init__()
        rare = category.rare
        kept = [*category.states, *rare.counts]
        missing = _EMPTY if _EMPTY not in kept else _ZERO
        self.input = Input(
            name,
            "string",
            missing=missing,
            states={**{str(k): v for k, v in category.states.items()}, missing: MISSING},
            log_shares={str(label): rare.log_share(label) for label in rare.counts},
            unseen=rare.log_share(_Unseen()),
        )

    def forward(self, *cells: Tensor) -> Encoded:
        """Return the states and log shares of a column, $(B, 1)$ each, which it is given."""
        states, log_shares = cells
        return None, states[:, 0], log_shares[:, 0].double()


class _Unseen:
    """A label that no column has."""


class Labels(Cells):
    """A column of labels that are numbers or truth values.

    Parameters
    ----------
    name : str
        The name of the input.
    category : Category
        The column.
    kind : str
        The type of the input: "int64" or "double".
    """

    labels: Tensor
    states: Tensor
    rare: Tensor
    log_shares: Tensor

    def __init__(self, name: str, category: Category, kind: str) -> None:
        super().__init__()
        self.is_whole = kind == "int64"
        missing = str(NO_INTEGER) if self.is_whole else "NaN"
        self.input = Input(name, kind, missing=missing)
        # Labels of single precision are told apart in that precision.
        self.is_single = category.cells.dtype == nw.Float32
        dtype = torch.int64 if self.is_whole else torch.float64
        rare = category.rare
        self.register_buffer("labels", torch.tensor(list(category.states), dtype=dtype))
        self.register_buffer("states", torch.tensor(list(category.states.values())))
        self.register_buffer("rare", torch.tensor(list(rare.counts), dtype=dtype))
        unseen = rare.log_share(_Unseen())
        beyond = [rare.log_share(label) - unseen for label in rare.counts]
        self.register_buffer("log_shares", torch.tensor(beyond, dtype=torch.float64))
        self.unseen = unseen

    def forward(self, *cells: Tensor) -> Encoded:
        """Return the states and log shares of labels $(B, 1)$."""
        (labels,) = cells
        is_missing = (labels == NO_INTEGER) if self.is_whole else torch.isnan(labels)
        is_missing = is_missing[:, 0]
        states = OTHER + (self._are(labels, self.labels).long() * self.states).sum(1)
        states = torch.where(is_missing, MISSING, states)
        log_shares = self.unseen + (self._are(labels, self.rare).double() * self.log_shares).sum(1)
        return None, states, torch.where(states == OTHER, log_shares, 0.0)

    def _are(self, labels: Tensor, known: Tensor) -> Tensor:
        if self.is_single:
            return labels.float() == known.float()
        return labels == known


class Numbers(Cells):
    """A column of numbers or times.

    Parameters
    ----------
    name : str
        The name of the input.
    number : Number
        The column.
    """

    point_masses: Tensor

    def __init__(self, name: str, number: Number) -> None:
        super().__init__()
        scale = number.scale
        self.is_whole, self.origin, self.step = scale.is_stepped, scale.origin, scale.step
        missing = str(NO_INTEGER) if self.is_whole else "NaN"
        self.input = Input(name, "int64" if self.is_whole else "double", missing=missing)
        self.register_buffer("point_masses", torch.from_numpy(np.asarray(number.point_masses)))

    def forward(self, *cells: Tensor) -> Encoded:
        """Return the encoded numbers of a column, $(B, 1)$, NaN where missing, and the states."""
        numbers = self._steps(cells[0])
        are = (numbers == self.point_masses).long()
        places = torch.arange(len(self.point_masses), device=numbers.device)
        frequent = (are * (N_RESERVED + places - VALUE)).sum(1)
        states = torch.where(torch.isnan(numbers[:, 0]), MISSING, VALUE + frequent)
        return numbers[:, 0], states, torch.zeros_like(numbers[:, 0])

    def _steps(self, raw: Tensor) -> Tensor:
        if not self.is_whole:
            return raw
        far = raw.double() - float(self.origin)
        near = (raw - self.origin).double()
        steps = torch.where(far.abs() < _NEAR, near, far) / self.step
        return torch.where(raw == NO_INTEGER, torch.nan, steps)


def make_cells(name: str, field: Category | Number) -> Cells:
    """Return the module of a column.

    Raises
    ------
    ValueError
        If its labels are of a sort that no input of a model can be.
    """
    if isinstance(field, Number):
        return Numbers(name, field)
    labels = [*field.states, *field.rare.counts]
    if all(isinstance(label, str) for label in labels):
        return Texts(name, field)
    if all(isinstance(label, (bool, int, np.integer)) for label in labels):
        return Labels(name, field, "int64")
    if all(isinstance(label, (bool, int, float, np.number)) for label in labels):
        return Labels(name, field, "double")
    kinds = sorted({type(label).__name__ for label in labels})
    raise ValueError(
        f"Column {field.name!r} has labels of the types {', '.join(kinds)}; an ONNX model takes "
        f"labels that are all texts, all whole numbers or all numbers."
    )
