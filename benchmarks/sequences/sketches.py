"""Drawings: SketchVAE on 4,000 icons beside a decoder without a code, and PCA of pixels.

    python -m benchmarks.sequences.sketches [--part test] [--seed 0] [--params "{...}"]
        [--models FOLDER] [--figure docs/figures/sketches.png]

Settings were chosen with --part valid. Models are read from the folder if they are there, so that
the parts of a long run can be made one after another.
"""

import argparse
import ast
import time
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import binary_dilation
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

import skae
from benchmarks.report import circumstances, table
from benchmarks.sequences.icons import BOX, load_icons
from skae import SketchVAE
from skae.sketches import rasterize

SIZE = 24
N_SAMPLES = 500
N_NEIGHBORS = 5


def fitted(name, drawings, folder, params):
    """Return a fitted model and the seconds of its fit, from a file if there is one."""
    path = None if folder is None else Path(folder) / f"{name}.safetensors"
    if path is not None and path.exists():
        return skae.load(path), float((path.with_suffix(".seconds")).read_text())
    start = time.perf_counter()
    model = SketchVAE(**params).fit(drawings)
    seconds = time.perf_counter() - start
    if path is not None:
        model.save(path)
        path.with_suffix(".seconds").write_text(str(seconds))
    return model, seconds


def nats_per_point(model, drawings, seed=0):
    """Return minus the log density of a point given a draw of the code, and minus the bound."""
    chain, codec = model.net_.module_, model.codec_
    rows = codec.encode(drawings)
    n_points = codec.lengths(rows).sum()
    x = torch.from_numpy(rows)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(seed)
        z = chain.draw_codes(chain.latent(x))
        given = float(chain.log_prob_given(z, x).sum())
    unit = codec.log_unit()
    return -given / n_points - unit, -float(model.score_samples(drawings).sum()) / n_points


def images_of(drawings):
    """Return drawings as images of 24 x 24 pixels."""
    return np.array([rasterize(each, SIZE, box=BOX) for each in drawings])


def overlap(images, others):
    """Return the intersection over the union of lines, made a pixel wider on each side."""
    pairs = zip(images > 0.5, others > 0.5, strict=True)
    wide = [(binary_dilation(a), binary_dilation(b)) for a, b in pairs]
    return np.array([(a & b).sum() / max(1, (a | b).sum()) for a, b in wide])


def judge(model, train, test, categories):
    """Return what is measured of a model with a code, by name."""
    images, known = images_of(test), images_of(train)
    pca = PCA(model.n_components_, random_state=0).fit(known.reshape(len(known), -1))
    pixel_codes = [pca.transform(each.reshape(len(each), -1)) for each in (known, images)]
    nearest = (
        NearestNeighbors(n_neighbors=1).fit(pixel_codes[0]).kneighbors(pixel_codes[1])[1][:, 0]
    )
    drawn = model.sample(N_SAMPLES, random_state=0)
    codes = model.transform(train), model.transform(test)
    return {
        "IoU of reconstructions": overlap(images, images_of(model.reconstruct(test))).mean(),
        "IoU of the nearest training drawing by PCA": overlap(images, known[nearest]).mean(),
        "samples that end by themselves": np.mean([len(x) < model.max_length_ for x in drawn]),
        "category by 5 nearest codes": accuracy(*codes, *categories),
        "category by 5 nearest PCA codes": accuracy(*pixel_codes, *categories),
    }


def accuracy(codes, other_codes, labels, other_labels):
    """Return the accuracy of nearest neighbours."""
    scale = codes.std(0) + 1e-6
    neighbors = KNeighborsClassifier(N_NEIGHBORS).fit(codes / scale, labels)
    return neighbors.score(other_codes / scale, other_labels)


def draw_page(model, test, path, n=12):
    """Save a page of reconstructions, samples, interpolations and completions."""
    from skae.plotting import SketchDisplay

    chosen = test[:: len(test) // n][:n]
    begun = [each[: max(1, len(each) // 3)] for each in chosen]
    rows = {
        "held out": chosen,
        "reconstructed": model.reconstruct(chosen),
        "drawn, temperature 0.1": model.sample(n, temperature=0.1, random_state=0),
        "0.3": model.sample(n, temperature=0.3, random_state=1),
        "0.6": model.sample(n, temperature=0.6, random_state=2),
        "from one to another": model.interpolate(chosen[0], chosen[5], n),
        "": model.interpolate(chosen[2], chosen[7], n),
        "begun": begun,
        "completed": [each[0] for each in model.complete(begun, temperature=0.1, random_state=0)],
    }
    SketchDisplay(rows=rows, box=BOX + 2).plot().figure_.savefig(path, dpi=60, bbox_inches="tight")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", default="test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--params", type=ast.literal_eval, default={})
    parser.add_argument("--models")
    parser.add_argument("--figure")
    args = parser.parse_args()
    (train, _, train_categories), (test, _, categories) = map(load_icons, ("train", args.part))
    params = {"random_state": args.seed, **args.params}
    model, seconds = fitted("code", train, args.models, params)
    plain, plain_seconds = fitted("plain", train, args.models, {**params, "n_components": 0})
    print(f"{circumstances()}\nseed {args.seed}, part {args.part}, {args.params}\n")
    rows = []
    for name, each, took in (("SketchVAE", model, seconds), ("no code", plain, plain_seconds)):
        given, bound = nats_per_point(each, test)
        figures = [f"{given:.2f}", f"{bound:.2f}", f"{each.score(test):.1f}"]
        of_code = [f"{each.kl_per_component_.sum():.1f}", len(each.active_units_)]
        rows.append([name, *figures, *of_code, each.n_iter_, each.best_epoch_, f"{took:.0f}"])
    header = ["model", "-log p(x given z) a point", "-bound a point", "bound a drawing"]
    print(table([*header, "KL", "active units", "epochs", "best", "seconds"], rows), "\n")
    found = judge(model, train, test, (train_categories, categories))
    print(table(["measure", "value"], [[name, f"{value:.3f}"] for name, value in found.items()]))
    if args.figure:
        shown = [each for each, of in zip(test, categories, strict=True) if of != "Brand"]
        draw_page(model, shown, args.figure)


if __name__ == "__main__":
    main()
