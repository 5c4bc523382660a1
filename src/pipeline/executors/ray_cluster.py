"""A Ray cluster of two nodes on this machine, for tests. Usage: ray_cluster.py FOLDER CPUS

Its address is written to FOLDER/address; when FOLDER/kill appears, the second node is killed, and FOLDER/killed made.
Ends, with the cluster, on SIGTERM or when its parent is gone.
"""

import os
import signal
import sys
import time

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_worker_niceness"] = "0"  # with the default, 15, a busy machine starves the trainings
os.environ["RAY_memory_monitor_refresh_ms"] = "0"  # a busy machine is no reason to kill a test's training
os.environ["RAY_OBJECT_STORE_ALLOW_SLOW_STORAGE"] = "1"  # containers have a small /dev/shm

from ray.cluster_utils import Cluster

folder, cpus = sys.argv[1], int(sys.argv[2])
parent = os.getppid()
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
options = {"num_cpus": cpus, "num_gpus": 0, "object_store_memory": 80 * 2**20}
cluster = Cluster(initialize_head=True, head_node_args={**options, "include_dashboard": False})
second = cluster.add_node(**options)
cluster.wait_for_nodes()


def write(name, text):
    path = os.path.join(folder, name)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".new", path)


write("address", cluster.address)
while not asked and os.getppid() == parent:
    if second is not None and os.path.exists(os.path.join(folder, "kill")):
        cluster.remove_node(second, allow_graceful=False)
        second = None
        write("killed", "")
    time.sleep(0.05)
cluster.shutdown()
