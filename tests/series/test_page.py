"""The code of docs/series.md and docs/panels.md runs, from top to bottom."""

import re
from pathlib import Path

import matplotlib
import pytest

DOCS = Path(__file__).parents[2] / "docs"


def run_page(name):
    """Run the code of a page."""
    page = DOCS / f"{name}.md"
    if not page.exists():
        pytest.skip("the documentation is not there")
    matplotlib.use("agg")
    names = {"__name__": name}
    for i, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)):
        exec(compile(block, f"block {i}", "exec"), names)


def test_the_page_of_windows_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page("series")
    assert (tmp_path / "alarms.png").exists()


def test_the_page_of_panels_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page("panels")
    assert (tmp_path / "gestures.safetensors").exists()
