"""Mutants of files of estimators, and what comes of reading them.

A mutant is damaged as disks and networks damage files, or written by someone who knows the format:
then length, places of tensors and digest are right again, so that only what is read can refuse it.
"""

import copy
import hashlib
import json
import math
import sys
import warnings

import numpy as np

import skae

# What Python reports when code is run, other than the modules of skae, torch and scikit-learn that
# a class is imported from.
_CODE = {
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
    "pickle.find_class",
    "ctypes.dlopen",
    "socket.connect",
    "os.remove",
    "os.rename",
    "shutil.rmtree",
}
_READINGS = ("transform", "score_samples", "predict", "reconstruct")


def parsed(data):
    """Return the header, without its metadata, the document and the bytes of tensors of a file."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    document = json.loads(header.pop("__metadata__")["skae"])
    return header, document, data[8 + length :]


def sealed(header, document, tensors):
    """Return the file of parts, with a digest that is right; a str is taken as a JSON text."""
    text = document if isinstance(document, str) else json.dumps(document)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass"))
    digest.update(tensors)
    metadata = {"skae": text, "sha256": digest.hexdigest()}
    header = json.dumps({"__metadata__": metadata, **header}).encode()
    return len(header).to_bytes(8, "little") + header + tensors


def _flipped(data, rng):
    found = bytearray(data)
    for place in rng.integers(len(found), size=rng.integers(1, 9)):
        found[place] ^= 1 << int(rng.integers(8))
    return bytes(found)


def _cut(data, rng):
    return data[: int(rng.integers(len(data)))]


def _longer(data, rng):
    return data + rng.bytes(int(rng.integers(1, 100)))


def _moved(data, rng):
    first, last = sorted(rng.integers(len(data), size=2))
    place = int(rng.integers(len(data)))
    return data[:place] + data[first:last] + data[place:]


def _other_length(data, rng):
    some = [0, 1, 2**31, 2**63, 2**64 - 1, int(rng.integers(len(data)))]
    length = some[rng.integers(len(some))]
    return length.to_bytes(8, "little") + data[8:]


def _text_of_header(data, rng):
    """Replace a piece of the header's text by another JSON token."""
    length = int.from_bytes(data[:8], "little")
    tokens = [b"null", b"1e999", b"NaN", b"-1", b'"x"', b"[" * 5000, b"{", b"}", b",", b"\\ud800"]
    place = int(rng.integers(8, 8 + length))
    token = tokens[rng.integers(len(tokens))]
    return data[:place] + token + data[place + int(rng.integers(3)) :]


def _places(node, path=()):
    """Yield the paths of all values of a document."""
    children = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in children:
        yield (*path, key)
        if isinstance(child, (dict, list)):
            yield from _places(child, (*path, key))


def _set(node, path, value):
    for key in path[:-1]:
        node = node[key]
    if value is _GONE:
        del node[path[-1]]
    else:
        node[path[-1]] = value


_GONE = object()


def _at(node, path):
    for key in path:
        node = node[key]
    return node


def _other_value(value, document, rng):
    n = len(document["objects"])
    some = [
        None,
        True,
        -1,
        2**40,
        10**30,
        1e308,
        "",
        "x",
        "os.system",
        [],
        {},
        _GONE,
        {"ref": int(rng.integers(-2, n + 2))},
        {"tuple": []},
        {"function": "os.system"},
        {"object": "os.system", "state": {}},
        {"float": "nan"},
        {"range": [0, 10**18, 1]},
        {"dtype": "object"},
        {"size": [10**9, 10**9]},
    ]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        some += [value + 1, -value, value * 1000, 0] * 2
    if isinstance(value, str):
        some += [value + "x", value[:-1], value.upper(), document["class"]] * 2
    return some[rng.integers(len(some))]


def _document(data, rng):
    header, document, tensors = parsed(data)
    for _ in range(rng.integers(1, 4)):
        places = list(_places(document))
        path = places[rng.integers(len(places))]
        _set(document, path, _other_value(_at(document, path), document, rng))
        if not isinstance(document.get("objects"), list):
            break
    return sealed(header, document, tensors)


