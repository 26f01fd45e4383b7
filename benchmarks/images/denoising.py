"""Cleaning images: PSNR and SSIM on held-out images, beside what needs no training, and PCA.

    python -m benchmarks.images.denoising [--sets digits mnist] [--seeds 0] [--figure cleaning.png]
        [--validate] [--params "{...}"]

Pixels lie in 0 to 1. Held out are a quarter of digits, with seeds 0, 1 and 2 of split and fit, and
the first 1,000 of MNIST's test images, with seed 0, unless --seeds says otherwise; their corruption
is always the same. Super-resolution starts from means of 2 x 2 blocks. PSNR is that of the mean
squared error over all images, since an image that comes back as it was has none; SSIM, in windows
of 7 x 7, is a mean over images. Outputs are clipped to 0 to 1. "Hole known" keeps the pixels around
the hole, for all methods; without it none is told where the hole is.

The rivals' settings are those of the best PSNR on 200 training images corrupted alike: the
components of PCA, the size of the median filter, and patch, distance and strength of non-local
means, which also know the standard deviation of Gaussian noise. DenoisingAE's recipe was chosen
on the images that --validate holds out instead: the last 5,000 training images of MNIST, a quarter
of those of digits.
"""

import argparse
import ast
import time
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import median_filter
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from skimage.restoration import denoise_nl_means, inpaint_biharmonic
from skimage.transform import resize
from sklearn.decomposition import PCA

from benchmarks.data import load, split
from benchmarks.report import circumstances, table
from skae import DenoisingAE

TASKS = {
    "Gaussian noise": "gaussian",
    "salt and pepper": "salt_and_pepper",
    "inpainting": "patch",
    "inpainting, hole known": "patch",
    "super-resolution": "blur",
}
KNOWN = "inpainting, hole known"
LEVELS = {"gaussian": 0.5, "salt_and_pepper": 0.3, "blur": 2}
HOLES = {"digits": 3, "mnist": 10}
SEEDS = {"digits": (0, 1, 2), "mnist": (0,)}
RECIPE = {"bounds": (0, 1), "learning_rate": 0.01}
BY_SET = {"digits": {"n_components": 32}, "mnist": {"n_components": 128, "max_epochs": 8}}
N_VALIDATION, N_TEST, N_TUNING = 5_000, 1_000, 200
METHODS = ("PCA", "median", "non-local means", "bicubic", "biharmonic", "DenoisingAE")


