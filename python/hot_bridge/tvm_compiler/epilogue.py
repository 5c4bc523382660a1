"""What follows the sums of a convolution: scaling, residual addition, clipping, rounding to 8 bits, all in registers;
and the numbers that it needs, which each layer brings along so that layers of one shape share one kernel.

Integer layers are rounded in float64, as the reference interpreter does it: in float32 some activations of a network
would fall to the other side of a half."""

import numpy as np

from hot_bridge.tvm_compiler.emitter import cast, const, converted, intrinsic, larger, smaller, splat

# Behind the numbers of each channel in a layer's constants. Of integers: in steps from the zero point.
SCALARS = ("low", "high", "zero", "inverse", "first_low", "first_high", "first_ratio", "other_ratio", "other_zero")


def nearest(value, lanes):
    """Floats of 64 bits, in the range of int32, to the nearest integer, half to even."""
    return intrinsic("llvm.lrint", "int32" if lanes == 1 else f"int32x{lanes}", value)


class Constants:
    """A layer's constants: the bias of each channel, of 4 bytes, then scale, shift and SCALARS, of 8 bytes."""

    def __init__(self, emitter, isa, blocks):
        self.emitter, self.isa, self.channels = emitter, isa, blocks * isa.lanes
        self.first = self.channels // 2  # of the doubles
        size = self.first + 2 * self.channels + len(SCALARS)
        pointer = emitter.pointer("constants", "float64")
        self.views = {
            dtype: emitter.view(pointer, dtype, size * times)
            for dtype, times in (("float64", 1), ("float32", 2), ("int32", 2))
        }

    def bias(self, block, dtype):
        return self.emitter.load(self.views[dtype], block * self.isa.lanes, self.isa.lanes)

    def scale(self, block):
        return self._double(block * self.isa.lanes, self.isa.lanes)

    def shift(self, block):
        return self._double(self.channels + block * self.isa.lanes, self.isa.lanes)

    def scalar(self, name, dtype="float64"):
        value = self._double(2 * self.channels + SCALARS.index(name), 1)
        return value if dtype == "float64" else cast(value, dtype)

    def splat(self, name, dtype="float64"):
        return splat(self.scalar(name, dtype), self.isa.lanes)

    def _double(self, index, lanes):
        return self.emitter.load(self.views["float64"], self.first + index, lanes)


def pack_constants(isa, blocks, bias, scale, shift, scalars):
    """Bytes of what Constants reads; `scalars` by name, the others are zero."""
    channels = blocks * isa.lanes
    small, doubles = np.zeros(channels, bias.dtype), np.zeros(2 * channels + len(SCALARS))
    small[: len(bias)] = bias
    doubles[: len(scale)] = scale
    doubles[channels:][: len(shift)] = shift
    for name, value in scalars.items():
        doubles[2 * channels + SCALARS.index(name)] = value
    return small.tobytes() + doubles.tobytes()


class Epilogue:
    """Emits the end of a convolution. `sums` are int32 of an integer convolution, else float32."""

    def __init__(self, emitter, isa, spec, constants, y, residual):
        self.emitter, self.isa, self.spec, self.constants = emitter, isa, spec, constants
        self.y, self.residual = y, residual

    def scales(self, block):
        """What the channels of a block are multiplied by, and what is added."""
        if not self.spec.integer:
            return None
        return self.emitter.let(self.constants.scale(block)), self.emitter.let(self.constants.shift(block))

    def write(self, sums, scales, y_index, residual_index):
        if self.spec.integer:
            value = cast(sums, self._type("float64")) * scales[0] + scales[1]
            dtype = "float64"
        else:
            value, dtype = sums, "float32"
        if self.residual is not None:
            value = self._added(value, residual_index)
        if self.spec.y.is_float:
            if self.spec.clip:
                value = self._clipped(value, dtype)
            self.emitter.store(self.y, y_index, converted(value, self.spec.y.dtype, self.isa.lanes))
            return
        if dtype == "float32":
            value = cast(value, self._type("float64")) * self.constants.splat("inverse")
        self.emitter.store(self.y, y_index, cast(self._stored(value), self._type(self.spec.y.dtype)))

    def _stored(self, steps):
        """Rounded and clipped, from the zero point's steps to what is stored; as int32."""
        lanes = self.isa.lanes
        if self.spec.wide:
            steps = self._clipped(steps, "float64")
        stored = nearest(steps, lanes) + splat(self.constants.scalar("zero", "int32"), lanes)
        if self.spec.clip:
            zero = self.constants.scalar("zero", "int32")
            low, high = (splat(self.constants.scalar(name, "int32") + zero, lanes) for name in ("low", "high"))
        else:  # the compiler knows an instruction that saturates
            low, high = (splat(const(limit, "int32"), lanes) for limit in self.isa.byte_range)
        return smaller(larger(stored, low), high)

    def _type(self, dtype):
        return f"{dtype}x{self.isa.lanes}"

    def _clipped(self, value, dtype, low="low", high="high"):
        return smaller(larger(value, self.constants.splat(low, dtype)), self.constants.splat(high, dtype))

    def _added(self, value, index):
        """An integer convolution's output is rounded before the addition, as the file says."""
        lanes, constants = self.isa.lanes, self.constants
        other = self.emitter.load(self.residual, index, lanes)
        if not self.spec.integer:
            return value + converted(other, "float32", lanes)
        clipped = self._clipped(value, "float64", "first_low", "first_high")
        first = intrinsic("llvm.nearbyint", self._type("float64"), clipped)
        other = cast(cast(other, self._type("int32")), self._type("float64"))
        sum_ = first * constants.splat("first_ratio") + other * constants.splat("other_ratio")
        return sum_ + constants.splat("other_zero")


def fill_halo(emitter, layout, buffer, constants):
    """Writes the halo of a layer's output: zero, or its zero point."""
    top, left, bottom, right = layout.pads
    if not any(layout.pads):
        return
    value = const(0.0, layout.dtype) if layout.is_float else cast(constants.scalar("zero", "int32"), layout.dtype)
    value = splat(value, layout.block)

    def run(start, cells):
        if cells:
            with emitter.loop(cells) as i:
                emitter.store(buffer, start + i * layout.block, value)

    with emitter.loop(layout.blocks) as block:
        run(layout.index(block, -top, -left), top * (layout.row // layout.block))
        run(layout.index(block, layout.height, -left), bottom * (layout.row // layout.block))
        if left or right:
            with emitter.loop(layout.height) as y:
                run(layout.index(block, y, -left), left)
                run(layout.index(block, y, layout.width), right)
