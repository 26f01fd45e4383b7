"""Fits to sources of batches: the same model as in memory where the buffer holds all rows."""

import gc
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import AUTOENCODERS, make_rows, rows_of_a_shop
from scipy import sparse

from skae import (
    AEOutlierDetector,
    AutoencoderTransformer,
    ConditionalVAE,
    EncoderClassifier,
    VAETransformer,
    stream,
)
from skae.training.file_rows import FileRows, spill
from skae.training.rows import Batches, HeldOut

QUICK = {"max_epochs": 3, "random_state": 0}
ROWS = make_rows(3000)
TABLE = pd.concat([rows_of_a_shop()] * 8, ignore_index=True)


class Shards:
    """Batches of rows, read anew in every pass."""

    def __init__(self, rows, size=700):
        self.rows, self.size, self.n_passes = rows, size, 0

    def __iter__(self):
        self.n_passes += 1
        for start in range(0, self.rows.shape[0], self.size):
            yield self.rows[start : start + self.size]


@pytest.mark.parametrize("cls", [cls for cls in AUTOENCODERS if cls is not ConditionalVAE])
@pytest.mark.parametrize("rows", [ROWS, TABLE], ids=["matrix", "table"])
def test_a_buffer_for_all_rows_gives_the_model_of_rows_in_memory(cls, rows):
    own, streamed = cls(**QUICK).fit(rows), cls(**QUICK).fit(Shards(rows))
    state = streamed.net_.module_.state_dict()
    for name, weight in own.net_.module_.state_dict().items():
        assert weight.numpy().tobytes() == state[name].numpy().tobytes(), name
    assert np.array_equal(own.transform(rows), streamed.transform(rows))


@pytest.mark.parametrize("cls", [cls for cls in AUTOENCODERS if cls is not ConditionalVAE])
@pytest.mark.parametrize("rows", [ROWS, TABLE], ids=["matrix", "table"])
def test_a_small_buffer_gives_a_model_as_good(cls, rows):
    streamed = cls(**QUICK).fit(stream(Shards(rows), buffer_rows=1000))
    own = cls(**QUICK).fit(rows)
    assert streamed.n_features_in_ == own.n_features_in_
    if hasattr(own, "score"):
        spread = np.std(own.score_samples(rows))
        assert streamed.score(rows) > own.score(rows) - 0.6 * spread
    assert len(streamed.sample(5, random_state=0)) == 5


def test_the_same_seed_gives_the_same_model():
    fits = [
        AutoencoderTransformer(2, **QUICK).fit(stream(Shards(ROWS), buffer_rows=900))
        for _ in range(2)
    ]
    assert np.array_equal(*(fit.transform(ROWS) for fit in fits))


def test_shards_with_other_orders_of_columns_give_the_same_model():
    frame = pd.DataFrame(ROWS, columns=list("abcde"))
    plain = [frame[:1500], frame[1500:]]
    turned = [frame[:1500], frame[1500:][list("edcba")]]
    fits = [
        AutoencoderTransformer(2, **QUICK).fit(stream(each, buffer_rows=900))
        for each in (plain, turned)
    ]
    assert np.array_equal(*(fit.transform(frame) for fit in fits))


def test_every_reading_yields_batches():
    source = Shards(TABLE, 1000)
    fitted = AutoencoderTransformer(2, **QUICK).fit(TABLE)
    for name in ("transform", "reconstruct", "score_samples"):
        found = getattr(fitted, name)(source)
        assert iter(found) is found
        whole = getattr(fitted, name)(TABLE)
        joined = [np.asarray(each, dtype=object) for each in found]
        assert (pd.isna(np.concatenate(joined)) == pd.isna(np.asarray(whole, dtype=object))).all()
        assert sum(map(len, joined)) == len(TABLE)


def test_a_score_is_that_of_all_rows():
    fitted = AutoencoderTransformer(2, **QUICK).fit(TABLE)
    assert fitted.score(Shards(TABLE, 999)) == pytest.approx(fitted.score(TABLE), rel=1e-6)


@pytest.mark.parametrize("cls", [AutoencoderTransformer, AEOutlierDetector])
def test_output_settings_hold_for_every_batch(cls):
    frame = pd.DataFrame(ROWS, columns=list("abcde"))
    own = cls(**QUICK).set_output(transform="pandas").fit(frame)
    whole = own.transform(frame)
    pd.testing.assert_frame_equal(pd.concat(own.transform(Shards(frame))), whole)
    fitted = cls(**QUICK).set_output(transform="pandas").fit_transform(Shards(frame))
    assert [list(codes.columns) for codes in fitted] == [list(whole.columns)] * 5


def test_readings_check_that_there_was_a_fit():
    with pytest.raises(ValueError, match="not fitted yet"):
        AutoencoderTransformer().transform(Shards(ROWS))


def test_a_detector_learns_from_a_sample():
    detector = AEOutlierDetector(max_samples=500, **QUICK).fit(
        stream(Shards(ROWS), buffer_rows=800)
    )
    assert detector.n_rows_ == 3000
    alarms = np.concatenate(list(detector.predict(Shards(ROWS))))
    assert 0 < (alarms == -1).mean() < 0.2
    with pytest.raises(TypeError, match="fit_predict takes rows in memory"):
        detector.fit_predict(Shards(ROWS))


def test_a_classifier_predicts_batches():
    classifier = EncoderClassifier(AutoencoderTransformer(2, **QUICK), **QUICK)
    classifier.fit(ROWS, ROWS[:, 0] > 0)
    found = np.concatenate(list(classifier.predict(Shards(ROWS))))
    assert np.array_equal(found, classifier.predict(ROWS))


