"""Wide layers: the error by their width, with the rules for their start and rate, and without.

    python -m benchmarks.tables.widths [--seeds 0]

Squared errors on new rows over those of PCA with as many components, of AutoencoderTransformer(8)
at its defaults but for the layers: 5,000 rows of 30 columns, the tanh of six factors, and the
digits of scikit-learn.
"""

import argparse
from unittest.mock import patch

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from benchmarks.report import circumstances, table
from skae import AutoencoderTransformer
from skae.nn import networks
from skae.nn.networks import SkipNetwork

WIDTHS = [(128, 128), (256, 256), (512, 256), (1000, 500), (512, 512, 512), (1000,)]


def rows_of_factors(n_rows):
    """Return rows of 30 columns, the tanh of six factors."""
    rng = np.random.default_rng(0)
    to_columns = rng.normal(size=(6, 30))
    return np.tanh(rng.normal(size=(n_rows, 6)) @ to_columns).astype(np.float32)


def digits():
    """Return the digits, shuffled."""
    X = load_digits().data.astype(np.float32)
    return X[np.random.default_rng(1).permutation(len(X))]


def squared_error(transformer, X):
    """Return the squared error of rows."""
    return float(((transformer.inverse_transform(transformer.transform(X)) - X) ** 2).sum())


def one_rate(network):
    """Return the rates of a network whose layers all have the same."""
    return {"linear.*": network.linear_rate}


def no_scale(layer):
    """Leave a layer as it is."""


WAYS = {
    "neither": (no_scale, one_rate),
    "start": (networks._keep_scale, one_rate),
    "start and rate": (networks._keep_scale, SkipNetwork.rates),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    args = parser.parse_args()
    print(circumstances(), flush=True)
    sets = {"tanh of six factors": (rows_of_factors(7000), 5000), "digits": (digits(), 1200)}
    lines = []
    for name, (X, n) in sets.items():
        of_pca = squared_error(PCA(8).fit(X[:n]), X[n:])
        for widths in WIDTHS:
            means = []
            for start, rates in WAYS.values():
                with (
                    patch.object(networks, "_keep_scale", start),
                    patch.object(SkipNetwork, "rates", rates),
                ):
                    fits = [
                        AutoencoderTransformer(8, hidden_layer_sizes=widths, random_state=seed)
                        for seed in args.seeds
                    ]
                    errors = [squared_error(each.fit(X[:n]), X[n:]) for each in fits]
                means.append(f"{np.mean(errors) / of_pca:.3f}")
            lines.append([name, "-".join(map(str, widths)), *means])
            print(*lines[-1], flush=True)
    print("\n" + table(["rows", "layers", *WAYS], lines))


if __name__ == "__main__":
    main()
