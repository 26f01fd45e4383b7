"""What rows, labels and weights come in: taken, or refused by name."""

import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import AUTOENCODERS, DETECTORS, quick
from scipy import sparse

from skae import (
    AEOutlierDetector,
    AutoencoderTransformer,
    EncoderClassifier,
    EncoderRegressor,
    GenerativeClassifier,
    VAETransformer,
)

ROWS = np.random.default_rng(0).normal(size=(60, 4))
EVERY = pytest.mark.parametrize("cls", [*AUTOENCODERS, *DETECTORS], ids=lambda cls: cls.__name__)


def make(**parameters):
    return AutoencoderTransformer(2, max_epochs=2, random_state=0, **parameters)


def result(fitted, X):
    return fitted.transform(X) if hasattr(fitted, "transform") else fitted.score_samples(X)


@EVERY
def test_holes_of_all_kinds_are_the_same(cls):
    holed = ROWS.copy()
    holed[::7, 1] = np.nan
    objects = np.where(np.isnan(holed), None, holed)
    masked = np.ma.array(np.nan_to_num(holed), mask=np.isnan(holed))
    fitted = quick(cls).set_params(random_state=0)
    expected = result(fitted.fit(holed), holed)
    for same in (objects, objects.tolist(), masked, pd.DataFrame(holed).to_numpy(dtype=object)):
        np.testing.assert_array_equal(result(fitted.fit(same), same), expected)


@EVERY
def test_times_without_a_column_are_refused(cls):
    times = np.arange(240).reshape(60, 4).astype("datetime64[s]")
    for X in (times, times - times[0, 0]):
        with pytest.raises(
            TypeError, match=r"Times are read in dataframes: give pandas\.DataFrame"
        ):
            quick(cls).fit(X)


def test_masked_arrays_without_holes_are_arrays():
    fitted = make().fit(np.ma.array(ROWS.astype(np.float32)))
    np.testing.assert_array_equal(
        fitted.transform(ROWS), make().fit(ROWS.astype(np.float32)).transform(ROWS)
    )


TENSOR = torch.from_numpy(ROWS.astype(np.float32))


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
@pytest.mark.parametrize(
    "change",
    [
        lambda x: torch._neg_view(-x),
        lambda x: torch.complex(x, -x).conj().imag,
        torch.Tensor.to_sparse,
        torch.Tensor.to_sparse_csr,
        lambda x: x.T.contiguous().T,
        lambda x: x.clone().requires_grad_(),
        torch.Tensor.double,
    ],
)
def test_tensors_of_any_layout(change):
    fitted = make().fit(TENSOR)
    np.testing.assert_allclose(
        fitted.transform(change(TENSOR)), fitted.transform(TENSOR), atol=1e-5
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.int16])
def test_tensors_of_any_type(dtype):
    few = TENSOR.round().to(dtype)
    found = make().fit(TENSOR).transform(few)
    np.testing.assert_allclose(found, make().fit(TENSOR).transform(TENSOR.round()), atol=1e-4)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda x: x.to("meta"), "meta"),
        (lambda x: torch.nested.nested_tensor([x[0], x[1, :3]]), "nested"),
        (lambda x: torch.complex(x, x), "complex64"),
    ],
)
def test_tensors_without_rows_of_numbers(change, kind):
    with pytest.raises(
        TypeError, match=f"must be a tensor of real numbers .* Got a .*{kind} tensor"
    ):
        make().fit(change(TENSOR))


def test_frames_of_sparse_columns():
    rows = ROWS * (ROWS > 0)
    frame = pd.DataFrame(rows).add_prefix("c")
    thin = frame.astype(pd.SparseDtype(float, 0.0))
    fitted = make().fit(thin)
    np.testing.assert_array_equal(fitted.transform(thin), make().fit(frame).transform(frame))
    assert not fitted.reconstruct(thin).empty
    mixed = thin.assign(label=["a", "b"] * 30)
    assert np.isfinite(make().fit(mixed).score_samples(mixed)).all()


def test_lazy_rows_say_what_makes_them_eager():
    class Graph:
        __dask_graph__ = None

    with pytest.raises(TypeError, match=r"rows are not computed yet\. Give X\.compute\(\)"):
        make().fit(Graph())


def test_a_frame_without_columns():
    for cls in (AutoencoderTransformer, AEOutlierDetector):
        with pytest.raises(ValueError, match=r"X has 0 feature\(s\)"):
            quick(cls).fit(pd.DataFrame(index=range(9)))


