"""From an ONNX file of ours to the layers that are executed: dequantize/quantize pairs become integer tensors,
activations and residual additions join the convolution before them. Every rounding of the file stays where it is."""

import math
from dataclasses import dataclass, replace

import numpy as np

from hot_bridge.errors import BridgeError

_POOLS = {"MaxPool": "max_pool", "AveragePool": "average_pool"}
_PLAIN = {
    "Add": "add",
    "Concat": "concat",
    "GlobalAveragePool": "global_average",
    "Sigmoid": "sigmoid",
    "Softmax": "softmax",
}
_HALF = 10  # onnx.TensorProto.FLOAT16
_ABSORBS_CLIP = ("conv", "depthwise", "add")


@dataclass(frozen=True)
class Value:
    """A tensor between layers: float32, float16, or int8 with real = scale * (q - zero_point)."""

    name: str
    shape: tuple  # channels, height, width
    dtype: str = "float32"
    scale: float = 1.0
    zero_point: int = 0


@dataclass
class Layer:
    op: str  # "conv", "depthwise", or a method of simple._Simple
    name: str
    inputs: list  # names of values
    output: str
    kernel: int = 1
    stride: int = 1
    pads: tuple = (0, 0, 0, 0)  # top, left, bottom, right
    weight: np.ndarray = None  # [out, in / groups, kernel, kernel], float32, float16 or int8
    weight_scale: np.ndarray = None  # one a channel, of int8 weights
    bias: np.ndarray = None  # float32, or int32
    bias_scale: np.ndarray = None  # one a channel, of int32 biases: input scale * weight scale, as float32
    clip: tuple = (-math.inf, math.inf)
    residual: str = None  # added after the convolution, and after `before_residual` rounded it
    before_residual: Value = None


@dataclass
class Network:
    values: dict  # name -> Value
    layers: list
    inputs: list  # names of values
    outputs: list
    output_names: list  # of the file, in its order


