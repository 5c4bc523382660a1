"""TVM: compiles one of our ONNX files to a shared object with our own TensorIR templates (tvm_compiler/)."""

from hot_bridge.errors import BridgeError, setup_hint

TEMPLATES = 1  # raised with every change of the code that they make: measured latencies are kept by it


def _tvm():
    try:
        import tvm
    except ImportError as fault:
        raise BridgeError("UNAVAILABLE", f"TVM is not installed: {fault}", setup_hint("--with-tvm")) from fault
    return tvm


def check(arguments):
    """{} -> {"tvm": version, "isa": what this machine executes, "templates": version}."""
    version = _tvm().__version__
    from hot_bridge.tvm_compiler.target import host_isa

    return {"tvm": version, "isa": host_isa().name, "templates": TEMPLATES}


def compile(arguments):
    """{"onnx", "library", "target": "host" or an instruction set, "part": whether it is a part of a network, to be timed
    without the conversions at its borders} -> the library's description."""
    _tvm()
    from hot_bridge.tvm_compiler.library import build_library
    from hot_bridge.tvm_compiler.network import read_network
    from hot_bridge.tvm_compiler.onnx_file import parse
    from hot_bridge.tvm_compiler.plan import make_plan
    from hot_bridge.tvm_compiler.target import find_isa

    isa = find_isa(arguments["target"])
    with open(arguments["onnx"], "rb") as file:
        network = read_network(parse(file.read()))
    return build_library(isa, make_plan(isa, network, arguments["part"]), network, arguments["library"])
