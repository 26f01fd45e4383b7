"""Data and settings that the tests share."""

import os
import signal

os.environ.setdefault("MPLBACKEND", "Agg")
# pytest-xdist has a process for every core already.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from helpers import make_rows
from sklearn.datasets import load_digits


@pytest.fixture(autouse=True, scope="session")
def ctrl_c():
    """Let Ctrl-C interrupt, as shells do not for what they run in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def digits():
    """The images of handwritten digits, 0 to 16."""
    return load_digits().data


@pytest.fixture
def rows():
    """A few rows around a bent curve in five dimensions."""
    return make_rows(60)
