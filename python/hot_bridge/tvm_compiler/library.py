"""The plan as one shared object: its kernels, `main` that calls them in order, and the constants behind them. It runs
through tvm-ffi, or by its C function without any library (docs/formats/tvm-library.md)."""

import json
import os
import subprocess
import tempfile

import tvm
from tvm import tirx
from tvm.ir import PointerType, PrimType

from hot_bridge.errors import BridgeError
from hot_bridge.tvm_compiler.emitter import Emitter, call, const
from hot_bridge.tvm_compiler.kernels import compile_object, kernel_name, kernel_object
from hot_bridge.tvm_compiler.plan import ALIGNMENT, aligned

# Data without a copy in the compiler: the assembler takes the files in.
_DATA = """
__asm__(".section .rodata\\n"
        ".balign %d\\nhot_constants_begin:\\n.incbin \\"constants.bin\\"\\n"
        ".balign %d\\nhot_description_begin:\\n.incbin \\"description.json\\"\\n.byte 0\\n.previous");
extern const unsigned char hot_constants_begin[] __attribute__((visibility("hidden")));
extern const char hot_description_begin[] __attribute__((visibility("hidden")));
__attribute__((visibility("hidden"))) const void* hot_constants(void) { return hot_constants_begin; }
__attribute__((visibility("hidden"))) const void* hot_description(void) { return hot_description_begin; }
""" % (ALIGNMENT, ALIGNMENT)

# For programs without tvm-ffi. Where that is loaded its own function for errors comes first: this one is never called
# with arguments that hot_infer makes.
_ENTRY = """
#include <stdint.h>
#include <sys/auxv.h>
typedef struct { int32_t type, padding; union { int64_t integer; void* pointer; } value; } Any;
typedef struct {
  void* data;
  int32_t device_type, device_id, ndim;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t byte_offset;
} Tensor;
enum { kInteger = 1, kTensor = 7, kCpu = 1 };
int __tvm_ffi_main(void*, Any*, int32_t, Any*);
void TVMFFIErrorSetRaisedFromCStrParts(const char* kind, const char** parts, int32_t count) {}

int hot_infer(const void* const* inputs, void* const* outputs, void* arena) {
  if (!(%(supported)s)) return 1;
  int64_t shapes[][4] = {%(shapes)s};
  const uint8_t types[][2] = {%(types)s};
  enum { kInputs = %(inputs)d, kTensors = sizeof shapes / sizeof shapes[0] };
  Tensor tensors[kTensors];
  Any arguments[kTensors + 2] = {{kInteger, 0, {0}}, {kInteger, 0, {%(steps)d}}}, nothing = {0};
  for (int i = 0; i < kTensors; ++i) {
    void* data = i < kInputs ? (void*)inputs[i] : i < kTensors - 1 ? outputs[i - kInputs] : arena;
    tensors[i] = (Tensor){data, kCpu, 0, i < kTensors - 1 ? 4 : 1, types[i][0], types[i][1], 1, shapes[i], 0, 0};
    arguments[i + 2] = (Any){kTensor, 0, {.pointer = &tensors[i]}};
  }
  return __tvm_ffi_main(0, arguments, kTensors + 2, &nothing) == 0 ? 0 : 2;
}
"""
_CODES = {"int8": "{0, 8}", "uint8": "{1, 8}", "float32": "{2, 32}"}  # DLDataType: code, bits

_EXPORTS = b"{ global: __tvm_ffi_*; hot_infer; TVMFFIErrorSetRaisedFromCStrParts; local: *; };"