class TestImages:
    """Stacks of images."""

    stack = np.random.default_rng(0).random((40, 3, 4, 5))

    def test_a_stack_of_the_shape_is_rows(self):
        fitted = make(image_shape=(3, 4, 5)).fit(self.stack)
        rows = self.stack.reshape(40, -1)
        np.testing.assert_array_equal(fitted.transform(self.stack), fitted.transform(rows))
        flat = make(image_shape=(4, 5)).fit(self.stack[:, 0])
        np.testing.assert_array_equal(
            flat.transform(self.stack[:, :1]), flat.transform(self.stack[:, 0])
        )

    def test_channels_last_are_told(self):
        with pytest.raises(ValueError, match=r"channels last.*Give numpy\.moveaxis\(X, -1, 1\)"):
            make(image_shape=(3, 4, 5)).fit(np.moveaxis(self.stack, 1, -1))

    def test_others_get_advice(self):
        with pytest.raises(
            ValueError, match=r"Reshape it to \(40, 60\), or set image_shape=\(3, 4"
        ):
            make().fit(self.stack)
        with pytest.raises(
            ValueError, match=r"X has shape \(40, 4, 5\)\. Reshape it to \(40, 20\)"
        ):
            AEOutlierDetector(max_epochs=1).fit(self.stack[:, 0])


def test_text_among_numbers_is_named():
    rows = ROWS.astype(object)
    rows[3, 2] = "c"
    message = r"Column 2 of X holds 'c', which is no number\. Labels are read in dataframes"
    with pytest.raises(ValueError, match=message):
        make().fit(rows)
    with pytest.raises(ValueError, match=message):
        make().fit(ROWS).transform(rows.tolist())
    frame = pd.DataFrame(ROWS).add_prefix("c")
    fitted = make().fit(frame)
    with pytest.raises(ValueError, match="Column 'c1' of X holds 'x'"):
        fitted.transform(frame.assign(c1="x"))


class TestLabelsAndWeights:
    """What counts, and how much."""

    @pytest.mark.parametrize("cls", [EncoderClassifier, GenerativeClassifier])
    def test_labels_of_mixed_types(self, cls):
        labels = np.array([1, "a"] * 30, dtype=object)
        with pytest.raises(
            ValueError, match=r"labels of one type\. Got labels of \['number', 'str'"
        ):
            quick(cls).fit(ROWS, labels)

    def test_minus_one_among_unsigned_labels(self):
        labels = np.array([0, 1, 255] * 20, dtype=np.uint8)
        with pytest.warns(UserWarning, match="label 255, which is -1 as uint8"):
            quick(EncoderClassifier).fit(ROWS, labels)

    @pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf, "a", None])
    def test_weights_of_classes(self, weight):
        classifier = quick(EncoderClassifier).set_params(class_weight={0: weight, 1: 1.0})
        with pytest.raises(ValueError, match="'class_weight' parameter must hold finite numbers"):
            classifier.fit(ROWS, np.arange(60) % 2)

    def test_no_class_counts(self):
        classifier = quick(EncoderClassifier).set_params(class_weight={0: 0, 1: 0})
        with pytest.raises(
            ValueError, match="'class_weight' parameter must be above 0 for at least"
        ):
            classifier.fit(ROWS, np.arange(60) % 2)

    @pytest.mark.parametrize("cls", [AutoencoderTransformer, AEOutlierDetector, EncoderRegressor])
    def test_weights_of_rows(self, cls):
        y = (ROWS[:, 0],) if cls is EncoderRegressor else (None,)
        for weights, message in (
            (np.zeros(60), "(?i)sample.weight"),
            (-np.ones(60), "sample_weight"),
            (np.full(60, np.inf), "sample_weight"),
        ):
            with pytest.raises(ValueError, match=message):
                quick(cls).fit(ROWS, *y, sample_weight=weights)

    def test_huge_weights_are_shares(self):
        weights = np.random.default_rng(0).random(60)
        codes = [make().fit(ROWS, sample_weight=w * weights).transform(ROWS) for w in (1, 1e307)]
        np.testing.assert_allclose(codes[0], codes[1], atol=1e-4)

    def test_extreme_targets(self):
        y, regressor = ROWS[:, 0], quick(EncoderRegressor).set_params(random_state=0)
        found = [regressor.fit(ROWS, unit * y).predict(ROWS) / unit for unit in (1, 1e200)]
        np.testing.assert_allclose(found[1], found[0], rtol=1e-3, atol=1e-3)


