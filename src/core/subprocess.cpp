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

class SpawnAttributes {
 public:
  explicit SpawnAttributes(bool own_group) {
    posix_spawnattr_init(&attributes_);
    if (!own_group) return;
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes_, 0);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  posix_spawnattr_t* get() { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
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

Process::Process(const ProcessOptions& options) : own_group_(options.own_group) {
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
  SpawnAttributes attributes(own_group_);
  const int error = posix_spawnp(&pid, argv.at(0).c_str(), actions.get(), attributes.get(), Pointers(argv).data(),
                                 Pointers(env).data());
  if (error != 0) throw Error(Code::kUnavailable, argv[0], std::string("can't be started: ") + std::strerror(error));
  pid_ = pid;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), own_group_(other.own_group_), status_(other.status_) {}

Process::~Process() {
  if (pid_ < 0 || status_) return;
  Signal(SIGKILL);
  Wait();
}

std::optional<ExitStatus> Process::Poll() {
  siginfo_t info{};
  if (!status_ && ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
      info.si_pid == pid_)
    Reap();
  return status_;
}

ExitStatus Process::Wait() {
  siginfo_t info{};
  while (!status_) {
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) == 0 || errno != EINTR) Reap();
  }
  return *status_;
}

// It has ended. Until it is reaped its group's number can't become another's.
void Process::Reap() {
  if (own_group_) ::kill(-pid_, SIGKILL);
  int status = 0;
  status_ = ::waitpid(pid_, &status, 0) == pid_ ? Decode(status) : ExitStatus{.code = -1, .signal = 0};
}

void Process::Signal(int signal) {
  if (!status_) ::kill(own_group_ ? -pid_ : pid_, signal);
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
