"""Nearest copies: found where they are, and at the quantile where not."""

import numpy as np
import pytest
from metric_helpers import mixed, normals
from scipy.spatial.distance import cdist

from skae.metrics import (
    nearest_copies,
)

REAL, OTHER = mixed(400), mixed(400, seed=1)


def test_copies_are_found():
    train, test, new = normals(3, 300, 3)
    assert nearest_copies(train, test, train) == (0, 1)
    assert nearest_copies(train, test, test) == (1, pytest.approx(0.05))
    found = nearest_copies(train, test, new, quantile=0.2)
    assert found.share == pytest.approx(0.2, abs=0.08)
    assert found.ratio == pytest.approx(1, abs=0.15)
    half = np.vstack([train[:150], new[:150]])
    assert nearest_copies(train, test, half).share == pytest.approx(0.5 + 0.025, abs=0.03)


def test_test_rows_are_at_the_quantile_although_many_are_in_training():
    train, test = REAL[["kind", "is_new"]], OTHER[["kind", "is_new"]]
    assert nearest_copies(train, test, test) == (1, pytest.approx(0.05))
    assert nearest_copies(train, test, test.assign(kind="new")).ratio == np.inf


def test_nearest_rows_are_those_of_all():
    train, test, new = normals(300, 2), normals(40, 2), normals(50, 2, seed=1)
    scale = train.std(0)
    d = [cdist(x / scale, train / scale, "cityblock").min(1) for x in (new, test + 1)]
    found = nearest_copies(train, test + 1, new)
    assert found.ratio == pytest.approx(np.median(d[0]) / np.median(d[1]))
