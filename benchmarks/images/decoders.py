"""Samples of MNIST: the variance of the decoder, and the density that codes are drawn from.

    python -m benchmarks.images.decoders [--epochs 10] [--seeds 0] [--rows 60000] [--samples 5000]
        [--decoders 1.0 0.1 0.03 0.01 0.003 shared per_column] [--figure decoders.png]
        [--out runs.json]

The variance of the decoder, after Rybkin et al. (2021): fixed at 1, at what is best of some, shared
by all pixels, or one for each. The divergence with a weight of beta beside a variance of 1 is a
variance of beta, but for the scale of the loss: so the "tuned beta" of the paper is the fixed
variance whose samples have the smallest Frechet distance to the last 5,000 training images, which
nothing is trained on. Then the prior, after Ghosh et al. (2020): codes of an autoencoder and of a
variational one with a shared variance, drawn from a normal (of the variational one: its own), a
mixture of normals, or the codes of training images themselves, whose samples are reconstructions;
and reconstructions of other test images, which have no prior.

Pixels lie in 0 to 1, nets are 784-512-256-16 and the mirror of it. "-log p" is the bound of 100
draws of the code, in nats, on average and of the median test image. Frechet distances are those of
as many samples to as many test images, between 64 principal components of the training images; of
draws from the likelihood, with its noise, and of the means alone, in which that noise does not
hide what the codes do. Density and coverage are those of means, between 50 components. "Active"
are the units whose mean varies by more than 0.01 over training images. The paper's distances are
in the features of another net, and only their order compares.
"""

import argparse
import json
import time
from functools import cache
from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA

from benchmarks.data import load
from benchmarks.report import circumstances, earlier, table
from skae import AutoencoderTransformer, VAETransformer
from skae.common.seeds import draw_seed
from skae.metrics import density_coverage, frechet_distance
from skae.sampling.prior import MOST_CODES, N_CODES, Prior

N_COMPONENTS = 16
N_VALIDATION = 5_000
N_SHOWN = 14
FIXED = ("1.0", "0.1", "0.03", "0.01", "0.003")
PRIORS = ("normal", "gmm", "posterior")
PUBLISHED = {
    "1.0": ("740.5", "59.9"),
    "tuned": ("-796.2", "53.2"),
    "shared": ("-896.1", "32.2"),
    "per_column": ("-2895", "132.5"),
}


class Judge:
    """What samples look like beside images."""

    def __init__(self, train, real):
        self.pca = PCA(64, random_state=0).fit(train)
        self.real = real

    def frechet(self, samples, real=None):
        """Return the Frechet distance of samples to the test images or others."""
        real = self.real if real is None else real
        return frechet_distance(*map(self.pca.transform, (real, samples)), scale=False)

    def neighbours(self, samples):
        """Return density and coverage."""
        real, samples = (self.pca.transform(rows)[:, :50] for rows in (self.real, samples))
        found = density_coverage(real, samples, scale=False, random_state=0)
        return {"density": found.density, "coverage": found.coverage}

    def __call__(self, samples):
        """Return all three."""
        return {"frechet": self.frechet(samples)} | self.neighbours(samples)


def images(args):
    """Return images to train on, to choose by, and to test with."""
    train, test = (part.astype(np.float32) for part in load("mnist"))
    test = np.random.default_rng(0).permutation(test)  # its halves come from different writers
    return train[:-N_VALIDATION][: args.rows], train[-N_VALIDATION:][: args.samples], test


def options(args, seed):
    """Return the parameters that all autoencoders share."""
    return {"hidden_layer_sizes": (512, 256), "max_epochs": args.epochs, "random_state": seed}


def make(decoder, seed, args):
    """Return a variational autoencoder with a kind of decoder."""
    variance = decoder if decoder in ("shared", "per_column") else float(decoder)
    return VAETransformer(
        N_COMPONENTS, noise_variance=variance, prior="normal", **options(args, seed)
    )


def fit_variational(decoder, seed, args, train):
    """Return a fitted variational autoencoder and the seconds that it took."""
    start = time.perf_counter()
    fitted = make(decoder, seed, args).fit(train)
    return fitted, time.perf_counter() - start


def means_and_draws(fitted, n_samples, seed):
    """Return expected rows of codes from the prior, and rows drawn given the same codes."""
    codes = fitted.prior_.sample(n_samples, draw_seed(seed)).astype(np.float32)
    return fitted.inverse_transform(codes), fitted.sample(n_samples, random_state=seed)


def run_decoder(decoder, seed, fit, data, judge, args):
    """Return a run of the first table as a dict."""
    _, validation, test = data
    fitted, seconds = fit(decoder, seed)
    means, draws = means_and_draws(fitted, args.samples, seed)
    scores = fitted.score_samples(test[: args.samples])
    return {
        "decoder": decoder,
        "seed": seed,
        "loss": -float(scores.mean(dtype=np.float64)),
        "median": -float(np.median(scores)),
        "deviation": float(np.sqrt(np.mean(fitted.noise_variance_))),
        "validation": judge.frechet(means, validation),
        "frechet of draws": judge.frechet(draws),
        **judge(means),
        "active": len(fitted.active_units_),
        "seconds": seconds,
    }


def states_of(fitted, X, seed):
    """Return codes of rows: draws where they are distributions."""
    if not isinstance(fitted, VAETransformer):
        return fitted.transform(X)
    mean, scale = fitted.posterior(X)
    return mean + scale * np.random.default_rng(seed).standard_normal(mean.shape)


def draw_states(fitted, kind, train, n_samples, seed):
    """Return codes from a prior."""
    if kind == "normal" and isinstance(fitted, VAETransformer):
        return np.random.default_rng(seed).standard_normal((n_samples, N_COMPONENTS))
    order = np.random.default_rng(seed).permutation(len(train))
    rows = train[order[: MOST_CODES if kind == "posterior" else N_CODES]]
    return Prior(kind).fit(states_of(fitted, rows, seed), seed).sample(n_samples, seed)


