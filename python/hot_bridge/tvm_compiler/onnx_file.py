"""Reads the ONNX files that the deploy module writes, straight from protobuf's wire format, so that compiling needs
neither the onnx package nor protobuf. Field numbers are those of onnx.proto."""

from dataclasses import dataclass, field

import numpy as np

from hot_bridge.errors import BridgeError

_DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 5: np.int16, 6: np.int32, 7: np.int64, 10: np.float16}


@dataclass
class Node:
    op: str
    inputs: list
    outputs: list
    attributes: dict = field(default_factory=dict)


@dataclass
class OnnxGraph:
    nodes: list
    constants: dict  # name -> array
    inputs: dict  # name -> (dtype, shape)
    outputs: list


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(data):
    """(number, value) of each field of a message: an int, 4 or 8 bytes, or the bytes of a string or message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(kind)
            if size is None:
                size, at = _varint(data, at)
            if at + size > len(data):
                raise IndexError("a field runs past the end")
            value, at = data[at : at + size], at + size
        yield key >> 3, value


def _signed(value):
    return value - (1 << 64) if value >= 1 << 63 else value


def _ints(value):
    """A repeated integer, packed or one at a time."""
    if isinstance(value, int):
        return [_signed(value)]
    out, at = [], 0
    while at < len(value):
        one, at = _varint(value, at)
        out.append(_signed(one))
    return out


def _tensor(data):
    dims, dtype, name, raw = [], None, "", b""
    for number, value in _fields(data):
        if number == 1:
            dims += _ints(value)
        elif number == 2:
            dtype = _DTYPES[value]
        elif number == 8:
            name = bytes(value).decode()
        elif number == 9:
            raw = value
    return name, np.frombuffer(raw, dtype).reshape(dims)


def _attribute(data):
    name, value, ints = "", None, []
    for number, item in _fields(data):
        if number == 1:
            name = bytes(item).decode()
        elif number == 3:
            value = _signed(item)
        elif number == 4:
            value = bytes(item).decode()
        elif number == 8:
            ints += _ints(item)
    return name, ints if value is None else value


def _node(data):
    node = Node("", [], [])
    for number, value in _fields(data):
        if number == 1:
            node.inputs.append(bytes(value).decode())
        elif number == 2:
            node.outputs.append(bytes(value).decode())
        elif number == 4:
            node.op = bytes(value).decode()
        elif number == 5:
            key, attribute = _attribute(value)
            node.attributes[key] = attribute
    return node


def _first(data, number):
    return next(value for key, value in _fields(data) if key == number)


def _value_info(data):
    name = bytes(_first(data, 1)).decode()
    tensor = _first(_first(data, 2), 1)  # TypeProto.tensor_type
    shape = [_first(dim, 1) for number, dim in _fields(_first(tensor, 2)) if number == 1]
    return name, (np.dtype(_DTYPES[_first(tensor, 1)]).name, shape)


def _graph(data):
    graph = OnnxGraph([], {}, {}, [])
    for number, value in _fields(data):
        if number == 1:
            graph.nodes.append(_node(value))
        elif number == 5:
            name, array = _tensor(value)
            graph.constants[name] = array
        elif number == 11:
            name, described = _value_info(value)
            graph.inputs[name] = described
        elif number == 12:
            graph.outputs.append(_value_info(value)[0])
    return graph


def parse(data):
    """The graph of a serialized ModelProto. Raises BridgeError INVALID_ARGUMENT for anything else."""
    try:
        graph = _graph(_first(memoryview(data), 7))
    except (IndexError, KeyError, StopIteration, TypeError, UnicodeDecodeError, ValueError) as fault:
        raise BridgeError("INVALID_ARGUMENT", f"not an ONNX file of ours: {type(fault).__name__}: {fault}") from fault
    if not graph.nodes or not graph.inputs or not graph.outputs:
        raise BridgeError("INVALID_ARGUMENT", "not an ONNX file of ours: it has no graph")
    return graph