@pytest.mark.parametrize("init", ["greedy", "rbm"])
def test_pretraining_takes_a_sample(init):
    params = {"hidden_layer_sizes": (8,), "pretraining_epochs": 1, "init": init, **QUICK}
    params |= {"activation": "logistic", "likelihood": "bernoulli"} if init == "rbm" else {}
    rows = (ROWS - ROWS.min(0)) / np.ptp(ROWS, axis=0)
    fitted = AutoencoderTransformer(2, **params).fit(stream(Shards(rows), buffer_rows=900))
    assert np.isfinite(fitted.transform(rows)).all()


def test_sparse_and_whole_numbers(tmp_path):
    counts = np.random.default_rng(0).poisson(1, size=(2000, 6))
    np.save(tmp_path / "counts.npy", counts)
    own = AutoencoderTransformer(2, **QUICK).fit(counts)
    source = Shards(sparse.csr_array(counts.astype(float)))
    streamed = AutoencoderTransformer(2, **QUICK).fit(source)
    np.testing.assert_allclose(own.transform(counts), streamed.transform(counts), atol=1e-5)
    mapped = Shards(np.load(tmp_path / "counts.npy", mmap_mode="r"))
    small = AutoencoderTransformer(2, **QUICK).fit(stream(mapped, buffer_rows=500))
    assert np.isfinite(small.transform(counts)).all()


REFUSED = {
    "weights": ({"sample_weight": np.ones(3000)}, "sample_weight must be None"),
    "labels": ({"y": np.ones(3000)}, "y must be None"),
}


@pytest.mark.parametrize(("given", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_given_by_row_is_refused(given, message):
    with pytest.raises(ValueError, match=f"X is a source of batches, so {message}"):
        VAETransformer(**QUICK).fit(Shards(ROWS), **given)


def test_partial_fit_takes_rows():
    with pytest.raises(ValueError, match="partial_fit takes rows in memory"):
        VAETransformer(**QUICK).partial_fit(Shards(ROWS))


def test_a_batch_that_is_not_valid_is_named():
    batches = [ROWS[:1500], ROWS[1500:].copy()]
    batches[1][3, 2] = np.nan
    fitted = AutoencoderTransformer(2, **QUICK).fit(ROWS)
    before = fitted.transform(ROWS)

    class Source:
        def __iter__(self):
            return iter(batches)

    with pytest.raises(ValueError, match="NaN"):
        fitted.fit(stream(Source(), buffer_rows=500))
    assert np.array_equal(fitted.transform(ROWS), before)


def test_a_source_that_changes_is_refused():
    class Source:
        n = 3000

        def __iter__(self):
            yield ROWS[: self.n]
            self.n -= 1

    with pytest.raises(ValueError, match="had 3,000 rows when they were counted, and 2,999"):
        AutoencoderTransformer(2, **QUICK).fit(stream(Source(), buffer_rows=500))


def spilled(n_rows=20_000, buffer_rows=8192, share=0.1):
    rows = np.arange(n_rows * 2, dtype=np.float32).reshape(n_rows, 2)
    source = stream(Shards(rows, 3000), buffer_rows=buffer_rows)
    return spill(source, lambda batch: batch, n_rows, share_held_out=share)


@pytest.mark.parametrize("n_rows", [4096, 5000, 20_000, 20_480])
@pytest.mark.parametrize("batch_size", [100, 256, 5000])
def test_a_pass_takes_every_row_once(n_rows, batch_size):
    torch.manual_seed(0)
    batches = Batches(spilled(n_rows), batch_size, shuffle=True)
    passes = [[batch[:, 0] for batch, _ in batches] for _ in range(2)]
    for each in passes:
        assert max(map(len, each)) <= batch_size
        assert len(each) <= len(batches)
        assert torch.equal(torch.cat(each).sort()[0], torch.arange(n_rows) * 2.0)
    assert not torch.equal(*map(torch.cat, passes))


def test_rows_are_held_out_once_and_for_all():
    torch.manual_seed(0)
    train, held_out = HeldOut("auto")(spilled())
    seen = [torch.cat([x for x, _ in Batches(each, 256)])[:, 0] for each in (train, held_out)]
    assert not isinstance(held_out, FileRows)
    assert abs(len(held_out) - 2000) < 200
    assert torch.equal(torch.cat(seen).sort()[0], torch.arange(20_000) * 2.0)


def test_samples_are_in_memory():
    sample = spilled().sample(500)
    assert not isinstance(sample, FileRows)
    assert len(sample) == 500
    assert len(sample.source.unique(dim=0)) == 500
    assert len(spilled(300, 100).sample(1000)) == 300


def test_no_file_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    AutoencoderTransformer(2, **QUICK).fit(stream(Shards(ROWS), buffer_rows=500))
    gc.collect()
    assert not list(tmp_path.iterdir())
    folder = Path(f"/proc/{os.getpid()}/fd")
    if folder.exists():
        open_files = [os.readlink(each) for each in folder.iterdir() if each.exists()]
        assert not [each for each in open_files if "skae-" in each]


def test_memory_does_not_grow_with_the_rows():
    peaks = []
    for n_rows in (20_000, 80_000):

        class Source:
            def __iter__(self, n=n_rows):
                for seed in range(n // 2000):
                    yield np.random.default_rng(seed).normal(size=(2000, 8)).astype(np.float32)

        tracemalloc.start()
        AutoencoderTransformer(2, max_epochs=1, random_state=0).fit(
            stream(Source(), buffer_rows=5000)
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
