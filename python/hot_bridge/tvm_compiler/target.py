"""What the templates need to know of a processor: vector width, registers, how it multiplies 8-bit integers."""

import ctypes
import platform
from dataclasses import dataclass

from hot_bridge.errors import BridgeError


@dataclass(frozen=True)
class Isa:
    name: str
    lanes: int  # 32-bit numbers in a vector: the channels of a block
    registers: int
    dot: str  # of 4 bytes: "vnni" (u8 x s8), "sdot" (s8 x s8), "madd" (pairs of 16 bits), "widen" (32 bits)
    supported: str  # C: whether the processor that runs it has these instructions
    triple: str = ""  # of a cross compilation
    mcpu: str = ""
    mattr: tuple = ()
    l1_bytes: int = 32 << 10
    l2_bytes: int = 512 << 10

    @property
    def offset(self):
        """Added to an int8 value where it is stored: processors that multiply unsigned by signed bytes want no sign."""
        return 128 if self.dot == "vnni" or self.dot == "madd" else 0

    @property
    def byte(self):
        return "uint8" if self.offset else "int8"

    @property
    def byte_range(self):
        return (0, 255) if self.offset else (-128, 127)

    def tvm_target(self):
        import tvm

        options = {"kind": "llvm", "mcpu": self.mcpu, "num-cores": 1}
        if self.mattr:
            options["mattr"] = list(self.mattr)
        if self.triple:
            options["mtriple"] = self.triple
        return tvm.target.Target(options)


def _cpu_supports(*features):
    return " && ".join(f'__builtin_cpu_supports("{feature}")' for feature in features)


_AT_HWCAP, _HWCAP_ASIMDDP = 16, 1 << 20  # Linux on Arm: elf.h, asm/hwcap.h
_VNNI = ("+avx512f", "+avx512bw", "+avx512dq", "+avx512vl", "+avx512vnni")
ISAS = {
    "x86-64-avx512-vnni": Isa(
        "x86-64-avx512-vnni", 16, 32, "vnni", _cpu_supports("avx512vnni", "avx512bw", "avx512dq", "avx512vl"),
        mcpu="x86-64-v4", mattr=_VNNI, l1_bytes=32 << 10, l2_bytes=1 << 20,
    ),
    "x86-64-avx2": Isa("x86-64-avx2", 8, 16, "madd", _cpu_supports("avx2", "fma", "f16c"), mcpu="x86-64-v3"),
    "aarch64-dotprod": Isa(
        "aarch64-dotprod", 4, 32, "sdot", f"getauxval(AT_HWCAP) & {_HWCAP_ASIMDDP}",
        "aarch64-linux-gnu", "generic", ("+neon", "+fp-armv8", "+v8.2a", "+dotprod"),
    ),
    "aarch64-neon": Isa("aarch64-neon", 4, 32, "widen", "1", "aarch64-linux-gnu", "generic", ("+neon", "+fp-armv8")),
}


def _host_arm():
    libc = ctypes.CDLL(None)
    libc.getauxval.argtypes, libc.getauxval.restype = [ctypes.c_ulong], ctypes.c_ulong
    return ISAS["aarch64-dotprod" if libc.getauxval(_AT_HWCAP) & _HWCAP_ASIMDDP else "aarch64-neon"]


def host_isa():
    """The best of ISAS that this machine executes. Raises BridgeError UNAVAILABLE when there is none."""
    if platform.machine() == "aarch64":
        return _host_arm()
    import tvm
    from tvm.target import codegen

    here = tvm.target.Target({"kind": "llvm", "mcpu": codegen.llvm_get_system_cpu()})

    def has(*features):
        return codegen.llvm_cpu_has_features(list(features), here)

    if has("avx512vnni", "avx512bw", "avx512vl"):
        return ISAS["x86-64-avx512-vnni"]
    if has("avx2", "fma", "f16c"):
        return ISAS["x86-64-avx2"]
    raise BridgeError("UNAVAILABLE", "this processor has neither AVX-512 VNNI nor AVX2", "choose another toolchain")


def find_isa(name):
    """"host" or one of ISAS. Raises BridgeError INVALID_ARGUMENT with the known names."""
    if name == "host":
        return host_isa()
    if name not in ISAS:
        raise BridgeError("INVALID_ARGUMENT", f"unknown target {name!r}", "known: host, " + ", ".join(ISAS))
    return ISAS[name]
