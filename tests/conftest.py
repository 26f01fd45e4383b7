"""Data and settings that the tests share."""

import os
import signal

os.environ.setdefault("MPLBACKEND", "Agg")
# pytest-xdist has a process for every core already.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from helpers import make_rows
from sklearn.datasets import load_digits

# Code for the type checker alone.
collect_ignore = ["typed"]


def pytest_collection_modifyitems(items):
    """Skip what needs a GPU where there is none."""
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("cuda"):
                item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


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
