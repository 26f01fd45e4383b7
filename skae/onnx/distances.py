"""Modules of torch that measure the distances of points to references."""

import numpy as np
import torch
from torch import Tensor, nn

from skae.outliers.neighbors import Nearest, TypicalDistance
from skae.outliers.surprisal import SMALL


def logarithm(quantities: Tensor) -> Tensor:
    """Return what `skae.outliers.surprisal.logarithm` does."""
    # As a tensor, because the exporter makes other numbers ones of single precision.
    small = torch.tensor(SMALL, dtype=torch.float64)
    return torch.round((quantities + small).log() * 1e10) / 1e10


class Distances(nn.Module):
    """The mean logarithm of the distances to the nearest reference of every group.

    Parameters
    ----------
    nearest : Nearest
        The references.
    """

    references: Tensor
    norms: Tensor
    first: Tensor

    def __init__(self, nearest: Nearest) -> None:
        super().__init__()
        references = torch.from_numpy(nearest.references).double()
        self.register_buffer("references", references)
        self.register_buffer("norms", references.square().sum(1))
        self.n_groups, self.rank = nearest.n_groups, nearest.rank
        size = len(references) // nearest.n_groups
        self.register_buffer("first", torch.arange(nearest.n_groups) * size)

    def forward(self, points: Tensor) -> Tensor:
        """Return them of points $(B, w)$, $(B,)$."""
        x = points.float().double()
        # Products tell which reference is the nearest; its distance is then measured exactly.
        squared = self.norms - 2 * x @ self.references.T
        grouped = squared.reshape(x.shape[0], self.n_groups, -1)
        if self.rank == 1:
            place = grouped.argmin(2)
        else:
            place = grouped.topk(self.rank, dim=2, largest=False).indices[:, :, -1]
        differences = self.references[place + self.first] - x[:, None]
        return logarithm(differences.square().sum(2).sqrt()).mean(1)


class Typical(nn.Module):
    """The logarithm of a quantile of the distances to references.

    Parameters
    ----------
    typical : TypicalDistance
        The references.
    """

    references: Tensor
    norms: Tensor

    def __init__(self, typical: TypicalDistance) -> None:
        super().__init__()
        norms = (typical.references**2).sum(1).astype(np.float64)
        self.register_buffer("references", torch.from_numpy(typical.references).double())
        self.register_buffer("norms", torch.from_numpy(norms))
        self.place = typical.place

    def forward(self, points: Tensor) -> Tensor:
        """Return it of points $(B, w)$, $(B,)$."""
        squared = self.norms - 2 * points @ self.references.T
        least = squared.topk(self.place + 1, dim=1, largest=False).values[:, -1]
        return logarithm((least + points.square().sum(1)).clamp_min(0).sqrt())
