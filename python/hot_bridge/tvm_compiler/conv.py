"""Dense convolution, 1x1 to any square kernel, as a matrix product without im2col: a tile of pixels times a tile of
output channel blocks stays in registers while the input channels and the kernel's cells go by (Georganas et al.,
"Anatomy of High-Performance Deep Learning Convolutions on SIMD Architectures", SC 2018). Halves become floats on their
way: weights when they are loaded, a tile's pixels once for all channels that are computed from them."""

from dataclasses import dataclass

import numpy as np

from hot_bridge.tvm_compiler.dot import dot4
from hot_bridge.tvm_compiler.emitter import Emitter, converted, splat
from hot_bridge.tvm_compiler.epilogue import Constants, Epilogue, fill_halo
from hot_bridge.tvm_compiler.layout import BYTES, Layout


@dataclass(frozen=True)
class ConvSpec:
    """All that the code depends on: layers of one spec share a kernel."""

    integer: bool
    x: Layout
    y: Layout
    residual: Layout = None
    kernel: int = 1
    stride: int = 1
    pads: tuple = (0, 0)  # top, left
    clip: bool = False  # whether outputs are clipped more than their type does
    wide: bool = False  # whether scaled sums may leave the range of int32

    @property
    def depth(self):
        """Multiplications for an output, channels padded."""
        return self.x.blocks * self.x.block * self.kernel**2

    @property
    def weight_type(self):
        return "int8" if self.integer else self.x.dtype


