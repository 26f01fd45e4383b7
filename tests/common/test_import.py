"""`import skae` is quick: it loads nothing heavy."""

import subprocess
import sys

import pytest

import skae


def test_import_loads_no_heavy_library():
    code = (
        "import sys, skae; dir(skae); "
        "print(*sorted({'torch', 'skorch', 'pandas', 'matplotlib', 'sklearn'} & set(sys.modules)))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert loaded.split() == []


def test_public_names_exist():
    assert all(getattr(skae, name) for name in skae.__all__)
    assert set(dir(skae)) >= set(skae.__all__)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Autoencodr'"):
        skae.Autoencodr  # noqa: B018
