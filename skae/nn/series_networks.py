"""Networks of series: convolutions over time."""

from collections.abc import Sequence

from torch import nn

from skae.nn.networks import linear_pair, orthogonal, stack_pairs


def series_pair(
    shape: tuple[int, int], channels: Sequence[int], kernel_size: int, n_components: int
) -> tuple[nn.Module, nn.Module]:
    """Build a convolutional encoder of flattened series and the decoder that mirrors it.

    Each convolution halves the number of timepoints, rounded up; the decoder's transposed
    convolutions restore it exactly. A linear layer connects the last series and the code.

    Parameters
    ----------
    shape : tuple of two int
        The channels and timepoints of a series.
    channels : sequence of int
        The number of channels of every convolution.
    kernel_size : int
        The number of timepoints that a convolution sees, which is odd.
    n_components : int
        The number of units of the code.
    """
    pairs: list[tuple[nn.Module, nn.Module]] = []
    n_in, n_timepoints = shape
    how = kernel_size, 2, kernel_size // 2
    for n_out in channels:
        undo = nn.ConvTranspose1d(n_out, n_in, *how, output_padding=1 - n_timepoints % 2)
        pairs.append((orthogonal(nn.Conv1d(n_in, n_out, *how)), orthogonal(undo)))
        n_in, n_timepoints = n_out, -(-n_timepoints // 2)
    to_code, to_series = linear_pair(n_in * n_timepoints, n_components, tied=False)
    last = nn.Sequential(to_series, nn.Unflatten(1, (n_in, n_timepoints)))
    pairs.append((nn.Sequential(nn.Flatten(), to_code), last))
    encoder, decoder = stack_pairs(pairs, "gelu", 0.0)
    return nn.Sequential(nn.Unflatten(1, shape), encoder), nn.Sequential(decoder, nn.Flatten())
