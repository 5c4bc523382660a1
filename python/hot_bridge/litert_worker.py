"""LiteRT: runs TFLite files on this machine's CPU, in integers. Inputs and outputs are float tensors in NCHW."""

import os

import numpy as np

from hot_bridge.errors import BridgeError, setup_hint

_KEPT = 4  # interpreters
_MOVES_DATA = ("PAD", "PADV2", "RESHAPE", "TRANSPOSE")
_KINDS = {"CONV_2D": "Convolution", "DEPTHWISE_CONV_2D": "Convolution"}  # as other toolchains say
_interpreters = {}  # (file, time of change, size) -> interpreter, oldest first


def check_file(path):
    """An interpreter, not yet ready, of what is whole. It keeps LiteRT's own integer kernels: XNNPACK's round as float
    arithmetic does, an NPU in fixed point, as these.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError as fault:
        raise BridgeError("UNAVAILABLE", f"LiteRT is not installed: {fault}", setup_hint("--with-vela")) from fault
    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        return Interpreter(path, experimental_op_resolver_type=kernels, num_threads=1)
    except (ValueError, RuntimeError) as fault:
        raise BridgeError("DATA_LOSS", f"is no TFLite model: {' '.join(str(fault).split())}") from fault


def _load(path):
    interpreter = check_file(path)
    try:
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as fault:
        raise BridgeError("DATA_LOSS", f"LiteRT can't run it: {' '.join(str(fault).split())}") from fault
    return interpreter


def _interpreter(path):
    state = os.stat(path)
    key = (path, state.st_mtime_ns, state.st_size)
    if key not in _interpreters:
        while len(_interpreters) >= _KEPT:
            del _interpreters[next(iter(_interpreters))]
        _interpreters[key] = _load(path)
    return _interpreters[key]


def _quantized(values, detail):
    """As the reference interpreter: the quotient in float64, to nearest, ties to even, saturated."""
    scale, zero_point = detail["quantization"]
    limits = np.iinfo(detail["dtype"])
    steps = np.rint(values.astype(np.float64) / scale) + zero_point
    return np.clip(steps, limits.min, limits.max).astype(detail["dtype"])


def _dequantized(values, detail):
    scale, zero_point = detail["quantization"]
    return (values.astype(np.int32) - zero_point).astype(np.float32) * np.float32(scale)


def _nchw(shape):
    return [int(shape[i]) for i in (0, 3, 1, 2)]


def _layers(interpreter):
    """{"Convolution stem.conv": "i8"}: what computes, by the name of its output."""
    tensors = {detail["index"]: detail for detail in interpreter.get_tensor_details()}
    layers = {}
    for operator in interpreter._get_ops_details():
        if operator["op_name"] not in _MOVES_DATA:
            output = tensors[operator["outputs"][0]]
            kind = _KINDS.get(operator["op_name"], operator["op_name"])
            layers[f"{kind} {output['name']}"] = f"i{8 * np.dtype(output['dtype']).itemsize}"
    return layers


def load(arguments):
    """{"tflite": file} -> {"inputs": [{"name", "shape"}], "outputs": [...], "layers": {layer: precision}}, in NCHW."""
    interpreter = _interpreter(arguments["tflite"])
    described = {"layers": _layers(interpreter)}
    for key, details in (("inputs", interpreter.get_input_details()), ("outputs", interpreter.get_output_details())):
        described[key] = [{"name": detail["name"], "shape": _nchw(detail["shape"])} for detail in details]
    return described


def run(arguments):
    """{"tflite": file, "inputs": [file of float32], "outputs": [file to write]} -> {}."""
    interpreter = _interpreter(arguments["tflite"])
    for path, detail in zip(arguments["inputs"], interpreter.get_input_details(), strict=True):
        values = np.fromfile(path, np.float32).reshape(_nchw(detail["shape"])).transpose(0, 2, 3, 1)
        interpreter.set_tensor(detail["index"], _quantized(values, detail))
    interpreter.invoke()
    for path, detail in zip(arguments["outputs"], interpreter.get_output_details(), strict=True):
        values = _dequantized(interpreter.get_tensor(detail["index"]), detail)
        np.ascontiguousarray(values.transpose(0, 3, 1, 2)).tofile(path)
    return {}
