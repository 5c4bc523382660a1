"""Vela, Arm's compiler for Ethos-U: a TFLite file -> one with the NPU's command stream, and what Vela estimates.

Called in this process through the entry point of its command line: what a network costs is the compilation itself.
"""

import collections
import contextlib
import csv
import importlib.metadata
import os
import shutil
import tempfile

from hot_bridge import litert_worker
from hot_bridge.errors import BridgeError
from hot_bridge.tflite_model import schema

_MEMORIES = ("sram", "dram", "on_chip_flash", "off_chip_flash")
_NPU_OPERATOR = b"ethos-u"


def _vela():
    try:
        from ethosu.vela import vela
    except ImportError as fault:
        raise BridgeError("UNAVAILABLE", f"Vela is not installed: {fault}", "run scripts/setup --with-vela") from fault
    return vela


def check(arguments):
    """{} -> {"vela": version, "litert": version}."""
    _vela()
    schema()
    return {"vela": importlib.metadata.version("ethos-u-vela"), "litert": importlib.metadata.version("ai-edge-litert")}


def _run(arguments, folder):
    """Vela's answer to its command line; what it prints is told only when it fails."""
    command = [arguments["tflite"], "--output-dir", folder, "--config", "Arm/vela.ini", "--verbose-performance"]
    for option in ("accelerator-config", "system-config", "memory-mode", "optimise"):
        command += ["--" + option, arguments[option]]
    log = os.path.join(folder, "log")
    try:
        with open(log, "w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
            code = _vela().main(command)
    except (Exception, SystemExit) as fault:
        raise BridgeError("DATA_LOSS", f"Vela can't compile this network: {fault or type(fault).__name__}") from fault
    if code:
        with open(log, encoding="utf-8") as file:
            text = " ".join(file.read().split())
        raise BridgeError("DATA_LOSS", f"Vela can't compile this network: {text[-300:]}")


def _rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _operators(path):
    """How many there are in a file that Vela made, and the names of those that it left to the CPU."""
    litert_worker.check_file(path)
    with open(path, "rb") as file:
        model = schema().Model.GetRootAs(file.read(), 0)
    names = {code: name for name, code in vars(schema().BuiltinOperator).items() if not name.startswith("_")}
    graph, left = model.Subgraphs(0), []
    for index in range(graph.OperatorsLength()):
        code = model.OperatorCodes(graph.Operators(index).OpcodeIndex())
        if code.CustomCode() != _NPU_OPERATOR:
            left.append(names[code.BuiltinCode()])
    return graph.OperatorsLength(), left


def inspect(arguments):
    """{"compiled": file that Vela made} -> {"cpu_operators": [name]}: what is left to the CPU beside the NPU."""
    count, left = _operators(arguments["compiled"])
    if len(left) == count:
        raise BridgeError("DATA_LOSS", "it has no command stream of an Ethos-U")
    return {"cpu_operators": left}


def compile(arguments):
    """{"tflite": file, "output": file to write, "accelerator-config", "system-config", "memory-mode", "optimise"}
    -> {"latency_ns", "layers_ns": {layer: n}, "cycles", "macs", "peak_bytes": {memory: n}, "cpu_operators": [name]}.

    A layer is named like the tensor that it writes; the layers' times add up to the network's.
    """
    with tempfile.TemporaryDirectory() as folder:
        _run(arguments, folder)
        stem = os.path.splitext(os.path.basename(arguments["tflite"]))[0]
        compiled = os.path.join(folder, stem + "_vela.tflite")
        row = _rows(os.path.join(folder, f"{stem}_summary_{arguments['system-config']}.csv"))[0]
        layers = _rows(os.path.join(folder, f"{stem}_per-layer.csv"))
        _, left = _operators(compiled)
        shutil.move(compiled, arguments["output"])
    layers_ns = collections.defaultdict(float)
    for layer in layers:
        layers_ns[layer["Name"]] += float(layer["Op Cycles"]) / float(row["core_clock"]) * 1e9
    peaks = {memory: float(row[memory + "_memory_used"]) * 1024 for memory in _MEMORIES}
    return {
        "latency_ns": float(row["inference_time"]) * 1e9,
        "layers_ns": layers_ns,
        "cycles": int(float(row["cycles_total"])),
        "macs": int(float(row["nn_macs"])),
        "peak_bytes": {memory: round(peak) for memory, peak in peaks.items() if peak > 0},
        "cpu_operators": left,
    }
