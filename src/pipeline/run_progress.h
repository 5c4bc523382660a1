// What a study is doing, shown and written down: a Progress that passes everything on and keeps progress.json of the
// run folder (docs/formats/run.md) for who looks from outside (run_status.h). Given to the Workspace of a study that
// runs, which calls nothing of it before it has the run folder's lock. Thread-safe.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/progress.h"
#include "core/time_left.h"

namespace hot {

class RunProgress : public Progress {
 public:
  RunProgress(Progress& inner, const Clock& clock, const fs::path& run_folder);

  void Begin(std::string_view stage, double total) override;
  void Update(double done, std::string_view note) override;  // written every other second at most
  void End(std::string_view summary) override;
  void Note(std::string_view line) override { inner_.Note(line); }

 private:
  // A file that can't be written is no reason for a study to fail: the stages will say what is wrong.
  void Write();

  Progress& inner_;
  const Clock& clock_;
  const fs::path file_;
  std::mutex mutex_;
  std::string stage_, begun_, note_;  // no stage: ""
  std::vector<std::string> passed_;   // stages that this process has finished or found finished
  double done_ = 0, total_ = 0;
  TimeLeft time_left_;
  std::optional<double> left_s_;
  int64_t written_ns_ = 0;
};

// For who has just taken the run folder's lock: what the process before was doing is not what this one does.
void ForgetProgress(const fs::path& run_folder);

}  // namespace hot
