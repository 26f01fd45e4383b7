"""The principal components of encoded rows, by batches or of a sample."""

import torch
from torch import Tensor, nn

from skae.nn.pca import PrincipalComponents, principal_components, principal_components_of_few
from skae.training.rows import Batches, Rows

_WIDEST_COVARIANCE = 4096
_MOST_CELLS = 2**25
_BATCH_SIZE = 4096
_ROWS_TO_LOOK_AT = 4096


def find_principal_components(
    data: Rows, one_hot: nn.Module, n_encoded: int
) -> PrincipalComponents:
    """Return the principal components of rows, one-hot; of a sample, where they are very wide.

    Parameters
    ----------
    data : Rows
        The encoded rows; of inputs and targets side by side, the targets count.
    one_hot : nn.Module
        The one-hot encoding.
    n_encoded : int
        The number of columns of an encoded row.
    """

    def numbers_of(x: Tensor) -> Tensor:
        return one_hot.to(x.device)(x[:, -n_encoded:])

    n_columns = numbers_of(data.take(torch.zeros(1, dtype=torch.long))[0]).shape[1]
    if n_columns <= min(len(data), _WIDEST_COVARIANCE):
        batches = Batches(data, _BATCH_SIZE)
        return principal_components((numbers_of(x), weight) for x, weight in batches)
    few = data.sample(max(2, min(_WIDEST_COVARIANCE, _MOST_CELLS // n_columns)))
    x, weight = few.take(torch.arange(len(few)))
    return principal_components_of_few(numbers_of(x), weight)


def residual_of_corrupted(
    pca: PrincipalComponents, data: Rows, corruption: nn.Module, one_hot: nn.Module, n_encoded: int
) -> Tensor:
    """Return the mean squared error of every column that PCA makes of corrupted rows.

    Parameters
    ----------
    pca : PrincipalComponents
        As many components as the code has.
    data, one_hot, n_encoded
        As in `find_principal_components`.
    corruption : nn.Module
        The corruption of encoded rows.
    """
    n_rows = min(len(data), _ROWS_TO_LOOK_AT)
    x, _ = data.sample(_ROWS_TO_LOOK_AT).take(torch.arange(n_rows))
    one_hot, x = one_hot.cpu(), x.cpu()
    corrupted = corruption.train()(x[:, :n_encoded])
    error = pca.error(one_hot(corrupted), one_hot(x[:, -n_encoded:]))
    return torch.maximum(error, pca.residual)
