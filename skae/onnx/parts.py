"""Modules of torch that compute the quantities of the parts of a detector's score."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from skae.onnx.distances import Distances, Typical, logarithm
from skae.outliers.parts import Center, NearCodes, NearRows, Part, Reconstruction
from skae.outliers.whitening import Whitening, freedom, measures


class Quantities(nn.Module, ABC):
    """The quantities of a part."""

    @abstractmethod
    def forward(self, points: Tensor, codes: Tensor, residuals: Tensor) -> list[Tensor]:
        """Return the quantities, each $(1, B)$ or one line for every member that reads.

        Given are points $(V, B, w)$, codes $(V, M, B, h)$ and residuals $(V, M, B, w)$.
        """


class NearRowsQuantities(Quantities):
    """The distances to near training rows.

    Parameters
    ----------
    part : NearRows
        The part.
    """

    def __init__(self, part: NearRows) -> None:
        super().__init__()
        self.nearest = nn.ModuleList(Distances(each) for each in part.nearest)

    def forward(self, points: Tensor, codes: Tensor, residuals: Tensor) -> list[Tensor]:
        """Return the distances, by view."""
        return [nearest(points[v])[None] for v, nearest in enumerate(self.nearest)]


class NearCodesQuantities(Quantities):
    """The distances to near codes.

    Parameters
    ----------
    part : NearCodes
        The part.
    n_reading : int
        The number of members of every view that read rows.
    """

    def __init__(self, part: NearCodes, n_reading: int) -> None:
        super().__init__()
        by_view = zip(*part.nearest[:n_reading], strict=True)
        views = (nn.ModuleList(Distances(each) for each in view) for view in by_view)
        self.nearest = nn.ModuleList(views)

    def forward(self, points: Tensor, codes: Tensor, residuals: Tensor) -> list[Tensor]:
        """Return the distances, by view."""
        return [
            torch.stack([nearest(codes[v, m]) for m, nearest in enumerate(view)])
            for v, view in enumerate(self.nearest)
            if isinstance(view, nn.ModuleList)
        ]


class CenterQuantities(Quantities):
    """The typical distance to training rows, in the view "quantile".

    Parameters
    ----------
    part : Center
        The part.
    """

    def __init__(self, part: Center) -> None:
        super().__init__()
        self.typical = Typical(part.typical)

    def forward(self, points: Tensor, codes: Tensor, residuals: Tensor) -> list[Tensor]:
        """Return the distance."""
        return [self.typical(points[1])[None]]


class Conditional(nn.Module):
    """The squares of residuals given the others.

    Parameters
    ----------
    whitening : Whitening
        The whitening.
    """

    matrix: Tensor
    mean_of_group: Tensor

    def __init__(self, whitening: Whitening) -> None:
        super().__init__()
        groups, sizes = whitening.groups, freedom(whitening.groups)
        matrix = whitening.conditional(torch.eye(len(groups)))
        self.register_buffer("matrix", matrix.double())
        self.is_by_group = len(sizes) < len(groups)
        means = (groups[:, None] == torch.arange(len(sizes))).double() / sizes
        self.register_buffer("mean_of_group", means)

    def forward(self, residuals: Tensor) -> Tensor:
        """Return them of residuals $(M, B, w)$, $(M, B, g)$."""
        squared = (residuals @ self.matrix).square()
        return squared @ self.mean_of_group if self.is_by_group else squared


class ReconstructionQuantities(Quantities):
    """The typical and the largest conditional residual of the reconstructions.

    Parameters
    ----------
    part : Reconstruction
        The part.
    """

    def __init__(self, part: Reconstruction) -> None:
        super().__init__()
        self.whitenings = nn.ModuleList(Conditional(each) for each in part.whitenings)

    def forward(self, points: Tensor, codes: Tensor, residuals: Tensor) -> list[Tensor]:
        """Return both measures, by view."""
        by_view = [measures(f(residuals[v])) for v, f in enumerate(self.whitenings)]
        return [logarithm(view) for measure in zip(*by_view, strict=True) for view in measure]


def make_quantities(part: Part, n_reading: int) -> Quantities:
    """Return the module of a part, given the number of members of a view that read rows."""
    if isinstance(part, NearRows):
        return NearRowsQuantities(part)
    if isinstance(part, NearCodes):
        return NearCodesQuantities(part, n_reading)
    if isinstance(part, Center):
        return CenterQuantities(part)
    assert isinstance(part, Reconstruction)
    return ReconstructionQuantities(part)
