"""TensorFlow.js graph models: their weights, and their graph as a TensorFlow function.

A model is a JSON file with the nodes of a graph and, beside it, binary files with the weights, which may be quantised.
Convolutions may be fused with what follows them, which TensorFlow itself only runs as separate operations.
"""

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from util.errors import InputError
from util.files import read_json

DEPTHWISE = "DepthwiseConv2dNative"
FUSED = {"_FusedConv2D": "Conv2D", f"Fused{DEPTHWISE}": DEPTHWISE}
PADDING_KEYS = "T", "strides", "padding", "data_format", "dilations", "explicit_paddings"


class GraphModel(NamedTuple):
    """nodes: of the graph, as protobuf writes them in JSON; arrays: the weights by the names of their nodes"""

    nodes: list[dict[str, Any]]
    arrays: dict[str, np.ndarray]


class Convolution(NamedTuple):
    """kernel (h, w, channels, filters), or (h, w, channels, 1) if depthwise; bias (filters,) or None"""

    kernel: np.ndarray
    bias: np.ndarray | None


def read_graph_model(path: str | os.PathLike) -> GraphModel:
    """Read a model and its weights, as float32 where they are quantised. Raises InputError."""
    content = read_json(path)
    try:
        arrays = {}
        for group in content["weightsManifest"]:
            data = b"".join(Path(path).with_name(name).read_bytes() for name in group["paths"])
            arrays |= _read_group(group["weights"], data)
        return GraphModel(content["modelTopology"]["node"], arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not a TensorFlow.js graph model: {error!r}") from error
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror}") from error


def _read_group(entries, data):
    arrays, start = {}, 0
    for entry in entries:
        stored = entry.get("quantization", entry)
        array = np.frombuffer(data, stored["dtype"], int(np.prod(entry["shape"])), start)
        start += array.nbytes
        if "scale" in stored:
            array = array * np.float32(stored["scale"]) + np.float32(stored["min"])
        arrays[entry["name"]] = array.astype(entry["dtype"]).reshape(entry["shape"])
    return arrays


def convolutions(model: GraphModel) -> dict[str, Convolution]:
    """The convolutions by the names of their nodes, in the order of the graph."""
    found = {}
    for node in model.nodes:
        if node["op"] in (*FUSED, *FUSED.values()):
            kernel, *bias = (model.arrays[name] for name in node["input"][1:])
            found[node["name"]] = Convolution(kernel, bias[0] if bias else None)
    return found


def graph_function(model: GraphModel):
    """A function from the model's one input to its results."""
    from google.protobuf import json_format

    graph = tf.compat.v1.GraphDef()
    for content in model.nodes:
        node = json_format.ParseDict(content, tf.compat.v1.NodeDef(), ignore_unknown_fields=True)
        if node.op == "Const":
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(model.arrays[node.name]))
            node.attr["dtype"].type = node.attr["value"].tensor.dtype
        graph.node.extend(_separate(node) if node.op in FUSED else [node])
    results = [node["name"] for node in model.nodes if node["op"] == "Identity"]
    [image] = (node["name"] for node in model.nodes if node["op"] == "Placeholder")
    whole = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph, name=""), [])
    return whole.prune(f"{image}:0", [f"{name}:0" for name in results])


def _separate(fused):
    """A fused convolution as separate nodes, one for each operation; the last one keeps the name."""
    following = [name.decode() for name in fused.attr["fused_ops"].list.s]
    nodes = [tf.compat.v1.NodeDef(name=f"{fused.name}/convolution", op=FUSED[fused.op], input=fused.input[:2])]
    for key in PADDING_KEYS:
        if key in fused.attr:
            nodes[0].attr[key].CopyFrom(fused.attr[key])
    for operation in following:
        node = tf.compat.v1.NodeDef(name=f"{fused.name}/{operation}", op=operation, input=[nodes[-1].name])
        node.attr["T"].type = tf.float32.as_datatype_enum
        if operation == "BiasAdd":
            node.input.append(fused.input[2])
        nodes.append(node)
    nodes[-1].name = fused.name
    return nodes
