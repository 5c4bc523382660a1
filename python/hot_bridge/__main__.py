"""Answers one request a line until its input ends. Requests carry all that they need."""

import json
import os
import signal
import sys

from hot_bridge import optuna_worker, ray_worker
from hot_bridge.errors import BridgeError

PROTOCOL = 1
OPERATIONS = {
    "optuna.check": optuna_worker.check,
    "optuna.ask": optuna_worker.ask,
    "optuna.export": optuna_worker.export,
    "ray.check": ray_worker.check,
    "ray.poll": ray_worker.poll,
    "ray.end": ray_worker.end,
}


def answer(request):
    """The answer to one parsed request; every fault becomes an error with a code."""
    operation = OPERATIONS.get(request.get("operation"))
    if operation is None:
        error = {"code": "INVALID_ARGUMENT", "message": f"unknown operation {request.get('operation')!r}"}
        return {"id": request.get("id"), "error": error}
    try:
        return {"id": request["id"], "result": operation(request["arguments"])}
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
