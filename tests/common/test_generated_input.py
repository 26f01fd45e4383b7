"""Generated input: a result that is right, or an error of ours, whatever rows come in.

The number of cases is that of the environment variable SKAE_CASES, 300 unless it is set.
"""

import os
import traceback
import warnings

import numpy as np
import pandas as pd
import polars as pl
import torch
from helpers import AUTOENCODERS, DETECTORS, quick
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from skae import EncoderClassifier, EncoderRegressor, GenerativeClassifier

ESTIMATORS = [*AUTOENCODERS, *DETECTORS, EncoderClassifier, EncoderRegressor, GenerativeClassifier]
METHODS = ["transform", "reconstruct", "score_samples", "impute", "predict", "partial_fit"]
# Where an error may be raised: what names the column or the parameter is here.
OURS = ("/skae/", "/sklearn/")

NUMBERS = st.sampled_from(
    [0.0, 1.0, -1.0, 2.5, 1e-30, 1e-300, 1e30, 1e300, 7.0, 255.0, -0.0, 3.25, 1e6]
)
HOLES = st.sampled_from([np.nan, None, pd.NA, np.inf, -np.inf])
LABELS = st.sampled_from(["a", "b", "", "nan", "1", "1.5", "2020-01-31", "ä" * 9, " a"])
OTHERS = st.sampled_from(
    [
        True,
        np.datetime64("2020-01-31"),
        pd.Timestamp("2021-05-01", tz="UTC"),
        pd.Timedelta("3h"),
        pd.NaT,
        10**30,
        10**400,
        1j,
        b"bytes",
        ["a"],
        {"a": 1},
    ]
)


@st.composite
def columns(draw, n_rows):
    """Return the cells of a column: mostly of one sort, with a few others among them."""
    usual = draw(st.sampled_from([NUMBERS, NUMBERS, NUMBERS, LABELS, OTHERS]))
    seed = draw(st.integers(0, 2**16))
    if usual is NUMBERS and draw(st.booleans()):
        scale = draw(st.sampled_from([1e-200, 1e-3, 1.0, 1e8]))
        cells = list(scale * np.random.default_rng(seed).normal(size=n_rows))
    else:
        few = draw(st.lists(usual, min_size=1, max_size=4))
        cells = [few[i] for i in np.random.default_rng(seed).integers(len(few), size=n_rows)]
    for cell in draw(st.lists(st.one_of(HOLES, HOLES, LABELS, OTHERS), max_size=2)):
        cells[draw(st.integers(0, n_rows - 1))] = cell
    return cells


@st.composite
def tables(draw, n_columns=None):
    """Return rows as columns of cells."""
    n_rows = draw(st.sampled_from([2, 3, 12, 30]))
    n_columns = draw(st.integers(1, 4)) if n_columns is None else n_columns
    return [draw(columns(n_rows)) for _ in range(n_columns)]


def as_objects(cells):
    array = np.empty((len(cells[0]), len(cells)), dtype=object)
    for place, column in enumerate(cells):
        for row, cell in enumerate(column):
            array[row, place] = cell
    return array


def as_tensor(cells):
    return torch.tensor(np.array(cells, dtype=float).T)


CONTAINERS = {
    "array": lambda cells: np.array(cells, dtype=float).T,
    "float32": lambda cells: np.array(cells, dtype=float).astype(np.float32).T,
    "objects": as_objects,
    "lists": lambda cells: [list(row) for row in zip(*cells, strict=True)],
    "pandas": lambda cells: pd.DataFrame({f"c{i}": each for i, each in enumerate(cells)}),
    "polars": lambda cells: pl.DataFrame({f"c{i}": each for i, each in enumerate(cells)}),
    "masked": lambda cells: np.ma.masked_invalid(np.array(cells, dtype=float).T),
    "sparse": lambda cells: sparse.csr_array(np.array(cells, dtype=float).T),
    "tensor": as_tensor,
}


def made(container, cells):
    """Return rows in a container, or None where it cannot hold them."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return CONTAINERS[container](cells)
    except Exception:
        return None


def holds_nan(result):
    """Tell whether a result has cells that are no numbers where all are numbers."""
    if isinstance(result, (pd.DataFrame, pl.DataFrame)):
        return False
    result = result.numpy() if isinstance(result, torch.Tensor) else np.asarray(result)
    return result.dtype.kind == "f" and not np.isfinite(result).all()


def holds_holes(X):
    """Tell whether rows have a cell that is missing, which may come back as a missing cell."""
    if isinstance(X, pl.DataFrame):
        X = pd.DataFrame(X.rows())
    if sparse.issparse(X):
        X = X.toarray()
    return bool(pd.isna(pd.DataFrame(np.ma.filled(X, np.nan))).any(axis=None))


def outcome(function, *arguments):
    """Return a result, or None if there is an error of ours; raise any other one."""
    try:
        return function(*arguments)
    except (ValueError, TypeError, AttributeError) as error:
        where = traceback.extract_tb(error.__traceback__)[-1].filename
        if not str(error) or not any(each in where for each in OURS):
            raise
        return None


@settings(
    max_examples=int(os.environ.get("SKAE_CASES", "300")),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_a_result_or_an_error_of_ours(data):
    cls = data.draw(st.sampled_from(ESTIMATORS))
    container = data.draw(st.sampled_from([*CONTAINERS]))
    cells = data.draw(tables())
    X = made(container, cells)
    if X is None:
        return
    y = np.arange(len(cells[0])) % 2
    estimator = quick(cls).set_params(random_state=0)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        fitted = outcome(estimator.fit, X, y)
        if fitted is None:
            assert not hasattr(estimator, "net_"), "a model of a fit that failed"
            return
        name = data.draw(st.sampled_from([each for each in METHODS if hasattr(fitted, each)]))
        other = X
        if data.draw(st.booleans()):
            other = made(container, data.draw(tables(len(cells))))
            other = X if other is None else other
        before = outcome(fitted.score_samples, X) if hasattr(fitted, "score_samples") else None
        result = outcome(getattr(fitted, name), other)
        if result is None and before is not None:
            np.testing.assert_array_equal(fitted.score_samples(X), before)
        if result is not None and name != "partial_fit" and not holds_holes(X):
            assert not holds_nan(result), f"{name} of {container} holds NaN or infinity"
