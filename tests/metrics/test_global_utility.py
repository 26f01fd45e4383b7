"""Global utility: 1 for rows like the training rows, 0 for independent columns."""

import numpy as np
import pandas as pd
import pytest

from skae.metrics import global_utility, independent_columns


@pytest.fixture
def parts():
    rng = np.random.default_rng(0)
    n = 1500
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "x": x,
            "double": 2 * x + 0.1 * rng.normal(size=n),
            "sign": np.where(x + 0.3 * rng.normal(size=n) > 0, "up", "down"),
            "noise": rng.normal(size=n),
            "same": "a",
            "id": [f"row {i * 7919 % 10007}" for i in range(n)],
        }
    )
    return frame[:500], frame[500:1000], frame[1000:]


def test_rows_like_the_training_rows_are_as_useful(parts):
    found = global_utility(*parts, random_state=0)
    np.testing.assert_allclose(found[["x", "double", "sign"]], 1, atol=0.1)
    assert found[["noise", "same", "id"]].isna().all()


def test_independent_columns_are_of_no_use(parts):
    train, test, _ = parts
    found = global_utility(train, test, independent_columns(train, 0), random_state=0)
    assert (found[["x", "double", "sign"]] < 0.3).all()


def test_arrays_have_numbered_columns(parts):
    arrays = (part[["x", "double"]].to_numpy() for part in parts)
    assert list(global_utility(*arrays, random_state=0).index) == [0, 1]


def test_other_columns(parts):
    train, test, synthetic = parts
    with pytest.raises(ValueError, match="columns"):
        global_utility(train, test, synthetic.drop(columns="x"))
