"""GANSampler from an autoencoder and from scratch, beside its start and a VAE, at equal seconds.

    python -m benchmarks.generative.gan [--parts digits mnist] [--seeds 0 1 2] [--seconds 120]
                                        [--rows 60000] [--priors law gmm] [--without-others]
                                        [--figure FILE]

Everything has the same seconds of the processor (set OMP_NUM_THREADS=1): an autoencoder takes a
sixth of them, and the GAN that starts at it the rest; the GAN from scratch and the VAE have all.
The networks have the same layers. Drawn rows, as many as there are test rows but at least 2,000,
are compared with test rows in the 64 hidden units of a classifier: "FD" is the Frechet distance,
"coverage" and "density" are by five neighbours of 4,000 rows, "classes" is how far the shares of
the ten classes are off (total variation). The first lines are training rows, and reconstructions of
test rows by the autoencoder.
"""

import argparse
import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from benchmarks.data import find
from benchmarks.generative.judges import LeNetJudge, MLPJudge
from benchmarks.report import circumstances, table
from skae import AdversarialAE, GANSampler, VAETransformer

FEWEST_DRAWS = 2000
# The share of the rows by which the seconds of an epoch are measured, their fewest, and the fewest
# of all epochs together.
SHARE, FEWEST, FEWEST_IN_ALL = 0.1, 5000, 40_000
PRIORS = {"law": "its law", "gmm": "a mixture"}
HEADER = ["", "FD", "coverage", "density", "classes", "seconds"]


def digits(seed, n_rows):
    """Return training rows, test rows and a judge."""
    X, y = load_digits(return_X_y=True)
    train, test, labels, _ = train_test_split(X, y, random_state=seed, stratify=y)
    return train[:n_rows], test, MLPJudge(train, labels, test)


def mnist(seed, n_rows):
    """Return training rows, test rows and a judge, the same for all seeds."""
    images = np.load(find("images/mnist.npz"))
    train, test = (
        images[part].reshape(-1, 784).astype(np.float32) / 255 for part in ("X_train", "X_test")
    )
    return train[:n_rows], test, LeNetJudge(train, images["y_train"], test)


SETS = {"digits": digits, "mnist": mnist}
OPTIONS = {
    "digits": {"n_components": 8},
    "mnist": {"n_components": 16, "image_shape": (28, 28), "bounds": (0, 1)},
}


def timed(estimator, X):
    """Fit, and return the seconds of the processor."""
    start = time.process_time()
    estimator.fit(X)
    return time.process_time() - start


def within(seconds, estimator, X):
    """Return the estimator, fitted for about as many seconds, and the seconds it took."""
    estimator.set_params(n_iter_no_change=10**6)
    part = X[: max(int(SHARE * len(X)), FEWEST)]
    timed(estimator.set_params(max_epochs=1), part)  # The first fit of a process takes longer.
    more = max(1, FEWEST_IN_ALL // len(part))
    once, again = (timed(estimator.set_params(max_epochs=n), part) for n in (1, 1 + more))
    of_epoch = max((again - once) / more * len(X) / len(part), 1e-3)
    n_epochs = max(1, round(seconds / of_epoch))
    return estimator, timed(estimator.set_params(max_epochs=n_epochs), X)


def run(name, seed, seconds, n_rows, priors, *, with_others=True):
    """Return the figures of all contestants, and 20 rows of each."""
    train, test, judge = SETS[name](seed, n_rows)
    n_draws = max(FEWEST_DRAWS, len(test))
    options = OPTIONS[name] | {"random_state": seed}
    found = {"training rows": [*judge(train[:n_draws]), np.nan]}
    shown = {"training rows": train[:20]}

    def note(label, rows, taken):
        found[label], shown[label] = [*judge(rows), taken], rows[:20]
        print(seed, label, np.round(found[label], 3), flush=True)

    start, of_start = within(seconds / 6, AdversarialAE(**options), train)
    note("reconstructions", start.reconstruct(test), np.nan)
    for prior in priors:
        label = f"AdversarialAE, {PRIORS[prior]}"
        start.set_params(prior=prior).fit(train)
        note(label, start.sample(n_draws, seed, noise=False), of_start)
        gan = GANSampler(FrozenEstimator(start), random_state=seed)
        gan, taken = within(seconds - of_start, gan, train)
        note(f"GAN from {label}", gan.sample(n_draws, seed), of_start + taken)
        print(gan.step_curve_[-1], gan.best_step_, np.round(gan.distance_curve_, 4), flush=True)
    if not with_others:
        return found, shown
    gan = GANSampler(AdversarialAE(**options), init="random", random_state=seed)
    gan, taken = within(seconds, gan, train)
    note("GAN from scratch", gan.sample(n_draws, seed), taken)
    print(gan.step_curve_[-1], gan.best_step_, np.round(gan.distance_curve_, 4), flush=True)
    vae, taken = within(seconds, VAETransformer(likelihood="gaussian", **options), train)
    note("VAETransformer", vae.sample(n_draws, seed, noise=False), taken)
    return found, shown


def draw(path, shown):
    """Draw twenty rows of every contestant."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(shown), 1, figsize=(8, 0.9 * len(shown)), layout="constrained")
    for ax, (name, rows) in zip(axes, shown.items(), strict=True):
        side = round(np.sqrt(rows.shape[1]))
        ax.imshow(np.hstack(list(rows.reshape(-1, side, side))), cmap="gray_r")
        ax.set_axis_off()
        ax.set_title(name, fontsize="small", loc="left")
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=SETS, default=[*SETS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--priors", nargs="+", choices=PRIORS, default=[*PRIORS])
    parser.add_argument("--without-others", action="store_true", help="no GAN from scratch, no VAE")
    parser.add_argument("--figure", help="draw rows of the first seed into this file")
    args = parser.parse_args()
    print(circumstances(), flush=True)
    for name in args.parts:
        runs = []
        for seed in args.seeds:
            found, shown = run(
                name,
                seed,
                args.seconds,
                args.rows,
                args.priors,
                with_others=not args.without_others,
            )
            if args.figure and not runs:
                draw(f"{args.figure}-{name}.png", shown)
            runs.append(found)
        rows = []
        for label in runs[0]:
            figures = np.array([each[label] for each in runs])
            mean, spread = figures.mean(0), figures[:, 0].std()
            cells = [f"{mean[0]:.2f} ({spread:.2f})", *(f"{each:.2f}" for each in mean[1:4])]
            rows.append([label, *cells, "–" if np.isnan(mean[4]) else f"{mean[4]:.0f}"])
        print(f"\n{name}\n{table(HEADER, rows)}", flush=True)


if __name__ == "__main__":
    main()