def images_of(name, seed, *, validate):
    """Return training and held-out images, (n, height, width)."""
    train, test = load(name) if name == "mnist" else (part / 16 for part in split(name, seed))
    if validate:
        n = min(N_VALIDATION, len(train) // 4)
        train, test = train[:-n], train[-n:]
    side = round(train.shape[1] ** 0.5)
    parts = train, test[:N_TEST]
    return tuple(part.reshape(-1, side, side).astype(np.float32) for part in parts)


def corrupt(images, task, level, seed):
    """Return corrupted images and, of each, which pixels are not known."""
    corruption = TASKS[task]
    random = np.random.default_rng(seed)
    everywhere = np.ones(images.shape, dtype=bool)
    if corruption == "gaussian":
        return images + random.normal(0, level, images.shape).astype(np.float32), everywhere
    if corruption == "salt_and_pepper":
        spoilt = random.random(images.shape) < level
        return np.where(spoilt, random.integers(2, size=images.shape), images), everywhere
    if corruption == "blur":
        return shrink(images, level).repeat(level, 1).repeat(level, 2), everywhere
    start = random.integers(images.shape[1] - level + 1, size=(2, len(images), 1))
    places = np.arange(images.shape[1])
    rows, columns = (places >= start) & (places < start + level)
    hole = rows[:, :, None] & columns[:, None, :]
    return np.where(hole, 0, images), hole if task == KNOWN else everywhere


def shrink(images, factor):
    """Return the means of blocks of pixels."""
    n, side, _ = images.shape
    return images.reshape(n, side // factor, factor, side // factor, factor).mean((2, 4))


def scores(clean, back):
    """Return PSNR and SSIM."""
    back = back.clip(0, 1).astype(clean.dtype)
    ssim = structural_similarity(clean, back, win_size=7, data_range=1, channel_axis=0)
    return peak_signal_noise_ratio(clean, back, data_range=1), ssim


def projection(train):
    """Return the projection of images on a number of principal components."""
    pca = PCA(random_state=0).fit(train.reshape(len(train), -1))

    def project(images, n_components):
        axes = pca.components_[:n_components]
        rows = images.reshape(len(images), -1) - pca.mean_
        return (rows @ axes.T @ axes + pca.mean_).reshape(images.shape)

    return project


def by_median(images, size):
    """Return images through a median filter."""
    return median_filter(images, size=(1, size, size))


def by_means(images, patch_size, patch_distance, strength, sigma):
    """Return images through non-local means."""
    options = {"patch_size": patch_size, "patch_distance": patch_distance, "fast_mode": False}
    return np.stack(
        [denoise_nl_means(image, h=strength, sigma=sigma, **options) for image in images]
    )


def by_bicubic(images):
    """Return the small images behind pixels of 2 x 2, enlarged by splines of the third order."""
    return np.stack([resize(image, images.shape[1:], order=3) for image in shrink(images, 2)])


def by_biharmonic(images, holes):
    """Return images whose holes, which are known, are filled by the biharmonic equation."""
    return np.stack(list(map(inpaint_biharmonic, images, holes)))


def tuned(method, settings, train, task, level):
    """Return the setting of the best PSNR on some corrupted training images."""
    clean = train[:N_TUNING]
    corrupted, hole = corrupt(clean, task, level, seed=1)
    errors = [((method(corrupted, *s).clip(0, 1) - clean)[hole] ** 2).mean() for s in settings]
    return settings[int(np.argmin(errors))]


def rivals(project, train, corrupted, hole, task, level):
    """Return what the rivals make of corrupted images, and the settings that were tuned."""
    corruption = TASKS[task]
    grids = {"PCA": (project, [(k,) for k in (4, 8, 16, 32, 64, 128, 256) if k < train[0].size])}
    if corruption != "blur":
        grids["median"] = by_median, [(size,) for size in (2, 3, 4, 5, 7, 9, 11)]
    if corruption in ("gaussian", "salt_and_pepper"):
        sigma = level if corruption == "gaussian" else 0.0
        grid = product((5, 7), (3, 5, 7), (0.15, 0.25, 0.35, 0.5), (sigma,))
        grids["non-local means"] = by_means, list(grid)
    settings = {m: tuned(*grid, train, task, level) for m, grid in grids.items()}
    backs = {m: grids[m][0](corrupted, *setting) for m, setting in settings.items()}
    if corruption == "blur":
        backs["bicubic"] = by_bicubic(corrupted)
    if task == KNOWN:
        backs["biharmonic"] = by_biharmonic(corrupted, hole)
    return backs, settings


def cleaned(train, corrupted, corruption, level, seed, params):
    """Return what DenoisingAE makes of corrupted images, the epochs and the seconds of its fit."""
    shape = train.shape[1:]
    autoencoder = DenoisingAE(
        corruption=corruption,
        corruption_level=level,
        image_shape=shape,
        random_state=seed,
        **params,
    )
    start = time.perf_counter()
    autoencoder.fit(train.reshape(len(train), -1))
    seconds = time.perf_counter() - start
    back = autoencoder.reconstruct(corrupted.reshape(len(corrupted), -1).astype(np.float32))
    return back.reshape(corrupted.shape), autoencoder.n_iter_, seconds


def run(name, seed, params, *, validate):
    """Return, for each task, the clean, the corrupted and the cleaned images of all methods."""
    train, test = images_of(name, seed, validate=validate)
    project = projection(train)
    results, ours = {}, {}
    for task, corruption in TASKS.items():
        level = LEVELS.get(corruption, HOLES[name])
        corrupted, hole = corrupt(test, task, level, seed=0)
        backs, settings = rivals(project, train, corrupted, hole, task, level)
        if corruption not in ours:
            ours[corruption] = cleaned(train, corrupted, corruption, level, seed, params)
        backs["DenoisingAE"], *cost = ours[corruption]
        backs = {method: np.where(hole, back, corrupted) for method, back in backs.items()}
        results[task] = {"clean": test, "corrupted": corrupted, **backs}
        found = "{:.2f} / {:.3f}".format(*scores(test, backs["DenoisingAE"]))
        print(name, seed, task, found, "epochs {}, {:.0f} s".format(*cost), settings, flush=True)
    return results


def summary(name, runs):
    """Return the lines of a set in the table: means over seeds."""
    rows = []
    for task in TASKS:
        cells = []
        for method in METHODS:
            both = [scores(r[task]["clean"], r[task][method]) for r in runs if method in r[task]]
            cells.append("{:.2f} / {:.3f}".format(*np.mean(both, axis=0)) if both else "-")
        rows.append([name, task, *cells])
    return rows


def draw(pictures, path, n_images=8):
    """Draw for each task a column of rows of images: clean, corrupted and cleaned."""
    n_rows = max(map(len, pictures.values()))
    figure, axes = plt.subplots(n_rows, len(pictures), figsize=(6 * len(pictures), 0.7 * n_rows))
    figure.subplots_adjust(wspace=0.35, hspace=0.05)
    for axis in axes.flat:
        axis.axis("off")
    for (task, images), column in zip(pictures.items(), axes.T, strict=True):
        column[0].set_title(task)
        for axis, (method, rows) in zip(column, images.items(), strict=False):
            padded = np.pad(rows[:n_images], ((0, 0), (0, 0), (0, 1)), constant_values=0.5)
            axis.imshow(np.hstack(padded), cmap="gray", vmin=0, vmax=1)
            axis.text(-1, rows.shape[1] / 2, method, ha="right", va="center", fontsize=8)
    figure.savefig(path, bbox_inches="tight", dpi=100)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=list(SEEDS), choices=list(SEEDS))
    parser.add_argument("--seeds", nargs="+", type=int, help="instead of each set's own")
    parser.add_argument("--figure", help="draw some images of the last set to this file")
    parser.add_argument("--validate", action="store_true", help="leave the test images alone")
    parser.add_argument("--params", type=ast.literal_eval, default={}, help="changes of the recipe")
    args = parser.parse_args()
    print(circumstances(), flush=True)
    rows = []
    for name in args.sets:
        params = RECIPE | BY_SET[name] | args.params
        print(name, params, flush=True)
        seeds = args.seeds or SEEDS[name]
        runs = [run(name, seed, params, validate=args.validate) for seed in seeds]
        rows += summary(name, runs)
    print(f"\n{table(['set', 'task', *METHODS], rows)}")
    if args.figure:
        draw(runs[0], args.figure)


if __name__ == "__main__":
    main()
