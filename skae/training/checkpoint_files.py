"""The files of a checkpoint: one of the training that runs, and one of each that is over."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skae.saving.container import parse_json, read_header, read_tensors, write_file
from skae.saving.errors import CannotSaveError, FileError
from skae.saving.reading import Rebuilder
from skae.saving.writing import Writer

FORMAT = 1
_KEYS = {"format", "is_over", "training", "fit", "state", "objects"}
_ADVICE = "Remove the folder to start anew, or name another."


@dataclass(frozen=True)
class Packed:
    """The state of a training as it is written.

    Attributes
    ----------
    training : int
        The number of the training.
    is_over : bool
        Whether it is over.
    state, objects : object
        The nodes of the document; see `skae.saving.writing.Writer`.
    arrays : dict of str to ndarray
        The arrays that they refer to.
    """

    training: int
    is_over: bool
    state: Any
    objects: list[Any]
    arrays: dict[str, np.ndarray]

    @classmethod
    def of(cls, training: int, state: dict[str, Any], *, is_over: bool) -> "Packed":
        """Return the state of a training, as views of its tensors unless it is over.

        Raises
        ------
        ValueError
            If a file cannot hold it; the message names what.
        """
        writer = Writer()
        try:
            nodes = {name: writer.write(value, name) for name, value in state.items()}
        except CannotSaveError as error:
            raise ValueError(
                f"A checkpoint cannot hold what this training has: {error}. Leave it out of "
                f"net_params, or set checkpoint=None."
            ) from None
        arrays = writer.arrays
        if is_over:
            arrays = {name: array.copy() for name, array in arrays.items()}
        return cls(training, is_over, nodes, writer.objects, arrays)


class CheckpointFiles:
    """The files in a folder, each written whole or not at all.

    Parameters
    ----------
    folder : str or path-like
        The folder, which is made when the first file is written.

    Raises
    ------
    OSError
        If there can be no such folder, or if it cannot be written to.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        self.folder = Path(folder).absolute()
        self.made_folder = False
        _check_writable(folder, self.folder)

    def write(self, packed: Packed, fit: dict[str, Any]) -> None:
        """Write the state of a training, and what tells the fit."""
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True)
            self.made_folder = True
        document = {
            "format": FORMAT,
            "is_over": packed.is_over,
            "training": packed.training,
            "fit": {**fit, "made_folder": self.made_folder},
            "state": packed.state,
            "objects": packed.objects,
        }
        text = json.dumps(document, separators=(",", ":"), allow_nan=False)
        path = self._path_of(packed.training if packed.is_over else None)
        # Not by `whole_file`: what a kill leaves has a name that is known, and so can be removed.
        part = path.with_name(path.name + ".part")
        try:
            with part.open("wb") as file:
                write_file(file, text, packed.arrays)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except OSError as error:
            raise _named(error, f"The checkpoint {path} cannot be written") from error

    def fits(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Yield every file that is whole, with what tells its fit.

        Raises
        ------
        ValueError
            If a file is damaged.
        """
        for path in self._paths():
            with _read(path) as (document, _):
                self.made_folder |= document["fit"]["made_folder"]
                yield path, document["fit"]

    def state_of(
        self, training: int, device: torch.device, *, is_over: bool
    ) -> dict[str, Any] | None:
        """Return the state of a training, if there is a file of it."""
        path = self._path_of(training if is_over else None)
        if not path.exists():
            return None
        with _read(path) as (document, arrays):
            if document["training"] != training:
                return None
            rebuilder = Rebuilder(document["objects"], arrays, device)
            state = {name: rebuilder.read(node, name) for name, node in document["state"].items()}
            rebuilder.check_all_used()
        return state

    def remove(self) -> None:
        """Remove the files, and the folder if it was made for them and holds no others."""
        for path in self._paths():
            path.unlink()
        for path in self.folder.glob("skae-*.safetensors.part"):
            path.unlink()
        if self.made_folder:
            with suppress(OSError):
                self.folder.rmdir()

    def different(self, path: Path, how: str) -> ValueError:
        """Return the error of a fit that is not the one that a file is of."""
        return ValueError(f"The checkpoint {path} is of another fit: {how}. {_ADVICE}")

    def _paths(self) -> list[Path]:
        found = [self._path_of(None), *self.folder.glob("skae-training-*.safetensors")]
        return sorted(path for path in found if path.exists())

    def _path_of(self, training: int | None) -> Path:
        name = "running" if training is None else f"training-{training}"
        return self.folder / f"skae-{name}.safetensors"


def _check_writable(given: str | os.PathLike, folder: Path) -> None:
    """Raise OSError if there can be no such folder, or if it cannot be written to."""
    what = f"The 'checkpoint' parameter must be a folder that can be written to. Got {given!r}"
    if not os.fspath(given):
        raise ValueError(what)
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not there.is_dir():
        raise NotADirectoryError(f"{what}, where {there} is no folder.")
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise _named(error, what) from error


def _named(error: OSError, what: str) -> OSError:
    return type(error)(f"{what}: {error.strerror or error}")


@contextmanager
def _read(path: Path) -> Iterator[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """Give the document and the arrays of a file; an error inside the block names the file."""
    try:
        with path.open("rb") as file:
            header = read_header(file)
            arrays = read_tensors(file, header)
        document = parse_json(header.document, "the document")
        if not isinstance(document, dict) or document.keys() != _KEYS:
            raise FileError("it is no checkpoint")
        if document["format"] != FORMAT:
            raise FileError(f"its format is {document['format']!r}, and {FORMAT} is read")
        yield document, arrays
    except FileError as error:
        raise FileError(f"The checkpoint {path} cannot be read: {error} {_ADVICE}") from None
    except OSError as error:
        raise _named(error, f"The checkpoint {path} cannot be read") from error
