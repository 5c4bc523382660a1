"""What is executed: layouts of all values, the steps with their constants, and one arena in which values share memory
when their lives do not overlap. All is known before the first inference, so nothing is allocated during one."""

import math
from dataclasses import dataclass, field

import numpy as np

from hot_bridge.errors import BridgeError
from hot_bridge.tvm_compiler.conv import ConvSpec, pack_conv
from hot_bridge.tvm_compiler.depthwise import pack_depthwise
from hot_bridge.tvm_compiler.epilogue import pack_constants
from hot_bridge.tvm_compiler.layout import Layout
from hot_bridge.tvm_compiler.simple import Operand, SimpleSpec

ALIGNMENT = 64  # of every tensor and constant: a line of the cache
_CONVOLUTIONS = ("conv", "depthwise")
_PRECISIONS = {"float32": "f32", "float16": "f16", "int8": "i8"}


@dataclass(frozen=True)
class DepthwiseSpec(ConvSpec):
    """A depthwise convolution is described by the same facts, but another kernel executes it."""


@dataclass
class Step:
    layer: str  # its name in the network
    op: str
    precision: str  # of what is multiplied: "f32", "f16" (with sums in float32), "i8"
    spec: object
    inputs: list  # names of values; of the residual, too
    output: str
    constants: list = field(default_factory=list)  # bytes: weights, then what Constants reads


@dataclass
class Plan:
    steps: list
    layouts: dict  # value name -> Layout; network inputs and outputs as "in:NAME", "out:NAME"
    offsets: dict  # value name -> bytes from the arena's begin
    arena_bytes: int = 0
    live_bytes: int = 0  # most bytes that are needed at any one step: no plan has a smaller arena
    timed: tuple = (0, 0)  # steps that count when the network is timed


