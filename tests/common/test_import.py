"""`import skae` is quick: it loads nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

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


def test_checkers_know_the_names_that_are_imported_lazily():
    tree = ast.parse(Path(skae.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    named = {alias.name: node.module for node in block.body for alias in node.names}
    assert named == {**skae._HOMES, **dict.fromkeys(skae._FOLDERS, "skae")}
    assert set(skae.__all__) == {*skae._HOMES, "__version__"}


def test_folders_are_attributes():
    code = "import skae; print(*(getattr(skae, name).__name__ for name in skae._FOLDERS))"
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert found.split() == [f"skae.{name}" for name in skae._FOLDERS]


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Autoencodr'"):
        skae.Autoencodr  # noqa: B018
