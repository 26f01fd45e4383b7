"""ONNX models: agreement with skae, time of one row and of a thousand, size and time of the export.

    python -m benchmarks.exports

Thirty columns, as a matrix and as a table of ten columns of labels, five of whole numbers, five of
times and ten of other numbers, a tenth of the cells missing; 1,000 rows, of which some hold labels
that were not seen and extreme numbers. Differences are relative to 1 + the size of the number.
Times are medians, of one thread; those of skae include the checks of the rows.
"""

import argparse
import time

import numpy as np
import onnxruntime
import pandas as pd
import torch

from benchmarks.report import circumstances, milliseconds, table
from skae import (
    AEOutlierDetector,
    AutoencoderTransformer,
    DenoisingAE,
    EncoderClassifier,
    VAETransformer,
)
from skae.onnx import feeds
from skae.onnx.exporting import model_of

N_ROWS = 2000


def make_table(n_rows, rng):
    """Return a table of thirty columns."""
    hidden = rng.normal(size=(n_rows, 3))
    columns = {}
    for j in range(10):
        place = (hidden @ rng.normal(size=3) * 2).round().clip(-3, 3).astype(int) + 3
        columns[f"label{j}"] = np.array(list("abcdefg"), dtype=object)[place]
    for j in range(10):
        columns[f"number{j}"] = hidden @ rng.normal(size=3) + 0.1 * rng.normal(size=n_rows)
    frame = pd.DataFrame(columns).mask(rng.random((n_rows, 20)) < 0.1)
    for j in range(5):
        frame[f"whole{j}"] = (hidden @ rng.normal(size=3) * 100).round().astype(int)
    for j in range(5):
        hours = (hidden @ rng.normal(size=3) * 1000).round()
        frame[f"time{j}"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(hours, unit="h")
        frame.loc[rng.random(n_rows) < 0.1, f"time{j}"] = pd.NaT
    return frame


def with_edges(frame):
    """Return the first thousand rows with unseen labels and extremes among them."""
    found = frame[:1000].reset_index(drop=True)
    found.loc[:9, "label0"] = "unseen"
    found.loc[10:19, "number0"] = 1e6
    found.loc[20:29, "whole0"] = -(10**9)
    found.loc[30:39, "time0"] = pd.Timestamp("1980-01-01")
    return found


def session_of(model):
    """Return a session of onnxruntime with one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def line(name, estimator, reading, X):
    """Return the line of the table for one reading."""
    start = time.perf_counter()
    model = model_of(estimator, reading)
    seconds = time.perf_counter() - start
    session = session_of(model)
    own, one, many = getattr(estimator, reading), feeds(estimator, X[:1]), feeds(estimator, X)
    wanted, (found,) = np.asarray(own(X)), session.run(None, many)
    if wanted.dtype.kind in "OU":
        agreement = f"{(wanted == found).mean():.1%} equal"
    else:
        agreement = f"{(abs(found - wanted) / (1 + abs(wanted))).max():.1e}"
    return [
        name,
        type(estimator).__name__,
        reading,
        agreement,
        f"{milliseconds(lambda: session.run(None, one), 1000):.3f}",
        f"{milliseconds(lambda: own(X[:1]), 200):.2f}",
        f"{milliseconds(lambda: session.run(None, many), 50):.1f}",
        f"{milliseconds(lambda: own(X), 20):.1f}",
        f"{seconds:.1f}",
        f"{model.ByteSize() / 1000:.0f}",
    ]


def lines():
    """Yield the lines of the table."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(N_ROWS, 5)) @ rng.normal(size=(5, 30)) + rng.normal(size=(N_ROWS, 30))
    frame = make_table(N_ROWS, rng)
    y = np.where(frame["whole0"] > 0, "up", "down")
    quick = {"max_epochs": 20, "random_state": 0}
    plain = AutoencoderTransformer(8, **quick).fit(matrix)
    for reading in ("transform", "reconstruct", "score_samples"):
        yield line("matrix", plain, reading, matrix[:1000])
    X = with_edges(frame)
    of_table = AutoencoderTransformer(8, **quick).fit(frame)
    yield line("table", of_table, "transform", X)
    yield line("table", of_table, "score_samples", X)
    yield line("table", VAETransformer(8, **quick).fit(frame), "transform", X)
    classifier = EncoderClassifier(DenoisingAE(8, **quick), **quick).fit(frame, y)
    yield line("table", classifier, "predict", X)
    yield line("table", classifier, "predict_proba", X)
    # A detector knows the rows that it was fitted to, and its model takes all for new ones.
    for name, rows, new in (("matrix", matrix, matrix[:1000]), ("table", frame, X)):
        detector = AEOutlierDetector(novelty=True, random_state=0).fit(rows[1000:])
        yield line(name, detector, "score_samples", new)
        yield line(name, detector, "predict", new)


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(1)
    print(circumstances(), f"onnxruntime {onnxruntime.__version__}", flush=True)
    header = ["rows", "estimator", "reading", "largest difference", "one row, ONNX, ms"]
    header += ["one row, skae, ms", "1,000 rows, ONNX, ms", "1,000 rows, skae, ms"]
    header += ["export, s", "kB"]
    print(table(header, lines()))


if __name__ == "__main__":
    main()
