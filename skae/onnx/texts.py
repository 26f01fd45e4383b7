"""Texts in an ONNX model: strings to states in front of it, indices to labels behind it."""

from typing import Any

import numpy as np

from skae.onnx.inputs import Input
from skae.tables.cells import OTHER

_DOMAIN = "ai.onnx.ml"


# What names inside a model begin with, so that no column has one of them.
_INSIDE = "skae/"


def names_of(given: Input) -> list[str]:
    """Return the names of the tensors that stand for an input until it is one of texts."""
    if given.kind == "string":
        return [f"{_INSIDE}{given.name} (states)", f"{_INSIDE}{given.name} (log shares)"]
    return [given.name]


def rename(model: Any, inputs: list[str], output: str, inside: str = _INSIDE) -> None:
    """Give the inputs and the output of a model names, and all else names that no column has.

    These end in no digit: skl2onnx numbers names that are there already, and would make an 11 of
    the second 1.
    """
    graph = model.graph
    names = dict(zip((each.name for each in graph.input), inputs, strict=True))
    names[graph.output[0].name] = output
    for each in (*graph.input, *graph.output, *graph.initializer, *graph.value_info):
        each.name = names.get(each.name, f"{inside}{each.name}_")
    for node in graph.node:
        for ends in (node.input, node.output):
            ends[:] = [names.get(name, name and f"{inside}{name}_") for name in ends]


def with_texts(model: Any, given: Input) -> None:
    """Replace the states and log shares of a column of texts by an input of strings.

    Parameters
    ----------
    model : onnx.ModelProto
        The model, which is changed.
    given : Input
        The input.
    """
    from onnx import TensorProto, helper

    states, shares = names_of(given)
    inputs = model.graph.input
    place = next((i for i, each in enumerate(inputs) if each.name == states), len(inputs))
    kept = [each for each in inputs if each.name not in (states, shares)]
    rows = _rows_of(model)
    kept.insert(
        min(place, len(kept)),
        helper.make_tensor_value_info(given.name, TensorProto.STRING, [rows, 1]),
    )
    del inputs[:]
    inputs.extend(kept)
    told = {**dict.fromkeys(given.states, 0.0), **given.log_shares}
    to_states = {
        "keys_strings": list(given.states),
        "values_int64s": list(given.states.values()),
        "default_int64": OTHER,
    }
    to_shares = {
        "keys_strings": list(told),
        "values_floats": list(told.values()),
        "default_float": given.unseen,
    }
    first = _encoder(given.name, states, **to_states), _encoder(given.name, shares, **to_shares)
    _put_first(model, list(first))


def with_labels(model: Any, output: Any) -> None:
    """Replace an output of indices by one of labels.

    Parameters
    ----------
    model : onnx.ModelProto
        The model, which is changed.
    output : Output
        The output.
    """
    from onnx import TensorProto, helper, numpy_helper

    rows = _rows_of(model)
    indices = f"{_INSIDE}{output.name} (indices)"
    for node in model.graph.node:
        node.output[:] = [indices if name == output.name else name for name in node.output]
    labels, table = np.asarray(output.labels), f"{_INSIDE}{output.name} (labels)"
    if labels.dtype.kind in "biuf":
        values = labels.astype(np.int64 if labels.dtype.kind in "biu" else np.float64)
        model.graph.initializer.append(numpy_helper.from_array(values, table))
        node = helper.make_node("Gather", [table, indices], [output.name], name=table)
        kind = helper.np_dtype_to_tensor_dtype(values.dtype)
    else:
        texts = {"keys_int64s": list(range(len(labels))), "values_strings": list(map(str, labels))}
        node = _encoder(indices, output.name, **texts, default_string="")
        kind = TensorProto.STRING
    model.graph.node.append(node)
    _name_domain(model)
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info(output.name, kind, [rows]))


def with_casts(model: Any, inputs: dict[str, int], output: int) -> None:
    """Give inputs and the output other types of elements.

    Parameters
    ----------
    model : onnx.ModelProto
        The model, which is changed.
    inputs : dict of str to int
        The types of the inputs, as ONNX numbers them.
    output : int
        The type of the output.
    """
    from onnx import helper

    first = []
    for each in model.graph.input:
        own, wanted = each.type.tensor_type.elem_type, inputs[each.name]
        if own != wanted:
            each.type.tensor_type.elem_type = wanted
            inside = f"{_INSIDE}{each.name} (cast)"
            for node in model.graph.node:
                node.input[:] = [inside if name == each.name else name for name in node.input]
            first.append(helper.make_node("Cast", [each.name], [inside], name=inside, to=own))
    _put_first(model, first)
    last = model.graph.output[0]
    if last.type.tensor_type.elem_type != output:
        last.type.tensor_type.elem_type = output
        inside = f"{_INSIDE}{last.name} (cast)"
        for node in model.graph.node:
            node.output[:] = [inside if name == last.name else name for name in node.output]
        node = helper.make_node("Cast", [inside], [last.name], name=inside, to=output)
        model.graph.node.append(node)


def _encoder(source: str, target: str, **attributes: Any) -> Any:
    from onnx import helper

    name = f"{_INSIDE}{target} (encoder)"
    return helper.make_node(
        "LabelEncoder", [source], [target], name=name, domain=_DOMAIN, **attributes
    )


def _put_first(model: Any, nodes: list) -> None:
    later = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *later])
    _name_domain(model)


def _name_domain(model: Any) -> None:
    """Say which version of the operators for texts a model uses, if it has any."""
    from onnx import helper

    needs = any(node.domain == _DOMAIN for node in model.graph.node)
    if needs and _DOMAIN not in {each.domain for each in model.opset_import}:
        model.opset_import.append(helper.make_opsetid(_DOMAIN, 3))


def _rows_of(model: Any) -> str:
    return model.graph.output[0].type.tensor_type.shape.dim[0].dim_param or "n_rows"
