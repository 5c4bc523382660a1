"""Answers one request a line until its input ends. Requests carry all that they need."""

import importlib
import json
import os
import signal
import sys

from hot_bridge.errors import BridgeError

PROTOCOL = 1
# Operation -> module (imported when it is first asked: libraries are slow to load) and function.
OPERATIONS = {
    "optuna.check": ("optuna_worker", "check"),
    "optuna.ask": ("optuna_worker", "ask"),
    "optuna.export": ("optuna_worker", "export"),
    "ray.version": ("ray_worker", "version"),
    "ray.check": ("ray_worker", "check"),
    "ray.poll": ("ray_worker", "poll"),
    "ray.end": ("ray_worker", "end"),
    "tflite.write": ("tflite_writer", "write"),
    "litert.load": ("litert_worker", "load"),
    "litert.run": ("litert_worker", "run"),
    "tvm.check": ("tvm_worker", "check"),
    "tvm.compile": ("tvm_worker", "compile"),
    "vela.check": ("vela_worker", "check"),
    "vela.compile": ("vela_worker", "compile"),
    "vela.inspect": ("vela_worker", "inspect"),
}


def run(operation, arguments):
    module, function = OPERATIONS[operation]
    return getattr(importlib.import_module("hot_bridge." + module), function)(arguments)


def answer(request):
    """The answer to one parsed request; every fault becomes an error with a code."""
    operation = request.get("operation")
    if operation not in OPERATIONS:
        error = {"code": "INVALID_ARGUMENT", "message": f"unknown operation {operation!r}"}
        return {"id": request.get("id"), "error": error}
    try:
        return {"id": request["id"], "result": run(operation, request["arguments"])}
    except BridgeError as fault:
        return {"id": request["id"], "error": fault.as_json()}
    except Exception as fault:  # a library's own: its text is all there is to tell
        text = " ".join(f"{type(fault).__name__}: {fault}".split())
        return {"id": request["id"], "error": {"code": "INTERNAL", "message": text}}


def main():
    # What libraries print must not end up between the answers.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for hot, which ends this worker
    print(json.dumps({"protocol": PROTOCOL, "python": sys.version.split()[0]}), file=channel, flush=True)
    for line in open(0, encoding="utf-8", closefd=False):
        print(json.dumps(answer(json.loads(line)), allow_nan=False), file=channel, flush=True)


if __name__ == "__main__":
    main()
