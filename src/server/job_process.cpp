#include "server/job_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

#include "server/job_folder.h"

namespace hot::server {
namespace {

constexpr const char* kLog = "log";
constexpr size_t kMaxLine = 4096;             // of progress; longer ones are no progress
constexpr size_t kMaxRead = 1 << 18;          // at once: a process that prints without end must not hold up the others
constexpr size_t kMaxShown = 300;             // of a line in an error
constexpr int64_t kCheckGapNs = 100'000'000;  // between looks at memory and disk
constexpr int kMaxDescent = 8;                // processes started by processes

std::string Gib(uint64_t bytes) {
  std::ostringstream text;
  text.precision(3);
  if (bytes >= uint64_t{1} << 30) {
    text << static_cast<double>(bytes) / (1 << 30) << " GiB";
  } else {
    text << static_cast<double>(bytes) / (1 << 20) << " MiB";
  }
  return text.str();
}

std::string Number(const fs::path& file, int field) {
  std::ifstream in(file);
  std::string word;
  for (int i = 0; i <= field; ++i) {
    if (!(in >> word)) return "";
  }
  return word;
}

uint64_t ResidentBytes(const std::string& pid, int descent) {
  const fs::path folder = fs::path("/proc") / pid;
  const std::string pages = Number(folder / "statm", 1);
  uint64_t bytes = pages.empty() ? 0 : std::stoull(pages) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  if (descent >= kMaxDescent) return bytes;
  std::error_code error;
  for (const auto& thread : fs::directory_iterator(folder / "task", error)) {
    std::ifstream children(thread.path() / "children");
    for (std::string child; children >> child;) bytes += ResidentBytes(child, descent + 1);
  }
  return bytes;
}

// Without the files of the blob store, which are linked here.
uint64_t FolderBytes(const fs::path& folder) {
  uint64_t bytes = 0;
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(folder, error); entry != fs::recursive_directory_iterator();
       entry.increment(error)) {
    if (error) break;
    std::error_code gone;  // the job removes files, too
    if (!fs::is_regular_file(entry->symlink_status(gone)) || fs::hard_link_count(entry->path(), gone) > 1) continue;
    const uintmax_t size = fs::file_size(entry->path(), gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

// Why a signal that we did not send ended a job.
std::string Cause(int signal, const JobLimits& limits) {
  switch (signal) {
    case SIGXFSZ:
      return "it wrote a file of more than " + Gib(limits.file_bytes);
    case SIGKILL:
      return "the system ended it, most likely for lack of memory";
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGABRT:
      return std::string("it crashed with ") + strsignal(signal) + ", in the model's code or the runtime's";
    default:
      return std::string("it was ended by ") + strsignal(signal);
  }
}

}  // namespace

uint64_t ResidentBytes(int pid) { return ResidentBytes(std::to_string(pid), 0); }

JobProcess::JobProcess(const std::vector<std::string>& program, const fs::path& folder, const JobLimits& limits,
                       const Clock& clock)
    : folder_(folder), limits_(limits), clock_(clock) {
  EnsureFolder(folder_);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw Error(Code::kUnavailable, "job", std::string("no socket for its process: ") + std::strerror(errno));
  channel_ = ends[0];
  ProcessOptions options{.argv = program,
                         .env = {ParentVariable()},
                         .stdout_file = {},
                         .stderr_file = folder_ / kLog,
                         .channel = ends[1],
                         .own_group = true};
  for (const std::string& argument :
       {std::string("--memory-bytes"), std::to_string(limits_.memory_bytes), std::string("--file-bytes"),
        std::to_string(limits_.file_bytes), folder_.string()})
    options.argv.push_back(argument);
  try {
    process_.emplace(options);
  } catch (const Error&) {
    ::close(ends[0]);
    ::close(ends[1]);
    throw;
  }
  ::close(ends[1]);
}

JobProcess::~JobProcess() { ::close(channel_); }

void JobProcess::Begin() {
  begin_ns_ = clock_.NowNs();
  ::send(channel_, "\n", 1, MSG_NOSIGNAL);  // to one that has died already: Poll() sees it
}

bool JobProcess::Poll() {
  if (status_) return true;
  const std::optional<ExitStatus> status = process_->Poll();  // before reading: what it printed last is not lost
  Read();
  if (status) {
    status_ = status;
    return true;
  }
  if (!reason_) CheckLimits();
  return false;
}

void JobProcess::End(const Error& reason) {
  if (!reason_) reason_ = reason;
  process_->Signal(SIGKILL);
}

void JobProcess::Read() {
  std::array<char, 65536> bytes;
  for (size_t read = 0; read < kMaxRead;) {
    const ssize_t count = ::recv(channel_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count <= 0) return;
    read += static_cast<size_t>(count);
    buffer_.append(bytes.data(), static_cast<size_t>(count));
    size_t begin = 0;
    for (size_t end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n', begin)) {
      Parse(std::string_view(buffer_).substr(begin, end - begin));
      begin = end + 1;
    }
    buffer_.erase(0, begin);
    if (buffer_.size() > kMaxLine) buffer_.clear();
  }
}

// "progress DONE TOTAL NOTE"; what else a library prints is nobody's business.
void JobProcess::Parse(std::string_view line) {
  if (line.size() > kMaxLine) return;
  std::istringstream words{std::string(line)};
  std::string keyword, note;
  JobProgress progress;
  if (!(words >> keyword >> progress.done >> progress.total) || keyword != "progress") return;
  if (!std::isfinite(progress.done) || !std::isfinite(progress.total)) return;
  std::getline(words >> std::ws, note);
  progress.note = CleanLine(note, kMaxShown);
  progress_ = progress;
  ++lines_;
}

void JobProcess::CheckLimits() {
  const int64_t now = clock_.NowNs();
  if (begin_ns_ != 0 && now - begin_ns_ > limits_.run_s * 1'000'000'000) {
    return End(Error(Code::kDeadlineExceeded, "job", "ran longer than " + std::to_string(limits_.run_s) + " s"));
  }
  if (now - checked_ns_ < kCheckGapNs) return;
  checked_ns_ = now;
  if (ResidentBytes(pid()) > limits_.memory_bytes)
    return End(Error(Code::kResourceExhausted, "job", "took more than " + Gib(limits_.memory_bytes) + " of memory"));
  if (FolderBytes(folder_) > limits_.folder_bytes)
    return End(Error(Code::kResourceExhausted, "job", "wrote more than " + Gib(limits_.folder_bytes) + " of files"));
}

v1::JobResult JobProcess::Result() const {
  HOT_ASSERT(status_);
  if (reason_) throw *reason_;
  if (status_->ok() || (status_->signal == 0 && HasJobError(folder_))) return ReadJobResult(folder_);
  std::string how = status_->signal != 0 ? Cause(status_->signal, limits_)
                                         : "its process ended with exit code " + std::to_string(status_->code);
  const std::string last = CleanLine(LastLine(folder_ / kLog), kMaxShown);
  if (!last.empty()) how += "; its last words: " + last;
  const bool too_large = status_->signal == SIGXFSZ;
  throw Error(too_large ? Code::kResourceExhausted : Code::kInternal, "job", how);
}

}  // namespace hot::server
