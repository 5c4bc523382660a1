// The queue of a study's device: the jobs that agents behind grpc:// have of this user, asked for in the background so
// that a board that does not answer keeps nobody waiting. Owned by LiveRun. Thread-safe.
#pragma once

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <thread>

#include "deploy/device.h"

namespace hot {

class DeviceQueue {
 public:
  // `device`: target.device of a study. Of one that is here there is no queue, and nothing is asked.
  DeviceQueue(const std::string& device, const AgentAccess& access);

  // [{"agent": "grpc://board:7070", "error": "" | one line, "jobs": [{"job", "state", "before", "done", "total",
  // "note", "waited_s", "ran_s", "error"}]}], as agents said lately, newest job first; null until they have, and
  // without agents. They are asked for as long as somebody calls this.
  nlohmann::ordered_json Jobs();

 private:
  void Ask(const std::stop_token& stop);

  const std::string device_;
  const AgentAccess access_;
  std::mutex mutex_;
  std::condition_variable_any wanted_;
  bool want_ = false;
  nlohmann::ordered_json jobs_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace hot
