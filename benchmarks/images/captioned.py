"""Captioned digits, made on the fly: canvases of one or two digits, and what is said of them.

The sentences are those of Mansimov, E., Parisotto, E., Ba, J. L. and Salakhutdinov, R. (2016),
Generating images from captions with attention: twelve words, eight templates, on a canvas of half
their size.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.data import find, load

SIDE, DIGIT, JITTER = 30, 14, 2
SHAPE = (SIDE, SIDE)
_FAR, _MIDDLE = SIDE - DIGIT - JITTER, (SIDE - DIGIT) // 2
RELATIONS = ("left", "right", "top", "bottom")
CORNERS = ("top left", "top right", "bottom left", "bottom right")
PLACES = (*RELATIONS, *CORNERS)
# The upper left corner of a digit at a place, before it is jittered.
ORIGINS = {
    "left": (_MIDDLE, 0),
    "right": (_MIDDLE, _FAR),
    "top": (0, _MIDDLE),
    "bottom": (_FAR, _MIDDLE),
    "top left": (0, 0),
    "top right": (0, _FAR),
    "bottom left": (_FAR, 0),
    "bottom right": (_FAR, _FAR),
}
_OPPOSITE = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
# Digit d is never seen at the places HELD_OUT[d], in training.
HELD_OUT = {digit: (PLACES[digit % 4], PLACES[4 + (digit + digit // 4) % 4]) for digit in range(10)}


@dataclass(frozen=True)
class Scene:
    """Digits and the places where they stand: one in a corner, or two that face each other.

    Attributes
    ----------
    digits : tuple of int
        One digit or two.
    place : str
        Where the first one stands; a second one stands opposite.
    """

    digits: tuple
    place: str

    @property
    def caption(self):
        """What is said of it."""
        if len(self.digits) == 1:
            return f"the digit {self.digits[0]} is at the {self.place} of the image ."
        first, second = self.digits
        return f"the digit {first} is on the {self.place} of the digit {second} ."

    @property
    def pairs(self):
        """The pairs of digit and place."""
        places = (self.place,) if len(self.digits) == 1 else (self.place, _OPPOSITE[self.place])
        return tuple(zip(self.digits, places, strict=True))

    @property
    def is_seen(self):
        """Whether none of its pairs is held out."""
        return all(place not in HELD_OUT[digit] for digit, place in self.pairs)

    @property
    def swapped(self):
        """The scene whose two digits have changed places."""
        return Scene(self.digits[::-1], self.place)


SCENES = [
    *(Scene((one, two), place) for place in RELATIONS for one in range(10) for two in range(10)),
    *(Scene((digit,), place) for place in CORNERS for digit in range(10)),
]


def draw_scenes(n, random, *, is_seen=None):
    """Return random scenes, half of one digit and half of two; seen ones, others, or any."""
    kinds = [[], []]
    for scene in SCENES:
        if is_seen is None or scene.is_seen == is_seen:
            kinds[len(scene.digits) - 1].append(scene)
    return [kinds[two][random.integers(len(kinds[two]))] for two in random.integers(0, 2, n)]


class Digits:
    """Small images of digits, of training or test images, by label."""

    def __init__(self, part):
        images = load("mnist")[part == "test"].reshape(-1, 28, 28)
        labels = labels_of(part)
        small = images.reshape(-1, DIGIT, 2, DIGIT, 2).mean((2, 4))
        self.of = [small[labels == digit] for digit in range(10)]

    def canvases(self, scenes, random):
        """Return an image of each scene as rows, of digits that are drawn anew."""
        rows = np.zeros((len(scenes), SIDE, SIDE), np.float32)
        for row, scene in zip(rows, scenes, strict=True):
            for digit, place in scene.pairs:
                own = self.of[digit]
                top, left = np.add(ORIGINS[place], random.integers(0, JITTER + 1, 2))
                patch = row[top : top + DIGIT, left : left + DIGIT]
                np.maximum(patch, own[random.integers(len(own))], out=patch)
        return rows.reshape(len(rows), -1)


def labels_of(part):
    """Return the labels of training or test images."""
    images = np.load(find("images/mnist.npz"))
    return images[f"y_{part}"]
