"""The estimator that docs/design.md adds as an example passes scikit-learn's checks."""

import ast
import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

DESIGN = Path(__file__).parents[2] / "docs" / "design.md"
MOST_LINES = 40


@pytest.fixture(scope="module")
def source():
    if not DESIGN.exists():
        pytest.skip("the documentation is not beside the tests")
    return re.search(r"## How to add.*?```python\n(.*?)```", DESIGN.read_text(), re.DOTALL)[1]


@pytest.fixture
def example(source, tmp_path, monkeypatch):
    path = tmp_path / "jitter.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location("jitter", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "jitter", module)
    spec.loader.exec_module(module)
    return module.JitterAE


def test_it_passes_the_checks(example):
    weights = "sample_weight is not equivalent to removing/repeating samples."
    expected = {
        "check_sample_weight_equivalence_on_dense_data": weights,
        "check_sample_weight_equivalence_on_sparse_data": weights,
    }
    check_estimator(example(max_epochs=10), expected_failed_checks=expected, on_skip=None)


def test_its_parameter_works_and_is_described(example, rows):
    fits = [example(largest_noise=n, max_epochs=20, random_state=0).fit(rows) for n in (0.0, 2.0)]
    assert not np.allclose(*(fitted.transform(rows) for fitted in fits))
    assert "largest_noise : float, default=1.0\n    The largest standard" in example.__doc__
    with pytest.raises(ValueError, match="'largest_noise' parameter of JitterAE must be"):
        example(largest_noise=-1).fit(rows)


def test_it_is_short(source):
    lines = [line for line in source.splitlines() if line.strip() and "import" not in line]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines = lines[: len(lines) - (node.end_lineno - node.lineno + 1)]
    assert len(lines) <= MOST_LINES