def _deep(data, rng):
    header, document, tensors = parsed(data)
    name = sorted(document["params"])[rng.integers(len(document["params"]))]
    depth = int(10 ** rng.uniform(1, 5))
    text = json.dumps({**document, "params": {**document["params"], name: "HERE"}})
    return sealed(header, text.replace('"HERE"', '{"tuple":' * depth + "[]" + "}" * depth), tensors)


def _twice(data, rng):
    header, document, tensors = parsed(data)
    key = sorted(document)[rng.integers(len(document))]
    text = json.dumps(document)
    return sealed(header, text[:-1] + f",{json.dumps(key)}:{json.dumps(document[key])}}}", tensors)


def _other_header(data, rng):
    """Change type, shape or place of a tensor."""
    header, document, tensors = parsed(data)
    header = copy.deepcopy(header)
    name = sorted(header)[rng.integers(len(header))]
    entry = header[name]
    kind = rng.integers(7)
    if kind == 0:
        entry["shape"] = [*entry["shape"], int(rng.choice([0, 2, 10**12]))]
    elif kind == 1:
        entry["shape"] = [math.prod(entry["shape"])]
    elif kind == 2:
        entry["dtype"] = str(rng.choice(["F32", "F64", "I64", "U8", "BOOL", "BF16", "X"]))
    elif kind == 3:
        entry["data_offsets"] = [int(each) for each in rng.integers(-5, len(tensors) + 5, size=2)]
    elif kind == 4:
        other = sorted(header)[rng.integers(len(header))]
        entry["data_offsets"] = header[other]["data_offsets"]
    elif kind == 5:
        header[f"{name}/../x"] = header.pop(name)
    else:
        other = sorted(header)[rng.integers(len(header))]
        header[name], header[other] = header[other], header[name]
    return sealed(header, document, tensors)


def _numbers(data, rng):
    """Put other numbers into the tensors."""
    header, document, tensors = parsed(data)
    found = bytearray(tensors)
    for place in rng.integers(max(1, len(found) - 8), size=rng.integers(1, 20)):
        some = [np.nan, np.inf, -1.0, 1e300, 0.0]
        found[place : place + 8] = np.float64(some[rng.integers(len(some))]).tobytes()
    return sealed(header, document, bytes(found[: len(tensors)]))


DAMAGES = (_flipped, _cut, _longer, _moved, _other_length, _text_of_header)
FORGERIES = (_document, _document, _document, _deep, _twice, _other_header, _numbers)


def mutant_of(data, seed):
    """Return the name of what was done to a file, and the file."""
    rng = np.random.default_rng(seed)
    kinds = DAMAGES if rng.random() < 0.3 else FORGERIES
    change = kinds[rng.integers(len(kinds))]
    return change.__name__.strip("_"), change(data, rng)


class Watched:
    """Notes what Python reports while files are read."""

    def __init__(self):
        self.on = False
        self.events = []
        sys.addaudithook(self._note)

    def _note(self, event, args):
        if not self.on:
            return
        is_write = (
            event == "open" and args and isinstance(args[1], str) and set(args[1]) & set("wax+")
        )
        if event in _CODE or is_write:
            self.events.append((event, str(args)[:80]))


def outcome_of(path, rows, watched):
    """Return what comes of a file: "refused", "works", or what went wrong.

    A refusal is a ValueError with a message. A working estimator reads rows, or refuses them by a
    ValueError.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        watched.on = True
        try:
            estimator = skae.load(path)
        except ValueError as error:
            return "refused" if str(error) else "refused without a word"
        except Exception as error:
            return f"{type(error).__name__} while loading: {error}"
        finally:
            watched.on = False
        return _tried(estimator, rows)


def _tried(estimator, rows):
    for reading in _READINGS:
        if hasattr(estimator, reading):
            try:
                getattr(estimator, reading)(rows)
            except ValueError:
                pass
            except Exception as error:
                return f"{type(error).__name__} in {reading}: {error}"
    return "works"
