"""Colours of grey patches, sharp ones of coarse ones, and missing pixels: a photograph each.

    python -m benchmarks.images.repairing [--side 8] [--seeds 0] [--figure FILE]

Scikit-learn's photograph of a temple is cut into tiles; patches of three quarters of them train,
those of the other tiles ("own") and of the photograph of a flower ("foreign") test. "colour": grey
to colour; "sharp": four pixels as one, to single ones;
"inpainting": a square of a quarter of the patch is cut out, which the model learns to undo;
"repair": 40 % of the pixels are missing, their places known, and the model has learned nothing of
it (`impute`). Peak signal-to-noise ratio in dB over the pixels that are to be found. The rivals: a
linear regression on the principal components of the inputs ("PCA"; in "repair", the expectation by
probabilistic PCA), and the mean colour of a grey, bicubic interpolation, or biharmonic filling.
"""

import argparse

import numpy as np
from skimage.restoration import inpaint_biharmonic
from skimage.transform import resize
from sklearn.datasets import load_sample_image
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from benchmarks.report import circumstances, table
from skae import AutoencoderTransformer, DenoisingAE

N_TRAIN, N_TEST = 20_000, 1_000
TILE, EVERY = 40, 4
LUMA = np.array([0.299, 0.587, 0.114])
MISSING = 0.4


