"""Runs every NAME.tflite of a folder on NAME.in (float32, the network's integers, NCHW) with each of LiteRT's kernels.

Writes every activation, the network's outputs included, as float32 in NCHW into NAME.KERNELS.safetensors. See
litert_tensors.h.
"""

import glob
import json
import os
import struct
import sys
import warnings

try:
    import numpy
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError as missing:
    print(missing)
    sys.exit(77)

KERNELS = {"fixed_point": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, "xnnpack": OpResolverType.BUILTIN}


def activations(stem, kernels):
    """By name, after one run."""
    interpreter = Interpreter(
        stem + ".tflite", experimental_op_resolver_type=kernels, experimental_preserve_all_tensors=True, num_threads=1
    )
    interpreter.allocate_tensors()
    (detail,) = interpreter.get_input_details()
    n, h, w, c = detail["shape"]
    values = numpy.fromfile(stem + ".in", numpy.float32).reshape(n, c, h, w).transpose(0, 2, 3, 1)
    interpreter.set_tensor(detail["index"], values.astype(detail["dtype"]))
    interpreter.invoke()
    indices = {i for operator in interpreter._get_ops_details() for i in operator["outputs"]} | {detail["index"]}
    found = {}
    for tensor in interpreter.get_tensor_details():
        if tensor["index"] in indices and len(tensor["shape"]) == 4:
            found[tensor["name"]] = interpreter.get_tensor(tensor["index"]).transpose(0, 3, 1, 2).astype(numpy.float32)
    return found


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(numpy.ascontiguousarray(values).tobytes())


def main():
    warnings.simplefilter("ignore")  # of preserved tensors
    for path in glob.glob(os.path.join(sys.argv[1], "*.tflite")):
        stem = path.removesuffix(".tflite")
        for name, kernels in KERNELS.items():
            write_safetensors(f"{stem}.{name}.safetensors", activations(stem, kernels))


main()