class _Reader:
    def __init__(self, graph):
        self.graph = graph
        self.values, self.layers = {}, []
        self.same = {}  # name in the file -> value it stands for: dequantized tensors read the integer one
        self.unsigned = set()  # integer values that the file has as uint8
        self.weights = {}  # dequantized constant -> (integers, scales)

    def read(self):
        inputs = []
        for name, (dtype, shape) in self.graph.inputs.items():
            if len(shape) != 4 or shape[0] != 1:
                raise BridgeError("INVALID_ARGUMENT", f"input {name}: expected shape [1, c, h, w], got {shape}")
            if dtype not in ("float32", "int8"):
                raise BridgeError("INVALID_ARGUMENT", f"input {name}: there are no templates for {dtype} at a border")
            self.values[name] = Value(name, tuple(shape[1:]), dtype)
            inputs.append(name)
        for node in self.graph.nodes:
            reader = getattr(self, "_read_" + node.op.lower(), None)
            if reader is not None:
                reader(node)
            elif node.op in _PLAIN:
                self._add_plain(node)
            else:
                raise BridgeError(
                    "UNIMPLEMENTED", f"there is no template for the operator {node.op}", "use target.toolchain: openvino"
                )
        outputs = [self._output(name) for name in self.graph.outputs]
        return Network(self.values, self.layers, inputs, outputs, list(self.graph.outputs))

    def _constant(self, name):
        return self.graph.constants[name]

    def _scale(self, names):
        """(scale, zero point) of signed bytes: unsigned ones are the same numbers, 128 steps higher."""
        scale, zero = (self._constant(name) for name in names)
        if zero.dtype not in (np.int8, np.uint8):
            raise BridgeError("INVALID_ARGUMENT", f"{names[1]}: there are no templates for activations in {zero.dtype}")
        return scale.item(), int(zero.item()) - (128 if zero.dtype == np.uint8 else 0)

    def _value(self, name):
        return self.values[self.same.get(name, name)]

    def _add(self, layer, shape, **typed):
        """What float16 is computed from is float16 again, if nothing else is said."""
        halves = self.values[layer.inputs[0]].dtype == "float16"
        typed = typed or {"dtype": "float16" if halves else "float32"}
        self.values[layer.output] = Value(layer.output, tuple(shape), **typed)
        self.layers.append(layer)

    def _layer(self, op, node, **attributes):
        names = [self._value(name).name for name in node.inputs if name in self.same or name in self.values]
        return Layer(op, node.outputs[0], names, node.outputs[0], **attributes)

    def _output(self, name):
        """An output that the file dequantizes is converted; one that it leaves in integers is not; halves become floats
        when they are unpacked."""
        value = self._value(name)
        if value.dtype == "float16":
            return value.name
        if value.name == name:
            if name in self.unsigned:
                raise BridgeError("INVALID_ARGUMENT", f"output {name}: there are no templates for uint8 at a border")
            return name
        self._add(Layer("convert", name, [value.name], name), value.shape)
        return name

    def _read_quantizelinear(self, node):
        scale, zero = self._scale(node.inputs[1:])
        if self._constant(node.inputs[2]).dtype == np.uint8:
            self.unsigned.add(node.outputs[0])
        layer = self._layer("convert", node)
        self._add(layer, self._value(node.inputs[0]).shape, dtype="int8", scale=scale, zero_point=zero)

    def _read_dequantizelinear(self, node):
        source, scale, zero = node.inputs
        if source in self.graph.constants:
            self.weights[node.outputs[0]] = (self._constant(source), self._constant(scale).reshape(-1))
            return
        value = self._value(source)
        if source in self.graph.inputs:  # an integer input gets its scale here
            scale, zero = self._scale([scale, zero])
            self.values[value.name] = replace(value, scale=scale, zero_point=zero)
        self.same[node.outputs[0]] = value.name

    def _read_cast(self, node):
        if node.attributes["to"] == _HALF:
            self._add(self._layer("convert", node), self._value(node.inputs[0]).shape, dtype="float16")
        else:
            self.same[node.outputs[0]] = self._value(node.inputs[0]).name

    def _weights_of(self, node, as_integers):
        """Weights and biases of a layer in the numbers that it computes with."""
        names = node.inputs[1:]
        if names[0] not in self.weights:
            weight = self._constant(names[0])
            bias = self._constant(names[1]) if len(names) > 1 else np.zeros(len(weight))
            return {"weight": weight, "bias": bias.astype(np.float32)}
        integers, scales = self.weights[names[0]]
        channels = len(integers)
        bias, bias_scale = np.zeros(channels, np.int32), np.zeros(channels, np.float32)
        if len(names) > 1:
            bias, bias_scale = self.weights[names[1]]
        if as_integers:
            return {"weight": integers, "weight_scale": scales, "bias": bias, "bias_scale": bias_scale}
        weight = integers.astype(np.float32) * scales.reshape(-1, 1, 1, 1)
        return {"weight": weight, "bias": (bias * bias_scale).astype(np.float32)}

    def _read_conv(self, node):
        x = self._value(node.inputs[0])
        integers = x.dtype == "int8" and node.inputs[1] in self.weights
        if x.dtype == "int8" and not integers:
            x = self._as_float(x)
        numbers = self._weights_of(node, integers)
        groups, channels = node.attributes["group"], len(numbers["weight"])
        (kernel, _), (stride, _) = node.attributes["kernel_shape"], node.attributes["strides"]
        pads = tuple(node.attributes["pads"])
        depthwise = groups == x.shape[0] == channels
        if groups > 1 and not depthwise:
            numbers["weight"] = _without_groups(numbers["weight"], groups)
        side = [(x.shape[1 + i] + pads[i] + pads[2 + i] - kernel) // stride + 1 for i in range(2)]
        layer = Layer(
            "depthwise" if depthwise else "conv", _layer_name(node), [x.name], node.outputs[0],
            kernel, stride, pads, **numbers,
        )
        self._add(layer, (channels, *side))

    def _as_float(self, value):
        name = value.name + ".float"
        if name not in self.values:
            self._add(Layer("convert", name, [value.name], name), value.shape)
        return self.values[name]

    def _read_relu(self, node):
        self._add(self._layer("clip", node, clip=(0.0, math.inf)), self._value(node.inputs[0]).shape)

    def _read_clip(self, node):
        low, high = (self._constant(name).item() for name in node.inputs[1:])
        self._add(self._layer("clip", node, clip=(low, high)), self._value(node.inputs[0]).shape)

    def _pool(self, node):
        (kernel, _), (stride, _) = node.attributes["kernel_shape"], node.attributes["strides"]
        pads = tuple(node.attributes["pads"])
        channels, *sides = self._value(node.inputs[0]).shape
        sides = [(side + pads[i] + pads[2 + i] - kernel) // stride + 1 for i, side in enumerate(sides)]
        self._add(
            self._layer(_POOLS[node.op], node, kernel=kernel, stride=stride, pads=pads), (channels, *sides)
        )

    _read_maxpool = _pool
    _read_averagepool = _pool

    def _read_resize(self, node):
        factor = int(self._constant(node.inputs[2])[2])
        channels, height, width = self._value(node.inputs[0]).shape
        self._add(self._layer("upsample", node, stride=factor), (channels, height * factor, width * factor))

    def _read_reshape(self, node):
        self._add(self._layer("flatten", node), self._constant(node.inputs[1])[1:].tolist())

    def _add_plain(self, node):
        op = _PLAIN[node.op]
        channels, height, width = self._value(node.inputs[0]).shape
        if op == "concat":
            channels = sum(self._value(name).shape[0] for name in node.inputs)
        if op == "global_average":
            height = width = 1
        self._add(self._layer(op, node), (channels, height, width))


def _layer_name(node):
    """A node's name in the graph: the file adds to it where something else stands between it and its readers."""
    return node.outputs[0].removesuffix(".raw").removesuffix(".inner")


def _without_groups(weight, groups):
    """A grouped convolution as a dense one: what a group does not read gets the weight zero."""
    out, per_group, kernel, _ = weight.shape
    dense = np.zeros((out, per_group * groups, kernel, kernel), weight.dtype)
    for channel in range(out):
        first = channel // (out // groups) * per_group
        dense[channel, first : first + per_group] = weight[channel]
    return dense


class _Fuser:
    """Joins layers whose intermediate value nobody else reads."""

    def __init__(self, network):
        self.network, self.values = network, network.values
        self.producer, self.readers = {}, {}
        for layer in network.layers:
            self.producer[layer.output] = layer
            for name in layer.inputs:
                self.readers.setdefault(name, []).append(layer)
        for name in network.outputs:
            self.readers.setdefault(name, []).append(None)

    def run(self):
        for layer in list(self.network.layers):
            if layer.op == "clip":
                self._join_clip(layer)
            elif layer.op == "convert":
                self._join_rounding(layer)
        position = {id(layer): place for place, layer in enumerate(self.network.layers)}
        for layer in list(self.network.layers):
            if layer.op == "add":
                self._join_addition(layer, position)
        return self.network

    def _sole_producer(self, name):
        if len(self.readers.get(name, [])) != 1:
            return None
        return self.producer.get(name)

    def _take_over(self, before, layer):
        """`before` writes what `layer` wrote; `layer` is gone."""
        del self.values[before.output]
        before.output = layer.output
        self.producer[layer.output] = before
        self.network.layers.remove(layer)

    def _join_clip(self, layer):
        before = self._sole_producer(layer.inputs[0])
        if before is None or before.op not in _ABSORBS_CLIP or before.clip != (-math.inf, math.inf):
            return
        if self.values[before.output].dtype == "int8":
            return
        before.clip = layer.clip
        self._take_over(before, layer)

    def _join_rounding(self, layer):
        before = self._sole_producer(layer.inputs[0])
        if before is None or before.op == "convert" or self.values[before.output].dtype != "float32":
            return
        if self.values[layer.output].dtype == "int8" and before.op not in ("sigmoid", "softmax"):
            self._take_over(before, layer)

    def _join_addition(self, layer, position):
        """The later of the two convolutions takes over the addition, so that the other operand is there by then."""
        candidates = []
        for name in layer.inputs:
            before = self._sole_producer(name)
            if before is not None and before.op in ("conv", "depthwise") and before.clip == (-math.inf, math.inf):
                candidates.append(before)
        if not candidates or layer.inputs[0] == layer.inputs[1]:
            return
        before = max(candidates, key=lambda one: position[id(one)])
        other = next(name for name in layer.inputs if name != before.output)
        maker = self.producer.get(other)
        if maker is not None and position[id(maker)] > position[id(before)]:
            return
        value = self.values[before.output]
        if value.dtype != self.values[other].dtype or value.dtype != self.values[layer.output].dtype:
            return
        before.residual, before.before_residual, before.clip = other, value, layer.clip
        self._take_over(before, layer)


def read_network(graph):
    """The fused layers of a parsed ONNX file. Raises BridgeError INVALID_ARGUMENT for operators we never write."""
    try:
        return _Fuser(_Reader(graph).read()).run()
    except (KeyError, IndexError) as fault:
        raise BridgeError("INVALID_ARGUMENT", f"not an ONNX file of ours: it refers to {fault}") from fault