def aligned(size):
    return -(-size // ALIGNMENT) * ALIGNMENT


def _place(sizes, lives):
    """Greedy by size (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020): the
    largest first, each into the smallest gap between those whose lives overlap with its own."""
    offsets = {}
    for name in sorted(sizes, key=lambda one: (-sizes[one], one)):
        first, last = lives[name]
        taken = sorted(
            (offsets[other], offsets[other] + sizes[other])
            for other in offsets
            if lives[other][0] <= last and first <= lives[other][1]
        )
        best, best_gap, end = None, math.inf, 0
        for low, high in taken:
            if sizes[name] <= low - end < best_gap:
                best, best_gap = end, low - end
            end = max(end, high)
        offsets[name] = end if best is None else best
    return offsets


class _Planner:
    def __init__(self, isa, network, part):
        self.isa, self.network, self.values = isa, network, network.values
        self.readers = {}
        for layer in network.layers:
            for name in layer.inputs + ([layer.residual] if layer.residual else []):
                self.readers.setdefault(name, []).append(layer)
        self.layouts, self.steps = {}, []
        self.part = part

    def run(self):
        for name in self.network.inputs:
            self._add_input(name)
        first = len(self.steps) if self.part else 0
        for layer in self.network.layers:
            if layer.output not in self.layouts:  # else its input's step has done it
                self.layouts[layer.output] = self._layout(layer.output)
                self.steps.append(self._convolution(layer) if layer.op in _CONVOLUTIONS else self._simple(layer))
        last = len(self.steps)
        for name in self.network.outputs:
            self._add_output(name)
        return self._planned((first, last) if self.part else (0, len(self.steps)))

    def _stored(self, value):
        return self.isa.byte if value.dtype == "int8" else value.dtype

    def _plain(self, value):
        """NCHW, as the outside has it: integers keep their sign, halves are floats."""
        return Layout(*value.shape, block=1, dtype="float32" if value.dtype == "float16" else value.dtype)

    def _layout(self, name, block=None):
        value = self.values[name]
        pads = [0, 0, 0, 0]
        for layer in self.readers.get(name, []):
            if layer.op in _CONVOLUTIONS and layer.inputs[0] == name:
                pads = [max(pad) for pad in zip(pads, layer.pads)]
        return Layout(*value.shape, block or self.isa.lanes, self._stored(value), tuple(pads))

    def _zero(self, value):
        return value.zero_point + (self.isa.offset if value.dtype == "int8" else 0)

    def _operand(self, name):
        value = self.values[name]
        return Operand(self.layouts[name], value.scale, self._zero(value))

    def _add_input(self, name):
        """Packs an input, rounding it on the way where only its integers are read. A picture's few channels are not
        padded to a whole block: the first convolution reads them as they are."""
        readers = self.readers.get(name, [])
        target = name
        if len(readers) == 1 and readers[0].op == "convert" and name not in self.network.outputs:
            target = readers[0].output
        value, readers = self.values[target], self.readers.get(target, [])
        few = value.shape[0] <= 4 and all(layer.op == "conv" and layer.residual != target for layer in readers)
        block = None if not few else (4 if value.dtype == "int8" else 1)
        outside = "in:" + name
        self.layouts[outside], self.layouts[target] = self._plain(self.values[name]), self._layout(target, block)
        given = self.values[name]
        source = Operand(self.layouts[outside], given.scale, given.zero_point)
        spec = SimpleSpec("pack", (source,), self._operand(target))
        self.steps.append(Step(name, "pack", self._precision(target), spec, [outside], target))

    def _add_output(self, name):
        value, outside = self.values[name], "out:" + name
        self.layouts[outside] = self._plain(value)
        spec = SimpleSpec(
            "unpack", (self._operand(name),), Operand(self.layouts[outside], value.scale, value.zero_point)
        )
        self.steps.append(Step(name, "unpack", self._precision(name), spec, [name], outside))

    def _precision(self, name):
        return _PRECISIONS[self.values[name].dtype]

    def _simple(self, layer):
        spec = SimpleSpec(
            layer.op, tuple(self._operand(name) for name in layer.inputs), self._operand(layer.output),
            layer.kernel, layer.stride, tuple(layer.pads[:2]), layer.clip,
        )
        return Step(layer.name, layer.op, self._precision(layer.inputs[0]), spec, layer.inputs, layer.output)

    def _convolution(self, layer):
        integer = layer.weight.dtype == np.int8
        y = self.layouts[layer.output]
        scalars = self._scalars(layer)
        if y.is_float:
            clip = layer.clip != (-math.inf, math.inf)
        else:
            clip = (scalars["low"] + scalars["zero"], scalars["high"] + scalars["zero"]) != self.isa.byte_range
        none = np.zeros(0)
        bias, scale, shift = self._integer_sums(layer) if integer else (layer.bias, none, none)
        largest = np.abs(layer.weight.astype(np.float64)).sum(axis=(1, 2, 3)) * 255
        wide = not integer or bool((largest * scale + np.abs(shift)).max() >= 2**31)
        kind = ConvSpec if layer.op == "conv" else DepthwiseSpec
        spec = kind(
            integer, self.layouts[layer.inputs[0]], y, self.layouts.get(layer.residual), layer.kernel, layer.stride,
            tuple(layer.pads[:2]), clip, wide,
        )
        pack = pack_conv if layer.op == "conv" else pack_depthwise
        constants = pack_constants(self.isa, y.blocks, bias, scale, shift, scalars)
        inputs = layer.inputs + ([layer.residual] if layer.residual else [])
        return Step(
            layer.name, layer.op, _PRECISIONS[str(layer.weight.dtype)], spec, inputs, layer.output,
            [pack(self.isa, spec, layer.weight).tobytes(), constants],
        )

    def _integer_sums(self, layer):
        """(bias, scale, shift): sum((x - z) w) = sum(x w) - z sum(w), whose last term is the bias; sum * scale + shift
        is in steps of what is written, or real."""
        x, y = self.values[layer.inputs[0]], layer.before_residual or self.values[layer.output]
        bias = -self._zero(x) * layer.weight.astype(np.int64).sum(axis=(1, 2, 3))
        step = float(np.float32(y.scale)) if y.dtype == "int8" else 1.0
        scale = layer.weight_scale.astype(np.float64) * float(np.float32(x.scale)) / step
        shift = layer.bias.astype(np.float64) * layer.bias_scale.astype(np.float64) / step
        return bias.astype(np.int32), np.broadcast_to(scale, layer.bias.shape), shift

    def _scalars(self, layer):
        y = self.values[layer.output]
        low, high = layer.clip
        if y.dtype != "int8":
            big = float(np.finfo(np.float32).max)
            return {"low": max(low, -big), "high": min(high, big)}
        step = float(np.float32(y.scale))

        def steps(value, real):
            return float(np.clip(np.rint(real / value.scale), -128 - value.zero_point, 127 - value.zero_point))

        scalars = {"low": steps(y, low), "high": steps(y, high), "zero": self._zero(y), "inverse": 1 / step}
        if layer.residual:
            first, other = layer.before_residual, self.values[layer.residual]
            ratio = other.scale / step
            scalars |= {"first_low": steps(first, -math.inf), "first_high": steps(first, math.inf)}
            scalars |= {"first_ratio": first.scale / step, "other_ratio": ratio}
            scalars["other_zero"] = -self._zero(other) * ratio
        return scalars

    def _planned(self, timed):
        lives = {}
        for place, step in enumerate(self.steps):
            for name in [*step.inputs, step.output]:
                lives[name] = (lives.get(name, (place,))[0], place)
        for step in self.steps[: timed[0]]:  # what is packed once must last for all runs
            lives[step.output] = (0, len(self.steps))
        sizes = {name: aligned(self.layouts[name].bytes) for name in lives if ":" not in name}
        offsets = _place(sizes, lives)
        arena = max((offsets[name] + sizes[name] for name in sizes), default=0)
        live = max(
            sum(size for name, size in sizes.items() if lives[name][0] <= place <= lives[name][1])
            for place in range(len(self.steps))
        )
        return Plan(self.steps, self.layouts, offsets, arena, live, timed)


def make_plan(isa, network, part=False):
    """`part`: of a part of a network, timed without packing and unpacking, which it would not need inside one."""
    return _Planner(isa, network, part).run()
