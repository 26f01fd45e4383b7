"""Reading a fitted estimator from a file."""

import math
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skae.common.devices import resolve_device
from skae.saving.container import Header, parse_json, read_header, read_tensors
from skae.saving.errors import FileError, OtherVersionWarning
from skae.saving.estimators import made_estimator
from skae.saving.reading import Rebuilder
from skae.saving.save import FORMAT, versions
from skae.saving.saves import Saves
from skae.saving.summary import FileSummary
from skae.saving.vocabulary import own_version, public_class

_KEYS = frozenset({"format", "class", "versions", "about", "params", "state", "objects"})

_READINGS = ("transform", "score_samples", "reconstruct", "predict")


def load(path: str | os.PathLike) -> Any:
    """Return the fitted estimator that `save` wrote to a file.

    All that the file says is checked before memory is allocated for it, and nothing that it says is
    executed: it names classes of skae, torch and scikit-learn from a closed list, and their
    attributes. A file of a stranger can therefore be a bad model, but it runs no code.

    Parameters
    ----------
    path : str or path-like
        The path of the file.

    Returns
    -------
    estimator : estimator
        The estimator, whose readings are those of the one that was saved, to the bit, on the same
        machine and with the same versions. What was on a device that this machine lacks is on the
        CPU, with a warning.

    Raises
    ------
    ValueError
        If it is no such file, is damaged, or was written by a later version; the message names what
        is wrong.
    OSError
        If it cannot be read.

    Warns
    -----
    sklearn.exceptions.InconsistentVersionWarning
        If it was written by another version of skae or of scikit-learn.

    See Also
    --------
    skae.inspect : What a file holds.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> import skae
    >>> X, _ = load_iris(return_X_y=True)
    >>> fitted = skae.AutoencoderTransformer(2, max_epochs=5, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fitted.save(f"{folder}/model.safetensors")
    ...     loaded = skae.load(f"{folder}/model.safetensors")
    >>> bool((loaded.transform(X) == fitted.transform(X)).all())
    True
    """
    with Path(path).open("rb") as file:
        estimator = read_estimator(file)
    _try_readings(estimator)
    return estimator


def _try_readings(estimator: Saves) -> None:
    """Raise FileError if a loaded estimator fails at rows such as it was fitted to."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = _tried(estimator, estimator._rows_to_try)
        for name in _READINGS if rows is not None else ():
            if hasattr(estimator, name):
                _tried(estimator, getattr(estimator, name), rows)


def _tried(estimator: Saves, reading: Callable, *rows: Any) -> Any:
    try:
        return reading(*rows)
    except Exception as error:
        raise FileError(
            f"The parts of the {type(estimator).__name__} in the file do not fit each other: "
            f"{type(error).__name__}: {error}"
        ) from None


def read_estimator(file: BinaryIO) -> Any:
    """Return the estimator of an open file."""
    header = read_header(file)
    document = parse_document(header)
    arrays = read_tensors(file, header)
    cls = _class_of(document)
    _warn_of_versions(document["versions"])
    device = _device_of(document)
    rebuilder = Rebuilder(document["objects"], arrays, device)
    attributes = {
        name: rebuilder.read(node, name)
        for part in ("params", "state")
        for name, node in document[part].items()
    }
    rebuilder.check_all_used()
    estimator = made_estimator(cls, attributes, "params")
    check_is_fitted(estimator)
    return estimator


def parse_document(header: Header) -> dict[str, Any]:
    """Return the document of a header.

    Raises
    ------
    FileError
        If a key is missing or of another type, or if it is of a later format.
    """
    document = parse_json(header.document, "the document of skae")
    if not isinstance(document, dict) or document.keys() != _KEYS:
        raise FileError(f"The document of skae must have the keys {sorted(_KEYS)}.")
    found = document["format"]
    if type(found) is not int or not 1 <= found <= FORMAT:
        raise FileError(
            f"'format' of the file is {repr(found)[:80]}; this version of skae, "
            f"{own_version()}, reads {FORMAT}. Update skae."
        )
    kinds = {"versions": dict, "about": dict, "params": dict, "state": dict, "objects": list}
    for key, kind in kinds.items():
        if not isinstance(document[key], kind):
            raise FileError(f"{key!r} of the document is no {kind.__name__}.")
    return document


def _class_of(document: dict[str, Any]) -> type[BaseEstimator]:
    name = document["class"]
    cls = public_class(name)
    if cls is None or not issubclass(cls, Saves):
        raise FileError(f"'class' of the file is {str(name)[:80]!r}, no estimator of skae.")
    return cls


def _warn_of_versions(saved: dict[str, Any]) -> None:
    current = versions()
    for package, n_parts in (("skae", 3), ("scikit-learn", 2)):
        then = str(saved.get(package))
        if then.split(".")[:n_parts] != current[package].split(".")[:n_parts]:
            warnings.warn(OtherVersionWarning(package, then[:80], current[package]), stacklevel=4)


def _device_of(document: dict[str, Any]) -> torch.device:
    """Return where to put what was not on a CPU: the device of the parameter, if it is there."""
    wanted = document["params"].get("device", "auto")
    if isinstance(wanted, dict):
        wanted = wanted.get("device", "auto")
    if not isinstance(wanted, str):
        raise FileError(f"device is {str(wanted)[:80]!r}.")
    try:
        return resolve_device(wanted)
    except ValueError as error:
        warnings.warn(
            f"The estimator was fitted with device={wanted!r}, and is now on the CPU. {error}",
            UserWarning,
            stacklevel=4,
        )
        return torch.device("cpu")


def inspect(path: str | os.PathLike) -> FileSummary:
    """Return what a file of an estimator holds, without making the estimator.

    ``python -m skae show FILE`` prints the same.

    Parameters
    ----------
    path : str or path-like
        The path of the file.

    Returns
    -------
    summary : FileSummary
        Class, versions, size, columns, parameters, and what is held of the training rows; print it.

    Raises
    ------
    ValueError
        If it is no such file, or is damaged; the message names what is wrong.
    OSError
        If it cannot be read.

    See Also
    --------
    skae.load : Makes the estimator.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> import skae
    >>> X, _ = load_iris(return_X_y=True)
    >>> fitted = skae.AutoencoderTransformer(2, max_epochs=5, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fitted.save(f"{folder}/model.safetensors")
    ...     summary = skae.inspect(f"{folder}/model.safetensors")
    >>> summary.class_name, summary.params["n_components"], summary.remembered
    ('AutoencoderTransformer', 2, [('', 'the smallest and largest number of every column', 8)])
    """
    with Path(path).open("rb") as file:
        header = read_header(file)
        read_tensors(file, header)
    n_weights = sum(math.prod(shape) for _, shape, _, _ in header.tensors.values())
    return FileSummary.of(parse_document(header), header.n_bytes, n_weights)
