"""No file holds a label of few rows, an identifier, or a cell of a note; what it holds is told."""

import hashlib
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import NotFittedError

from skae import AEOutlierDetector, AutoencoderTransformer, EncoderClassifier, VAETransformer
from skae.tables import remembered

SECRETS = [hashlib.sha256(str(i).encode()).hexdigest()[:12] for i in range(200)]
QUICK = {"max_epochs": 2, "random_state": 0}
N = len(SECRETS)


def frame_with_secrets(library):
    rng = np.random.default_rng(0)
    labels = rng.choice(["red", "green", "blue"], N).astype(object)
    labels[7] = "SECRET-label"
    sizes = [f"{size}kg" for size in rng.integers(10, 99, N)]
    sizes[9] = "SECRET-word"
    data = {
        "id": SECRETS,
        "label": list(labels),
        "size": sizes,
        "note": [f"SECRET note {i}" for i in range(N)],
        "x": rng.normal(size=N),
        "y": rng.integers(0, 9, N),
    }
    frame = library(data)
    if library is pd.DataFrame:
        kinds = pd.CategoricalDtype(sorted(set(labels)), ordered=True)
        return frame.assign(
            loose=frame["label"].astype("category"), ordered=frame["label"].astype(kinds)
        )
    return frame.with_columns(pl.col("label").cast(pl.Categorical).alias("loose"))


def own(estimator, **params):
    return estimator(**params, column_kinds={"note": "ignore", "id": "identifier"})


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
@pytest.mark.parametrize("handle_unknown", ["other", "error"])
@pytest.mark.parametrize("estimator", [AutoencoderTransformer, VAETransformer, AEOutlierDetector])
def test_no_secret_is_in_a_file(estimator, library, handle_unknown):
    fitted = own(estimator, handle_unknown=handle_unknown, **QUICK).fit(frame_with_secrets(library))
    content = pickle.dumps(fitted)
    assert b"SECRET-label" not in content
    assert b"SECRET-word" not in content
    assert b"SECRET note" not in content
    assert not [secret for secret in SECRETS if secret.encode() in content]
    assert b"green" in content


def test_min_count_decides():
    frame = pd.DataFrame({"label": ["a", "b"] * 50 + ["rare-label"] * 3, "x": range(103)})
    kinds = {"x": "number"}
    for min_count, is_held in ((3, True), (4, False)):
        fitted = AutoencoderTransformer(1, min_count=min_count, column_kinds=kinds, **QUICK)
        assert (b"rare-label" in pickle.dumps(fitted.fit(frame))) == is_held


def table_of(estimator):
    return remembered(estimator).set_index("column")


def test_what_is_told_of_columns():
    fitted = own(VAETransformer, **QUICK).fit(frame_with_secrets(pd.DataFrame))
    told = table_of(fitted)
    assert told.loc["label", "n"].iloc[0] == 3
    assert told.loc["id", "what"].startswith("patterns")
    assert told.loc["note", "n"] == 0
    assert told.loc["y", "what"] == "all numbers, which are few"
    assert told.loc["", "n"] == N
    assert "ends of intervals" in " ".join(told.loc[["x"], "what"])


def test_the_ends_of_an_array_are_told():
    rows = np.random.default_rng(0).normal(size=(N, 4))
    (held,) = remembered(AutoencoderTransformer(2, **QUICK).fit(rows)).itertuples(index=False)
    assert held == ("", "the smallest and largest number of every column", 8)


def test_rows_that_are_inside_are_told():
    rows = np.random.default_rng(0).normal(size=(N, 4))
    assert (
        table_of(VAETransformer(2, prior="normal", **QUICK).fit(rows)).get("n", {}).get("") is None
    )
    detector = remembered(AEOutlierDetector(max_epochs=1, random_state=0).fit(rows))
    assert detector.loc[detector["column"] == "", "n"].item() == N
    classifier = EncoderClassifier(VAETransformer(2, **QUICK), max_epochs=1)
    told = remembered(classifier.fit(rows, rows[:, 0] > 0))
    assert told["what"].str.contains("codes of training rows").any()


def test_what_cannot_be_told():
    with pytest.raises(NotFittedError):
        remembered(AutoencoderTransformer())
    with pytest.raises(TypeError, match="must be an estimator of skae"):
        remembered(NotFittedError)
