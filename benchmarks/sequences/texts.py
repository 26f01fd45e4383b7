"""Texts: TextVAE on the names of 4,000 icons beside counts of characters in a row.

    python -m benchmarks.sequences.texts [--what names] [--part test] [--seed 0]
        [--params "{...}"]

The names of the icons ("arrow-left", "brand-github") or their tags ("arrow", "direction"), each
once. Perplexities are per character, the end of a text included.
"""

import argparse
import ast
import time
from collections import Counter

import numpy as np

from benchmarks.report import circumstances, table
from benchmarks.sequences.icons import load_icons, load_tags
from skae import TextVAE

START, END = "\x02", "\x03"


class NGrams:
    """Counts of up to n characters in a row, interpolated (Witten and Bell, 1991)."""

    def __init__(self, n):
        self.n = n

    def fit(self, texts):
        self.followers = {}
        for text in texts:
            whole = START * (self.n - 1) + text + END
            for place in range(self.n - 1, len(whole)):
                for k in range(self.n):
                    context = whole[place - k : place]
                    self.followers.setdefault(context, Counter())[whole[place]] += 1
        self.n_characters = len(self.followers[""]) + 1
        return self

    def probability(self, character, context):
        shorter = 1 / self.n_characters
        for k in range(len(context) + 1):
            seen = self.followers.get(context[len(context) - k :])
            if seen is None:
                break
            shorter = (seen[character] + len(seen) * shorter) / (seen.total() + len(seen))
        return shorter

    def score_samples(self, texts):
        return np.array([sum(map(np.log, self.probabilities(text))) for text in texts])

    def probabilities(self, text):
        whole = START * (self.n - 1) + text + END
        for place in range(self.n - 1, len(whole)):
            yield self.probability(whole[place], whole[place - self.n + 1 : place])


def texts_of(what, part):
    """Return the texts of a part, each once; of tags, those that no training icon has."""
    if what == "names":
        return sorted(map(str, load_icons(part)[1]))
    found = {tag for tags in load_tags(part) for tag in tags.split()}
    if part != "train":
        found -= {tag for tags in load_tags("train") for tag in tags.split()}
    return sorted(found)


def perplexity(model, texts):
    """Return the perplexity per character, by a bound where there is a code."""
    return float(np.exp(-model.score_samples(texts).sum() / sum(len(text) + 1 for text in texts)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--what", choices=["names", "tags"], default="names")
    parser.add_argument("--part", default="test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--params", type=ast.literal_eval, default={})
    args = parser.parse_args()
    train, test = texts_of(args.what, "train"), texts_of(args.what, args.part)
    print(f"{circumstances()}\n{len(train)} {args.what} to learn from, {len(test)} to judge on\n")
    rows = []
    for n in (2, 3, 4, 5, 6):
        rows.append([f"{n} characters in a row", f"{perplexity(NGrams(n).fit(train), test):.2f}"])
    models = {}
    for name, own in (("TextVAE", {}), ("no code", {"n_components": 0})):
        start = time.perf_counter()
        model = TextVAE(**{"random_state": args.seed, **args.params, **own}).fit(train)
        took = time.perf_counter() - start
        models[name] = model
        of_code = f"KL {model.kl_per_component_.sum():.1f}, {model.n_iter_} epochs, {took:.0f} s"
        rows.append([f"{name}: {of_code}", f"{perplexity(model, test):.2f}"])
    print(table(["model", "perplexity per character"], rows), "\n")
    model = models["TextVAE"]
    back = model.reconstruct(test)
    same = np.mean([a == b for a, b in zip(test, back, strict=True)])
    print(f"reconstructed exactly: {same:.3f}")
    print("drawn:", ", ".join(model.sample(12, random_state=0)))
    print("completed:", ", ".join(model.complete(["arrow-"], 6, random_state=0)[0]))
    print("between:", ", ".join(model.interpolate(test[0], test[-1], 8)))


if __name__ == "__main__":
    main()
