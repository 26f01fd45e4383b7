"""The code of the pages of the documentation runs, from top to bottom."""

import re

import matplotlib.pyplot as plt
import pytest
from helpers import run_page


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    plt.close("all")


def test_production(capsys):
    for package in ("fastapi", "httpx", "onnxruntime", "onnxscript", "skops"):
        pytest.importorskip(package)
    # Those of other packages.
    run_page("production.md", warns="ignore")
    assert "encoded training rows" in capsys.readouterr().out


def test_captions(capsys):
    names = run_page("captions.md")
    found = re.search(r"([\d.]+) of the captions are found", capsys.readouterr().out)
    assert float(found[1]) > 0.5
    assert names["weights"].shape == (2, 3, 3, 7)


def test_series(tmp_path):
    run_page("series.md")
    assert (tmp_path / "alarms.png").exists()


def test_panels(tmp_path):
    run_page("panels.md")
    assert (tmp_path / "gestures.safetensors").exists()


def test_sketches(capsys):
    names = run_page("sketches.md")
    assert len(names["new"]) == len(names["between"]) == len(names["completed"]) == 10
    assert all((each[:4] - names["begun"]).max() < 1e-4 for each in names["completed"])
    assert "divergence of the code" in capsys.readouterr().out
