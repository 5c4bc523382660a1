"""Peers of hot_bench_quantize: post-training quantization by other libraries, and ONNX Runtime as a runtime.

Usage: quantize_peer.py onnxruntime|nncf FLOAT.onnx INPUTS.bin INTEGERS.onnx    prints {"seconds", "version"}
       quantize_peer.py run MODEL.onnx INPUTS.bin OUTPUTS.bin                   prints {"version"}
INPUTS.bin holds float32 network inputs, one after the other; OUTPUTS.bin gets all outputs of each, one after the other.
Seconds: from a file and inputs in memory to a file. Imports are not counted.
"""
import json
import logging
import sys
import time

import numpy as np


def read_inputs(session_inputs, path):
    shape = [dim if isinstance(dim, int) else dim.dim_value for dim in session_inputs]
    return np.fromfile(path, np.float32).reshape(-1, *shape)


def with_onnxruntime(model, inputs, out):
    import onnx
    import onnxruntime
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

    graph = onnx.load(model).graph
    name = graph.input[0].name
    pictures = read_inputs(graph.input[0].type.tensor_type.shape.dim, inputs)

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.rows = iter(pictures)

        def get_next(self):
            row = next(self.rows, None)
            return None if row is None else {name: row[None] if row.ndim == 3 else row}

    start = time.perf_counter()
    quantize_static(model, out, Reader(), quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QInt8,
                    weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax)
    return time.perf_counter() - start, onnxruntime.__version__


def with_nncf(model, inputs, out):
    import nncf
    import onnx

    graph = onnx.load(model)
    name = graph.graph.input[0].name
    pictures = read_inputs(graph.graph.input[0].type.tensor_type.shape.dim, inputs)
    dataset = nncf.Dataset(list(pictures), lambda row: {name: row[None] if row.ndim == 3 else row})
    start = time.perf_counter()
    quantized = nncf.quantize(graph, dataset, subset_size=len(pictures), preset=nncf.QuantizationPreset.MIXED)
    onnx.save(quantized, out)
    return time.perf_counter() - start, nncf.__version__


def run(model, inputs, out):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    spec = session.get_inputs()[0]
    with open(out, "wb") as file:
        for row in read_inputs(spec.shape, inputs):
            for output in session.run(None, {spec.name: row}):
                file.write(np.ascontiguousarray(output, np.float32).tobytes())
    return onnxruntime.__version__


def main():
    mode, model, inputs, out = sys.argv[1:]
    logging.disable(logging.WARNING)
    if mode == "run":
        print("\n" + json.dumps({"version": run(model, inputs, out)}))
        return
    seconds, version = {"onnxruntime": with_onnxruntime, "nncf": with_nncf}[mode](model, inputs, out)
    print("\n" + json.dumps({"seconds": seconds, "version": version}))


if __name__ == "__main__":
    main()
