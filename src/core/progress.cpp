#include "core/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <string>

#include "core/time_left.h"

namespace hot {
namespace {

class SilentProgress : public Progress {
 public:
  void Begin(std::string_view, double) override {}
  void Update(double, std::string_view) override {}
  void End(std::string_view) override {}
  void Note(std::string_view) override {}
};

class TerminalProgress : public Progress {
 public:
  explicit TerminalProgress(const Clock& clock) : clock_(clock), terminal_(isatty(STDERR_FILENO) == 1) {}

  void Begin(std::string_view stage, double total) override {
    std::lock_guard lock(mutex_);
    stage_ = stage;
    total_ = total;
    start_ns_ = clock_.NowNs();
    time_left_.Begin(total, start_ns_);
    last_ns_ = 0;
  }

  void Update(double done, std::string_view note) override {
    std::lock_guard lock(mutex_);
    const int64_t now = clock_.NowNs();
    const std::optional<double> left_s = time_left_.Update(done, now);
    const int64_t gap_ns = terminal_ ? 200'000'000 : 10'000'000'000;
    if (last_ns_ != 0 && now - last_ns_ < gap_ns) return;
    last_ns_ = now;
    Draw(Line(done, note, static_cast<double>(now - start_ns_) * 1e-9, left_s));
  }

  void End(std::string_view summary) override {
    std::lock_guard lock(mutex_);
    Clear();
    std::fprintf(stderr, "%-9s %.*s\n", stage_.c_str(), static_cast<int>(summary.size()), summary.data());
    std::fflush(stderr);
  }

  void Note(std::string_view line) override {
    std::lock_guard lock(mutex_);
    Clear();
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
    std::fflush(stderr);
  }

 private:
  std::string Line(double done, std::string_view note, double elapsed_s, std::optional<double> left_s) const {
    char head[96];
    std::string text;
    if (total_ > 0) {
      const double share = std::clamp(done / total_, 0.0, 1.0);
      std::snprintf(head, sizeof head, "%-9s %3.0f %%", stage_.c_str(), 100 * share);
      text = head;
      if (left_s) text += "  " + FormatDuration(*left_s) + " left";
    } else {
      std::snprintf(head, sizeof head, "%-9s %s", stage_.c_str(), FormatDuration(elapsed_s).c_str());
      text = head;
    }
    if (!note.empty()) text += "  " + std::string(note);
    return text;
  }

  void Draw(const std::string& line) {
    if (terminal_) {
      std::fprintf(stderr, "\r\x1b[K%.118s", line.c_str());
    } else {
      std::fprintf(stderr, "%s\n", line.c_str());
    }
    std::fflush(stderr);
  }

  void Clear() const {
    if (terminal_) std::fprintf(stderr, "\r\x1b[K");
  }

  const Clock& clock_;
  const bool terminal_;
  std::mutex mutex_;
  std::string stage_;
  double total_ = 0;
  TimeLeft time_left_;
  int64_t start_ns_ = 0, last_ns_ = 0;
};

}  // namespace

std::unique_ptr<Progress> MakeTerminalProgress(const Clock& clock) { return std::make_unique<TerminalProgress>(clock); }
std::unique_ptr<Progress> MakeSilentProgress() { return std::make_unique<SilentProgress>(); }

}  // namespace hot
