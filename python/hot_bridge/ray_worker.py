"""Ray: trainings on the nodes of a cluster that runs already (RAY_ADDRESS, or the one of this machine).

Each request lists all trainings that should be running. Those that this worker does not know are started, so that a
worker that was started again takes them up from their checkpoints.
"""

import os
import sys

from hot_bridge.errors import BridgeError, setup_hint

_END_PATIENCE_S = 10
_running = {}  # by the caller's id


def _import_ray():
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as fault:
        raise BridgeError("UNAVAILABLE", f"Ray is not installed: {fault}", setup_hint("--with-ray")) from fault
    return ray


def _ray():
    ray = _import_ray()
    if not ray.is_initialized():
        try:
            ray.init(address="auto", log_to_driver=False)
        except (ConnectionError, RuntimeError, ValueError) as fault:
            reason = " ".join(str(fault).split())
            raise BridgeError(
                "UNAVAILABLE", f"no Ray cluster: {reason}", "ray start --head here, or set RAY_ADDRESS to HOST:PORT"
            ) from fault
        # Nodes need no hot_bridge of their own: the task travels as a value.
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    return ray


def _train(program, cwd, folder, epochs, threads, device):
    """Runs on a node: hot-train to its end, which is also the task's."""
    import ctypes
    import os
    import socket
    import subprocess

    place = os.path.join(cwd, folder)
    if not os.path.isdir(place) or not os.access(program, os.X_OK):
        missing = program if os.path.isdir(place) else place
        return {"error": f"{missing} is not on node {socket.gethostname()}: nodes must share the run folder and hot-train"}
    libc = ctypes.CDLL(None)
    command = [program, folder] + (["--epochs", str(epochs)] if epochs else []) + ["--device", device]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "HOT_PARENT_PID": str(os.getpid())}
    with open(os.path.join(place, "log.txt"), "ab") as log:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: libc.prctl(1, 9),  # PR_SET_PDEATHSIG: it dies with a node that dies
        )
    status = process.wait()
    return {"code": status} if status >= 0 else {"code": -1, "signal": -status}


def version(arguments):
    """{} -> {"ray": version}; no cluster is asked for."""
    return {"ray": _import_ray().__version__}


def check(arguments):
    """{} -> {"cpus", "gpus"} of the cluster."""
    resources = _ray().cluster_resources()
    return {"cpus": int(resources.get("CPU", 0)), "gpus": int(resources.get("GPU", 0))}


def _start(ray, job, arguments):
    task = ray.remote(_train).options(num_cpus=arguments["threads"], num_gpus=arguments["gpus"], max_retries=0)
    return task.remote(
        arguments["program"], arguments["cwd"], job["folder"], job["epochs"], arguments["threads"], arguments["device"]
    )


def _ended(ray, reference):
    try:
        return ray.get(reference)
    except ray.exceptions.RayError as fault:  # the node, or Ray's worker on it, is gone
        return {"lost": " ".join(f"{type(fault).__name__}: {fault}".split())[:300]}


def poll(arguments):
    """{"program", "cwd", "threads", "gpus", "device", "jobs": [{"id", "folder", "epochs"}]}
    -> {"ended": [{"id", "code"[, "signal"]} or {"id", "lost"} or {"id", "error"}]}.
    """
    ray = _ray()
    for job in arguments["jobs"]:
        if job["id"] not in _running:
            _running[job["id"]] = _start(ray, job, arguments)
    if not _running:
        return {"ended": []}
    ready, _ = ray.wait(list(_running.values()), num_returns=len(_running), timeout=0)
    ids = [number for number, reference in _running.items() if reference in ready]
    return {"ended": [{"id": number, **_ended(ray, _running.pop(number))} for number in ids]}


def end(arguments):
    """{} -> {}: what still runs is ended, and gone when this returns."""
    if _running:
        ray = _ray()
        for reference in _running.values():
            ray.cancel(reference, force=True)  # hot-train dies with its worker
        ray.wait(list(_running.values()), num_returns=len(_running), timeout=_END_PATIENCE_S)
        _running.clear()
    return {}
