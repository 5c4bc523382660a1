// A Ray cluster of two nodes on the loopback device, for tests. HOT_PYTHON and HOT_RAY_CLUSTER are compile definitions.
#pragma once

#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "core/files.h"
#include "core/subprocess.h"

namespace hot {

class RayCluster {
 public:
  static bool IsInstalled() { return RunProcess({HOT_PYTHON, "-c", "import ray"}).status.ok(); }

  // Sets RAY_ADDRESS, for this process and its children.
  explicit RayCluster(int cpus_per_node)
      : process_({.argv = {HOT_PYTHON, HOT_RAY_CLUSTER, folder_.path().string(), std::to_string(cpus_per_node)},
                  .env = {},
                  .stdout_file = folder_.path() / "log",
                  .stderr_file = folder_.path() / "log"}) {
    address_ = Await("address") ? ReadFile(folder_.path() / "address") : "";
    ::setenv("RAY_ADDRESS", address_.c_str(), 1);
  }
  ~RayCluster() {
    ::unsetenv("RAY_ADDRESS");
    process_.Signal(SIGTERM);
    process_.Wait();
  }
  RayCluster(const RayCluster&) = delete;
  RayCluster& operator=(const RayCluster&) = delete;

  // Empty when it did not come up; then log() says why.
  const std::string& address() const { return address_; }
  std::string log() const { return ReadFile(folder_.path() / "log"); }

  // The second node, without a farewell.
  bool KillNode() {
    WriteFileAtomic(folder_.path() / "kill", "");
    return Await("killed");
  }

 private:
  // False when the cluster ended instead.
  bool Await(const std::string& file) {
    while (!fs::exists(folder_.path() / file)) {
      if (process_.Poll()) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }

  TempFolder folder_;
  Process process_;
  std::string address_;
};

}  // namespace hot
