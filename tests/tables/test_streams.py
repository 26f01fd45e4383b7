"""Sources of batches: what is taken, what is refused, and what is read of them."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import dataset

from skae import (
    AEOutlierDetector,
    AutoencoderTransformer,
    ConditionalVAE,
    EncoderClassifier,
    GANSampler,
    GenerativeClassifier,
    LatentResampler,
    stream,
)
from skae.tables import describe
from skae.tables.streams import as_stream

FRAME = pd.DataFrame({"x": np.arange(10.0), "y": np.arange(10.0) ** 2, "z": list("abcdefghij")})


NUMBERS = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=list("abc"))
LABELS = np.arange(60) % 2
QUICK = {"max_epochs": 1, "random_state": 0}


class Again:
    """An object that yields batches anew whenever it is iterated over."""

    def __init__(self, *batches):
        self.batches = batches

    def __iter__(self):
        yield from self.batches


def write(folder, *frames):
    for i, frame in enumerate(frames):
        frame.to_parquet(folder / f"{i}.parquet")
    return sorted(folder.glob("*.parquet"))


def rows_of(source):
    return pd.concat(list(source), ignore_index=True)


def test_files_folders_lists_and_data_sets_are_the_same(tmp_path):
    paths = write(tmp_path, FRAME[:4], FRAME[4:])
    for source in (tmp_path, str(tmp_path), paths, tuple(map(str, paths)), dataset.dataset(paths)):
        pd.testing.assert_frame_equal(rows_of(as_stream(source)), FRAME)


def test_large_row_groups_are_read_in_parts(tmp_path):
    big = pd.DataFrame({"x": np.arange(150_000.0)})
    big.to_parquet(tmp_path / "big.parquet")
    sizes = [len(batch) for batch in as_stream(tmp_path / "big.parquet")]
    assert sum(sizes) == 150_000
    assert max(sizes) <= 65_536


@pytest.mark.parametrize("container", [pd.DataFrame, pl.DataFrame, pa.table])
def test_frames_of_any_library(container):
    batches = [container({"x": [1.0, 2.0]}), container({"x": [3.0]})]
    for source in (batches, Again(*batches)):
        sample, n_rows = as_stream(source).sample(0)
        assert n_rows == 3
        assert type(sample) is type(batches[0])


def test_dask_frames_are_read_by_partition():
    dask = pytest.importorskip("dask.dataframe")
    found = as_stream(dask.from_pandas(FRAME, npartitions=3))
    assert len(list(found)) == 3
    pd.testing.assert_frame_equal(rows_of(found), FRAME, check_dtype=False)


NO_SOURCES = [
    np.ones((3, 2)),
    [[1, 2], [3, 4]],
    [np.ones((2, 2)), np.ones((2, 2))],
    FRAME,
    pl.from_pandas(FRAME),
    [],
    None,
    3,
    {"x": [1]},
]


@pytest.mark.parametrize("rows", NO_SOURCES, ids=lambda rows: type(rows).__name__)
def test_rows_in_memory_are_no_source(rows):
    assert as_stream(rows) is None
    with pytest.raises(TypeError, match=r"is no source of batches\. Give what can be read again"):
        stream(rows)


@pytest.mark.parametrize("once", [(FRAME for _ in range(2)), iter([FRAME]), map(abs, [1])])
def test_what_can_be_read_only_once_is_refused(once):
    with pytest.raises(TypeError, match="can be read only once, and fit reads rows several times"):
        as_stream(once)


@pytest.mark.parametrize("buffer_rows", [1, 0, -1, 2.5, True, "9"])
def test_the_buffer_is_checked(buffer_rows):
    with pytest.raises(ValueError, match="'buffer_rows' must be an int of at least 2"):
        stream([FRAME], buffer_rows=buffer_rows)


def test_columns_may_be_in_another_order():
    found = rows_of(as_stream([FRAME[:4], FRAME[4:][["z", "x", "y"]]]))
    pd.testing.assert_frame_equal(found, FRAME)


def test_other_columns_are_named(tmp_path):
    write(tmp_path, FRAME[:4], FRAME[4:].rename(columns={"y": "why"}))
    source = as_stream(sorted(tmp_path.glob("*.parquet")))
    with pytest.raises(
        ValueError, match=r"columns of .*1\.parquet are not those .*: 'why' is in one"
    ):
        list(source)


def test_files_that_cannot_be_read_are_named(tmp_path):
    paths = write(tmp_path, FRAME)
    with pytest.raises(FileNotFoundError, match=r"nothing\.parquet', where no file is"):
        list(as_stream(tmp_path / "nothing.parquet"))
    (tmp_path / "text.parquet").write_text("x,y")
    with pytest.raises(ValueError, match=r"text\.parquet', which is no Parquet file"):
        list(as_stream(tmp_path / "text.parquet"))
    content = bytearray(paths[0].read_bytes())
    content[10:60] = b"\xff" * 50
    (tmp_path / "damaged.parquet").write_bytes(bytes(content))
    with pytest.raises(ValueError, match=r"damaged\.parquet cannot be read"):
        list(as_stream(tmp_path / "damaged.parquet"))


def test_a_sample_is_uniform_and_in_order():
    batches = [pd.DataFrame({"x": np.arange(start, start + 500)}) for start in range(0, 5000, 500)]
    found = stream(batches, buffer_rows=1000)
    counts = np.zeros(5000)
    for seed in range(40):
        sample, n_rows = found.sample(seed)
        assert n_rows == 5000
        assert len(sample) == 1000
        assert (np.diff(sample["x"]) > 0).all()
        counts[sample["x"]] += 1
    # Of 40 samples of a fifth of the rows, each row is in 8 on average.
    by_batch = counts.reshape(10, 500).mean(1)
    assert abs(by_batch - 8).max() < 0.5
    assert counts.max() < 25


def test_all_rows_are_the_sample_where_they_fit():
    sample, n_rows = stream([FRAME[:3], FRAME[3:]]).sample(0)
    assert n_rows == 10
    pd.testing.assert_frame_equal(sample, FRAME)


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="X has no rows: there is no batch, or all are empty"):
        as_stream([FRAME[:0]]).sample(0)


def test_parquet_of_pyarrow_with_labels(tmp_path):
    table = pa.table({"x": [1.0, 2.0], "label": pa.array(["a", "b"]).dictionary_encode()})
    pq.write_table(table, tmp_path / "x.parquet")
    (batch,) = as_stream(tmp_path / "x.parquet")
    assert batch["label"].dtype == "category"


NEEDS_MEMORY = {
    "classifier": lambda X: EncoderClassifier().fit(X, FRAME["x"] > 3),
    "densities": lambda X: GenerativeClassifier().fit(X, FRAME["x"] > 3),
    "generator": lambda X: GANSampler().fit(X),
    "resampler": lambda X: LatentResampler().fit_resample(X, FRAME["x"] > 3),
    "impute": lambda X: AutoencoderTransformer(1, **QUICK).fit(NUMBERS).impute(X),
    "cells": lambda X: AutoencoderTransformer(1, **QUICK).fit(NUMBERS).score_cells(X),
    "explain": lambda X: AEOutlierDetector(**QUICK).fit(NUMBERS).explain(X),
    "detector's pass": lambda X: AEOutlierDetector(**QUICK).fit(NUMBERS).partial_fit(X),
    "conditions": lambda X: ConditionalVAE(**QUICK).fit(NUMBERS, LABELS).transform(X, LABELS),
    "describe": describe,
}


@pytest.mark.parametrize(
    "source", ["rows.parquet", [NUMBERS, NUMBERS], Again(NUMBERS)], ids=["path", "list", "iterable"]
)
@pytest.mark.parametrize("call", NEEDS_MEMORY.values(), ids=NEEDS_MEMORY)
def test_where_rows_must_be_in_memory_a_source_is_refused(call, source):
    with pytest.raises(TypeError, match=r"X is a source of batches \(.*, and rows in memory are"):
        call(source)


def test_batches_that_are_no_rows_are_refused():
    with pytest.raises(TypeError, match="Batch 1 of X is a list, and must be a frame or an array"):
        list(as_stream(Again(FRAME, [FRAME])))


def test_files_of_another_sort_are_named(tmp_path):
    FRAME.to_csv(tmp_path / "rows.csv")
    with pytest.raises(ValueError, match=r"path '.*rows\.csv', which is no Parquet file"):
        list(as_stream(tmp_path / "rows.csv"))
    with pytest.raises(FileNotFoundError, match="X is the path '', where no file is"):
        list(as_stream(""))
