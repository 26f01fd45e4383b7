"""The structure: arrows between folders go one way, and private names stay in one file."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import skae

ROOT = Path(skae.__file__).parent
# What a family of estimators stands on, and what stands on the autoencoders.
FAMILY = {"common", "nn", "tables", "training", "building", "sampling", "saving"}
ON_AUTOENCODERS = FAMILY | {"autoencoders"}
BELOW = {
    "common": set(),
    "nn": set(),
    "dependencies": set(),
    "tables": {"common", "dependencies"},
    "saving": {"common", "tables"},
    "training": {"common", "nn", "tables", "saving"},
    "building": {"common", "nn", "tables", "training"},
    "sampling": {"common", "nn", "tables", "training"},
    "autoencoders": FAMILY,
    "gans": ON_AUTOENCODERS,
    "predictors": ON_AUTOENCODERS,
    "series": ON_AUTOENCODERS | {"outliers"},
    "outliers": {"common", "nn", "tables", "training", "building", "saving"},
    "sequences": {"common", "nn", "tables", "training", "sampling", "saving", "autoencoders"},
    "sketches": set(),
    "metrics": {"common", "tables"},
    "onnx": {"common", "nn", "tables", "autoencoders", "predictors", "gans", "outliers"},
    "plotting": {"common", "tables", "sketches"},
}


def modules_of(path):
    """The modules of a file that its import statements name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def name_of(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


IMPORTS = {name_of(path): set(modules_of(path)) for path in ROOT.rglob("*.py")}


def folder_of(module):
    return module.split(".")[1] if module.count(".") else None


@pytest.mark.parametrize("folder", BELOW)
def test_folders_import_what_is_below_them(folder):
    found = {
        folder_of(target)
        for module, targets in IMPORTS.items()
        if folder_of(module) == folder
        for target in targets
        if target.startswith("skae.")
    }
    assert found - {folder} <= BELOW[folder]


def test_every_folder_has_its_place():
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == set(BELOW)


def test_there_is_no_circle():
    graph = {
        module: {target for target in targets if target in IMPORTS and target != module}
        for module, targets in IMPORTS.items()
    }
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    ("package", "home"),
    [("sklearn", "skae.common.sklearn_private"), ("skorch", "skae.training.net")],
)
def test_private_names_of_others_stay_in_one_file(package, home):
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == package:
                names = [*node.module.split("."), *(alias.name for alias in node.names)]
                if any(name.startswith("_") for name in names):
                    found.add(name_of(path))
    assert found <= {home}


def test_torch_side_knows_no_estimators():
    foreign = {"sklearn", "skorch", "pandas", "narwhals"}
    for module, targets in IMPORTS.items():
        if folder_of(module) == "nn":
            assert not {target.split(".")[0] for target in targets} & foreign, module
