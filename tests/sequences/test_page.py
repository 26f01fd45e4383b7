"""The code of docs/sketches.md runs, from top to bottom."""

import re
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "sketches.md"


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not there")
def test_the_page_runs(capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names = {"__name__": "sketches"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for i, block in enumerate(blocks):
            exec(compile(block, f"block {i}", "exec"), names)
    assert len(names["new"]) == len(names["between"]) == len(names["completed"]) == 10
    assert all((each[:4] - names["begun"]).max() < 1e-4 for each in names["completed"])
    assert "divergence of the code" in capsys.readouterr().out
    plt.close("all")
