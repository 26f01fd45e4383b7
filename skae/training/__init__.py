"""Training: from a chain and rows to a trained net."""

from skae.training.net import AutoencoderNet

__all__ = ["AutoencoderNet"]
