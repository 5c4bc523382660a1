// The Python worker (python/hot_bridge) for libraries that have no other front end: one process kept alive, JSON lines
// both ways (docs/formats/bridge.md). Requests carry all they need, so a worker that dies is started again and asked
// again, once. Thread rule: one owner, one call at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/subprocess.h"

namespace hot {

struct BridgeOptions {
  fs::path python;  // default: $HOT_PYTHON, else the interpreter of .venv
  fs::path folder;  // with hot_bridge in it; default: $HOT_BRIDGE, else share/hot/python, else the source tree's
};

class Bridge {
 public:
  // Throws Error(kUnavailable) when there is no such interpreter, or the worker doesn't answer.
  explicit Bridge(BridgeOptions options = {});
  ~Bridge();
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  // Operation "optuna.ask" with its arguments (a JSON object); returns its result, JSON text. Throws what the worker
  // reports, with its code ("UNAVAILABLE": a Python package is not installed), or kUnavailable when it died twice.
  std::string Call(std::string_view operation, std::string_view arguments);

  const std::string& python_version() const { return python_version_; }
  int pid() const { return process_->pid(); }  // for tests

 private:
  void Start();
  std::optional<std::string> Exchange(std::string_view line);
  std::optional<std::string> ReadLine();
  [[noreturn]] void Died();

  BridgeOptions options_;
  TempFolder folder_;  // of the log
  int socket_ = -1;
  std::optional<Process> process_;
  std::string buffer_, python_version_;
  int64_t next_id_ = 1;
};

}  // namespace hot
