"""The icons: drawings, names and categories, in parts to learn from and to judge on."""

import numpy as np

from benchmarks.data import find

# The side of the box that drawings are in, and the unit of the file.
BOX = 24
_UNIT = 100


def load_icons(part):
    """Return the drawings, names and categories of a part: train, valid or test."""
    icons = np.load(find("sketches/icons.npz"))
    points = icons["points"].astype(float)
    points[:, :2] /= _UNIT
    drawings = np.split(points, np.cumsum(icons["lengths"])[:-1])
    places = np.flatnonzero(icons["part"] == part)
    return (
        [drawings[place] for place in places],
        icons["names"][places],
        icons["categories"][places],
    )


def load_tags(part):
    """Return the tags of the icons of a part, one text each."""
    icons = np.load(find("sketches/icons.npz"))
    return [str(each) for each in icons["tags"][icons["part"] == part] if each]