def choose_tile(isa, width, blocks):
    """(pixels, blocks) of a register tile: the fewest cycles for all tiles of a row, at two loads and two products a
    cycle; what is left over is a smaller tile."""
    best, best_cost = None, None
    for columns in range(1, min(blocks, 6) + 1):
        for pixels in range(1, min(width, 24) + 1):
            if pixels * columns + columns + 2 > isa.registers:
                continue
            cost = 0
            for p, times_p in ((pixels, width // pixels), (width % pixels, 1)):
                for c, times_c in ((columns, blocks // columns), (blocks % columns, 1)):
                    if p and c:
                        cost += times_p * times_c * max(p * c, p + c, 8)  # 8: latency of a sum that waits for itself
            if best_cost is None or cost < best_cost or (cost == best_cost and pixels * columns > best[0] * best[1]):
                best, best_cost = (pixels, columns), cost
    return best


def _chunk(pixels, width_bytes, budget):
    """How many pixels to take at a time so that their inputs stay in the first cache: a divisor of `pixels`."""
    fitting = [n for n in range(1, pixels + 1) if pixels % n == 0 and n * width_bytes <= budget]
    return max(fitting, default=1)


class _Conv:
    def __init__(self, isa, spec):
        self.isa, self.spec = isa, spec
        self.emitter = e = Emitter()
        x, weight = e.pointer("x", spec.x.dtype), e.pointer("weight", spec.weight_type)
        self.constants = Constants(e, isa, spec.y.blocks)
        residual = e.pointer("residual", spec.residual.dtype) if spec.residual else None
        y = e.pointer("y", spec.y.dtype)
        self.x = e.view(x, "int32", spec.x.elements // 4) if spec.integer else e.view(x, spec.x.dtype, spec.x.elements)
        self.weight = e.view(weight, spec.weight_type, spec.y.blocks * isa.lanes * spec.depth)
        residual = e.view(residual, spec.residual.dtype, spec.residual.elements) if spec.residual else None
        self.y = e.view(y, spec.y.dtype, spec.y.elements)
        self.epilogue = Epilogue(e, isa, spec, self.constants, self.y, residual)
        self.sums = "int32" if spec.integer else "float32"

    def build(self):
        spec, e = self.spec, self.emitter
        fill_halo(e, spec.y, self.y, self.constants)
        rows, width = self._pixels()
        pixels, columns = choose_tile(self.isa, width, spec.y.blocks)
        weight_bytes = spec.depth * spec.y.blocks * self.isa.lanes * BYTES[spec.weight_type]

        def tiles(y, first_block, count):
            self._over_row(y, width, pixels, first_block, count)

        if weight_bytes > self.isa.l2_bytes // 2:  # the weights are read once, else a row of pixels
            self._over_blocks(columns, lambda j, n: self._over_rows(rows, lambda y: tiles(y, j, n)))
        else:
            self._over_rows(rows, lambda y: self._over_blocks(columns, lambda j, n: tiles(y, j, n)))
        return e.function()

    def _pixels(self):
        """(rows, width): as they are, or pixels in a line cut into pieces of one cache's size."""
        spec = self.spec
        layouts = [layout for layout in (spec.x, spec.y, spec.residual) if layout]
        self.flat = spec.kernel == spec.stride == 1 and all(layout.is_flat for layout in layouts)
        if not self.flat:
            return spec.y.height, spec.y.width
        total = spec.y.height * spec.y.width
        chunk = _chunk(total, spec.depth * BYTES[spec.x.dtype], self.isa.l1_bytes // 2)
        if chunk < 16:
            chunk = min((n for n in range(16, total + 1) if total % n == 0), default=total)
        return total // chunk, chunk

    def _over_rows(self, rows, body):
        with self.emitter.loop(rows) as y:
            body(y)

    def _over_blocks(self, columns, body):
        whole, rest = divmod(self.spec.y.blocks, columns)
        if whole:
            with self.emitter.loop(whole) as j:
                body(j * columns, columns)
        if rest:
            body(whole * columns, rest)

    def _over_row(self, y, width, pixels, first_block, columns):
        whole, rest = divmod(width, pixels)
        if whole:
            with self.emitter.loop(whole) as x:
                self._tile(y, x * pixels, pixels, first_block, columns, width)
        if rest:
            self._tile(y, whole * pixels, rest, first_block, columns, width)

    def _place(self, layout, block, y, x, width):
        if self.flat:
            return layout.index(block, 0, 0) + (y * width + x) * layout.block
        return layout.index(block, y, x)

    def _tile(self, y, x, pixels, first_block, columns, width):
        spec, e, lanes = self.spec, self.emitter, self.isa.lanes
        sums = e.registers(pixels * columns, self.sums, lanes)
        for j in range(columns):
            start = e.let(self.constants.bias(first_block + j, self.sums))
            for i in range(pixels):
                sums[i * columns + j] = start
        if self.flat:
            base = self._place(spec.x, 0, y, x, width)
        else:
            base = spec.x.index(0, y * spec.stride - spec.pads[0], x * spec.stride - spec.pads[1])
        self._accumulate(sums, e.let(base), pixels, first_block, columns)
        for j in range(columns):
            scale = self.epilogue.scales(first_block + j)
            at = e.let(self._place(spec.y, first_block + j, y, x, width))
            other = e.let(self._place(spec.residual, first_block + j, y, x, width)) if spec.residual else None
            for i in range(pixels):
                step = i * spec.y.block
                self.epilogue.write(sums[i * columns + j], scale, at + step, other + step if spec.residual else None)

    def _accumulate(self, sums, base, pixels, first_block, columns):
        """sums += x * weight over input blocks, kernel cells and the channels of a block."""
        spec, e, isa = self.spec, self.emitter, self.isa
        group = 4 if spec.integer else 1  # bytes that one product takes together
        steps = spec.x.block // group
        with e.loop(spec.x.blocks) as block:
            with e.loop(spec.kernel) as ky:
                with e.loop(spec.kernel) as kx:
                    cell = (block * spec.kernel + ky) * spec.kernel + kx
                    x_base = e.let(base + block * spec.x.plane + ky * spec.x.row + kx * spec.x.block)
                    values = self._values(x_base, pixels)
                    with e.loop(steps) as c:
                        weights = [
                            self._weights(((first_block + j) * (spec.depth // group) + cell * steps + c) * group)
                            for j in range(columns)
                        ]
                        for i in range(pixels):
                            value = e.let(splat(values(i, c), isa.lanes))
                            for j in range(columns):
                                k = i * columns + j
                                if spec.integer:
                                    sums[k] = dot4(isa, sums[k], value, weights[j])
                                else:
                                    sums[k] = sums[k] + value * weights[j]

    def _weights(self, index):
        """Of a block's outputs, by four inputs each where they are bytes."""
        if self.spec.integer:
            return self.emitter.let(self.emitter.load(self.weight, index * self.isa.lanes, self.isa.lanes * 4))
        value = self.emitter.load(self.weight, index * self.isa.lanes, self.isa.lanes)
        return self.emitter.let(converted(value, "float32", self.isa.lanes))

    def _values(self, base, pixels):
        """A function (pixel, step) -> what is multiplied: a float, or four bytes."""
        e, block, step = self.emitter, self.spec.x.block, self.spec.stride * self.spec.x.block
        if self.spec.integer:
            return lambda i, c: e.load(self.x, (base + i * step) // 4 + c)
        if self.spec.x.dtype == "float32":
            return lambda i, c: e.load(self.x, base + i * step + c)
        floats = e.registers(pixels, "float32", block)
        for i in range(pixels):
            floats[i] = converted(e.load(self.x, base + i * step, block), "float32", block)
        return lambda i, c: e.load(floats.buffers[i], c)


def conv_function(isa, spec):
    return _Conv(isa, spec).build()


def pack_conv(isa, spec, weight):
    """Weights [out, in, k, k] in the order in which the kernel reads them: [block out][block in][ky][kx][in][out], with
    four input channels together where bytes are multiplied by fours."""
    out, channels, kernel, _ = weight.shape
    lanes, block, group = isa.lanes, spec.x.block, 4 if spec.integer else 1
    padded = np.zeros((spec.y.blocks * lanes, spec.x.blocks * block, kernel, kernel), weight.dtype)
    padded[:out, :channels] = weight
    split = padded.reshape(spec.y.blocks, lanes, spec.x.blocks, block // group, group, kernel, kernel)
    return np.ascontiguousarray(split.transpose(0, 2, 5, 6, 3, 1, 4))
