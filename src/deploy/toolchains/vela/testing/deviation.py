"""Runs every NAME.onnx and NAME.tflite of a folder on the same pictures; writes deviations.json. See deviation.h."""

import glob
import json
import os
import sys
import warnings

try:
    import numpy
    import onnx
    import onnxruntime
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError as missing:
    print(missing)
    sys.exit(77)

PICTURES = 2
KERNELS = {"fixed_point": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, "xnnpack": OpResolverType.BUILTIN}


def pictures(detail):
    """Normal values, as the network's integers, NHWC."""
    rng = numpy.random.default_rng(7)
    scale, zero_point = detail["quantization"]
    limits = numpy.iinfo(detail["dtype"])
    for _ in range(PICTURES):
        steps = numpy.rint(rng.standard_normal(detail["shape"]) / scale) + zero_point
        yield numpy.clip(steps, limits.min, limits.max).astype(detail["dtype"])


def session(model):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def cut(model):
    """The same network, but whoever reads an integer tensor T reads a new input "T.in": one operator at a time."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    types = {value.name: value.type for value in graph.value_info}
    outputs = {value.name for value in graph.output}
    renamed = {}
    for node in list(graph.node):
        node.input[:] = [renamed.get(name, name) for name in node.input]
        if node.op_type == "QuantizeLinear" and node.output[0] not in outputs:
            renamed[node.output[0]] = node.output[0] + ".in"
            graph.output.add(name=node.output[0], type=types[node.output[0]])
            graph.input.add(name=node.output[0] + ".in", type=types[node.output[0]])
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    copy.graph.CopyFrom(graph)
    return copy


class LiteRt:
    def __init__(self, path, kernels):
        self.interpreter = Interpreter(
            path, experimental_op_resolver_type=kernels, experimental_preserve_all_tensors=True, num_threads=1
        )
        self.interpreter.allocate_tensors()
        (self.input,) = self.interpreter.get_input_details()
        self.names = {detail["name"]: detail["index"] for detail in self.interpreter.get_tensor_details()}

    def run(self, picture):
        self.interpreter.set_tensor(self.input["index"], picture)
        self.interpreter.invoke()

    def tensor(self, name):
        return self.interpreter.get_tensor(self.names[name]).transpose(0, 3, 1, 2)


def summary(differences):
    steps = numpy.concatenate([numpy.abs(difference.astype(numpy.int64)).ravel() for difference in differences])
    return {
        "values": int(steps.size),
        "max_lsb": int(steps.max()),
        "mean_lsb": float(steps.mean()),
        "differing": float((steps > 0).mean()),
    }


def deviations(model, tflite):
    """Of the network's outputs, and of every operator's on the inputs that it got from LiteRT."""
    whole, single = session(model), session(cut(model))
    # ONNX's integer tensor -> ours: named after what it rounds.
    ours = {n.output[0]: n.input[0].removesuffix(".raw") for n in model.graph.node if n.op_type == "QuantizeLinear"}
    outputs = [value.name for value in model.graph.output]
    end_to_end, operators = [], []
    for picture in pictures(tflite.input):
        tflite.run(picture)
        source = {whole.get_inputs()[0].name: picture.transpose(0, 3, 1, 2)}
        for name, value in zip(outputs, whole.run(outputs, source), strict=True):
            end_to_end.append(tflite.tensor(ours[name]).astype(numpy.int64) - value)
        for extra in single.get_inputs()[1:]:
            source[extra.name] = tflite.tensor(ours[extra.name.removesuffix(".in")])
        names = [value.name for value in single.get_outputs()]
        for name, value in zip(names, single.run(names, source), strict=True):
            operators.append(tflite.tensor(ours[name]).astype(numpy.int64) - value)
    return {"outputs": summary(end_to_end), "operators": summary(operators)}


def main():
    warnings.simplefilter("ignore")  # of preserved tensors
    folder, results = sys.argv[1], {}
    for path in sorted(glob.glob(os.path.join(folder, "*.onnx"))):
        tflite = path.removesuffix(".onnx") + ".tflite"
        model = onnx.load(path)
        name = os.path.basename(path).removesuffix(".onnx")
        results[name] = {kind: deviations(model, LiteRt(tflite, kernels)) for kind, kernels in KERNELS.items()}
    with open(os.path.join(folder, "deviations.json"), "w", encoding="utf-8") as file:
        json.dump(results, file)


main()
