#include "pipeline/run_progress.h"

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFile = "progress.json";
constexpr int64_t kWriteEveryNs = 2'000'000'000;  // a write is synced to the disk, beside what is being measured

}  // namespace

RunProgress::RunProgress(Progress& inner, const Clock& clock, const fs::path& run_folder)
    : inner_(inner), clock_(clock), file_(run_folder / kFile) {}

void RunProgress::Begin(std::string_view stage, double total) {
  inner_.Begin(stage, total);
  const std::lock_guard lock(mutex_);
  if (stage_ != stage) begun_ = FormatUtc(clock_.WallSeconds());  // a stage may begin its parts by its own name
  stage_ = stage;
  note_.clear();
  done_ = 0;
  total_ = total;
  left_s_.reset();
  time_left_.Begin(total, clock_.NowNs());
  Write();
}

void RunProgress::Update(double done, std::string_view note) {
  inner_.Update(done, note);
  const std::lock_guard lock(mutex_);
  done_ = done;
  note_ = note;
  const int64_t now_ns = clock_.NowNs();
  left_s_ = time_left_.Update(done, now_ns);
  if (now_ns - written_ns_ >= kWriteEveryNs) Write();
}

void RunProgress::End(std::string_view summary) {
  inner_.End(summary);
  const std::lock_guard lock(mutex_);
  passed_.push_back(stage_);
  stage_.clear();
  Write();
}

void RunProgress::Write() {
  Json json{{"version", 1}, {"passed", passed_}, {"stage", stage_}};
  if (!stage_.empty()) {
    json.update({{"begun", begun_},
                 {"done", done_},
                 {"total", total_},
                 {"left_s", left_s_ ? Json(*left_s_) : Json()},
                 {"note", note_}});
  }
  written_ns_ = clock_.NowNs();
  try {
    WriteFileAtomic(file_, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  } catch (const Error&) {
  }
}

void ForgetProgress(const fs::path& run_folder) {
  std::error_code ignored;
  fs::remove(run_folder / kFile, ignored);
}

}  // namespace hot
