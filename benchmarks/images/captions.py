"""Images from captions: digits at places that are named, pairs of both that never were seen.

    python -m benchmarks.images.captions [--rows 20000] [--epochs 12] [--seeds 0]
        [--ways attention mean] [--figure FILE] [--judge FILE]

Canvases of one or two digits and sentences about them, made anew (`benchmarks.images.captioned`);
two of the eight places of every digit are never seen in training. `ConditionalVAE` with attention
from places to words, and with the mean of the words instead. "seen" and "unseen": the share of
drawn images for which a judge, a network that reads what is at each of the eight places, finds that
of all scenes the caption's is the most probable; "unseen" captions have a pair of digit and place
that is held out. "swapped":
the same for captions whose two digits have changed places. "mass": the attention to the word of a
digit of places where test images have its ink. "found": how often the caption of a test image is
the most probable of twenty (chance 0.05).
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.images.captioned import (
    JITTER,
    ORIGINS,
    PLACES,
    SCENES,
    SHAPE,
    Digits,
    Scene,
    draw_scenes,
)
from benchmarks.report import circumstances, table
from skae import ConditionalVAE

N_DRAWN, N_JUDGED, GROUPS, CANDIDATES = 1000, 2000, 10, 20
WINDOW = 14 + JITTER
NOTHING = 10
# The digits are the third and the eleventh of the twelve words.
WORD_OF = (2, 10)


def captions_of(scenes):
    """Return the captions of scenes."""
    return [scene.caption for scene in scenes]


def windows(rows, places=PLACES):
    """Return what stands at places of canvases, (n_rows, n_places, 16, 16)."""
    images = np.asarray(rows, dtype=np.float32).reshape(-1, *SHAPE)
    found = [
        images[:, top : top + WINDOW, left : left + WINDOW]
        for top, left in (ORIGINS[place] for place in places)
    ]
    return torch.from_numpy(np.stack(found, axis=1))


def contents(scenes):
    """Return the digit at each place of scenes, or 10 for none, (n_scenes, 8)."""
    found = np.full((len(scenes), len(PLACES)), NOTHING)
    for row, scene in zip(found, scenes, strict=True):
        for digit, place in scene.pairs:
            row[PLACES.index(place)] = digit
    return found


class Judge:
    """A network that reads the digit at a place, trained on canvases of all pairs."""

    def __init__(self, seed, n_epochs=10, n_rows=16_000, batch_size=128):
        torch.manual_seed(seed)
        self.network = nn.Sequential(
            *self._block(1, 32), *self._block(32, 32), nn.MaxPool2d(2),
            *self._block(32, 64), *self._block(64, 64), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(0.4), nn.Linear(64 * 16, 128), nn.ReLU(), nn.Linear(128, 11),
        )  # fmt: skip
        random, digits = np.random.default_rng(seed), Digits("train")
        optimizer = torch.optim.AdamW(self.network.parameters())
        steps = n_epochs * -(-3 * n_rows // 2 // batch_size)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.004, total_steps=steps + 99)
        for _ in range(n_epochs):
            images, labels = self._examples(draw_scenes(n_rows, random), digits, random)
            order = torch.randperm(len(labels))
            for batch in order[: len(order) // batch_size * batch_size].split(batch_size):
                loss = nn.functional.cross_entropy(self.network(images[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        self.network.eval()

    @staticmethod
    def _block(n_in, n_out):
        return nn.Conv2d(n_in, n_out, 3, padding=1), nn.BatchNorm2d(n_out), nn.ReLU()

    @staticmethod
    def _examples(scenes, digits, random):
        """Return a window with a digit of every scene, and of every second one without."""
        all_windows, all_digits = windows(digits.canvases(scenes, random)), contents(scenes)
        rows = np.arange(len(scenes))
        rank = random.random(all_digits.shape) + (all_digits == NOTHING)
        with_digit = rank.argmin(1)
        without = (rank - 2 * (all_digits != NOTHING)).argmax(1)
        rows = np.concatenate([rows, rows[::2]])
        chosen = np.concatenate([with_digit, without[::2]])
        labels = torch.from_numpy(all_digits[rows, chosen])
        return all_windows[rows, chosen][:, None], labels

    @torch.inference_mode()
    def agrees(self, rows, scenes):
        """Tell in which canvases the most probable of all scenes is that which is given."""
        parts = windows(rows).flatten(0, 1)[:, None].split(2048)
        logits = torch.cat([self.network(part) for part in parts])
        by_place = logits.log_softmax(1).view(-1, len(PLACES), NOTHING + 1)
        places = np.arange(len(PLACES))
        log_proba = by_place[:, places, contents(SCENES)].sum(2).numpy()
        found = contents([SCENES[i] for i in log_proba.argmax(1)])
        return (found == contents(scenes)).all(1)


def swaps(random):
    """Return scenes of two different digits that were seen, and so were the swapped ones."""
    able = [
        scene
        for scene in SCENES
        if len(set(scene.digits)) == 2 and scene.is_seen and scene.swapped.is_seen
    ]
    return [able[i] for i in random.integers(len(able), size=N_DRAWN)]


def attention_mass(model, rows, scenes):
    """Return the mean attention to the word of a digit where there is its ink."""
    weights, _ = model.attention(rows, captions_of(scenes))
    fine = torch.nn.functional.interpolate(
        torch.from_numpy(weights).permute(0, 3, 1, 2), SHAPE, mode="nearest"
    ).numpy()
    found = []
    for image, own, scene in zip(rows.reshape(-1, *SHAPE), fine, scenes, strict=True):
        for word, (_, place) in zip(WORD_OF, scene.pairs, strict=False):
            top, left = ORIGINS[place]
            box = slice(top, top + WINDOW), slice(left, left + WINDOW)
            ink = image[box]
            found.append((own[word][box] * ink).sum() / ink.sum())
    return np.mean(found)


def found_captions(model, digits, random):
    """Return how often the caption of an image is the most probable of twenty."""
    model.set_params(n_draws=16)
    right = []
    for _ in range(GROUPS):
        scenes = [SCENES[i] for i in random.permutation(len(SCENES))[:CANDIDATES]]
        scenes = list({frozenset(scene.pairs): scene for scene in scenes}.values())
        proba = model.condition_log_proba(digits.canvases(scenes, random), captions_of(scenes))
        right.extend(proba.argmax(1) == np.arange(len(scenes)))
    return np.mean(right)


def fitted(way, args, seed):
    """Return a model, fitted to captions that hold no pair that is held out."""
    random = np.random.default_rng(seed)
    scenes = draw_scenes(args.rows, random, is_seen=True)
    rows = Digits("train").canvases(scenes, random)
    model = ConditionalVAE(
        16,
        image_shape=SHAPE,
        text="words",
        word_attention=way == "attention",
        likelihood="bernoulli",
        hidden_layer_sizes=(32, 64),
        learning_rate=0.004,
        batch_size=128,
        max_epochs=args.epochs,
        random_state=seed,
    )
    return model.fit(rows, captions_of(scenes))


def judged(way, args, judge, seed):
    """Return a model and its figures."""
    start = time.perf_counter()
    model = fitted(way, args, seed)
    seconds = time.perf_counter() - start
    random, digits = np.random.default_rng(seed + 100), Digits("test")
    scenes = {
        "seen": draw_scenes(N_DRAWN, random, is_seen=True),
        "unseen": draw_scenes(N_DRAWN, random, is_seen=False),
        "before": swaps(random),
    }
    scenes["swapped"] = [scene.swapped for scene in scenes["before"]]
    figures = {
        name: judge.agrees(model.sample(N_DRAWN, seed, y=captions_of(own), noise=False), own).mean()
        for name, own in scenes.items()
    }
    tests = draw_scenes(500, random)
    rows = digits.canvases(tests, random)
    figures["mass"] = attention_mass(model, rows, tests) if way == "attention" else np.nan
    figures["found"] = found_captions(model, digits, random)
    figures["nats"] = model.score(rows, captions_of(tests))
    return model, figures | {"seconds": seconds}


def kept_judge(path):
    """Return a judge: that of a file, or a new one, which is then kept there."""
    if path is not None and Path(path).exists():
        return torch.load(path, weights_only=False)
    judge = Judge(0)
    if path is not None:
        torch.save(judge, path)
    return judge


def draw_page(model, path):
    """Draw a page of images by caption: six captions of seen pairs, six of unseen ones."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    random = np.random.default_rng(4)
    scenes = [*draw_scenes(5, random, is_seen=True), Scene((3, 1), "left"), Scene((1, 3), "left")]
    scenes += draw_scenes(5, random, is_seen=False)
    figure, axes = plt.subplots(len(scenes), 8, figsize=(9, 1.02 * len(scenes)))
    for line, scene in zip(axes, scenes, strict=True):
        images = model.sample(8, 0, y=scene.caption, noise=False).reshape(-1, *SHAPE)
        for ax, image in zip(line, images, strict=True):
            ax.imshow(image, cmap="gray", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
        sort = "" if scene.is_seen else "\n(never seen)"
        line[0].set_ylabel(scene.caption + sort, rotation=0, ha="right", va="center", fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument(
        "--ways", nargs="*", choices=["attention", "mean"], default=["attention", "mean"]
    )
    parser.add_argument("--figure")
    parser.add_argument("--save", help="where the last model with attention is saved")
    parser.add_argument("--judge", help="where the judge is kept for other runs")
    args = parser.parse_args()
    print(circumstances(), flush=True)
    judge, random = kept_judge(args.judge), np.random.default_rng(1)
    tests = draw_scenes(N_JUDGED, random)
    right = judge.agrees(Digits("test").canvases(tests, random), tests).mean()
    print(f"\nThe judge is right in {right:.3f} of test images.\n", flush=True)
    lines = []
    for way in args.ways:
        for seed in args.seeds:
            model, figures = judged(way, args, judge, seed)
            lines.append([way, seed, *(f"{each:.3f}" for each in figures.values())])
            print(lines[-1], flush=True)
            if way == "attention" and args.save:
                model.save(args.save)
            if way == "attention" and args.figure:
                draw_page(model, args.figure)
    if lines:
        print(f"\n{table(['', 'seed', *figures], lines)}", flush=True)


if __name__ == "__main__":
    main()