def test_cells_that_no_float_holds_are_named():
    rows = ROWS.astype(object)
    rows[3, 2] = 10**400
    with pytest.raises(ValueError, match=r"Column 2 of X holds an integer of 1329 bits"):
        make().fit(rows)
    rows[3, 2] = {"a": 1}
    with pytest.raises(TypeError, match=r"Column 2 of X holds \{'a': 1\}: the argument must be"):
        make().fit(rows)


def test_frames_of_cells_that_a_matrix_cannot_hold():
    frame = pd.DataFrame(ROWS).add_prefix("c")
    fitted = make().fit(frame)
    for cell in (pd.NA, 1j):
        odd = frame.astype(object)
        odd.loc[0, "c2"] = cell
        with pytest.raises(ValueError, match="Column 'c2' of X holds"):
            fitted.transform(odd)


def test_an_integer_that_no_float_holds_is_a_label_or_named():
    frame = pd.DataFrame({"a": [1, 2, 10**400] * 10, "b": range(30)}, dtype=object)
    with pytest.raises(ValueError, match=r"Column 'a' of X holds 10000.*, which is no number"):
        make().fit(frame)
    beside_text = frame.assign(a=["x", "y", 10**400] * 10)
    assert np.isfinite(make().fit(beside_text).score_samples(beside_text)).all()


def test_integers_of_128_bits():
    frame = pl.DataFrame({"a": [10**30, 5, 7] * 10, "b": np.arange(30.0)})
    for cls in (AutoencoderTransformer, VAETransformer, AEOutlierDetector):
        fitted = quick(cls).fit(frame)
        assert np.isfinite(fitted.score_samples(frame)).all()


class TestNumbers:
    """Numbers beyond single precision."""

    def test_tiny_ones(self):
        fitted = make().fit(ROWS * 1e-60)
        assert np.isfinite(fitted.transform(ROWS[:3].astype(np.float32))).all()
        np.testing.assert_allclose(
            fitted.transform(ROWS * 1e-60), make().fit(ROWS).transform(ROWS), atol=1e-3
        )

    @pytest.mark.parametrize(
        ("name", "value"),
        [("n_components", True), ("noise", 1e300), ("learning_rate", True), ("max_epochs", True)],
    )
    def test_parameters_that_training_cannot_hold(self, name, value):
        with pytest.raises(
            ValueError, match=rf"The '{name}' parameter .* Got {re.escape(repr(value))}"
        ):
            AutoencoderTransformer(**{name: value}).fit(ROWS)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("max_epochs", 0, "an int of at least 1"),
        ("max_epochs", True, "an int of at least 1"),
        ("batch_size", 0, "an int of at least 1, or -1"),
        ("lr", -1, "a number above 0"),
        ("train_split", 5, "None or a function"),
        ("callbacks", [3], "a list of skorch callbacks"),
        ("optimizer", None, "a class or a function"),
    ],
)
def test_net_params(name, value, allowed):
    with pytest.raises(
        ValueError, match=f"'net_params' parameter must have .*{allowed}.* as '{name}'"
    ):
        make(net_params={name: value}).fit(ROWS)


def test_a_log_is_plain_in_files(capsys):
    make(verbose=1).fit(ROWS)
    text = capsys.readouterr().out
    assert "train_loss" in text
    assert "\x1b" not in text
    make().fit(ROWS)
    assert not capsys.readouterr().out


def test_streams_are_bounded(monkeypatch):
    monkeypatch.setattr("skae.training.running.MOST_HISTORY", 5)
    fitted = make()
    for _ in range(8):
        fitted.partial_fit(ROWS)
    assert fitted.n_iter_ == 8
    assert len(fitted.loss_curve_) == len(fitted.net_.history) == 5


def test_given_cells_say_what_is_wrong():
    frame = pd.DataFrame({"x": ROWS[:, 0], "c": ["a", "b"] * 30})
    vae = VAETransformer(2, max_epochs=2, random_state=0).fit(frame)
    with pytest.raises(ValueError, match=r"one cell for each column if it is a dict; a dataframe"):
        vae.sample(2, given={"c": ["a", "b"]})
    with pytest.raises(
        ValueError, match=r"'given' parameter must hold finite numbers in column 'x'"
    ):
        vae.sample(2, given={"x": np.inf})


def test_sparse_tensors_are_sparse_rows():
    thin = sparse.random_array((60, 4), density=0.5, random_state=0, dtype=np.float32).tocsr()
    dense = torch.from_numpy(thin.toarray())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = make().fit(dense.to_sparse())
    np.testing.assert_allclose(fitted.transform(thin), make().fit(thin).transform(thin), atol=1e-5)
