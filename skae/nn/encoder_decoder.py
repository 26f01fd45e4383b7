"""The encoder and the decoder of a trained chain as separate modules, to be deployed apart."""

import copy

import torch
from torch import Tensor, nn

from skae.nn.chain import Autoencoder


class Encoder(nn.Module):
    r"""A module from rows in their original units to codes.

    It is a copy that does not need skae's estimators: it can be trained, cast, moved, saved, traced
    or exported as any module, and the chain stays as it is.

    Parameters
    ----------
    chain : Autoencoder
        The trained chain.
    center : array-like of shape (n,), default=0.0
        The constants that encoding subtracts from the columns.
    scale : float, default=1.0
        The number that encoding divides by.
    """

    center: Tensor
    rest: Tensor

    def __init__(self, chain: Autoencoder, center: object = 0.0, scale: float = 1.0) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(chain.encoder)
        self.bottleneck = copy.deepcopy(chain.bottleneck)
        self.quantizer = copy.deepcopy(chain.quantizer)
        center = torch.as_tensor(center, dtype=torch.float64)
        self.register_buffer("center", center.float())
        self.register_buffer("rest", (center - center.float()).float())
        self.scale = scale
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Return the codes $(B, k)$ of rows $(B, n)$, of any float type."""
        # The centre as the sum of two float32 tensors keeps the digits of columns far from zero,
        # also on devices without float64.
        centred = x - self.center.to(x) - self.rest.to(x)
        encoded = (centred / self.scale).float()
        return self.quantizer(self.bottleneck.encode_mean(self.encoder(encoded)))


class Decoder(nn.Module):
    r"""A module from codes to expected rows in their original units; a copy, as `Encoder` is.

    Parameters
    ----------
    chain : Autoencoder
        The trained chain.
    center : array-like of shape (n,), default=0.0
        The constants that encoding subtracts from the columns.
    scale : float, default=1.0
        The number that encoding divides by.
    """

    center: Tensor

    def __init__(self, chain: Autoencoder, center: object = 0.0, scale: float = 1.0) -> None:
        super().__init__()
        self.decoder = copy.deepcopy(chain.decoder)
        self.likelihood = copy.deepcopy(chain.likelihood)
        self.register_buffer("center", torch.as_tensor(center, dtype=torch.float32))
        self.scale = scale
        self.eval()

    def forward(self, z: Tensor) -> Tensor:
        """Return the expected rows $(B, n)$ of codes $(B, k)$."""
        return self.likelihood.mean(self.decoder(z)) * self.scale + self.center
