"""ONNX with QuantizeLinear/DequantizeLinear pairs, as the deploy module writes it -> TFLite in integers.

The ONNX file has integer inputs and outputs (OnnxOptions::int8_borders). Each float operator between a DequantizeLinear
and a QuantizeLinear, with the activation behind it, becomes one integer operator; tensors turn from NCHW into NHWC.
Activations are int8 (asymmetric) or int16 (symmetric, biases in int64); weights are int8, one scale an output channel.
"""

import numpy as np

from hot_bridge.errors import BridgeError
from hot_bridge.tflite_model import TfliteModel, schema

# Versions of TFLite's operators for int8 and int16 activations.
_VERSIONS = {
    "ADD": (2, 3),
    "AVERAGE_POOL_2D": (2, 3),
    "CONCATENATION": (2, 3),
    "CONV_2D": (3, 4),
    "DEPTHWISE_CONV_2D": (3, 5),
    "MAX_POOL_2D": (2, 3),
    "MEAN": (2, 3),
    "PAD": (2, 3),
    "PADV2": (2, 3),
    "QUANTIZE": (2, 2),
    "RELU": (2, 3),
    "RELU6": (2, 3),
    "RESHAPE": (1, 1),
    "RESIZE_NEAREST_NEIGHBOR": (3, 4),
    "TRANSPOSE": (2, 4),
}
_ACTIVATIONS = ("Relu", "Clip")
_SAME, _VALID = 0, 1  # the schema's Padding


def _unsupported(node, why):
    name = node.output[0]
    return BridgeError("UNIMPLEMENTED", f"node {name}: {why}", "keep this operator out of int8, or use another toolchain")


def _attributes(node):
    from onnx import helper

    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


class _Onnx:
    """An ONNX graph with its shapes, its constants, and who makes and reads which tensor."""

    def __init__(self, model):
        from onnx import numpy_helper, shape_inference

        self.graph = shape_inference.infer_shapes(model).graph
        self.constants = {i.name: numpy_helper.to_array(i) for i in self.graph.initializer}
        self.makers = {name: node for node in self.graph.node for name in node.output}
        self.readers = {}
        for node in self.graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        values = [*self.graph.value_info, *self.graph.input, *self.graph.output]
        self.shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}

    def scale(self, node):
        """Scale and zero point of a QuantizeLinear or DequantizeLinear."""
        return self.constants[node.input[1]], self.constants[node.input[2]]

    def weights(self, name):
        """The integers behind a dequantized constant, and their scales."""
        node = self.makers[name]
        return self.constants[node.input[0]], self.scale(node)[0]

    def activation(self, node):
        """The activation that alone reads `node`'s output, or None."""
        readers = self.readers.get(node.output[0], [])
        return readers[0] if len(readers) == 1 and readers[0].op_type in _ACTIVATIONS else None


def _nhwc(shape):
    return [shape[0], shape[2], shape[3], shape[1]]


