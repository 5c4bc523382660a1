"""Layers that are no convolutions. All compute in floats: integers are dequantized when they are loaded and rounded
when they are stored, in float64 like the reference interpreter, which costs little next to the convolutions."""

import math
from dataclasses import dataclass

from tvm import tirx

from hot_bridge.tvm_compiler.emitter import Emitter, cast, const, converted, larger, smaller, splat_const
from hot_bridge.tvm_compiler.epilogue import nearest
from hot_bridge.tvm_compiler.layout import Layout


@dataclass(frozen=True)
class Operand:
    """A tensor and, where it holds integers, real = scale * (stored - zero)."""

    layout: Layout
    scale: float = 1.0
    zero: int = 0


@dataclass(frozen=True)
class SimpleSpec:
    op: str
    inputs: tuple  # of Operand
    output: Operand
    kernel: int = 1
    stride: int = 1
    pads: tuple = (0, 0)
    clip: tuple = (-math.inf, math.inf)


def _fill(value, lanes, dtype):
    return splat_const(value, dtype, lanes) if lanes > 1 else const(value, dtype)


def _type(dtype, lanes):
    return f"{dtype}x{lanes}" if lanes > 1 else dtype


class _Access:
    """Loads floats of type `real` from, and stores them to, a tensor of any type."""

    def __init__(self, emitter, operand, name, real):
        self.emitter, self.operand, self.layout, self.real = emitter, operand, operand.layout, real
        self.integer = not operand.layout.is_float
        self.pointer = emitter.pointer(name, operand.layout.dtype)
        self.buffer = emitter.view(self.pointer, operand.layout.dtype, operand.layout.elements)

    def words(self):
        """The same bytes as numbers of 32 bits."""
        return self.emitter.view(self.pointer, "int32", self.layout.elements // 4)

    def _fill(self, value, lanes):
        return _fill(float(value), lanes, self.real)

    def load(self, index, lanes):
        value = self.emitter.load(self.buffer, index, lanes)
        if self.integer:
            value = cast(cast(value, _type("int32", lanes)), _type(self.real, lanes))
            return (value - self._fill(self.operand.zero, lanes)) * self._fill(self.operand.scale, lanes)
        return converted(value, self.real, lanes)

    def rounded(self, value, lanes):
        """The integer that is kept of a float, as int32: rounded half to even, clipped to the type."""
        low, high = (0, 255) if self.layout.dtype == "uint8" else (-128, 127)
        zero = self.operand.zero
        steps = tirx.Div(value, self._fill(self.operand.scale, lanes))
        steps = smaller(larger(steps, self._fill(low - zero, lanes)), self._fill(high - zero, lanes))
        return nearest(steps, lanes) + _fill(zero, lanes, "int32")

    def store(self, index, value, lanes):
        if self.integer:
            value = cast(self.rounded(value, lanes), _type(self.layout.dtype, lanes))
        else:
            value = converted(value, self.layout.dtype, lanes)
        self.emitter.store(self.buffer, index, value)


class _Simple:
    def __init__(self, isa, spec):
        self.isa, self.spec, self.emitter = isa, spec, Emitter()
        operands = [*spec.inputs, spec.output]
        integer = not all(operand.layout.is_float for operand in operands)
        self.real = "float64" if integer and spec.op not in ("sigmoid", "softmax") else "float32"
        self.inputs = [_Access(self.emitter, operand, f"x{i}", self.real) for i, operand in enumerate(spec.inputs)]
        self.y = _Access(self.emitter, spec.output, "y", self.real)
        self.x = self.inputs[0]

    def _fill(self, value, lanes):
        return _fill(value, lanes, self.real)

    def build(self):
        self._halo()
        getattr(self, "_" + self.spec.op)()
        return self.emitter.function()

    def _halo(self):
        """Zeroes the whole output first where it has a halo: few of these layers feed a padded convolution."""
        layout = self.y.layout
        if any(layout.pads):
            with self.emitter.loop(layout.elements // layout.block) as i:
                self.y.store(i * layout.block, self._fill(0.0, layout.block), layout.block)

    def _each(self, layout, body):
        """body(block, y, x) for every pixel of every block."""
        e = self.emitter
        with e.loop(layout.blocks) as block, e.loop(layout.height) as y, e.loop(layout.width) as x:
            body(block, y, x)

    def _vectors(self, value_at):
        lanes, layout = self.isa.lanes, self.y.layout
        self._each(layout, lambda *at: self.y.store(layout.index(*at), value_at(*at), lanes))

    def _loaded(self, access, block, y, x):
        return access.load(access.layout.index(block, y, x), self.isa.lanes)

    def _clipped(self, value):
        (low, high), lanes = self.spec.clip, self.isa.lanes
        if low > -math.inf:
            value = larger(value, self._fill(low, lanes))
        return smaller(value, self._fill(high, lanes)) if high < math.inf else value

    def _add(self):
        def value(*at):
            return self._clipped(self._loaded(self.inputs[0], *at) + self._loaded(self.inputs[1], *at))

        self._vectors(value)

    def _convert(self):
        self._vectors(lambda *at: self._clipped(self._loaded(self.x, *at)))

    _clip = _convert

    def _sigmoid(self):
        lanes = self.isa.lanes
        one = self._fill(1.0, lanes)

        def value(*at):
            return tirx.Div(one, one + tirx.exp(self._fill(0.0, lanes) - self._loaded(self.x, *at)))

        self._vectors(value)

    def _upsample(self):
        factor = self.spec.stride

        def value(block, y, x):
            return self._loaded(self.x, block, tirx.floordiv(y, factor), tirx.floordiv(x, factor))

        self._vectors(value)

    def _window(self, y, x, visit):
        """visit(input row, input column) for the cells of a pool's window that lie inside the picture."""
        spec, e, layout = self.spec, self.emitter, self.x.layout
        with e.loop(spec.kernel) as ky:
            row = e.let(y * spec.stride + (ky - spec.pads[0]))
            with e.when(tirx.And(row >= 0, row < layout.height)):
                with e.loop(spec.kernel) as kx:
                    column = e.let(x * spec.stride + (kx - spec.pads[1]))
                    with e.when(tirx.And(column >= 0, column < layout.width)):
                        visit(row, column)

    def _max_pool(self):
        e, lanes = self.emitter, self.isa.lanes

        def pixel(block, y, x):
            best = e.registers(1, self.real, lanes)
            best[0] = self._fill(-3.0e38, lanes)

            def visit(row, column):
                best[0] = larger(best[0], self._loaded(self.x, block, row, column))

            self._window(y, x, visit)
            self.y.store(self.y.layout.index(block, y, x), best[0], lanes)

        self._each(self.y.layout, pixel)

    def _average_pool(self):
        e, lanes = self.emitter, self.isa.lanes

        def pixel(block, y, x):
            total, cells = e.registers(1, self.real, lanes), e.registers(1, self.real, lanes)
            total[0], cells[0] = self._fill(0.0, lanes), self._fill(0.0, lanes)

            def visit(row, column):
                total[0] = total[0] + self._loaded(self.x, block, row, column)
                cells[0] = cells[0] + self._fill(1.0, lanes)

            self._window(y, x, visit)
            self.y.store(self.y.layout.index(block, y, x), tirx.Div(total[0], cells[0]), lanes)

        self._each(self.y.layout, pixel)

    def _global_average(self):
        e, lanes, layout = self.emitter, self.isa.lanes, self.x.layout
        with e.loop(layout.blocks) as block:
            total = e.registers(1, self.real, lanes)
            total[0] = self._fill(0.0, lanes)
            with e.loop(layout.height) as y, e.loop(layout.width) as x:
                total[0] = total[0] + self._loaded(self.x, block, y, x)
            mean = tirx.Div(total[0], self._fill(float(layout.height * layout.width), lanes))
            self.y.store(self.y.layout.index(block, 0, 0), mean, lanes)

    def _channel(self, layout, c, y, x):
        """Index of one channel's number."""
        return layout.index(tirx.floordiv(c, layout.block), y, x) + tirx.floormod(c, layout.block)

    def _copy_channels(self, access, first):
        """Copies an input's channels to those of the output from `first` on, one at a time."""
        e, layout, out = self.emitter, access.layout, self.y.layout
        with e.loop(layout.channels) as c, e.loop(layout.height) as y, e.loop(layout.width) as x:
            value = access.load(self._channel(layout, c, y, x), 1)
            self.y.store(self._channel(out, c + first, y, x), value, 1)

    def _concat(self):
        """By blocks where the channels before fill whole blocks, else by channels; what is left of the last is zero."""
        e, lanes, out, first = self.emitter, self.isa.lanes, self.y.layout, 0
        if out.channels % lanes:
            with e.loop(out.height) as y, e.loop(out.width) as x:
                self.y.store(out.index(out.blocks - 1, y, x), self._fill(0.0, lanes), lanes)
        for access in self.inputs:
            whole = first % lanes == 0 and access.layout.channels % lanes == 0
            if whole:
                self._copy_blocks(access, first // lanes)
            else:
                self._copy_channels(access, first)
            first += access.layout.channels

    def _copy_blocks(self, access, first):
        lanes = self.isa.lanes

        def pixel(block, y, x):
            self.y.store(self.y.layout.index(block + first, y, x), self._loaded(access, block, y, x), lanes)

        self._each(access.layout, pixel)

    def _flatten(self):
        e, layout, lanes = self.emitter, self.x.layout, self.isa.lanes
        self.y.store(self.y.layout.elements - lanes, self._fill(0.0, lanes), lanes)
        with e.loop(layout.channels) as c, e.loop(layout.height) as y, e.loop(layout.width) as x:
            value = self.x.load(self._channel(layout, c, y, x), 1)
            self.y.store((c * layout.height + y) * layout.width + x, value, 1)

    def _softmax(self):
        e, layout = self.emitter, self.x.layout

        def over_channels(body):
            with e.loop(layout.channels) as c:
                body(c)

        with e.loop(layout.height) as y, e.loop(layout.width) as x:
            best, total = e.registers(1, self.real, 1), e.registers(1, self.real, 1)
            best[0], total[0] = self._fill(-3.0e38, 1), self._fill(0.0, 1)

            def value(c):
                return self.x.load(self._channel(layout, c, y, x), 1)

            def find_best(c):
                best[0] = larger(best[0], value(c))

            def add(c):
                one = e.let(tirx.exp(value(c) - best[0]))
                self.y.store(self._channel(self.y.layout, c, y, x), one, 1)
                total[0] = total[0] + one

            def divide(c):
                at = self._channel(self.y.layout, c, y, x)
                self.y.store(at, tirx.Div(self.y.load(at, 1), total[0]), 1)

            for body in (find_best, add, divide):
                over_channels(body)

    def _unpack(self):
        """From our layout to NCHW, an output of the network."""
        e, layout, out = self.emitter, self.x.layout, self.y.layout
        with e.loop(layout.channels) as c, e.loop(layout.height) as y, e.loop(layout.width) as x:
            self.y.store(out.index(c, y, x), self.x.load(self._channel(layout, c, y, x), 1), 1)

    def _pack(self):
        """From NCHW, an input of the network, to our layout."""
        out = self.y.layout
        whole, rest = divmod(out.channels, out.block)
        if whole:
            with self.emitter.loop(whole) as block:
                self._pack_block(block, out.block)
        if rest:
            self._pack_block(whole, rest)

    def _pack_block(self, block, channels):
        e, out, lanes = self.emitter, self.y.layout, self.isa.lanes
        whole, rest = divmod(out.width, lanes)
        with e.loop(out.height) as y:
            if whole:
                with e.loop(whole) as x:
                    self._pack_pixels(block, channels, y, x * lanes, lanes)
            if rest:
                with e.loop(rest) as x:
                    self._pack_pixels(block, channels, y, x + whole * lanes, 1)

    def _pack_pixels(self, block, channels, y, x, count):
        """All channels of a block in `count` neighbouring pixels; zero behind the last channel."""
        e, out = self.emitter, self.y.layout
        at = e.let(out.index(block, y, x))
        planes = [e.let(self.x.load(self.x.layout.index(block * out.block + c, y, x), count)) for c in range(channels)]
        planes += [self._fill(0.0, count)] * (out.block - channels)
        if out.block == 1:
            self.y.store(at, planes[0], count)
        elif out.block == 4 and self.y.integer:
            self._store_words(at, planes, count)
        else:
            for c, plane in enumerate(planes):
                for i in range(count):
                    self.y.store(at + i * out.block + c, tirx.Shuffle([plane], [i]) if count > 1 else plane, 1)

    def _store_words(self, at, planes, count):
        """Four channels of 8 bits as one number of 32 bits."""
        word = None
        for c, plane in enumerate(planes):
            byte = self.y.rounded(plane, count) & _fill(0xFF, count, "int32")
            word = byte if word is None else word | (byte << _fill(8 * c, count, "int32"))
        self.emitter.store(self.y.words(), tirx.floordiv(at, 4), word)


def simple_function(isa, spec):
    return _Simple(isa, spec).build()
