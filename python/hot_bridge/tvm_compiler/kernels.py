"""Kernels as object files: one function each, compiled once in the life of a worker, however many networks use it. The
blocks of a look-up table have most kernels in common, and a found network has them all."""

import functools
import hashlib
import os
import tempfile

import tvm

from hot_bridge.tvm_compiler.conv import conv_function
from hot_bridge.tvm_compiler.depthwise import depthwise_function
from hot_bridge.tvm_compiler.plan import DepthwiseSpec
from hot_bridge.tvm_compiler.simple import SimpleSpec, simple_function

# Kernels are written out as they shall run: nothing is left for these passes.
_PASSES = {"tirx.disable_storage_rewrite": True, "tirx.disable_cse_tir": True}
_C_FUNCTION = 1  # tvm::CallingConv::kCPackedFunc: parameters stay as they are


def kernel_name(spec):
    """The symbol of a kernel: equal specs have equal ones, in all networks."""
    return "hot_kernel_" + hashlib.sha256(repr(spec).encode()).hexdigest()[:16]


def _template(isa, spec):
    if isinstance(spec, SimpleSpec):
        return simple_function(isa, spec)
    return depthwise_function(isa, spec) if isinstance(spec, DepthwiseSpec) else conv_function(isa, spec)


def compile_object(isa, module):
    """The object file of a TensorIR module."""
    with tvm.transform.PassContext(config=_PASSES):
        built = tvm.tirx.build(module, target=isa.tvm_target())
    with tempfile.TemporaryDirectory(prefix="hot_tvm_") as folder:
        path = os.path.join(folder, "code.o")
        built.write_to_file(path)
        with open(path, "rb") as file:
            return file.read()


@functools.cache
def kernel_object(isa, spec):
    """The object file of one kernel: a C function of pointers, named kernel_name(spec)."""
    name = kernel_name(spec)
    function = _template(isa, spec).with_attr({"global_symbol": name, "calling_conv": _C_FUNCTION})
    return compile_object(isa, tvm.IRModule({name: function}))
