"""What cannot be saved, and what is no file, is refused by name."""

import json
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from file_mutants import parsed, sealed
from saved_estimators import TINY, fitted, matrix, table
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from skorch.callbacks import EarlyStopping
from torch import nn

import skae
from skae import AEOutlierDetector, AutoencoderTransformer, LatentResampler


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "model"
    fitted(AutoencoderTransformer, table()).save(path)
    return path.read_bytes()


def load_bytes(data, tmp_path):
    (tmp_path / "model").write_bytes(data)
    return skae.load(tmp_path / "model")


def test_an_unfitted_estimator(tmp_path):
    with pytest.raises(NotFittedError):
        AutoencoderTransformer().save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


class Encoder(nn.Sequential):
    pass


UNSAVED = {
    "net_params": {"net_params": {"callbacks": [EarlyStopping()]}},
    "random_state": {"random_state": np.random.RandomState(0)},
    "encoder": {"encoder": Encoder(nn.Linear(4, 2))},
}


@pytest.mark.parametrize(("name", "params"), UNSAVED.items(), ids=UNSAVED)
def test_a_parameter_that_no_file_can_hold(name, params, tmp_path):
    estimator = AutoencoderTransformer(2, **{**TINY, **params}).fit(matrix())
    with pytest.raises(
        TypeError, match=f"cannot hold the parameter '{name}' .*drop=\\['{name}'\\]"
    ):
        estimator.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())
    copied = pickle.loads(pickle.dumps(estimator))
    assert np.array_equal(copied.transform(matrix()), estimator.transform(matrix()))


@pytest.mark.parametrize("name", ["net_params", "random_state"])
def test_a_parameter_is_left_out_by_name(name, tmp_path):
    estimator = AutoencoderTransformer(2, **{**TINY, **UNSAVED[name]}).fit(matrix())
    estimator.save(tmp_path / "model", drop=[name])
    loaded = skae.load(tmp_path / "model")
    assert getattr(loaded, name) is None
    assert np.array_equal(loaded.transform(matrix()), estimator.transform(matrix()))
    loaded.partial_fit(matrix())


def test_a_module_of_ones_own_cannot_be_left_out(tmp_path):
    estimator = AutoencoderTransformer(2, **{**TINY, **UNSAVED["encoder"]}).fit(matrix())
    with pytest.raises(TypeError, match=r"fitted with: net_\.chain.*Encoder"):
        estimator.save(tmp_path / "model", drop=["encoder"])


@pytest.mark.parametrize("drop", ["net_params", ["nett_params"]])
def test_drop_is_checked(drop, tmp_path):
    with pytest.raises(ValueError, match="'drop' parameter must be a list of names of parameters"):
        fitted(AutoencoderTransformer, matrix()).save(tmp_path / "model", drop=drop)


def test_a_class_of_ones_own(tmp_path):
    class Mine(AutoencoderTransformer):
        pass

    with pytest.raises(TypeError, match="Mine is not one of skae's own classes"):
        Mine(2, **TINY).fit(matrix()).save(tmp_path / "model")


def test_a_rule_of_a_resampler(tmp_path):
    estimator = LatentResampler(sampling_strategy=lambda y: {0: 60}, **{})
    estimator.fit(matrix(), np.arange(48) % 2)
    with pytest.raises(TypeError, match="parameter 'sampling_strategy' of LatentResampler"):
        estimator.save(tmp_path / "model")


def test_a_file_that_was_there_stays(tmp_path):
    (tmp_path / "model").write_text("before")
    estimator = AutoencoderTransformer(2, **{**TINY, **UNSAVED["net_params"]}).fit(matrix())
    with pytest.raises(TypeError):
        estimator.save(tmp_path / "model")
    assert (tmp_path / "model").read_text() == "before"


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        skae.load(tmp_path / "nothing")
    with pytest.raises(ValueError, match="The length of the header"):
        load_bytes(b"", tmp_path)
    with pytest.raises(ValueError, match="this is no file that save wrote"):
        load_bytes(pickle.dumps([1] * 99), tmp_path)


