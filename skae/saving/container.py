"""The container of a file: named tensors behind a header, in the format of safetensors.

The format is 8 bytes with the length of the header, the header, a JSON object that states type,
shape and place of every tensor, and the bytes of the tensors, without holes. It is written and read
here, rather than by the package of that name, so that nothing is allocated before all is checked,
and so that saving needs no other package; the package reads these files too.
"""

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from skae.common.files import whole_file
from skae.saving.errors import FileError

DTYPES: dict[str, np.dtype] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U64": np.dtype("<u8"),
    "U32": np.dtype("<u4"),
    "U16": np.dtype("<u2"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_LARGEST_HEADER = 100_000_000
_ALIGNMENT = 8
_METADATA = "__metadata__"
_DOCUMENT, _DIGEST = "skae", "sha256"
_LARGEST_SIZE = 2**63 - 1


@dataclass(frozen=True)
class Header:
    """What a file says of itself.

    Attributes
    ----------
    document : str
        The JSON document of skae.
    digest : str
        The SHA-256 of the document and the tensors.
    tensors : dict
        The type, the shape, and the first and last byte of every tensor, in the order of the bytes.
    n_bytes : int
        The size of the file.
    """

    document: str
    digest: str
    tensors: dict[str, tuple[np.dtype, tuple[int, ...], int, int]]
    n_bytes: int


def is_storable(array: np.ndarray) -> bool:
    """Tell whether the format has a type for an array's numbers."""
    return array.dtype.newbyteorder("<") in _NAMES


def write_file(path: str | os.PathLike | BinaryIO, document: str, arrays: Mapping) -> None:
    """Write a document and arrays, whole or not at all.

    Parameters
    ----------
    path : str, path-like or binary file
        Where to write to.
    document : str
        The document.
    arrays : mapping of str to ndarray
        The arrays, C-contiguous.
    """
    # Types of more bytes first, so that each array begins at a multiple of its size.
    ordered = dict(sorted(arrays.items(), key=lambda item: (-item[1].itemsize, item[0])))
    header = _header_of(document, ordered)
    if isinstance(path, (str, os.PathLike)):
        with whole_file(path) as file:
            _write(file, header, ordered)
    else:
        _write(path, header, ordered)


def _write(file: BinaryIO, header: bytes, arrays: Mapping[str, np.ndarray]) -> None:
    file.write(len(header).to_bytes(8, "little"))
    file.write(header)
    for array in arrays.values():
        file.write(_bytes_of(array))


def _header_of(document: str, arrays: Mapping[str, np.ndarray]) -> bytes:
    digest = hashlib.sha256(document.encode())
    entries: dict[str, Any] = {}
    end = 0
    for name, array in arrays.items():
        digest.update(_bytes_of(array))
        start, end = end, end + array.nbytes
        entries[name] = {
            "dtype": _NAMES[array.dtype.newbyteorder("<")],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
    metadata = {_DOCUMENT: document, _DIGEST: digest.hexdigest()}
    text = json.dumps({_METADATA: metadata, **entries}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    if len(text) > _LARGEST_HEADER:
        raise ValueError(f"The header would have {len(text):,} bytes; {_LARGEST_HEADER:,} may be.")
    return text


def _bytes_of(array: np.ndarray) -> memoryview:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return _as_bytes(little)


def _as_bytes(array: np.ndarray) -> memoryview:
    return memoryview(array.reshape(-1).view(np.uint8))  # type: ignore[arg-type]


def read_header(file: BinaryIO) -> Header:
    """Read the header of a file and check all that it says, before anything is allocated.

    Raises
    ------
    FileError
        If it is no header, or does not fit the file.
    """
    n_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or not 2 <= length <= min(_LARGEST_HEADER, n_bytes - 8):
        raise FileError(
            f"The length of the header is {length:,} bytes in a file of {n_bytes:,}: this is no "
            f"file that save wrote, or a part of one."
        )
    found = parse_json(file.read(length), "the header")
    if not isinstance(found, dict) or not isinstance(found.get(_METADATA), dict):
        raise FileError(f"The header has no {_METADATA!r}: this is no file that save wrote.")
    metadata = found.pop(_METADATA)
    for key in (_DOCUMENT, _DIGEST):
        if not isinstance(metadata.get(key), str):
            raise FileError(f"{_METADATA}[{key!r}] is missing: this is no file that save wrote.")
    tensors = {name: _checked_entry(name, entry) for name, entry in found.items()}
    tensors = dict(sorted(tensors.items(), key=lambda item: item[1][2:]))
    end = 0
    for name, (_, _, first, last) in tensors.items():
        if first != end:
            raise FileError(
                f"data_offsets of tensor {name!r} begin at byte {first}, where {end} was expected: "
                f"tensors overlap, or leave a hole."
            )
        end = last
    if 8 + length + end != n_bytes:
        raise FileError(
            f"The tensors end at byte {8 + length + end:,} of a file of {n_bytes:,}: it was cut or "
            f"added to."
        )
    return Header(metadata[_DOCUMENT], metadata[_DIGEST], tensors, n_bytes)


def _checked_entry(name: str, entry: Any) -> tuple[np.dtype, tuple[int, ...], int, int]:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise FileError(f"Tensor {name!r} does not state dtype, shape and data_offsets alone.")
    dtype = DTYPES.get(entry["dtype"]) if isinstance(entry["dtype"], str) else None
    if dtype is None:
        raise FileError(f"dtype of tensor {name!r} is {entry['dtype']!r}, which is not known.")
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not (_are_sizes(shape) and len(shape) <= 32):
        raise FileError(f"shape of tensor {name!r} is {str(shape)[:80]}, which is no shape.")
    if not (_are_sizes(offsets) and len(offsets) == 2):
        raise FileError(f"data_offsets of tensor {name!r} are {str(offsets)[:80]}.")
    first, last = offsets
    if last - first != math.prod(shape) * dtype.itemsize:
        raise FileError(
            f"data_offsets of tensor {name!r} span {last - first} bytes, and its shape "
            f"{tuple(shape)} needs {math.prod(shape) * dtype.itemsize}."
        )
    return dtype, tuple(shape), first, last


def _are_sizes(numbers: Any) -> bool:
    return isinstance(numbers, list) and all(
        type(number) is int and 0 <= number <= _LARGEST_SIZE for number in numbers
    )


def read_tensors(file: BinaryIO, header: Header) -> dict[str, np.ndarray]:
    """Read the tensors behind a header that was read before.

    Raises
    ------
    FileError
        If document and tensors are not those that were written.
    """
    digest = hashlib.sha256(_encoded(header.document))
    arrays = {}
    for name, (dtype, shape, first, last) in header.tensors.items():
        array = np.empty(shape, dtype)
        view = _as_bytes(array)
        if file.readinto(view) != last - first:  # type: ignore[attr-defined]
            raise FileError(f"Tensor {name!r} ends early: the file was cut while it was read.")
        digest.update(view)
        arrays[name] = array
    if digest.hexdigest() != header.digest:
        raise FileError(
            f"{_DIGEST} of the file is {digest.hexdigest()[:12]}..., and its header states "
            f"{header.digest[:12]!r}...: it was changed or damaged after it was saved."
        )
    return arrays


def _encoded(document: str) -> bytes:
    try:
        return document.encode()
    except UnicodeEncodeError as error:
        raise FileError(f"{_METADATA}[{_DOCUMENT!r}] is no text: {error}.") from None


def parse_json(text: str | bytes, name: str) -> Any:
    """Return what a JSON text says, without duplicate keys and without numbers beyond JSON's.

    Raises
    ------
    FileError
        If it is not valid.
    """
    try:
        return json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse)
    except FileError as error:
        raise FileError(f"In {name}: {error}") from None
    except RecursionError:
        raise FileError(f"{name[:1].upper()}{name[1:]} is nested too deeply.") from None
    except ValueError as error:
        raise FileError(f"{name[:1].upper()}{name[1:]} is no JSON: {error}.") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = list(_repeated(name for name, _ in pairs))
        raise FileError(f"key {names[0]!r} stands twice.")
    return found


def _repeated(names: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield name
        seen.add(name)


def _refuse(constant: str) -> None:
    raise FileError(f"{constant} is no number of JSON.")
