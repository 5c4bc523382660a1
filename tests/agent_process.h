// A running `hot serve` for tests and benches: on a free port of this machine, killed with the object.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/subprocess.h"

namespace hot {

class AgentProcess {
 public:
  // `prefix` goes before the program ("taskset", "-c", "0"), `arguments` behind it.
  explicit AgentProcess(fs::path state, std::vector<std::string> arguments = {}, std::vector<std::string> prefix = {},
                        fs::path program = HOT_BINARY_DIR "/bin/hot")
      : state_(std::move(state)),
        arguments_(std::move(arguments)),
        prefix_(std::move(prefix)),
        program_(std::move(program)) {
    Start();
  }

  // "127.0.0.1:40123", the same after each start.
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url() const { return "grpc://" + address(); }
  int pid() const { return process_->pid(); }
  fs::path log() const { return state_.string() + ".log"; }

  void Start() {
    fs::remove(log());
    ProcessOptions options;
    options.argv = prefix_;
    for (const std::string& word : {program_.string(), std::string("serve"), std::string("--listen"), address(),
                                    std::string("--state"), state_.string()})
      options.argv.push_back(word);
    options.argv.insert(options.argv.end(), arguments_.begin(), arguments_.end());
    options.stdout_file = options.stderr_file = log();
    process_.emplace(options);
    for (int i = 0; i < 600; ++i) {
      const std::string text = fs::exists(log()) ? ReadFile(log()) : "";
      const size_t at = text.find("listening at "), end = text.find('\n', at);
      if (at != std::string::npos && end != std::string::npos) {
        port_ = std::stoi(text.substr(text.rfind(':', text.find(' ', at + 13) - 1) + 1));
        return;
      }
      if (const auto status = process_->Poll()) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw Error(Code::kUnavailable, "hot serve", "did not start: " + LastLine(log()));
  }

  void Kill(int signal = 9) {
    process_->Signal(signal);
    process_->Wait();
  }

 private:
  fs::path state_;
  std::vector<std::string> arguments_, prefix_;
  fs::path program_;
  int port_ = 0;
  std::optional<Process> process_;
};

}  // namespace hot
