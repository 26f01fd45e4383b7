"""`export`: a reading of a fitted estimator as an ONNX model."""

import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

import skae
from skae.common.files import whole_file
from skae.onnx.inputs import Input
from skae.onnx.reading import Output, Reading
from skae.onnx.readings import make_reading
from skae.onnx.texts import names_of, rename, with_labels, with_texts

_TYPES = {"float": torch.float32, "double": torch.float64, "int64": torch.int64}
# The exporter takes a dimension of 1 for one that never differs.
_N_TRACED = 3


def export(estimator: Any, path: str | os.PathLike, reading: str = "transform") -> None:
    """Write a reading of a fitted estimator as an ONNX model.

    A model of a matrix of numbers has one input, "X". A model of a table has one input for every
    column that is learned from, named as it, of shape (n_rows, 1). Texts are strings; whole
    numbers, truth values and times, in the unit of the column since 1970, are int64; other numbers
    are double. `feeds` makes these of rows. A missing cell is an empty string, NaN, or the smallest
    int64, which is numpy's NaT. A label that was not seen counts as a rare one, also with
    ``handle_unknown="error"``, because a model raises no errors. Dates and numbers that are written
    as text go in as dates and numbers.

    A model of `AEOutlierDetector` reads all rows as new ones, in double precision. Where skae knows
    a row that equals a training row by its held-out score, the model's score of it differs: it is
    compared with itself, and often looks too normal. `predict` compares scores with `offset_`.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator of skae.
    path : str or path-like
        The path of the file.
    reading : {"transform", "inverse_transform", "reconstruct", "score_samples", "predict", \
            "predict_proba", "decision_function", "p_values"}, default="transform"
        The method that the model computes.

    Raises
    ------
    ImportError
        If onnx or onnxscript is not installed.
    ValueError
        If the estimator has no such reading, or it cannot be exported.

    See Also
    --------
    skae.onnx.feeds : The inputs of a model, of rows.
    skae.onnx.register : Pipelines as models, by skl2onnx.

    Examples
    --------
    >>> import tempfile
    >>> import onnxruntime
    >>> from sklearn.datasets import load_iris
    >>> from skae import AutoencoderTransformer
    >>> from skae.onnx import export, feeds
    >>> X, _ = load_iris(return_X_y=True)
    >>> fitted = AutoencoderTransformer(2, max_epochs=5, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export(fitted, f"{folder}/codes.onnx")
    ...     session = onnxruntime.InferenceSession(f"{folder}/codes.onnx")
    >>> (codes,) = session.run(None, feeds(fitted, X))
    >>> bool(abs(codes - fitted.transform(X)).max() < 1e-5)
    True
    """
    model = model_of(estimator, reading)
    with whole_file(path) as file:
        file.write(model.SerializeToString())


def model_of(estimator: Any, reading: str) -> Any:
    """Return a reading of a fitted estimator as an `onnx.ModelProto`; see `export`."""
    check_is_fitted(estimator)
    module = make_reading(estimator, reading).eval()
    with _quiet():
        model = _traced(module)
    for each in module.inputs:
        if each.kind == "string":
            with_texts(model, each)
    if module.output.labels is not None:
        with_labels(model, _output_of(module))
    model.producer_name, model.producer_version = "skae", skae.__version__
    entries = {"estimator": type(estimator).__name__, "reading": reading}
    entries["missing"] = json.dumps({each.name: each.missing for each in module.inputs})
    for key, value in entries.items():
        model.metadata_props.add(key=key, value=value)
    return model


def _traced(module: Reading) -> Any:
    """Return the model of a module of torch."""
    arguments = tuple(tensor for each in module.inputs for tensor in _example(each))
    rows = torch.export.Dim("n_rows")
    program = torch.onnx.export(
        module,
        arguments,
        dynamo=True,
        dynamic_shapes=(tuple({0: rows} for _ in arguments),),
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    names = [name for each in module.inputs for name in names_of(each)]
    rename(model, names, _output_of(module).name)
    return model


def _output_of(module: Reading) -> Output:
    """Return the output, of another name than all columns."""
    name, columns = module.output.name, {each.name for each in module.inputs}
    while name in columns:
        name += "_"
    return replace(module.output, name=name)


def _example(given: Input) -> list[Tensor]:
    if given.kind == "string":
        shape = _N_TRACED, 1
        return [torch.zeros(shape, dtype=torch.int64), torch.zeros(shape, dtype=torch.float32)]
    return [torch.zeros(_N_TRACED, given.n_columns, dtype=_TYPES[given.kind])]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter from telling what it does."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
