"""Compiles one of our ONNX files with TVM: our own TensorIR templates, one for each kind of layer, in a layout blocked
for the target's vectors, and a plan of one arena for the whole network (docs/adr/0010-tvm-kernel-templates.md).

    onnx_file -> network (fused layers) -> plan (layouts, arena, steps) -> library (TensorIR, LLVM, one shared object)
"""