def test_a_file_of_tensors_alone(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    safetensors.save_file({"x": torch.ones(2)}, tmp_path / "x")
    with pytest.raises(ValueError, match="no file that save wrote"):
        skae.load(tmp_path / "x")


def test_one_changed_bit(content, tmp_path):
    data = bytearray(content)
    data[-5] ^= 1
    with pytest.raises(ValueError, match=r"sha256 of the file.*changed or damaged"):
        load_bytes(bytes(data), tmp_path)


def forged(content, change):
    header, document, tensors = parsed(content)
    change(header, document)
    return sealed(header, document, tensors)


def set_item(key, value):
    def change(header, document):
        document[key] = value

    return change


def set_param(name, value):
    def change(header, document):
        document["params"][name] = value

    return change


def set_tensor(key, value):
    def change(header, document):
        header["columns_.center"][key] = value

    return change


FORGED = {
    "a class of another package": (set_item("class", "os.system"), "'class' of the file is 'os.sy"),
    "no estimator": (set_item("class", "whole_file"), "'class' of the file is 'whole_file'"),
    "a later format": (set_item("format", 2), "'format' of the file is 2.*Update skae"),
    "a wrong parameter": (set_param("n_components", -3), "'n_components' parameter"),
    "another's class": (
        set_param("encoder", {"object": "os.system", "state": {}}),
        "encoder is no node",
    ),
    "a function": (set_param("encoder", {"function": "os.system"}), "encoder: function 'os.sy"),
    "a reference": (set_param("tol", {"ref": 10**6}), "tol refers to object 1000000"),
    "a huge tensor": (set_tensor("shape", [10**15]), "its shape .* needs 8000000000000000"),
    "a negative shape": (set_tensor("shape", [-1]), "shape of tensor 'columns_.center'"),
    "an unknown type": (set_tensor("dtype", "X"), "dtype of tensor 'columns_.center' is 'X'"),
    "no numbers": (set_tensor("data_offsets", None), "data_offsets of tensor 'columns_.center'"),
}


@pytest.mark.parametrize(("change", "message"), FORGED.values(), ids=FORGED)
def test_a_forged_file(change, message, content, tmp_path):
    with pytest.raises(ValueError, match=message):
        load_bytes(forged(content, change), tmp_path)


def test_tensors_that_overlap(content, tmp_path):
    def change(header, document):
        names = [name for name, entry in header.items() if entry["dtype"] == "F32"]
        first, second = names[:2]
        header[second] = header[first]

    with pytest.raises(ValueError, match="overlap, or leave a hole"):
        load_bytes(forged(content, change), tmp_path)


def test_a_part_that_is_missing(content, tmp_path):
    def change(header, document):
        state = next(node for node in document["objects"] if "Scale" in node.get("object", ""))
        del state["state"]["origin"]

    with pytest.raises(ValueError, match=r"attributes of Scale .*'origin' is missing"):
        load_bytes(forged(content, change), tmp_path)


def test_weights_that_are_not_finite(content, tmp_path):
    header, document, tensors = parsed(content)
    data = bytearray(tensors)
    first, last = header["net_.chain.decoder.deep.0.weight"]["data_offsets"]
    data[first:last] = np.full((last - first) // 4, np.nan, np.float32).tobytes()
    with pytest.raises(ValueError, match="a parameter that is not finite"):
        load_bytes(sealed(header, document, bytes(data)), tmp_path)


@pytest.mark.parametrize("depth", [40, 1_000, 1_000_000])
def test_a_deep_document(depth, content, tmp_path):
    header, document, tensors = parsed(content)
    text = json.dumps({**document, "params": {**document["params"], "tol": "HERE"}})
    text = text.replace('"HERE"', '{"tuple":' * depth + "[]" + "}" * depth)
    with pytest.raises(ValueError, match="nested too deeply"):
        load_bytes(sealed(header, text, tensors), tmp_path)


def test_a_key_twice(content, tmp_path):
    header, document, tensors = parsed(content)
    text = json.dumps(document)[:-1] + ',"class":"VAETransformer"}'
    with pytest.raises(ValueError, match="key 'class' stands twice"):
        load_bytes(sealed(header, text, tensors), tmp_path)


@pytest.mark.parametrize("package", ["skae", "scikit-learn"])
def test_another_version_warns(package, content, tmp_path):
    header, document, tensors = parsed(content)
    document["versions"][package] = "0.0.7"
    with pytest.warns(InconsistentVersionWarning, match=f"saved with {package} 0.0.7"):
        load_bytes(sealed(header, document, tensors), tmp_path)


def test_summary(tmp_path):
    fitted(AEOutlierDetector, table()).save(tmp_path / "model")
    summary = skae.inspect(tmp_path / "model")
    assert summary.class_name == "AEOutlierDetector"
    assert summary.versions["skae"] == skae.__version__
    assert ("day", "date") in summary.columns
    assert summary.params["n_members"] == 4
    assert ("", "encoded training rows, which scores are compared with", 48) in summary.remembered
    assert summary.n_bytes == (tmp_path / "model").stat().st_size
    text = str(summary)
    assert "48 encoded training rows" in text
    assert re.search(r"hidden_layer_sizes = \(3,\)", text)
    assert max(map(len, text.splitlines())) <= 100


def test_command_line(tmp_path):
    fitted(AutoencoderTransformer, matrix()).save(tmp_path / "m")
    command = [sys.executable, "-m", "skae", "show"]
    shown = subprocess.run([*command, tmp_path / "m"], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("AutoencoderTransformer: ")
    (tmp_path / "n").write_text("x")
    failed = subprocess.run([*command, tmp_path / "n"], capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "no file that save wrote" in failed.stderr
    assert not failed.stdout
