#include "core/bridge.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/installation.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kProtocol = 1;

fs::path FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path DefaultPython() {
  const fs::path given = FromEnvironment("HOT_PYTHON");
  if (!given.empty()) return given;
  std::error_code error;
  const fs::path installed = InstallationFolder() / "venv" / "bin" / "python3";
  return fs::exists(installed, error) ? installed : fs::path(HOT_DEFAULT_PYTHON);
}

fs::path DefaultFolder() {
  const fs::path given = FromEnvironment("HOT_BRIDGE");
  if (!given.empty()) return given;
  std::error_code error;
  const fs::path installed = InstallationFolder() / "share" / "hot" / "python";
  return fs::exists(installed / "hot_bridge", error) ? installed : fs::path(HOT_SOURCE_PYTHON);
}

Code ParseCode(const std::string& name) {
  if (name == "UNAVAILABLE") return Code::kUnavailable;
  if (name == "INVALID_ARGUMENT") return Code::kInvalidArgument;
  if (name == "RESOURCE_EXHAUSTED") return Code::kResourceExhausted;
  if (name == "PERMISSION_DENIED") return Code::kPermissionDenied;
  if (name == "UNIMPLEMENTED") return Code::kUnimplemented;
  if (name == "DATA_LOSS") return Code::kDataLoss;
  return Code::kInternal;
}

std::string ResultOf(const std::string& line, std::string_view operation) {
  const Json answer = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (answer.is_object() && answer.contains("result")) return answer["result"].dump();
  if (!answer.is_object() || !answer.contains("error")) {
    throw Error(Code::kInternal, "hot_bridge", "gave no valid answer to " + std::string(operation));
  }
  const Json& error = answer["error"];
  throw Error(ParseCode(error.value("code", "")), std::string(operation), error.value("message", ""),
              error.value("hint", ""));
}

}  // namespace

Bridge::Bridge(BridgeOptions options) : options_(std::move(options)) {
  if (options_.python.empty()) options_.python = DefaultPython();
  if (options_.folder.empty()) options_.folder = DefaultFolder();
  Start();
}

Bridge::~Bridge() {
  if (socket_ >= 0) ::close(socket_);
}

void Bridge::Start() {
  process_.reset();
  if (socket_ >= 0) ::close(socket_);
  buffer_.clear();
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw Error(Code::kUnavailable, "hot_bridge", "no socket for the Python worker");
  }
  socket_ = ends[0];
  try {
    process_.emplace(ProcessOptions{.argv = {options_.python.string(), "-m", "hot_bridge"},
                                    .env = {{"PYTHONPATH", options_.folder.string()}},
                                    .stdout_file = {},
                                    .stderr_file = folder_.path() / "log",
                                    .channel = ends[1]});
  } catch (const Error&) {
    ::close(ends[1]);
    throw Error(Code::kUnavailable, options_.python.string(), "the Python of hot_bridge can't be started",
                "run " + SetupCommand() + ", or set HOT_PYTHON");
  }
  ::close(ends[1]);
  const auto greeting = ReadLine();
  if (!greeting) Died();
  const Json json = Json::parse(*greeting, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("protocol", 0) != kProtocol) {
    throw Error(Code::kFailedPrecondition, options_.folder.string(), "is a hot_bridge of another version",
                "update hot and its Python part together");
  }
  python_version_ = json.value("python", "");
}

void Bridge::Died() {
  const ExitStatus status = process_->Wait();
  const std::string how =
      status.signal != 0 ? "signal " + std::to_string(status.signal) : "exit code " + std::to_string(status.code);
  throw Error(Code::kUnavailable, "hot_bridge",
              "the Python worker ended (" + how + "): " + LastLine(folder_.path() / "log"), "run " + SetupCommand());
}

std::optional<std::string> Bridge::ReadLine() {
  for (;;) {
    const size_t end = buffer_.find('\n');
    if (end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    char bytes[65536];
    const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    buffer_.append(bytes, static_cast<size_t>(count));
  }
}

std::optional<std::string> Bridge::Exchange(std::string_view line) {
  while (!line.empty()) {
    const ssize_t count = ::send(socket_, line.data(), line.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    line.remove_prefix(static_cast<size_t>(count));
  }
  return ReadLine();
}

std::string Bridge::Call(std::string_view operation, std::string_view arguments) {
  const std::string line =
      Json{{"id", next_id_++}, {"operation", operation}, {"arguments", Json::parse(arguments)}}.dump() + "\n";
  auto answer = Exchange(line);
  if (!answer) {
    Start();
    answer = Exchange(line);
  }
  if (!answer) Died();
  return ResultOf(*answer, operation);
}

}  // namespace hot