class _Module:
    def __init__(self, isa, plan, network):
        self.isa, self.plan, self.network = isa, plan, network
        self.module = tvm.IRModule()
        self.constants = bytearray()

    def build(self):
        e = Emitter()
        first, last = tirx.Var("first", "int32"), tirx.Var("last", "int32")
        borders = {name: self._border(name) for name in self.plan.layouts if ":" in name}
        arena = tirx.decl_buffer((max(self.plan.arena_bytes, 1),), "uint8", "arena")
        base = tirx.Var("constants", PointerType(PrimType("uint8")))
        e.add(tirx.Bind(base, tirx.call_extern(PointerType(PrimType("uint8")), "hot_constants")))
        places = [self._append(blob) for step in self.plan.steps for blob in step.constants]
        constants = e.view(base, "uint8", max(len(self.constants), 1))
        places = iter(places)

        def address(name):
            if name in borders:
                return tirx.buffer_data(borders[name])
            return tirx.address_of(arena[self.plan.offsets[name]])

        for number, step in enumerate(self.plan.steps):
            own = [tirx.address_of(constants[next(places)]) for _ in step.constants]
            inputs = [address(name) for name in step.inputs]
            arguments = [inputs[0], *own, *inputs[1:], address(step.output)]
            with e.when(tirx.And(first <= number, const(number, "int32") < last)):
                e.add(call(kernel_name(step.spec), arguments))
        parameters = [first, last, *(borders["in:" + name] for name in self.network.inputs)]
        parameters += [*(borders["out:" + name] for name in self.network.outputs), arena]
        self._export("main", parameters, e)
        self._export_description()
        return self.module

    def _border(self, name):
        layout = self.plan.layouts[name]
        return tirx.decl_buffer((1, layout.channels, layout.height, layout.width), layout.dtype, "border")

    def _append(self, blob):
        place = len(self.constants)
        self.constants += blob + bytes(aligned(len(blob)) - len(blob))
        return place

    def _export(self, name, parameters, emitter):
        body = tirx.SeqStmt(emitter.stack[0]) if len(emitter.stack[0]) > 1 else emitter.stack[0][0]
        function = tirx.PrimFunc(parameters, body).with_attr({"global_symbol": name, "tirx.noalias": True})
        self.module[name] = function

    def _export_description(self):
        e = Emitter()
        e.add(tirx.Return(tirx.call_extern("handle", "hot_description")))
        self._export("description", [], e)


def describe(isa, plan, network):
    """What a runtime must know: written into the library as JSON, and returned to who compiled it."""

    def tensors(values, names, side):
        rows = []
        for value, name in zip(values, names):
            layout = plan.layouts[side + ":" + value]
            shape = [1, layout.channels, layout.height, layout.width]
            rows.append({"name": name, "shape": shape, "dtype": layout.dtype})
        return rows

    return {
        "version": 1,
        "compiler": tvm.__version__,
        "isa": isa.name,
        "arena_bytes": plan.arena_bytes,
        "live_bytes": plan.live_bytes,
        "timed": list(plan.timed),
        "inputs": tensors(network.inputs, network.inputs, "in"),
        "outputs": tensors(network.outputs, network.output_names, "out"),
        "steps": [{"layer": step.layer, "op": step.op, "precision": step.precision} for step in plan.steps],
    }


def _entry(isa, description):
    """C of hot_infer: `main` with all steps and tensors of plain pointers."""
    ports = [(port["shape"], port["dtype"]) for side in ("inputs", "outputs") for port in description[side]]
    ports.append(([max(description["arena_bytes"], 1)], "uint8"))
    return _ENTRY % {
        "supported": isa.supported,
        "shapes": ", ".join("{%s}" % ", ".join(map(str, shape)) for shape, _ in ports),
        "types": ", ".join(_CODES[dtype] for _, dtype in ports),
        "inputs": len(description["inputs"]),
        "steps": len(description["steps"]),
    }


def _link(isa, objects, output, folder):
    prefix = isa.triple + "-" if isa.triple else ""
    command = [prefix + "gcc", "-shared", "-fPIC", "-O1", "-s", "-Wl,--build-id=none", "-Wl,--version-script=exports"]
    command += ["-o", output, *objects, "data.c", "-lm"]
    try:
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError as fault:
        hint = "apt-get install gcc-aarch64-linux-gnu" if isa.triple else "install gcc"
        raise BridgeError("UNAVAILABLE", f"{command[0]} is not installed", hint) from fault
    if ran.returncode != 0:
        raise BridgeError("INTERNAL", f"{command[0]}: " + (ran.stderr.strip().splitlines() or ["no output"])[-1])


def build_library(isa, plan, network, output):
    """Writes the shared object and returns its description."""
    builder = _Module(isa, plan, network)
    files = {"main.o": compile_object(isa, builder.build())}
    for spec in dict.fromkeys(step.spec for step in plan.steps):
        files[kernel_name(spec) + ".o"] = kernel_object(isa, spec)
    objects = list(files)
    description = describe(isa, plan, network) | {
        "kernels": len(objects) - 1, "constant_bytes": len(builder.constants)
    }
    files |= {"constants.bin": bytes(builder.constants), "description.json": json.dumps(description).encode()}
    files |= {"data.c": (_DATA + _entry(isa, description)).encode(), "exports": _EXPORTS}
    with tempfile.TemporaryDirectory(prefix="hot_tvm_") as folder:
        for name, content in files.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
        _link(isa, objects, os.path.abspath(output), folder)
    return description
