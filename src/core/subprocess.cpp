#include "core/subprocess.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <utility>

#include "core/error.h"

extern char** environ;

namespace hot {
namespace {

class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void Open(int fd, const fs::path& path) {
    const char* name = path.empty() ? "/dev/null" : path.c_str();
    posix_spawn_file_actions_addopen(&actions_, fd, name, O_WRONLY | O_CREAT | O_APPEND, 0644);
  }
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

std::vector<std::string> MergedEnvironment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!added.contains(text.substr(0, text.find('=')))) merged.push_back(text);
  }
  for (const auto& [name, value] : added) merged.push_back(name + "=" + value);
  return merged;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

constexpr const char* kParentVariable = "HOT_PARENT_PID";

ExitStatus Decode(int status) {
  if (WIFSIGNALED(status)) return {.code = -1, .signal = WTERMSIG(status)};
  return {.code = WEXITSTATUS(status), .signal = 0};
}

}  // namespace

Process::Process(const ProcessOptions& options) {
  FileActions actions;
  if (options.channel >= 0) {
    posix_spawn_file_actions_adddup2(actions.get(), options.channel, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(actions.get(), options.channel, STDOUT_FILENO);
  } else {
    posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    actions.Open(STDOUT_FILENO, options.stdout_file);
  }
  actions.Open(STDERR_FILENO, options.stderr_file);
  std::vector<std::string> argv = options.argv;
  std::vector<std::string> env = MergedEnvironment(options.env);
  pid_t pid = -1;
  const int error =
      posix_spawnp(&pid, argv.at(0).c_str(), actions.get(), nullptr, Pointers(argv).data(), Pointers(env).data());
  if (error != 0) throw Error(Code::kUnavailable, argv[0], std::string("can't be started: ") + std::strerror(error));
  pid_ = pid;
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}

Process::~Process() {
  if (pid_ < 0 || status_) return;
  ::kill(pid_, SIGKILL);
  Wait();
}

std::optional<ExitStatus> Process::Poll() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = Decode(status);
  return status_;
}

ExitStatus Process::Wait() {
  int status = 0;
  while (!status_) {
    if (::waitpid(pid_, &status, 0) == pid_) {
      status_ = Decode(status);
    } else if (errno != EINTR) {
      status_ = ExitStatus{.code = -1, .signal = 0};
    }
  }
  return *status_;
}

void Process::Signal(int signal) {
  if (!status_) ::kill(pid_, signal);
}

ProcessResult RunProcess(std::vector<std::string> argv) {
  TempFolder folder;
  const fs::path log = folder.path() / "output";
  Process process({.argv = std::move(argv), .env = {}, .stdout_file = log, .stderr_file = log});
  const ExitStatus status = process.Wait();
  return {.status = status, .output = ReadFile(log)};
}

std::optional<fs::path> FindProgram(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path candidate = fs::path(folder) / name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

std::pair<std::string, std::string> ParentVariable() { return {kParentVariable, std::to_string(::getpid())}; }

void DieWithParent() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const char* parent = std::getenv(kParentVariable);
  if (parent != nullptr && std::to_string(::getppid()) != parent) ::raise(SIGKILL);
}

}  // namespace hot
