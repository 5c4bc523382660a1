// The parts of an exported Python file that are the same for every network. Private to pytorch_writer.cpp.
#pragma once

#include <string_view>

namespace hot {

inline constexpr std::string_view kPytorchHead = R"(
Written by `hot export`. The names in the state dict are those that `model.pretrained` of a study understands.

    network = load("weights.safetensors").eval()
    outputs = network(preprocess(pictures))  # pictures: uint8 RGB [n, height, width, 3], already resized to INPUT
"""
import json
import pathlib
import struct

import torch
from torch import nn
from torch.nn import functional as F

)";

inline constexpr std::string_view kPytorchLayers = R"(

class Conv2d(nn.Conv2d):
    """pads: the same on every side, or (left, right, top, bottom)."""

    def __init__(self, c_in, c_out, kernel=1, stride=1, groups=1, bias=False, pads=0):
        even = isinstance(pads, int)
        super().__init__(c_in, c_out, kernel, stride, pads if even else 0, groups=groups, bias=bias)
        self.pads = None if even else pads

    def forward(self, x):
        return super().forward(x if self.pads is None else F.pad(x, self.pads))


class ConvBn(nn.Module):
    """Convolution, batch norm and, unless act is None, an activation."""

    def __init__(self, c_in, c_out, kernel=1, stride=1, groups=1, pads=0, act=None, eps=1e-5):
        super().__init__()
        self.conv = Conv2d(c_in, c_out, kernel, stride, groups, pads=pads)
        self.bn = nn.BatchNorm2d(c_out, eps=eps)
        self.act = act() if act else nn.Identity()

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class Chain(nn.Module):
    """Named layers one behind the other; residual adds the input to the last one's output."""

    def __init__(self, residual=False, **layers):
        super().__init__()
        self.residual = residual
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x):
        y = x
        for layer in self.children():
            y = layer(y)
        return x + y if self.residual else y


class ConvAfter(Conv2d):
    """A convolution that first runs the layers below its name."""

    def __init__(self, layers, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x):
        for layer in self.children():
            x = layer(x)
        return super().forward(x)


class Linear(nn.Linear):
    """On 1x1 maps."""

    def forward(self, x):
        return super().forward(x.flatten(1))[:, :, None, None]
)";

inline constexpr std::string_view kPytorchTail = R"(

def preprocess(pictures):
    """uint8 RGB [n, height, width, 3] -> float [n, 3, height, width]."""
    mean, stddev = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STDDEV))
    return (pictures.permute(0, 3, 1, 2).float() / 255 - mean) / stddev


def load(path, network=None):
    """Reads a safetensors file of float32 into a network, by default a new one."""
    network = Network() if network is None else network
    data = bytearray(pathlib.Path(path).read_bytes())
    size = 8 + struct.unpack("<Q", data[:8])[0]
    state = {}
    for name, entry in json.loads(data[8:size]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = torch.frombuffer(data, dtype=torch.float32, offset=size + begin, count=(end - begin) // 4)
            state[name] = values.reshape(entry["shape"])
    network.load_state_dict(state)
    return network


if __name__ == "__main__":
    with torch.no_grad():
        for output_name, output in zip(OUTPUTS, load(pathlib.Path(__file__).with_name("weights.safetensors")).eval()(
                torch.zeros(1, *INPUT))):
            print(output_name, tuple(output.shape))
)";

}  // namespace hot