def run_priors(name, fitted, seed, data, judge, args):
    """Yield the runs of the second table as dicts."""
    train, _, test = data
    for kind in PRIORS:
        codes = draw_states(fitted, kind, train, args.samples, seed)
        yield {"model": name, "prior": kind, "seed": seed, **judge(fitted.inverse_transform(codes))}
    back = fitted.reconstruct(test[-args.samples :])
    yield {"model": name, "prior": "reconstructions", "seed": seed, **judge(back)}


def mean(runs, key, digits):
    """Return the mean of a figure over runs, and the standard deviation of several."""
    values = [run[key] for run in runs]
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


def grouped(runs, *keys):
    """Return lists of runs that differ in their seeds alone."""
    groups = {}
    for each in runs:
        groups.setdefault(tuple(each[key] for key in keys), []).append(each)
    return groups


def tuned(groups):
    """Return the fixed variance that is best on validation images."""
    found = {
        name: np.mean([run["validation"] for run in runs])
        for (name,), runs in groups.items()
        if name in FIXED[1:]
    }
    return min(found, key=found.get, default=None)


def table_of_decoders(runs, ceiling):
    """Return the first table."""
    groups = grouped(runs, "decoder")
    best = tuned(groups)
    figures = [("loss", 1), ("median", 1), ("deviation", 4), ("frechet of draws", 2)]
    figures += [("frechet", 2), ("density", 3), ("coverage", 3), ("active", 1), ("seconds", 0)]
    rows = [["training images", *["-"] * 6, *ceiling, "-", "-"]]
    for (name,), group in groups.items():
        title = f"{name}, tuned" if name == best else name
        paper = PUBLISHED.get("tuned" if name == best else name, ("-", "-"))
        cells = [mean(group, *figure) for figure in figures]
        rows.append([title, cells[0], paper[0], *cells[1:4], paper[1], *cells[4:]])
    header = ["variance", "-log p", "paper", "median", "deviation", "Frechet of draws"]
    header += ["paper, features", "Frechet of means", "density", "coverage", "active", "fit, s"]
    return table(header, rows)


def table_of_priors(runs, ceiling):
    """Return the second table."""
    rows = [["training images", "-", *ceiling]]
    figures = [("frechet", 2), ("density", 3), ("coverage", 3)]
    for key, group in grouped(runs, "model", "prior").items():
        rows.append([*key, *(mean(group, *figure) for figure in figures)])
    return table(["model", "prior", "Frechet of means", "density", "coverage"], rows)


def draw(path, fits):
    """Draw samples of every decoder: the means, and draws given the same codes."""
    figure, axes = plt.subplots(2 * len(fits), N_SHOWN, figsize=(10, 1.44 * len(fits)))
    lines = iter(axes)
    for name, fitted in fits.items():
        both = means_and_draws(fitted, N_SHOWN, 0)
        for line, rows, kind in zip(
            (next(lines), next(lines)), both, ("mean", "draw"), strict=True
        ):
            for axis, row in zip(line, rows, strict=True):
                axis.imshow(row.reshape(28, 28), cmap="gray", vmin=0, vmax=1)
                axis.set_xticks([])
                axis.set_yticks([])
            line[0].set_ylabel(f"{name}, {kind}", rotation=0, ha="right", va="center")
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def arguments():
    """Return what the command line asks for."""
    kinds = (*FIXED, "shared", "per_column")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--decoders", nargs="*", default=kinds, choices=kinds)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rows", type=int, help="train on so many images only")
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--figure", help="where to draw samples")
    parser.add_argument("--out", help="write all runs to this JSON file, and go on from it")
    return parser.parse_args()


def main():
    args = arguments()
    print(circumstances(), flush=True)
    data = images(args)
    judge = Judge(data[0], data[2][: args.samples])
    runs = earlier(args.out) or {"decoders": [], "priors": []}

    @cache
    def fit(decoder, seed):
        return fit_variational(decoder, seed, args, data[0])

    def keep(kind, found):
        runs[kind].append(found)
        print(*(f"{v:.4g}" if isinstance(v, float) else v for v in found.values()), flush=True)
        if args.out:
            Path(args.out).write_text(json.dumps(runs))

    done = {(run["decoder"], run["seed"]) for run in runs["decoders"]}
    for seed, decoder in product(args.seeds, args.decoders):
        if (decoder, seed) not in done:
            keep("decoders", run_decoder(decoder, seed, fit, data, judge, args))
    done = {run["seed"] for run in runs["priors"]}
    for seed in set(args.seeds) - done:
        plain = AutoencoderTransformer(N_COMPONENTS, **options(args, seed)).fit(data[0])
        for name, fitted in (("plain", plain), ("variational", fit("shared", seed)[0])):
            for found in run_priors(name, fitted, seed, data, judge, args):
                keep("priors", found)
    ceiling = judge(data[0][-args.samples :])
    ceiling = [f"{ceiling['frechet']:.2f}", *(f"{ceiling[k]:.3f}" for k in ("density", "coverage"))]
    print(f"\n{table_of_decoders(runs['decoders'], ceiling)}")
    print(f"\n{table_of_priors(runs['priors'], ceiling)}")
    if args.figure:
        best = tuned(grouped(runs["decoders"], "decoder"))
        shown = {"variance 1": "1.0", "tuned": best, "shared": "shared", "by pixel": "per_column"}
        draw(args.figure, {k: fit(v, args.seeds[0])[0] for k, v in shown.items() if v})


if __name__ == "__main__":
    main()
