"""Exports torchvision's networks with random weights, and runs them: import_export.py FOLDER SITE_PACKAGES.

FOLDER/NAME.onnx, NAME.in (the input, float32) and NAME.out (what ONNX Runtime gives, one output behind the other).
Exit code 77: something is not installed."""

import sys

sys.path.append(sys.argv[2])  # onnx and onnxruntime lie there, beside another torch
try:
    import numpy
    import onnx  # noqa: F401: the exporter needs it
    import onnxruntime
    import torch
    import torchvision
except ImportError as error:
    print(error)
    sys.exit(77)

MODELS = torchvision.models
CASES = {  # name: network, side of the input, opset, batch norm folded
    "mobilenet_v2": (MODELS.mobilenet_v2, 96, 11, True),
    "mobilenet_v2_norm": (MODELS.mobilenet_v2, 96, 17, False),
    "resnet18": (MODELS.resnet18, 96, 18, True),
    "mobilenet_v3_large": (MODELS.mobilenet_v3_large, 96, 17, False),
    "mobilenet_v3_old": (MODELS.mobilenet_v3_small, 96, 13, True),
    "ssdlite": (None, 160, 17, True),
}


class RawHeads(torch.nn.Module):
    """Backbone and heads of an SSDLite, without what makes boxes of their outputs."""

    def __init__(self):
        super().__init__()
        make = MODELS.detection.ssdlite320_mobilenet_v3_large
        self.whole = make(weights=None, weights_backbone=None, num_classes=5)

    def forward(self, x):
        features = list(self.whole.backbone(x).values())
        head = self.whole.head
        outputs = []
        for part in (head.regression_head, head.classification_head):
            outputs += [layer(map) for layer, map in zip(part.module_list, features)]
        return outputs


def shaken(network):
    """With batch norm as after a training."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
    return network.eval()


def export(name, make, side, opset, folded):
    torch.manual_seed(len(name))
    network = shaken(make() if make else RawHeads())
    stem = f"{sys.argv[1]}/{name}"
    image = torch.randn(1, 3, side, side)
    mode = torch.onnx.TrainingMode.EVAL if folded else torch.onnx.TrainingMode.PRESERVE
    torch.onnx.export(network, (image,), stem + ".onnx", dynamo=False, opset_version=opset, training=mode,
                      do_constant_folding=folded)
    image.numpy().tofile(stem + ".in")
    session = onnxruntime.InferenceSession(stem + ".onnx", providers=["CPUExecutionProvider"])
    outputs = session.run(None, {session.get_inputs()[0].name: image.numpy()})
    numpy.concatenate([output.ravel() for output in outputs]).tofile(stem + ".out")
    print(name, sum(parameter.numel() for parameter in network.parameters()))


for case, (make, side, opset, folded) in CASES.items():
    export(case, make, side, opset, folded)
