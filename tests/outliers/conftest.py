"""Detectors and rows that the tests of outliers share."""

import numpy as np
import pytest
from outlier_helpers import make, make_table


@pytest.fixture(scope="module")
def frame():
    return make_table(400)


@pytest.fixture(scope="module")
def detector(frame):
    return make(novelty=True, max_epochs=150).fit(frame)


@pytest.fixture(scope="module")
def normal_rows():
    """Rows of a correlated normal: half of them to learn from."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(3000, 3)) @ rng.normal(size=(3, 6)) + 0.3 * rng.normal(size=(3000, 6))
