"""The principal components of encoded rows, of all by batches or of a sample."""

import torch
from torch import Tensor, nn

from skae.nn.pca import PrincipalComponents, principal_components, principal_components_of_few
from skae.nn.regression import Moments, reduced_rank_regression
from skae.training.rows import Batches, Rows

# The largest covariance matrix, in columns; wider rows are sampled.
_WIDEST_COVARIANCE = 4096
# The largest sample of wide rows, in cells.
_MOST_CELLS = 2**25
_BATCH_SIZE = 4096
# The largest sample of rows that PCA's error of corrupted rows is measured on.
_ROWS_TO_LOOK_AT = 4096
# The largest sample of pairs of inputs and targets, and the fewest for every column of an input.
_ROWS_OF_PAIRS, _ROWS_PER_INPUT = 20_000, 10


def find_principal_components(
    data: Rows, one_hot: nn.Module, n_encoded: int
) -> PrincipalComponents:
    """Return the principal components of one-hot rows, or of a sample if they are very wide.

    Parameters
    ----------
    data : Rows
        The encoded rows; where targets stand beside inputs, the targets are used.
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
    sample = data.sample(max(2, min(_WIDEST_COVARIANCE, _MOST_CELLS // n_columns)))
    x, weight = sample.take(torch.arange(len(sample)))
    return principal_components_of_few(numbers_of(x), weight)


def components_of_pairs(
    pca: PrincipalComponents, data: Rows, corruption: nn.Module, n_encoded: int
) -> PrincipalComponents:
    """Return the linear code of inputs, corrupted, from which their targets are found best.

    Parameters
    ----------
    pca : PrincipalComponents
        The principal components of the targets, as many as the code has units.
    data, n_encoded
        As in `find_principal_components`.
    corruption : nn.Module
        The corruption of encoded rows.
    """
    if n_encoded > min(len(data) // _ROWS_PER_INPUT, _WIDEST_COVARIANCE):
        return pca

    def moments(rows: Rows) -> Moments:
        batches = Batches(rows, _BATCH_SIZE)
        corrupted = corruption.train()
        return Moments.of((corrupted(x[:, :n_encoded]), x[:, -n_encoded:], w) for x, w in batches)

    order = torch.randperm(len(data))[:_ROWS_OF_PAIRS]
    n_held_out = len(order) // 5
    learned = moments(data.subset(order[n_held_out:]))
    return reduced_rank_regression(learned, moments(data.subset(order[:n_held_out])), pca)


def residual_of_corrupted(
    pca: PrincipalComponents, data: Rows, corruption: nn.Module, one_hot: nn.Module, n_encoded: int
) -> Tensor:
    """Return the mean squared error of every column after PCA of corrupted rows.

    Parameters
    ----------
    pca : PrincipalComponents
        The principal components, as many as the code has units.
    data, one_hot, n_encoded
        As in `find_principal_components`.
    corruption : nn.Module
        The corruption of encoded rows.
    """
    sample = data.sample(_ROWS_TO_LOOK_AT)
    x, _ = sample.take(torch.arange(len(sample)))
    one_hot, x = one_hot.cpu(), x.cpu()
    corrupted = corruption.train()(x[:, :n_encoded])
    error = pca.error(one_hot(corrupted), one_hot(x[:, -n_encoded:]))
    return torch.maximum(error, pca.residual)
