"""The principal components of encoded rows, by batches or of a sample."""

import torch
from torch import nn

from skae.nn.pca import PrincipalComponents, principal_components, principal_components_of_few
from skae.training.rows import Batches, Rows

_WIDEST_COVARIANCE = 4096
_MOST_CELLS = 2**25


def find_principal_components(data: Rows, widen: nn.Module, n_encoded: int) -> PrincipalComponents:
    """Return the principal components of widened rows; of a sample, where they are very wide.

    Parameters
    ----------
    data : Rows
        The encoded rows; of two views side by side, the second counts.
    widen : nn.Module
        What makes numbers of them.
    n_encoded : int
        The number of columns of one view.
    """

    def widened(x: torch.Tensor) -> torch.Tensor:
        return widen(x[:, -n_encoded:])

    n_columns = widened(data.take(torch.zeros(1, dtype=torch.long))[0]).shape[1]
    if n_columns <= min(len(data), _WIDEST_COVARIANCE):
        return principal_components((widened(x), weight) for x, weight in Batches(data, 4096))
    few = data.sample(max(2, min(_WIDEST_COVARIANCE, _MOST_CELLS // n_columns)))
    x, weight = few.take(torch.arange(len(few)))
    return principal_components_of_few(widened(x), weight)
