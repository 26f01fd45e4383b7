"""The benchmarks can be started: what they import of skae is there."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "benchmarks").rglob("*.py")
)


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.filterwarnings("ignore")
def test_a_benchmark_is_imported(name, monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name.split(".")[0] in ("skae", "benchmarks"):
            raise
        pytest.skip(f"needs {error.name}")
