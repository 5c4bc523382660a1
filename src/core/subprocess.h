// Child processes by posix_spawn (safe beside threads). Thread rule: one owner a Process.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/files.h"

namespace hot {

struct ProcessOptions {
  std::vector<std::string> argv;           // argv[0] is looked up in PATH when it has no slash
  std::map<std::string, std::string> env;  // added to ours
  fs::path stdout_file, stderr_file;       // appended to; empty means /dev/null
  int channel = -1;                        // instead, this socket is stdin and stdout
  bool own_group =
      false;  // with what it starts itself it is one process group, which gets its signals and ends with it
};

struct ExitStatus {
  int code = 0;    // exit code, or -1 when a signal ended it
  int signal = 0;  // 0, or the signal
  bool ok() const { return code == 0 && signal == 0; }
};

class Process {
 public:
  // Throws Error(kUnavailable) when the program can't be started.
  explicit Process(const ProcessOptions& options);
  // Kills (SIGKILL) and reaps what still runs.
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;

  int pid() const { return pid_; }
  std::optional<ExitStatus> Poll();  // non-blocking
  ExitStatus Wait();
  void Signal(int signal);

 private:
  void Reap();

  int pid_ = -1;
  bool own_group_ = false;
  std::optional<ExitStatus> status_;
};

struct ProcessResult {
  ExitStatus status;
  std::string output;  // stdout and stderr together
};

// Runs to the end and returns what it printed. Throws Error(kUnavailable) when it can't be started.
ProcessResult RunProcess(std::vector<std::string> argv);

// First match in PATH, if any.
std::optional<fs::path> FindProgram(const std::string& name);

// Asks the kernel to kill this process when its parent dies (Linux), so that no orphan writes into a run folder. The
// parent may have died while this process was still being loaded: where it put ParentVariable() into the environment,
// that is noticed too.
void DieWithParent();
std::pair<std::string, std::string> ParentVariable();

}  // namespace hot
