"""The code of docs/production.md runs, from top to bottom."""

import pytest
from helpers import run_page


def test_the_page_runs(tmp_path, monkeypatch, capsys):
    for package in ("fastapi", "httpx", "onnxruntime", "onnxscript", "skops"):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    run_page("production.md")
    assert "encoded training rows" in capsys.readouterr().out