def _fits_same(size, kernel, stride, before, after):
    """Whether TensorFlow's SAME puts as much before the first pixel; what comes after the last follows from it."""
    outputs = (size + before + after - kernel) // stride + 1
    same = -(-size // stride)
    return outputs == same and before == max((same - 1) * stride + kernel - size, 0) // 2


def _reached(size, kernel, stride, before, after):
    """How much of the padding after the last pixel the last window reaches."""
    last = (size + before + after - kernel) // stride * stride
    return max(last + kernel - size - before, 0)


class _Writer:
    def __init__(self, model):
        self.onnx = _Onnx(model)
        self.out = TfliteModel()
        self.indices = {}  # integer tensor of ONNX -> ours
        self.wide = False  # int16 activations

    def run(self):
        graph = self.onnx.graph
        for value in graph.input:
            self._input(value.name)
        for node in graph.node:
            self._node(node)
        for value in graph.output:
            if value.name not in self.indices:
                raise _unsupported(self.onnx.makers[value.name], "this output is not quantized")
        names = [[v.name for v in values] for values in (graph.input, graph.output)]
        inputs, outputs = ([self.indices[name] for name in group] for group in names)
        return self.out.serialize(inputs, outputs)

    def _input(self, name):
        reader = next((n for n in self.onnx.readers.get(name, []) if n.op_type == "DequantizeLinear"), None)
        if reader is None:
            raise BridgeError("INVALID_ARGUMENT", f"input {name} of the ONNX file is no quantized tensor")
        dtype = self.onnx.scale(reader)[1].dtype
        if dtype not in (np.int8, np.int16):
            raise BridgeError("UNIMPLEMENTED", f"input {name}: TFLite has no networks of {dtype} activations")
        self.wide = dtype == np.int16
        self.indices[name] = self._activation_tensor(name, self.onnx.shapes[name], *self.onnx.scale(reader))

    def _activation_tensor(self, name, shape, scale, zero_point):
        return self.out.tensor(name, _nhwc(shape), zero_point.dtype, scale, int(zero_point))

    def _read(self, name):
        """Index of the integer tensor behind a float one."""
        maker = self.onnx.makers.get(name)
        if maker is None or maker.op_type != "DequantizeLinear" or maker.input[0] not in self.indices:
            raise BridgeError("UNIMPLEMENTED", f"tensor {name} of the ONNX file is float")
        return self.indices[maker.input[0]]

    def _result(self, node):
        """The integer tensor that `node`'s output becomes, activation included, and that activation's name."""
        activation = self.onnx.activation(node) if node.op_type in ("Conv", "Add") else None
        made = (activation or node).output[0]
        quantizer = next((n for n in self.onnx.readers.get(made, []) if n.op_type == "QuantizeLinear"), None)
        if quantizer is None:
            raise _unsupported(node, "its output is not quantized")
        name = made.removesuffix(".raw")
        index = self._activation_tensor(name, self.onnx.shapes[made], *self.onnx.scale(quantizer))
        self.indices[quantizer.output[0]] = index
        return index, self._activation_name(activation)

    def _activation_name(self, node):
        if node is None:
            return "NONE"
        if node.op_type == "Relu":
            return "RELU"
        bounds = [float(self.onnx.constants[name]) for name in node.input[1:3]]
        if bounds != [0, 6]:
            raise _unsupported(node, f"a clip to {bounds} is neither ReLU nor ReLU6")
        return "RELU6"

    def _op(self, name, inputs, output, options=None):
        self.out.operator(name, _VERSIONS[name][self.wide], inputs, output, options)

    def _options(self, kind, activation=None, **values):
        options = getattr(schema(), kind + "OptionsT")()
        if activation is not None:
            options.fusedActivationFunction = getattr(schema().ActivationFunctionType, activation)
        for name, value in values.items():
            assert hasattr(options, name), name
            setattr(options, name, value)
        return options

    def _constant(self, name, values, dtype=np.int32):
        values = np.asarray(values, dtype)
        return self.out.tensor(name, values.shape, dtype, data=values)

    def _like(self, name, index, shape=None, scale_of=None):
        """A new activation tensor of the same numbers as `index`, or scaled as another."""
        source, scaled = self.out.tensors[index], self.out.tensors[index if scale_of is None else scale_of]
        quantization = scaled.quantization
        dtype = np.int16 if self.wide else np.int8
        return self.out.tensor(
            name, source.shape if shape is None else shape, dtype, quantization.scale[0], int(quantization.zeroPoint[0])
        )

    def _node(self, node):
        skipped = ("QuantizeLinear", "DequantizeLinear")
        fused = node.op_type in _ACTIVATIONS and self.onnx.makers[node.input[0]].op_type != "DequantizeLinear"
        if node.op_type in skipped or fused:
            return
        handler = _HANDLERS.get(node.op_type)
        if handler is None:
            raise _unsupported(node, f"TFLite writer: {node.op_type} stays in float")
        handler(self, node)

    # Windows that slide: convolutions and pools.

    def _padded(self, node, x, fill=None):
        """(input, padding) for a window over tensor `x`; `fill`: the integer to pad with, None: zero."""
        a = _attributes(node)
        height, width = self.out.tensors[x].shape[1:3]
        (kernel, _), (stride, _) = a["kernel_shape"], a["strides"]
        top, left, bottom, right = a["pads"]
        if not any(a["pads"]):
            return x, _VALID
        if _fits_same(height, kernel, stride, top, bottom) and _fits_same(width, kernel, stride, left, right):
            return x, _SAME
        if node.op_type == "AveragePool":
            raise _unsupported(node, "TFLite can't pool averages with this padding")
        rows = [top, _reached(height, kernel, stride, top, bottom)]
        columns = [left, _reached(width, kernel, stride, left, right)]
        pads = [[0, 0], rows, columns, [0, 0]]
        name = node.output[0].removesuffix(".raw")
        padded = self._like(name + ".pad", x, [s + sum(p) for s, p in zip(self.out.tensors[x].shape, pads)])
        amounts = self._constant(name + ".pads", pads)
        quantization = self.out.tensors[x].quantization
        if fill is None or fill == quantization.zeroPoint[0]:
            self._op("PAD", [x, amounts], padded, self._options("Pad"))
        else:
            dtype = np.int16 if self.wide else np.int8
            value = self.out.tensor(
                name + ".fill", [1], dtype, quantization.scale[0], int(quantization.zeroPoint[0]), data=[fill]
            )
            self._op("PADV2", [x, amounts, value], padded, self._options("PadV2"))
        return padded, _VALID

    def _bias(self, node, channels, scales):
        """Integers; those of 16-bit activations are floats in ONNX, which can't dequantize 64 bits."""
        if len(node.input) < 3:
            values = np.zeros(channels)
        elif self.wide:
            values = np.rint(self.onnx.constants[node.input[2]] / scales.astype(np.float64))
        else:
            values = self.onnx.weights(node.input[2])[0]
        dtype = np.int64 if self.wide else np.int32
        return self.out.tensor(node.output[0] + ".bias", [channels], dtype, scales, data=values)

    def _conv(self, node):
        a = _attributes(node)
        weights, scales = self.onnx.weights(node.input[1])
        source = self._read(node.input[0])
        x, padding = self._padded(node, source)
        output, activation = self._result(node)
        channels, group = weights.shape[0], a.get("group", 1)
        window = {"padding": padding, "strideH": a["strides"][0], "strideW": a["strides"][1]}
        window.update(dilationHFactor=1, dilationWFactor=1)
        if group > 1 and weights.shape[1] == 1:
            name, kind, axis, kernel = "DEPTHWISE_CONV_2D", "DepthwiseConv2D", 3, weights.transpose(1, 2, 3, 0)
            window["depthMultiplier"] = channels // group
        else:
            name, kind, axis, kernel = "CONV_2D", "Conv2D", 0, weights.transpose(0, 2, 3, 1)
        kernel = self.out.tensor(node.output[0] + ".weight", kernel.shape, np.int8, scales, axis=axis, data=kernel)
        bias = self._bias(node, channels, scales * self.out.tensors[source].quantization.scale[0])
        self._op(name, [x, kernel, bias], output, self._options(kind, activation, **window))

    def _pool(self, node):
        a = _attributes(node)
        x = self._read(node.input[0])
        lowest = np.iinfo(np.int16 if self.wide else np.int8).min
        kernel, strides = a["kernel_shape"], a["strides"]
        padded, padding = self._padded(node, x, lowest)
        options = self._options(
            "Pool2D", "NONE", padding=padding, strideH=strides[0], strideW=strides[1], filterHeight=kernel[0],
            filterWidth=kernel[1],
        )
        output, _ = self._result(node)
        name = "MAX_POOL_2D" if node.op_type == "MaxPool" else "AVERAGE_POOL_2D"
        if self._same_scale(x, output):
            return self._op(name, [padded], output, options)
        shape = self.out.tensors[output].shape  # pools keep the scale
        pooled = self._like(node.output[0] + ".pooled", x, shape)
        self._op(name, [padded], pooled, options)
        self._op("QUANTIZE", [pooled], output, self._options("Quantize"))

    # The rest.

    def _same_scale(self, a, b):
        first, second = (self.out.tensors[i].quantization for i in (a, b))
        return first.scale[0] == second.scale[0] and first.zeroPoint[0] == second.zeroPoint[0]

    def _add(self, node):
        inputs = [self._read(name) for name in node.input]
        output, activation = self._result(node)
        self._op("ADD", inputs, output, self._options("Add", activation, potScaleInt16=False))

    def _concat(self, node):
        if _attributes(node)["axis"] != 1:
            raise _unsupported(node, "TFLite writer: only channels are concatenated")
        inputs = [self._read(name) for name in node.input]
        output, _ = self._result(node)
        for place, x in enumerate(inputs):  # TFLite's kernel copies
            if not self._same_scale(x, output):
                inputs[place] = self._like(f"{node.output[0]}.input{place}", x, scale_of=output)
                self._op("QUANTIZE", [x], inputs[place], self._options("Quantize"))
        self._op("CONCATENATION", inputs, output, self._options("Concatenation", "NONE", axis=3))

    def _activation(self, node):
        x = self._read(node.input[0])
        output, _ = self._result(node)
        self._op(self._activation_name(node), [x], output)

    def _global_average(self, node):
        x = self._read(node.input[0])
        output, _ = self._result(node)
        axes = self._constant(node.output[0] + ".axes", [1, 2])
        self._op("MEAN", [x, axes], output, self._options("Reducer", keepDims=True))

    def _resize(self, node):
        a = _attributes(node)
        floor = a.get("nearest_mode") == b"floor" and a.get("coordinate_transformation_mode") == b"asymmetric"
        if a.get("mode") != b"nearest" or not floor:
            raise _unsupported(node, "TFLite writer: only nearest neighbours below are resized")
        x = self._read(node.input[0])
        output, _ = self._result(node)
        size = self._constant(node.output[0] + ".size", self.out.tensors[output].shape[1:3])
        options = self._options("ResizeNearestNeighbor", alignCorners=False, halfPixelCenters=False)
        self._op("RESIZE_NEAREST_NEIGHBOR", [x, size], output, options)

    def _reshape(self, node):
        """Flatten: channels, rows, columns in ONNX's order."""
        x = self._read(node.input[0])
        batch, height, width, channels = self.out.tensors[x].shape
        output, _ = self._result(node)
        name = node.output[0].removesuffix(".raw")
        if height * width > 1:
            planes = self._like(name + ".planes", x, [batch, channels, height, width])
            self._op("TRANSPOSE", [x, self._constant(name + ".order", [0, 3, 1, 2])], planes, self._options("Transpose"))
            x = planes
        shape = self.out.tensors[output].shape
        self._op("RESHAPE", [x, self._constant(name + ".shape", shape)], output, self._options("Reshape", newShape=shape))


_HANDLERS = {
    "Add": _Writer._add,
    "AveragePool": _Writer._pool,
    "Clip": _Writer._activation,
    "Concat": _Writer._concat,
    "Conv": _Writer._conv,
    "GlobalAveragePool": _Writer._global_average,
    "MaxPool": _Writer._pool,
    "Relu": _Writer._activation,
    "Reshape": _Writer._reshape,
    "Resize": _Writer._resize,
}


def write(arguments):
    """{"onnx": file, "tflite": file to write} -> {}."""
    schema()
    import onnx

    model = _Writer(onnx.load(arguments["onnx"])).run()
    with open(arguments["tflite"], "wb") as file:
        file.write(model)
    return {}
