"""Sums of products of 8-bit integers, by processor. All are exact."""

from tvm import tirx

from hot_bridge.tvm_compiler.emitter import const, intrinsic, reinterpret, splat


def dot4(isa, sums, x, weight):
    """sums[lane] += x[lane][0..3] * weight[lane][0..3]. `x`: int32 lanes, each four stored activations; `weight`: int8,
    four times the lanes."""
    return {"vnni": _vnni, "madd": _madd, "sdot": _sdot, "widen": _widen}[isa.dot](isa.lanes, sums, x, weight)


def _vnni(lanes, sums, x, weight):
    bytes_ = reinterpret(x, f"uint8x{4 * lanes}")
    return intrinsic(f"llvm.x86.avx512.vpdpbusd.{32 * lanes}", f"int32x{lanes}", sums, bytes_, weight)


def _madd(lanes, sums, x, weight):
    """AVX2 multiplies pairs of 16 bits without saturation: even bytes first, then the odd ones."""
    wide, mask = f"int16x{2 * lanes}", splat(const(0x00FF00FF, "int32"), lanes)
    eight, words = splat(const(8, "int32"), lanes), reinterpret(weight, wide)
    byte = splat(const(8, "int16"), 2 * lanes)
    even = reinterpret(x & mask, wide), (words << byte) >> byte
    odd = reinterpret((x >> eight) & mask, wide), words >> byte
    for a, b in (even, odd):
        sums = sums + intrinsic("llvm.x86.avx2.pmadd.wd", f"int32x{lanes}", a, b)
    return sums


def _sdot(lanes, sums, x, weight):
    return intrinsic("llvm.aarch64.neon.sdot.v4i32.v16i8", "int32x4", sums, reinterpret(x, "int8x16"), weight)


def _widen(lanes, sums, x, weight):
    """Armv8.0: bytes to 16 bits, then two pairwise additions."""
    x = reinterpret(x, "int8x16")
    pairs = []
    for half in (tirx.vectorlow, tirx.vectorhigh):
        products = intrinsic("llvm.aarch64.neon.smull.v8i16", "int16x8", half("int8x8", x), half("int8x8", weight))
        pairs.append(intrinsic("llvm.aarch64.neon.saddlp.v4i32.v8i16", "int32x4", products))
    return sums + intrinsic("llvm.aarch64.neon.addp.v4i32", "int32x4", *pairs)
