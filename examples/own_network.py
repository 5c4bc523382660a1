"""Writes a network of PyTorch's as hot import reads it: own_network.py [FILE.onnx [WEIGHTS]].

torchvision's MobileNetV2 for 10 classes stands for a network of your own. It has the ImageNet weights that torchvision
downloads or, with WEIGHTS, those of a folder with manifest.json and weights.bin (docs/pretrained.md) whose tensors come in
torchvision's order. Needs torch, torchvision and onnx. Then: hot import FILE.onnx --out imported"""

import json
import pathlib
import sys

import numpy
import torch
import torchvision


def read_folder(network, folder):
    """Replaces all but the classifier, tensor by tensor."""
    manifest = json.loads((folder / "manifest.json").read_text())
    raw = (folder / "weights.bin").read_bytes()
    state = network.state_dict()
    names = [name for name in state if not name.startswith("classifier") and not name.endswith("num_batches_tracked")]
    for name, tensor in zip(names, manifest["tensors"], strict=True):
        values = numpy.frombuffer(raw, "<f4", tensor["bytes"] // 4, tensor["offset"])
        if list(state[name].shape) != tensor["shape"]:
            sys.exit(f"{folder}: {tensor['name']} does not fit {name}")
        state[name] = torch.from_numpy(values.reshape(tensor["shape"]).copy())
    network.load_state_dict(state)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = manifest.get("bn_eps", module.eps)


file = sys.argv[1] if len(sys.argv) > 1 else "own_network.onnx"
own_weights = len(sys.argv) > 2
network = torchvision.models.mobilenet_v2(weights=None if own_weights else "DEFAULT")
network.classifier[1] = torch.nn.Linear(network.last_channel, 10)
if own_weights:
    read_folder(network, pathlib.Path(sys.argv[2]))
# Batch norm is kept, not folded: a study that trains needs it (docs/import.md).
torch.onnx.export(network.eval(), (torch.randn(1, 3, 160, 160),), file, dynamo=False,
                  training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
