"""The code of docs/captions.md runs, from top to bottom."""

import re

import matplotlib.pyplot as plt
from helpers import run_page


def test_the_page_runs(capsys):
    names = run_page("captions.md")
    plt.close("all")
    found = re.search(r"([\d.]+) of the captions are found", capsys.readouterr().out)
    assert float(found[1]) > 0.5
    assert names["weights"].shape == (2, 3, 3, 7)
