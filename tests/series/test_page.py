"""The code of docs/series.md runs, from top to bottom."""

import re
from pathlib import Path

import matplotlib
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "series.md"


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not there")
def test_the_page_runs(tmp_path, monkeypatch):
    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "series"}
    for i, block in enumerate(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)):
        exec(compile(block, f"block {i}", "exec"), names)
    assert (tmp_path / "alarms.png").exists()
