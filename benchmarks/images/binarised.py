"""Binarised MNIST: a grey value is a probability, from which a black or white pixel is drawn."""

import numpy as np
import torch

from benchmarks.data import load
from skae.training.reading import mean_loss, read
from skae.training.rows import Batches, Rows


class DrawnAnew(Batches):
    """Batches whose pixels are drawn anew in every pass."""

    def __iter__(self):
        for x, weights in super().__iter__():
            yield torch.bernoulli(x), weights


class DrawnAlike(Batches):
    """Batches whose pixels are the same draws in every pass; black and white ones stay."""

    def __iter__(self):
        generator = torch.Generator(self.rows.source.device).manual_seed(0)
        for x, weights in super().__iter__():
            yield torch.bernoulli(x, generator=generator), weights


DYNAMIC = {"iterator_train": DrawnAnew, "iterator_valid": DrawnAlike}


def images(n_train):
    """Return training images, grey, and test images, black and white; None takes all to train."""
    train, test = (part.astype(np.float32) for part in load("mnist"))
    return train[:n_train], np.random.default_rng(0).binomial(1, test).astype(np.float32)


def bound_and_divergence(fitted, X):
    """Return the bound that training made large and the divergence of codes, on average."""
    rows = Rows(torch.from_numpy(X))
    module = fitted.net_.module_
    posterior = module.bottleneck.posterior
    divergence = read(fitted.net_, rows, lambda x: posterior.divergence(module.encoder(x)).sum(1))
    return -mean_loss(fitted.net_, rows), float(divergence.mean())