def patches(name, side, n, random, of_test=None):
    """Return random patches, (n, side, side, 3), of tiles for training, for tests, or of all."""
    image = load_sample_image(name) / 255
    grid = np.indices([size // TILE for size in image.shape[:2]]).reshape(2, -1).T
    is_test = grid @ [1, 2] % EVERY == 0
    tiles = grid if of_test is None else grid[is_test == of_test]
    corners = TILE * tiles[random.integers(len(tiles), size=n)]
    top, left = (corners + random.integers(TILE - side + 1, size=(n, 2))).T
    reach = np.arange(side)
    return image[top[:, None, None] + reach[:, None], left[:, None, None] + reach]


def flat(images):
    """Return images as rows, channels first."""
    return np.moveaxis(images, -1, 1).reshape(len(images), -1).astype(np.float32)


def psnr(found, clean, counts=None):
    """Return the peak signal-to-noise ratio over the pixels that count."""
    squared = (found.clip(0, 1) - clean) ** 2
    return -10 * np.log10(squared.mean() if counts is None else squared[counts].mean())


def by_components(train, targets, test):
    """Return what a linear regression on principal components makes of test inputs."""
    return make_pipeline(PCA(0.999), Ridge(1e-3)).fit(train, targets).predict(test)


def learned(train, targets, test, k, seed):
    """Return what an autoencoder makes of test inputs, having learned from pairs."""
    return DenoisingAE(k, clean="y", random_state=seed).fit(train, targets).reconstruct(test)


def colour(train, test, seed):
    """Return test patches, their grey, and what each method makes of it."""
    grey, grey_test = (np.repeat((each @ LUMA)[..., None], 3, axis=-1) for each in (train, test))
    levels = (255 * grey[..., 0]).astype(int).ravel()
    counts = np.maximum(np.bincount(levels, minlength=256), 1)
    means = [np.bincount(levels, train[..., c].ravel(), 256) / counts for c in range(3)]
    seen = np.flatnonzero(np.bincount(levels, minlength=256))
    places = (255 * grey_test[..., 0]).astype(int)
    by_grey = np.stack([np.interp(places, seen, mean[seen]) for mean in means], axis=-1)
    inputs, targets, others = flat(grey), flat(train), flat(grey_test)
    return others, {
        "as it is": others,
        "mean colour of a grey": flat(by_grey),
        "PCA": by_components(inputs, targets, others),
        "DenoisingAE": learned(inputs, targets, others, 64, seed),
    }


def sharp(train, test, seed):
    """Return test patches, coarse ones, and what each method makes of them."""

    def coarse(images):
        n, side = images.shape[:2]
        means = images.reshape(n, side // 2, 2, side // 2, 2, 3).mean((2, 4))
        return np.repeat(np.repeat(means, 2, axis=1), 2, axis=2)

    rough, rough_test = coarse(train), coarse(test)
    size = test.shape[1:3]
    bicubic = np.stack([resize(image[::2, ::2], (*size, 3), order=3) for image in rough_test])
    others = flat(rough_test)
    return others, {
        "as it is": others,
        "bicubic": flat(bicubic),
        "PCA": by_components(flat(rough), flat(train), others),
        "DenoisingAE": learned(flat(rough), flat(train), others, 96, seed),
    }


def inpainting(train, test, seed):
    """Return test patches with a hole, and what each method makes of them."""
    side = test.shape[1]
    hole = np.zeros((side, side), dtype=bool)
    hole[side // 4 : side // 4 + side // 2, side // 4 : side // 4 + side // 2] = True
    holes = [np.where(hole[..., None], 0.0, each) for each in (train, test)]
    filled = [inpaint_biharmonic(image, hole, channel_axis=-1) for image in holes[1]]
    inputs, others = map(flat, holes)
    return others, {
        "biharmonic": flat(np.stack(filled)),
        "PCA": by_components(inputs, flat(train), others),
        "DenoisingAE": learned(inputs, flat(train), others, 96, seed),
    }


def repair(train, test, seed):
    """Return test patches without some pixels, and what each method makes of them."""
    random = np.random.default_rng(seed)
    lost = random.random(test.shape[:3]) < MISSING
    damaged = np.where(lost[..., None], np.nan, test)
    filled = [
        inpaint_biharmonic(np.nan_to_num(image), mask, channel_axis=-1)
        for image, mask in zip(damaged, lost, strict=True)
    ]
    rows = flat(damaged)
    fitted = AutoencoderTransformer(64, random_state=seed).fit(flat(train))
    pca = PCA(64).fit(flat(train))
    return rows, {
        "biharmonic": flat(np.stack(filled)),
        "PCA": most_probable(pca, rows),
        "AutoencoderTransformer": fitted.impute(rows),
    }


def most_probable(pca, rows):
    """Return rows whose holes are the conditional expectations of probabilistic PCA."""
    covariance, filled = pca.get_covariance(), rows.astype(float)
    for row in filled:
        hole = np.isnan(row)
        seen = covariance[np.ix_(~hole, ~hole)]
        rest = np.linalg.solve(seen, row[~hole] - pca.mean_[~hole])
        row[hole] = pca.mean_[hole] + covariance[np.ix_(hole, ~hole)] @ rest
    return filled


TASKS = {"colour": colour, "sharp": sharp, "inpainting": inpainting, "repair": repair}


def run(side, seed):
    """Return the figures of all tasks, and some patches."""
    random = np.random.default_rng(seed)
    train = patches("china.jpg", side, N_TRAIN, random, of_test=False)
    own = patches("china.jpg", side, N_TEST, random, of_test=True)
    test = np.concatenate([own, patches("flower.jpg", side, N_TEST, random)])
    clean, figures, shown = flat(test), {}, {}
    for name, task in TASKS.items():
        given, found = task(train, test, seed)
        counts = np.isnan(given) if name == "repair" else given != clean
        if name == "inpainting":
            counts = np.broadcast_to((given == 0).all(0), given.shape)
        for method, rows in found.items():
            figures[name, method] = [
                psnr(rows[part], clean[part], counts[part])
                for part in (slice(0, N_TEST), slice(N_TEST, None))
            ]
            print(seed, name, method, np.round(figures[name, method], 2), flush=True)
        shown[name] = (given, list(found.items())[-1][1])
    return figures, shown, clean


def draw(path, shown, clean, side):
    """Draw twenty patches of every task: clean, as given, and as found."""
    import matplotlib.pyplot as plt

    own = np.argsort(-clean[:N_TEST].std(1))[:200:20]
    busy = np.r_[own, N_TEST + np.argsort(-clean[N_TEST:].std(1))[:200:20]]
    figure, axes = plt.subplots(len(shown), 1, figsize=(8, 1.4 * len(shown)), layout="constrained")
    for ax, (name, (given, found)) in zip(axes, shown.items(), strict=True):
        lines = [
            np.hstack([*np.moveaxis(rows[busy].reshape(-1, 3, side, side), 1, -1)])
            for rows in (clean, np.nan_to_num(given), found)
        ]
        ax.imshow(np.vstack(lines).clip(0, 1))
        ax.set_axis_off()
        title = f"{name}: clean, given, found (left half: own photograph, right half: foreign)"
        ax.set_title(title, fontsize="small", loc="left")
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=8)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--figure", help="draw patches of the first seed into this file")
    args = parser.parse_args()
    print(circumstances(), flush=True)
    runs = []
    for seed in args.seeds:
        figures, shown, clean = run(args.side, seed)
        if args.figure and not runs:
            draw(args.figure, shown, clean, args.side)
        runs.append(figures)
    means = {key: np.mean([run[key] for run in runs], axis=0) for key in runs[0]}
    rows = [[*key, *(f"{each:.2f}" for each in mean)] for key, mean in means.items()]
    print(f"\n{table(['task', 'method', 'own, dB', 'foreign, dB'], rows)}")


if __name__ == "__main__":
    main()
