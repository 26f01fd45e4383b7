"""The code of docs/production.md runs, from top to bottom."""

import re
import warnings
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "production.md"


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not there")
def test_the_page_runs(tmp_path, monkeypatch, capsys):
    for package in ("fastapi", "httpx", "onnxruntime", "onnxscript", "skops"):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names = {"__name__": "production"}
    with warnings.catch_warnings():
        # Of other packages.
        warnings.simplefilter("ignore")
        for i, block in enumerate(blocks):
            exec(compile(block, f"block {i}", "exec"), names)
    assert "encoded training rows" in capsys.readouterr().out
