"""Runs every NAME.onnx and NAME.tflite of a folder on the same pictures; writes deviations.json. See deviation.h."""

import glob
import json
import os
import sys

try:
    import numpy
    import onnxruntime
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError as missing:
    print(missing)
    sys.exit(77)

PICTURES = 4
KERNELS = {"fixed_point": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, "xnnpack": OpResolverType.BUILTIN}


def pictures(detail):
    """Normal values, as the network's integers, NHWC."""
    rng = numpy.random.default_rng(7)
    scale, zero_point = detail["quantization"]
    limits = numpy.iinfo(detail["dtype"])
    for _ in range(PICTURES):
        steps = numpy.rint(rng.standard_normal(detail["shape"]) / scale) + zero_point
        yield numpy.clip(steps, limits.min, limits.max).astype(detail["dtype"])


def litert(path, kernels):
    interpreter = Interpreter(path, experimental_op_resolver_type=kernels, num_threads=1)
    interpreter.allocate_tensors()
    (source,) = interpreter.get_input_details()
    for picture in pictures(source):
        interpreter.set_tensor(source["index"], picture)
        interpreter.invoke()
        yield [interpreter.get_tensor(d["index"]).transpose(0, 3, 1, 2) for d in interpreter.get_output_details()]


def onnx_runtime(path, inputs):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return [session.run(None, {name: picture.transpose(0, 3, 1, 2)}) for picture in inputs]


def deviation(ours, theirs):
    differences = [
        numpy.abs(a.astype(numpy.int64) - b.astype(numpy.int64)).ravel()
        for picture in zip(ours, theirs, strict=True)
        for a, b in zip(*picture, strict=True)
    ]
    steps = numpy.concatenate(differences)
    return {
        "values": int(steps.size),
        "max_lsb": int(steps.max()),
        "mean_lsb": float(steps.mean()),
        "differing": float((steps > 0).mean()),
    }


def main():
    folder, results = sys.argv[1], {}
    for path in sorted(glob.glob(os.path.join(folder, "*.onnx"))):
        tflite = path.removesuffix(".onnx") + ".tflite"
        interpreter = Interpreter(tflite)
        theirs = onnx_runtime(path, pictures(interpreter.get_input_details()[0]))
        name = os.path.basename(path).removesuffix(".onnx")
        results[name] = {kind: deviation(litert(tflite, kernels), theirs) for kind, kernels in KERNELS.items()}
    with open(os.path.join(folder, "deviations.json"), "w", encoding="utf-8") as file:
        json.dump(results, file)


main()
