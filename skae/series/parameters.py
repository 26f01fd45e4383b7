"""Parameters of convolutions over time."""

from skae.common.annotations import PositiveInt
from skae.common.parameters import estimator


@estimator()
class ConvolutionParameters:
    """Parameters of the deep paths."""

    kernel_size: PositiveInt = 5
    """The number of timepoints that a convolution sees, an odd number."""

    n_blocks: PositiveInt = 3
    """The number of convolutions of the encoder, each of which halves the number of timepoints; the
    decoder mirrors them."""

    channels: PositiveInt = 32
    """The number of channels of every convolution."""
