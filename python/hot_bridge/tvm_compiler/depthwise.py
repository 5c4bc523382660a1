"""Depthwise convolution: a block of channels at a time, some pixels of a row in registers, each loaded column used for
all pixels and kernel columns that need it. Where the processor has a dot product of four bytes, it takes four rows of
the kernel together."""

import numpy as np

from hot_bridge.tvm_compiler.dot import dot4
from hot_bridge.tvm_compiler.emitter import Emitter, cast, const, converted, reinterpret, splat
from hot_bridge.tvm_compiler.epilogue import Constants, Epilogue, fill_halo


class _Depthwise:
    def __init__(self, isa, spec):
        self.isa, self.spec = isa, spec
        self.emitter = e = Emitter()
        self.sums, self.weight_type = ("int32", "int32") if spec.integer else ("float32", spec.x.dtype)
        x, weight = e.pointer("x", spec.x.dtype), e.pointer("weight", self.weight_type)
        self.constants = Constants(e, isa, spec.y.blocks)
        residual = e.pointer("residual", spec.residual.dtype) if spec.residual else None
        y = e.pointer("y", spec.y.dtype)
        self.x = e.view(x, spec.x.dtype, spec.x.elements)
        self.rows = _rows_together(isa, spec)
        self.groups = -(-spec.kernel // self.rows)
        self.weight = e.view(weight, self.weight_type, spec.y.blocks * self.groups * spec.kernel * isa.lanes)
        residual = e.view(residual, spec.residual.dtype, spec.residual.elements) if spec.residual else None
        self.y = e.view(y, spec.y.dtype, spec.y.elements)
        self.epilogue = Epilogue(e, isa, spec, self.constants, self.y, residual)

    def build(self):
        spec, e = self.spec, self.emitter
        fill_halo(e, spec.y, self.y, self.constants)
        pixels = self._pixels()
        whole, rest = divmod(spec.y.width, pixels)
        with e.loop(spec.y.blocks) as block:
            with e.loop(spec.y.height) as y:
                if whole:
                    with e.loop(whole) as x:
                        self._tile(block, y, x * pixels, pixels)
                if rest:
                    self._tile(block, y, whole * pixels, rest)
        return e.function()

    def _pixels(self):
        """Pixels of a tile: half the registers, and little left over at the end of a row."""
        width = self.spec.y.width
        tiles = -(-width // (self.isa.registers // 2 - 2))
        return -(-width // tiles)

    def _tile(self, block, y, x, pixels):
        spec, e, lanes = self.spec, self.emitter, self.isa.lanes
        sums = e.registers(pixels, self.sums, lanes)
        start = e.let(self.constants.bias(block, self.sums))
        for i in range(pixels):
            sums[i] = start
        base = e.let(spec.x.index(block, y * spec.stride - spec.pads[0], x * spec.stride - spec.pads[1]))
        for group in range(self.groups):
            self._rows(sums, base, block, group, pixels)
        scale = self.epilogue.scales(block)
        at = e.let(spec.y.index(block, y, x))
        other = e.let(spec.residual.index(block, y, x)) if spec.residual else None
        for i in range(pixels):
            step = i * lanes
            self.epilogue.write(sums[i], scale, at + step, other + step if spec.residual else None)

    def _rows(self, sums, base, block, group, pixels):
        """Adds the products of some kernel rows, column after column."""
        spec, e, lanes = self.spec, self.emitter, self.isa.lanes
        first = (block * self.groups + group) * spec.kernel
        weights = [
            e.let(converted(e.load(self.weight, (first + kx) * lanes, lanes), self.sums, lanes))
            for kx in range(spec.kernel)
        ]
        for column in range((pixels - 1) * spec.stride + spec.kernel):
            users = [(i, column - i * spec.stride) for i in range(pixels)]
            users = [(i, kx) for i, kx in users if 0 <= kx < spec.kernel]
            if not users:
                continue
            value = e.let(self._column(base + column * lanes, group))
            for i, kx in users:
                if self.rows > 1:
                    sums[i] = dot4(self.isa, sums[i], value, reinterpret(weights[kx], f"int8x{4 * lanes}"))
                else:
                    sums[i] = sums[i] + value * weights[kx]

    def _column(self, index, group):
        """A block's channels in one column: of one row, or of up to four, a byte each of 32 bits."""
        spec, e, lanes = self.spec, self.emitter, self.isa.lanes
        if self.rows == 1:
            value = e.load(self.x, index + group * spec.x.row, lanes)
            return converted(value, self.sums, lanes)
        word = None
        for row in range(min(self.rows, spec.kernel - group * self.rows)):
            byte = e.load(self.x, index + (group * self.rows + row) * spec.x.row, lanes)
            byte = cast(reinterpret(byte, f"uint8x{lanes}"), f"int32x{lanes}")
            word = byte if word is None else word | (byte << splat(const(8 * row, "int32"), lanes))
        return word


def depthwise_function(isa, spec):
    return _Depthwise(isa, spec).build()


def _rows_together(isa, spec):
    """Kernel rows that one product takes: four bytes where there is a dot product of them."""
    return 4 if spec.integer and isa.dot in ("vnni", "sdot") else 1


def pack_depthwise(isa, spec, weight):
    """[channels, 1, k, k] -> [block][rows][kx][channel], integers of 32 bits: of one row, or a byte of each of four."""
    kernel, rows = spec.kernel, _rows_together(isa, spec)
    groups = -(-kernel // rows)
    padded = np.zeros((spec.y.blocks * isa.lanes, groups * rows, kernel), np.int32 if spec.integer else spec.x.dtype)
    padded[: weight.shape[0], :kernel] = weight[:, 0]
    split = padded.reshape(spec.y.blocks, isa.lanes, groups, rows, kernel)
    if rows > 1:
        words = split.astype(np.uint8).astype(np.uint32) << np.arange(0, 8 * rows, 8, np.uint32).reshape(-1, 1)
        split = np.bitwise_or.reduce(words, axis=3, keepdims=True)
    return np.ascontiguousarray(split[:, :, :, 0].transpose(0, 2, 3, 1))
