"""A linear variational autoencoder is probabilistic PCA: how nearly.

    python -m benchmarks.images.linear

Digits and MNIST (pixels 0 to 1), all training rows: the bound of a linear VAE with a learned
variance beside `PCA.score`, the two variances of the noise, and, with a variance fixed at one on
MNIST, how many units are active beside how many components have a variance above one.
"""

import numpy as np
from sklearn.decomposition import PCA

from benchmarks.data import load
from benchmarks.report import circumstances, table
from skae import VAETransformer

N_COMPONENTS = 16


def linear(**params):
    """Return a linear variational autoencoder that keeps all rows for training."""
    options = {"hidden_layer_sizes": (), "bounds": None, "early_stopping": False}
    return VAETransformer(N_COMPONENTS, max_epochs=10, random_state=0, **options, **params)


def compare(name, X):
    """Return a line: both scores, how far they are apart, and both variances."""
    pca, autoencoder = PCA(N_COMPONENTS).fit(X), linear().fit(X)
    scores = pca.score(X), autoencoder.score(X)
    apart = abs(scores[1] / scores[0] - 1)
    variances = pca.noise_variance_, autoencoder.noise_variance_
    cells = (*(f"{score:.3f}" for score in scores), f"{apart:.1e}")
    return [name, *cells, *(f"{variance:.6g}" for variance in variances)]


def main():
    print(circumstances(), flush=True)
    images = load("mnist")[0].astype(np.float32)
    lines = [compare("digits", load("digits")), compare("MNIST", images)]
    print(table(["rows", "PCA", "VAE", "apart", "PCA variance", "VAE variance"], lines))
    above = int((PCA(N_COMPONENTS).fit(images).explained_variance_ > 1).sum())
    active = len(linear(noise_variance=1.0).fit(images).active_units_)
    print(f"\nactive with a variance of one: {active}; components above one: {above}")


if __name__ == "__main__":
    main()
