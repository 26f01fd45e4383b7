"""AdversarialAE by kind of matching, beside the plain and the variational autoencoder.

    python -m benchmarks.generative.matching [--data digits mnist] [--seeds 0 1 2]
        [--components 8] [--figure FILE] [--plane FILE]

"error" is the squared error of the test rows; "distance" is that of the training codes from the law
(of `law_distance_`), over that of draws of the law; "FD" is the Frechet distance of drawn images,
without noise, from the test rows, in the 64 units of a classifier's hidden layer, and "coverage"
the share of test rows with a drawn one near, with the codes' own law, a standard normal, and with a
Gaussian mixture of the codes. The last lines are training rows, and reconstructions of test rows.
`--plane` draws codes of two units instead: test rows of MNIST by class, matched to a normal law, to
a mixture and to a spiral, without labels, with one label in ten, and with all.
"""

import argparse
import time

import numpy as np
import torch
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.data import find
from benchmarks.generative.gan import SETS
from benchmarks.report import circumstances, table
from skae import AdversarialAE, AutoencoderTransformer, VAETransformer

N_DRAWS = 2000
HEADER = [
    "",
    "error",
    "distance",
    "FD, by a normal",
    "coverage",
    "FD, by a mixture",
    "coverage",
    "fit, s",
]
MATCHINGS = ("sliced", "mmd", "cramer_wold", "discriminator")


# The training rows of the picture of the plane.
N_PLANE = 20_000
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
# For pixels, which are between these.
OPTIONS = {"digits": {}, "mnist": {"bounds": (0, 1)}}
LAWS = {"normal": 300, "mixture": 1000, "swiss_roll": 1000}
SHARES = {"no labels": 0.0, "one label in ten": 0.1, "all labels": 1.0}


def contestants(**options):
    """Return the autoencoders."""
    made = {f"AdversarialAE, {kind}": AdversarialAE(matching=kind, **options) for kind in MATCHINGS}
    others = VAETransformer, AutoencoderTransformer
    return made | {cls.__name__: cls(prior="gmm", **options) for cls in others}


def run(data, k, seed):
    """Return the figures of all contestants on one split."""
    train, test, judge = SETS[data](seed, None)
    n_draws, found = max(N_DRAWS, len(test)), {}
    options = {"n_components": k, "random_state": seed, "device": DEVICE} | OPTIONS[data]
    for name, fitted in contestants(**options).items():
        start = time.perf_counter()
        fitted.fit(train)
        seconds = time.perf_counter() - start
        error = ((fitted.reconstruct(test) - test) ** 2).sum(1).mean()
        ratio = np.nan
        if isinstance(fitted, AdversarialAE):
            ratio = fitted.law_distance_ / fitted.law_distance_of_itself_
        codes = np.random.default_rng(seed).normal(size=(n_draws, k)).astype(np.float32)
        draws = fitted.inverse_transform(codes), fitted.sample(n_draws, seed, noise=False)
        judged = [judge(each)[:2] for each in draws]
        found[name] = [error, ratio, *judged[0], *judged[1], seconds]
        print(seed, name, np.round(found[name], 3), flush=True)
    rows = {"training rows": train[:n_draws], "reconstructions": fitted.reconstruct(test)}
    for name, each in rows.items():
        found[name] = [np.nan, np.nan, *judge(each)[:2], np.nan, np.nan, np.nan]
    return found


def draw(path, data, k):
    """Draw twenty rows of every contestant, by a mixture."""
    import matplotlib.pyplot as plt

    train, _, _ = SETS[data](0, None)
    options = {"n_components": k, "random_state": 0, "device": DEVICE} | OPTIONS[data]
    fits = {name: each.fit(train) for name, each in contestants(**options).items()}
    figure, axes = plt.subplots(len(fits), 1, figsize=(8, 0.9 * len(fits)), layout="constrained")
    side = round(train.shape[1] ** 0.5)
    for ax, (name, fitted) in zip(axes, fits.items(), strict=True):
        rows = fitted.sample(20, random_state=0, noise=False).reshape(20, side, side)
        ax.imshow(np.hstack(list(rows)), cmap="gray_r")
        ax.set_axis_off()
        ax.set_title(name, fontsize="small", loc="left")
    figure.savefig(path)


def draw_plane(path):
    """Draw codes of two units by class, for several laws and shares of labels."""
    import matplotlib.pyplot as plt

    images = np.load(find("images/mnist.npz"))
    train, test = (images[f"X_{part}"].reshape(-1, 784) / 255.0 for part in ("train", "test"))
    train, test = train[:N_PLANE].astype(np.float32), test.astype(np.float32)
    labels, classes = images["y_train"][:N_PLANE].astype(int), images["y_test"].astype(int)
    size = len(SHARES), len(LAWS)
    figure, axes = plt.subplots(*size, figsize=(9, 9), layout="constrained", squeeze=False)
    for line, (title, share) in zip(axes, SHARES.items(), strict=True):
        known = np.random.default_rng(0).random(len(labels)) < share
        for ax, (law, strength) in zip(line, LAWS.items(), strict=True):
            options = {"latent_distribution": law, "strength": strength, "supervised": share > 0}
            fitted = AdversarialAE(2, random_state=0, bounds=(0, 1), device=DEVICE, **options)
            codes = fitted.fit(train, np.where(known, labels, -1)).transform(test)
            near = KNeighborsClassifier(15).fit(fitted.transform(train), labels)
            print(law, title, round(near.score(codes, classes), 3), flush=True)
            ax.scatter(*codes.T, c=classes, s=1, cmap="tab10", rasterized=True)
            ax.set_title(f"{law.replace('_', ' ')}, {title}", fontsize="small")
            ax.set_axis_off()
    figure.savefig(path, dpi=90)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", choices=SETS, default=["digits"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--components", type=int, default=8)
    parser.add_argument("--figure", help="draw samples of the first data into this file instead")
    parser.add_argument("--plane", help="draw codes of two units of MNIST into this file instead")
    args = parser.parse_args()
    if args.figure:
        draw(args.figure, args.data[0], args.components)
    if args.plane:
        draw_plane(args.plane)
    if args.figure or args.plane:
        return
    print(circumstances(), flush=True)
    for data in args.data:
        runs = [run(data, args.components, seed) for seed in args.seeds]
        rows = []
        for name in runs[0]:
            means = np.mean([each[name] for each in runs], axis=0)
            shown = [f"{means[0]:.1f}", *(f"{mean:.2f}" for mean in means[1:6]), f"{means[6]:.1f}"]
            rows.append([name, *("–" if cell == "nan" else cell for cell in shown)])
        print(f"\n{data}\n{table(HEADER, rows)}", flush=True)


if __name__ == "__main__":
    main()
