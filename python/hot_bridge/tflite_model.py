"""Builds a TFLite file (schema version 3) out of tensors and operators; the schema's classes come with ai-edge-litert."""

import numpy as np

from hot_bridge.errors import BridgeError, setup_hint

_ALIGNMENT = 16  # of constants, as the schema demands: micro-controllers read them in place


def schema():
    """The generated classes of TFLite's schema."""
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as fault:
        raise BridgeError("UNAVAILABLE", f"LiteRT is not installed: {fault}", setup_hint("--with-vela")) from fault
    return schema_py_generated


def _aligned_buffer(data):
    class AlignedBuffer(schema().BufferT):
        """BufferT.Pack() knows nothing of the schema's force_align."""

        def Pack(self, builder):
            vector = None
            if self.data is not None:
                builder.StartVector(1, len(self.data), _ALIGNMENT)
                builder.head -= len(self.data)
                builder.Bytes[builder.head : builder.head + len(self.data)] = self.data
                vector = builder.EndVector()
            schema().BufferStart(builder)
            if vector is not None:
                schema().BufferAddData(builder, vector)
            return schema().BufferEnd(builder)

    buffer = AlignedBuffer()
    buffer.data = data
    return buffer


class TfliteModel:
    def __init__(self):
        self.tensors = []
        self._buffers = [_aligned_buffer(None)]  # the first means "no data"
        self._operators = []
        self._codes = {}  # (operator, version) -> index

    def tensor(self, name, shape, dtype, scale=None, zero_point=0, axis=0, data=None):
        """Appends one and returns its index. `scale`: a number, or one a channel along `axis`, with zero points of 0."""
        tensor = schema().TensorT()
        tensor.name, tensor.shape, tensor.hasRank = name, [int(side) for side in shape], True
        tensor.type = getattr(schema().TensorType, np.dtype(dtype).name.upper())
        tensor.buffer = 0
        if data is not None:
            tensor.buffer = len(self._buffers)
            self._buffers.append(_aligned_buffer(np.ascontiguousarray(data, dtype).tobytes()))
        if scale is not None:
            tensor.quantization = schema().QuantizationParametersT()
            tensor.quantization.scale = np.atleast_1d(scale).astype(np.float32)
            tensor.quantization.zeroPoint = np.full(tensor.quantization.scale.shape, zero_point, np.int64)
            tensor.quantization.quantizedDimension = axis
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def operator(self, name, version, inputs, output, options=None):
        """Appends one; `name` and `options` are the schema's ("CONV_2D", Conv2DOptionsT)."""
        operator = schema().OperatorT()
        code = getattr(schema().BuiltinOperator, name)
        operator.opcodeIndex = self._codes.setdefault((code, version), len(self._codes))
        operator.inputs, operator.outputs = list(inputs), [output]
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema().BuiltinOptions, kind)
            operator.builtinOptions = options
        self._operators.append(operator)

    def serialize(self, inputs, outputs):
        import flatbuffers

        graph = schema().SubGraphT()
        graph.name, graph.tensors, graph.operators = "main", self.tensors, self._operators
        graph.inputs, graph.outputs = list(inputs), list(outputs)
        model = schema().ModelT()
        model.version, model.description = 3, "HOT"
        model.subgraphs, model.buffers, model.operatorCodes = [graph], self._buffers, []
        for code, version in self._codes:
            entry = schema().OperatorCodeT()
            entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), version
            model.operatorCodes.append(entry)
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
